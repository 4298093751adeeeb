"""What is answered later: kept before it is acknowledged, signed, sent until it is taken."""

import base64
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.registry.partners import signing
from tests.registry.flow import Flow, rows
from tests.registry.spdci.partner import RECEIVER, SUBJECT, Partner, Receiver, search
from tests.server import eventually

EVERYWHERE = [
    {"expression1": {"attribute_name": "location", "operator": "eq", "attribute_value": "KH"}}
]


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The registry signs, and its partners are on this machine; it is soon to try again."""
    for name, value in {
        "SPDCI_SIGNING_KEY": base64.b64encode(
            Ed25519PrivateKey.generate().private_bytes_raw()
        ).decode(),
        "REGISTRY_PARTNERS_ON_LOOPBACK": "true",
        "REGISTRY_PARTNER_RETRY_SECONDS": "[0.05, 0.05]",
    }.items():
        environment[name] = value
        monkeypatch.setenv(name, value)
    return environment


def everyone(reference_id: str = "1") -> dict[str, Any]:
    return search(reference_id, query_type="predicate", query=EVERYWHERE)


async def test_an_answer_is_sent_signed_until_it_is_taken(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    taking.statuses = [500, 503]
    await flow.register(rows(3))
    partner = await Partner(flow).registered(callback_url=url)
    said = await partner.asked_later(everyone("a"), search("b"), sender_uri=f"{url}/on-search")
    assert said["ack_status"] == "ACK"

    async def is_taken() -> bool:
        return len(taking.received) == 3

    await eventually(is_taken)
    first, second, third = taking.received
    path, sent = third
    assert path == "/spdci/registry/on-search"
    assert first[1]["header"] == second[1]["header"] == sent["header"]
    assert (sent["header"]["action"], sent["header"]["status"]) == ("on-search", "succ")
    message = sent["message"]
    assert message["correlation_id"] == said["correlation_id"]
    good, wrong = message["search_response"]
    assert len(good["data"]["reg_records"]) == 3
    assert wrong["status_reason_code"] == "rjct.search_criteria.invalid"

    async with flow.service.client() as client:
        jwks = await client.get(client.base_url.join("/spdci/social/.well-known/jwks.json"))
    (key,) = jwks.json()["keys"]
    padded = key["x"] + "=" * (-len(key["x"]) % 4)
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(padded))
    signing.verify(
        sent["signature"],
        sender_id=RECEIVER,
        keys={key["kid"]: public},
        header=sent["header"],
        message=message,
        now=time.time(),
    )

    for by in (
        {"correlation_id": said["correlation_id"]},
        {"transaction_id": "t-1"},
        {"reference_id_list": ["b", "c"]},
    ):
        told = (await partner.status(**by)).json()
        assert told["message"]["txnstatus_response"]["txn_status"] == message
    assert (await partner.status(transaction_id="t-9")).status_code == 404
    kept = await flow.owner.fetch(
        "SELECT message_sealed FROM registry.partner_delivery "
        "UNION ALL SELECT message_sealed FROM registry.partner_request"
    )
    assert len(kept) == 2
    assert not any(b"Chanthy" in row["message_sealed"] for row in kept)
    shown = await flow.owner.fetch(
        "SELECT objects FROM registry.audit_record WHERE unmasked_read AND subject = $1", SUBJECT
    )
    assert sorted(len(row["objects"]) for row in shown) == [3]


async def test_a_status_that_is_asked_to_be_told_later_is_told_or_refused_at_once(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow).registered(callback_url=url)

    async def asked(**changes: Any) -> dict[str, Any]:
        request = {
            "reference_id": "s-1",
            "txn_type": "search",
            "attribute_type": "transaction_id",
            "attribute_value": "t-none",
        } | changes
        envelope = partner.envelope(
            "txn-status", 1, {"transaction_id": "t-2", "txnstatus_request": request}
        )
        answer = await partner.send("/spdci/social/registry/txn/status", envelope)
        said: dict[str, Any] = answer.json()["message"]
        return said

    for wrong in (
        {"txn_type": "else"},
        {"attribute_type": "else"},
        {"attribute_type": "correlation_id"},
        {"attribute_type": "reference_id_list", "attribute_value": []},
    ):
        assert (await asked(**wrong))["ack_status"] == "ERR", wrong
    assert (await asked())["ack_status"] == "ACK"

    async def is_told() -> bool:
        return len(taking.received) == 1

    await eventually(is_told)
    ((path, told),) = taking.received
    assert path == "/spdci/registry/txn/on-status"
    assert told["header"]["status"] == "rjct"
    assert "Nothing" in told["header"]["status_reason_message"]
    assert "message" not in told


async def test_what_is_given_up_is_told_of_and_another_is_not_kept_waiting(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow).registered(callback_url=url)
    taking.statuses = [500] * 3
    first = await partner.asked_later(everyone())

    async def is_given_up() -> bool:
        return bool(
            await flow.owner.fetchval(
                "SELECT count(*) FROM registry.partner_delivery WHERE status = 'failed'"
            )
        )

    await eventually(is_given_up)
    again = await partner.asked_later(everyone())

    async def is_taken() -> bool:
        return len(taking.received) == 4

    await eventually(is_taken)
    assert taking.received[-1][1]["message"]["correlation_id"] == again["correlation_id"]
    told = (await partner.status(correlation_id=first["correlation_id"])).json()
    response = told["message"]["txnstatus_response"]["txn_status"]["search_response"]
    assert response[0]["status"] == "succ"


async def test_where_answers_go_was_agreed_on_before(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    _, url = receiver
    partner = await Partner(flow).registered()
    none = await partner.asked_later(everyone())
    assert (none["ack_status"], none["error"]["code"]) == ("ERR", "err.sender_uri.invalid")
    await partner.registered(callback_url=url)
    elsewhere = await partner.asked_later(everyone(), sender_uri="https://example.org/spdci")
    assert elsewhere["error"]["code"] == "err.sender_uri.invalid"
    lookalike = await partner.asked_later(everyone(), sender_uri=f"{url}-evil/on-search")
    assert lookalike["error"]["code"] == "err.sender_uri.invalid"
    late = await partner.asked_later(everyone(), message_ts="2020-01-01T00:00:00+00:00")
    assert "rjct.message_ts.invalid" in late["error"]["message"]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.partner_request") == 0
