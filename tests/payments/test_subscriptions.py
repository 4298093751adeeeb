"""Events are sent to whoever subscribed, signed, once two persons agreed."""

import base64
from typing import Any

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook, WebhookVerificationError

from shared.contracts import events
from shared.contracts.catalogue import EXAMPLES
from shared.ids import new_id
from tests.payments.conftest import World
from tests.payments.receiver import Message, RunningReceiver
from tests.payments.steps import Steps
from tests.payments.subscribing import (
    OPENED,
    deliver,
    deliveries,
    environment,
    fan_out,
    key_of,
    receiver,
    subscribed,
    subscription,
    tell,
)

__all__ = ["environment", "receiver"]


def verifies(secret: str, message: Message) -> bool:
    """Whether the library of the standard takes a message for genuine."""
    try:
        Webhook(secret).verify(message.body, message.headers)
    except WebhookVerificationError:
        return False
    return True


def verifies_asymmetrically(public_key: str, message: Message) -> bool:
    """Whether an Ed25519 signature of Standard Webhooks 1.0 (``v1a``) is right."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    content = (
        f"{message.headers['webhook-id']}.{message.headers['webhook-timestamp']}.".encode()
        + message.body
    )
    for signature in message.headers["webhook-signature"].split(" "):
        version, _, signed = signature.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(signed), content)
            except InvalidSignature:
                continue
            return True
    return False


async def test_an_event_reaches_its_subscriber_signed_and_once(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok")
    [told] = await tell(world)
    for _ in range(2):
        await deliver(steps)

    [message] = await receiver.heard()
    [delivery] = await deliveries(world)
    key = await key_of(world, agreed)
    assert message.event["id"] == told["id"]
    assert message.headers["content-type"] == "application/cloudevents+json"
    assert message.headers["webhook-id"] == delivery["id"]
    assert (delivery["status"], delivery["attempts"], delivery["answer_status"]) == (
        "delivered",
        1,
        204,
    )
    assert verifies(key["secret"], message)
    assert not verifies("whsec_" + base64.b64encode(b"another" * 5).decode(), message)
    changed = Message(message.path, message.headers, message.body + b" ")
    assert not verifies(key["secret"], changed)


async def test_what_is_sent_is_as_the_document_says(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    await subscribed(world, f"{receiver.url}/ok", types=[fact.type for fact in EXAMPLES])
    await tell(world, *(fact.model_validate(example) for fact, example in EXAMPLES.items()))
    await deliver(steps)

    components = world.service.app.openapi()["components"]
    messages = await receiver.heard()
    assert {message.event["type"] for message in messages} == {fact.type for fact in EXAMPLES}
    for message in messages:
        name = components["schemas"]["Feed"]["properties"]["items"]["items"]["discriminator"][
            "mapping"
        ][message.event["type"]]
        Draft202012Validator({"$ref": name, "components": components}).validate(message.event)


async def test_an_asymmetric_signature_needs_no_common_secret(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok", signing="ed25519")
    other = await subscribed(world, f"{receiver.url}/other", signing="ed25519")
    await tell(world)
    await deliver(steps)

    [message] = await receiver.heard("/ok")
    key = await key_of(world, agreed)
    assert key["secret"] is None
    assert verifies_asymmetrically(key["public_key"], message)
    assert not verifies_asymmetrically((await key_of(world, other))["public_key"], message)


async def test_a_subscriber_gets_what_concerns_its_places(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    places = {
        "everywhere": [],
        "province": ["01"],
        "district": ["0102"],
        "communes": ["010203", "020301"],
        "elsewhere": ["0103", "10"],
    }
    names = {
        (await subscribed(world, f"{receiver.url}/{name}", areas=areas))["id"]: name
        for name, areas in places.items()
    }
    for told, concerned in (
        (["0102"], {"everywhere", "province", "district", "communes"}),
        (["010299"], {"everywhere", "province", "district"}),
        (["01", "02"], {"everywhere", "province", "district", "communes", "elsewhere"}),
        (["0203"], {"everywhere", "communes"}),
        (["25"], {"everywhere"}),
        (["KH"], set(places)),
    ):
        [event] = await tell(world, areas=told)
        await fan_out(steps)
        sent = {
            names[delivery["subscription_id"]]
            for delivery in await deliveries(world)
            if delivery["event_id"] == event["id"]
        }
        assert sent == concerned, told


async def test_places_that_nobody_knows_are_named_and_not_subscribed_to(world: World) -> None:
    asked = subscription("http://127.0.0.1:9/hooks", areas=["01", "99", "0203", "02039"])
    refused = await world.post("/subscriptions", asked, status=422)
    assert "99, 02039." in refused["detail"]
    assert "01," not in refused["detail"]
    assert (await world.get("/approvals"))["items"] == []

    # The registry is away: nobody knows, so nothing is proposed, and it is said what to do.
    world.registry.status = 503
    asked["areas"] = ["01"]
    for _ in range(2):
        away = await world.post("/subscriptions", asked, status=503)
        assert "Send the same again later" in away["detail"]
    asked["areas"] = []
    await world.propose("/subscriptions", asked)
    world.registry.status = 200
    asked["areas"] = ["01"]
    await world.propose("/subscriptions", asked)


async def test_what_names_no_place_goes_to_everybody_who_asked_for_its_type(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    settled = events.PaymentsSettled
    await subscribed(world, f"{receiver.url}/ok", areas=["02"], types=[settled.type])
    await tell(world, settled.model_validate(EXAMPLES[settled]))
    await tell(world, areas=["02"])
    await fan_out(steps)

    assert [delivery["type"] for delivery in await deliveries(world)] == [settled.type]


async def test_what_was_told_before_two_persons_agreed_is_not_sent(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    proposal = await world.propose("/subscriptions", subscription(f"{receiver.url}/ok"))
    await tell(world, again=3)
    await fan_out(steps)
    await world.approve(proposal["id"])
    [later] = await tell(world)
    await deliver(steps)

    assert [message.event["id"] for message in await receiver.heard()] == [later["id"]]
    assert (await world.get(f"/subscriptions/{proposal['id']}"))["waiting"] == 0


async def test_a_worker_that_dies_makes_and_sends_nothing_twice_at_the_subscriber(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    """The log is read again, as where the database lost what was read: the ids are the same."""
    await subscribed(world, f"{receiver.url}/ok")
    await tell(world, again=20)
    await deliver(steps)
    ids = sorted(delivery["id"] for delivery in await deliveries(world))
    await owner.execute("DELETE FROM payments.event_cursor WHERE consumer = 'subscriptions'")
    await owner.execute(
        "DELETE FROM payments.delivery WHERE number IN "
        "(SELECT number FROM payments.delivery ORDER BY number LIMIT 7)"
    )
    await deliver(steps)

    assert sorted(delivery["id"] for delivery in await deliveries(world)) == ids
    heard = [message.headers["webhook-id"] for message in await receiver.heard()]
    assert (len(heard), sorted(set(heard))) == (27, ids)


async def test_nobody_subscribes_alone(world: World, receiver: RunningReceiver) -> None:
    proposal = await world.propose("/subscriptions", subscription(f"{receiver.url}/ok"))
    answer = await world.client.post(
        f"/approvals/{proposal['id']}/approval", json={"reason": "It is mine."}
    )

    assert answer.status_code == 409
    assert (await world.get("/subscriptions"))["items"] == []
    assert (await world.client.get(f"/subscriptions/{proposal['id']}")).status_code == 404


async def test_an_address_that_nothing_may_be_sent_to_is_refused_where_it_is_posted(
    world: World,
) -> None:
    for url in (
        "ftp://ministry.example/a",
        "https://",
        "https:///a",
        "//ministry.example",
        "https://name:word@ministry.example/a",
        "https://ministry.example/#a",
        "https://ministry.example:99999999/",
        "https://min istry.example/",
        "https://ministry.example/\n",
        "http://ministry.example/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://[64:ff9b::a00:1]/",
        "x" * 2_000,
    ):
        await refused(world, subscription(url))


async def test_a_subscription_to_nothing_that_there_is_is_refused(world: World) -> None:
    changes: list[dict[str, Any]] = [
        {"types": []},
        {"types": ["org.sangkroh.nothing.v1"]},
        {"types": [OPENED.type, OPENED.type]},
        {"areas": ["KH"]},
        {"areas": ["01", "01"]},
        {"signing": "none"},
        {"name": " "},
    ]
    for changed in changes:
        await refused(world, subscription("https://ministry.example/a", **changed))


async def refused(world: World, body: dict[str, Any]) -> None:
    """It is a malformed request, and nobody is asked to approve it."""
    answer = await world.client.post(
        "/subscriptions", json=body, headers={"Idempotency-Key": str(new_id())}
    )
    assert answer.status_code == 422, (body, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await world.get("/approvals"))["items"] == []


async def test_a_program_sees_its_own_subscriptions_alone(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    """Its token's subject is its client: it proposes, and a person approves."""
    theirs = await subscribed(world, f"{receiver.url}/theirs")
    async with world.service.client(
        "subscriptions:read", "subscriptions:write", subject="feed:ministry"
    ) as program:
        proposed = await program.post(
            "/subscriptions",
            json=subscription(f"{receiver.url}/own"),
            headers={"Idempotency-Key": str(new_id())},
        )
        await world.approve(proposed.json()["id"])
        await tell(world)
        await fan_out(steps)

        own = proposed.json()["id"]
        seen = (await program.get("/subscriptions")).json()["items"]
        assert [subscription["id"] for subscription in seen] == [own]
        sent = (await program.get("/deliveries")).json()["items"]
        assert [delivery["subscription_id"] for delivery in sent] == [own]
        keys = (await program.get(f"/subscriptions/{own}/keys")).json()["items"]
        assert keys[0]["secret"].startswith("whsec_")
        for path in (f"/subscriptions/{theirs['id']}", f"/subscriptions/{theirs['id']}/keys"):
            assert (await program.get(path)).status_code == 404
        assert (await program.delete(f"/subscriptions/{theirs['id']}")).status_code == 404
    assert len((await world.get("/subscriptions"))["items"]) == 2


