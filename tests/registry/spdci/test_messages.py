"""Messages of partners: whose they are, what is wrong with them, and that each is taken once."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.registry.flow import Flow
from tests.registry.spdci.partner import SENDER, Partner, search, signature

SYNC = "/spdci/social/registry/sync/search"


@pytest.fixture
async def partner(flow: Flow) -> Partner:
    return await Partner(flow).registered()


def one(partner: Partner, **header: Any) -> dict[str, Any]:
    return partner.search_envelope(
        search(query_type="idtype-value", query={"type": "UIN", "value": "010203045"}), **header
    )


async def test_a_message_is_taken_only_from_a_partner_that_signed_it(
    flow: Flow, partner: Partner
) -> None:
    async def code(envelope: Any, **given: Any) -> tuple[int, str]:
        answer = await partner.send(SYNC, envelope, **given)
        return answer.status_code, answer.json()["errors"][0]["code"]

    good = one(partner)
    tampered = one(partner)
    tampered["message"]["search_request"][0]["search_criteria"]["query"]["value"] = "010203046"
    unsigned = {name: good[name] for name in ("header", "message")}
    ended = one(partner)
    ended["signature"] = signature(
        partner.private, ended["header"], ended["message"], created=int(time.time()) - 7_200
    )
    early = one(partner)
    early["signature"] = signature(
        partner.private, early["header"], early["message"], created=int(time.time()) + 3_600
    )
    long = one(partner)
    long["signature"] = signature(
        partner.private, long["header"], long["message"], seconds=40 * 24 * 3600
    )
    strange = one(partner)
    strange["signature"] = signature(
        Ed25519PrivateKey.generate(), strange["header"], strange["message"]
    )
    for envelope in (tampered, ended, early, long, strange, {**good, "signature": "x"}):
        assert await code(envelope) == (401, "err.signature.invalid")
    assert await code(unsigned) == (401, "err.signature.missing")
    assert await code(one(partner, sender_id="somebody.else")) == (403, "err.sender_id.invalid")
    assert await code(one(partner, receiver_id="another.registry")) == (
        400,
        "err.receiver_id.invalid",
    )
    assert await code(one(partner, is_msg_encrypted=True)) == (400, "err.encryption.invalid")
    assert await code([]) == (400, "err.request.bad")
    assert await code(good, scopes=("households:read",)) == (403, "err.request.forbidden")
    async with flow.service.client("spdci:social", subject="another-ministry") as client:
        answer = await client.post(client.base_url.join(SYNC), json=good)
    assert answer.json()["errors"][0]["code"] == "err.sender_id.invalid"
    async with flow.service.client("spdci:social") as client:
        answer = await client.post(
            client.base_url.join(SYNC), json=good, headers={"Authorization": "Bearer none"}
        )
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "err.request.unauthorized"

    assert (await partner.send(SYNC, good)).json()["header"]["status"] == "succ"
    twice = (await partner.send(SYNC, good)).json()["header"]
    assert (twice["status"], twice["status_reason_code"]) == ("rjct", "rjct.message_id.duplicate")

    ended_partner = await flow.client.delete(f"/partners/{SENDER}")
    assert ended_partner.json()["ended_at"]
    assert await code(one(partner)) == (403, "err.sender_id.invalid")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"version": "2.0.0"}, "rjct.version.invalid"),
        ({"message_ts": "yesterday"}, "rjct.message_ts.invalid"),
        (
            {"message_ts": (datetime.now(UTC) - timedelta(days=2)).isoformat()},
            "rjct.message_ts.invalid",
        ),
        ({"action": "subscribe"}, "rjct.action.invalid"),
        ({"total_count": 2}, "rjct.total_count.invalid"),
        ({"total_count": True}, "rjct.total_count.invalid"),
        ({"total_count": 101}, "rjct.total_count.limit_exceeded"),
    ],
)
async def test_a_header_that_is_wrong_is_answered_in_the_header(
    partner: Partner, header: dict[str, Any], code: str
) -> None:
    answer = await partner.send(SYNC, one(partner, **header))
    said = answer.json()
    assert answer.status_code == 200
    assert (said["header"]["status"], said["header"]["status_reason_code"]) == ("rjct", code)
    assert "message" not in said


async def test_a_partner_takes_two_persons_and_no_private_key(flow: Flow) -> None:
    partner = Partner(flow)
    body: dict[str, Any] = {
        "sender_id": SENDER,
        "name": "Ministry of tests",
        "subject": "ministry-of-tests",
        "keys": [partner.public],
        "callback_url": "https://10.0.0.1/spdci",
        "reason": "An agreement.",
    }
    inwards = await flow.client.post("/partners", json=body, headers=flow.key())
    assert inwards.status_code == 422
    assert "private network" in inwards.text
    body["callback_url"] = None
    body["keys"] = [{**partner.public, "x": "A" * 43}, {**partner.public}]
    twice = await flow.client.post("/partners", json=body, headers=flow.key())
    assert "one kid" in twice.text
    body["keys"] = [partner.public]
    proposed = await flow.client.post("/partners", json=body, headers=flow.key())
    assert proposed.status_code == 202
    assert (await flow.client.get(f"/partners/{SENDER}")).status_code == 404
    assert (await flow.decided(proposed)).status_code == 200
    assert (await flow.get(f"/partners/{SENDER}"))["subject"] == "ministry-of-tests"
    assert [kept["sender_id"] for kept in (await flow.get("/partners"))["items"]] == [SENDER]
