"""Our own side as a client: what we ask, what is answered, and what is on its way."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from services.registry.spdci.applications import examples
from shared.auth.roles import SCOPES, Role
from tests.registry.flow import Flow
from tests.registry.spdci.partner import SENDER, Partner, Receiver, search
from tests.registry.spdci.schemas import hold_answer, hold_request, validator
from tests.registry.spdci.signing import signed_environment, took
from tests.server import eventually

environment = signed_environment


async def test_a_partner_is_asked_and_its_answer_is_kept_once(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow).registered(callback_url=url)
    query = {"type": "UIN", "value": "010203045"}
    body = {"query_type": "idtype-value", "query": json.dumps(query)}
    asked = await flow.post(f"/partners/{SENDER}/searches", body)
    (sent,) = await took(taking, "search", 1)
    assert sent["message"]["transaction_id"] == asked["id"]
    assert sent["message"]["search_request"][0]["search_criteria"]["query"] == query

    def answer(transaction_id: str) -> dict[str, Any]:
        message = {
            "transaction_id": transaction_id,
            "correlation_id": "c-1",
            "search_response": [
                {
                    "reference_id": asked["id"],
                    "timestamp": datetime.now(UTC).isoformat(),
                    "status": "succ",
                    "data": {"reg_records": [{"name": "Sok Chanthy"}]},
                }
            ],
        }
        return partner.envelope("on-search", 1, message, status="succ", total_count=None)

    path = "/spdci/social/registry/on-search"
    envelope = answer(asked["id"])
    for _ in range(2):
        said = (await partner.send(path, envelope)).json()["message"]
        assert said["ack_status"] == "NACK"
    unasked = (await partner.send(path, answer(str(uuid4())))).json()["message"]
    assert unasked["ack_status"] == "ERR"
    forged = answer(asked["id"])
    forged["message"]["correlation_id"] = "c-2"
    assert (await partner.send(path, forged)).status_code == 401
    found = await flow.get(f"/partners/{SENDER}/searches/{asked['id']}")
    (kept,) = found["answers"]
    assert kept["message"] == envelope["message"]
    (listed,) = (await flow.get(f"/partners/{SENDER}/received"))["items"]
    assert listed["action"] == "on-search"
    read = await flow.get(f"/partners/{SENDER}/received/{listed['id']}")
    assert read["message"] == envelope["message"]
    sealed = await flow.owner.fetchval("SELECT message_sealed FROM registry.partner_callback")
    assert b"Chanthy" not in sealed
    # A partner has persons told by the standard's messages, and by nothing else.
    async with flow.service.client(*SCOPES[Role.PARTNER], subject="another") as theirs:
        for kept_at in (f"searches/{asked['id']}", f"received/{listed['id']}"):
            assert (await theirs.get(f"/partners/{SENDER}/{kept_at}")).status_code == 403

    # Another partner has no part in it, and one that ended is asked nothing.
    other = "another.example.org"
    await Partner(flow).registered(sender_id=other, subject="another", callback_url=url)
    for kept_at in (f"searches/{asked['id']}", f"received/{listed['id']}"):
        assert (await flow.client.get(f"/partners/{other}/{kept_at}")).status_code == 404
    assert (await flow.get(f"/partners/{other}/received"))["items"] == []
    assert (await flow.get(f"/partners/{other}/deliveries"))["items"] == []
    (delivery,) = (await flow.get(f"/partners/{SENDER}/deliveries"))["items"]
    replay = f"/partners/{other}/deliveries/{delivery['id']}/replay"
    assert (await flow.client.post(replay)).status_code == 404
    assert (await flow.client.delete(f"/partners/{SENDER}")).status_code == 200
    asking = await flow.client.post(f"/partners/{SENDER}/searches", json=body, headers=flow.key())
    assert asking.status_code == 409
    assert len(await took(taking, "search", 1)) == 1


async def test_what_was_given_up_is_seen_and_sent_again(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow).registered(callback_url=url)
    taking.statuses = [500] * 3
    await partner.asked_later(
        search(query_type="idtype-value", query={"type": "UIN", "value": "010203045"})
    )
    path = f"/partners/{SENDER}/deliveries"

    async def is_given_up() -> bool:
        return bool((await flow.get(path, status="failed"))["items"])

    await eventually(is_given_up)
    (delivery,) = (await flow.get(path))["items"]
    assert (delivery["attempts"], delivery["answer_status"]) == (3, 500)
    assert "010203045" not in str(delivery)
    replay = f"{path}/{delivery['id']}/replay"
    again = await flow.client.post(replay)
    assert again.status_code == 200, again.text
    assert len(await took(taking, "on-search", 4)) == 4

    async def is_taken() -> bool:
        return bool((await flow.get(path, status="delivered"))["items"])

    await eventually(is_taken)
    assert (await flow.client.post(replay)).status_code == 409


def test_every_example_that_is_published_is_as_the_schemas_have_it() -> None:
    for path, request, answer in (
        ("/registry/sync/search", examples.SEARCH, examples.SEARCHED),
        ("/registry/search", examples.SEARCH, examples.ACKNOWLEDGED),
        ("/registry/subscribe", examples.SUBSCRIBE, examples.ACKNOWLEDGED),
        ("/registry/unsubscribe", examples.UNSUBSCRIBE, examples.ACKNOWLEDGED),
        ("/registry/sync/txn/status", examples.TXN_STATUS, examples.TXN_STATUS_TOLD),
        ("/registry/txn/status", examples.TXN_STATUS, examples.ACKNOWLEDGED),
        *(
            (
                "/registry/txn/on-status" if action == "txn-on-status" else f"/registry/{action}",
                example,
                examples.NOTHING_FOLLOWS,
            )
            for action, example in examples.CALLBACKS.items()
        ),
    ):
        hold_request("social", path, request)
        hold_answer("social", path, 200, answer)
    for path, request, answer in (
        ("/registry/sync/search", examples.SEARCH_BENEFICIARIES, examples.BENEFICIARIES_FOUND),
        ("/registry/search", examples.SEARCH_BENEFICIARIES, examples.ACKNOWLEDGED),
        ("/registry/sync/enrolled", examples.ENROLLED, examples.ENROLLED_TOLD),
        (
            "/registry/sync/enrollment/updates",
            examples.ENROLMENTS_TOLD,
            examples.ENROLMENTS_TAKEN,
        ),
    ):
        hold_request("ibr", path, request)
        hold_answer("ibr", path, 200, answer)
    hold_answer("ibr", "/registry/sync/txn/status", 200, examples.TXN_STATUS_TOLD)


async def test_our_keys_are_shown_as_the_standard_has_it(flow: Flow) -> None:
    async with flow.service.client() as client:
        for register in ("social", "ibr"):
            address = client.base_url.join(f"/spdci/{register}/.well-known/jwks.json")
            told = (await client.get(address)).json()
            validator("jwks", "/components/schemas/JWKSResponse").validate(told)
            assert len(told["keys"]) == 1