async def test_a_secret_is_shown_to_whoever_made_it_and_to_nobody_else(
    world: World, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok")
    secret = (await key_of(world, agreed))["secret"]
    async with world.checker() as checker:
        [key] = (await checker.get(f"/subscriptions/{agreed['id']}/keys")).json()["items"]

    assert key["secret"] is None
    shown = await owner.fetch(
        "SELECT subject, objects FROM payments.audit_record WHERE unmasked_read"
    )
    assert [(row["subject"], row["objects"]) for row in shown] == [
        ("officer@test", [f"subscriptions/{agreed['id']}/keys/{key['id']}"])
    ]
    stored = await owner.fetchval(
        "SELECT string_agg(content, '') FROM ("
        "SELECT body::text AS content FROM payments.idempotency_key UNION ALL "
        "SELECT document::text FROM payments.approval UNION ALL "
        "SELECT coalesce(after::text, '') FROM payments.audit_record UNION ALL "
        "SELECT encode(secret_sealed, 'escape') FROM payments.subscription_key) AS everything"
    )
    assert secret.removeprefix("whsec_") not in stored


async def test_as_many_are_active_as_are_sent_to(world: World, owner: asyncpg.Connection) -> None:
    for number in range(3):
        await subscribed(world, f"https://ministry.example/{number}")
    await owner.execute(
        "INSERT INTO payments.subscription SELECT uuidv7(), name, url, types, areas, signing, "
        "status, after_sequence, proposed_by, approved_by, began_at "
        "FROM payments.subscription, generate_series(1, 33) LIMIT 97"
    )
    proposal = await world.propose("/subscriptions", subscription("https://ministry.example/more"))
    answer = await world.approve(proposal["id"], status=409)

    assert "End one" in answer["detail"]
