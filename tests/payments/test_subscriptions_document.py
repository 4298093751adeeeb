"""What a subscriber's developer reads is so: the page's own code, and the AsyncAPI document."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from services.payments.deliveries.service import MOST_REPLAYED
from services.payments.settings import WorkerSettings
from services.payments.subscriptions.schemas import SubscriptionIn
from shared.contracts.catalogue import EXAMPLES
from shared.events.asyncapi import PATH
from shared.signatures import TOLERANCE_SECONDS, sign
from tests.payments.conftest import World
from tests.payments.receiver import Message, RunningReceiver
from tests.payments.steps import Steps
from tests.payments.subscribing import deliver, environment, key_of, receiver, subscribed, tell

__all__ = ["environment", "receiver"]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "subscriptions.md").read_text()
EventOf = Callable[[Mapping[str, str], bytes, Sequence[str]], Any]


def blocks(language: str) -> list[str]:
    """The page's pieces in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def event_of(block: str) -> EventOf:
    """The function that a piece of the page defines."""
    defined: dict[str, Any] = {}
    exec(compile(block, "docs/subscriptions.md", "exec"), defined)  # noqa: S102 - it is our own
    found: EventOf = defined["event_of"]
    return found


def forgeries(message: Message) -> Iterator[tuple[dict[str, str], bytes]]:
    """The message with one thing changed, each."""
    headers = message.headers
    yield headers, message.body + b" "
    yield {**headers, "webhook-id": "another"}, message.body
    yield {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, message.body
    yield {**headers, "webhook-signature": "v1,AAAA v1a,AAAA"}, message.body
    yield {**headers, "webhook-signature": ""}, message.body


@pytest.mark.parametrize(
    ("signing", "block"), [("hmac-sha256", 0), ("ed25519", 1)], ids=["hmac", "ed25519"]
)
async def test_the_pages_own_code_takes_what_is_genuine_and_nothing_else(
    world: World, steps: Steps, receiver: RunningReceiver, signing: str, block: int
) -> None:
    verify = event_of(blocks("python")[block])
    agreed = await subscribed(world, f"{receiver.url}/ok", signing=signing)
    other = await subscribed(world, f"{receiver.url}/other", signing=signing)
    [told] = await tell(world)
    await deliver(steps)
    [message] = await receiver.heard("/ok")
    key, others = await key_of(world, agreed), await key_of(world, other)
    known, unknown = (each["secret"] or each["public_key"] for each in (key, others))

    assert verify(message.headers, message.body, [unknown, known])["id"] == told["id"]
    with pytest.raises(ValueError):
        verify(message.headers, message.body, [unknown])
    for headers, body in forgeries(message):
        with pytest.raises(ValueError):
            verify(headers, body, [known])


def test_the_pages_own_code_refuses_what_was_recorded_and_is_sent_again() -> None:
    verify = event_of(blocks("python")[0])
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    for age_seconds, is_taken in ((0, True), (TOLERANCE_SECONDS + 5, False)):
        sent_at = int(time.time()) - age_seconds
        headers = {
            "webhook-id": "7",
            "webhook-timestamp": str(sent_at),
            "webhook-signature": sign(secret, message_id="7", timestamp=sent_at, body=b"{}"),
        }
        if is_taken:
            assert verify(headers, b"{}", [secret]) == {}
        else:
            with pytest.raises(ValueError):
                verify(headers, b"{}", [secret])


def test_the_page_proposes_what_may_be_proposed() -> None:
    [body] = blocks("json")

    SubscriptionIn.model_validate_json(body)


def test_the_page_says_the_settings_as_they_are() -> None:
    fields = WorkerSettings.model_fields
    waits = fields["delivery_retry_seconds"].default

    assert waits == [
        5,
        *(60 * minutes for minutes in (5, 30)),
        *(3600 * hours for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert "after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in PAGE
    assert f"nothing in {fields['delivery_timeout_seconds'].default} seconds" in PAGE
    assert f"listed for {fields['delivery_days'].default} days" in PAGE
    assert fields["delivery_each"].default == 4
    assert f"{MOST_REPLAYED:,} events" in PAGE
    for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)` \| for", PAGE):
        assert f"org.sangkroh.{name}.v1" in {fact.type for fact in EXAMPLES}


async def document_of(world: World) -> dict[str, Any]:
    async with httpx.AsyncClient() as anybody:
        answer = await anybody.get(f"{world.service.url}{PATH}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def pointed_at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


async def test_the_asyncapi_document_is_whole(world: World) -> None:
    document = await document_of(world)

    assert document["asyncapi"] == "3.0.0"
    for reference in references(document):
        assert pointed_at(document, reference)
    messages = document["components"]["messages"]
    assert {message["name"] for message in messages.values()} == {fact.type for fact in EXAMPLES}
    [operation] = document["operations"].values()
    assert operation["action"] == "send"
    # An operation's messages are those of its channel, by reference (AsyncAPI 3.0, Operation).
    channel = pointed_at(document, operation["channel"]["$ref"])
    assert len(operation["messages"]) == len(channel["messages"]) == len(messages)
    for message in messages.values():
        for example in message["examples"]:
            payload = {**document, "$ref": message["payload"]["$ref"]}
            Draft7Validator(payload).validate(example["payload"])


async def test_what_is_sent_is_as_the_asyncapi_document_says(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    await subscribed(world, f"{receiver.url}/ok", types=[fact.type for fact in EXAMPLES])
    await tell(world, *(fact.model_validate(example) for fact, example in EXAMPLES.items()))
    await deliver(steps)
    document = await document_of(world)
    by_type = {message["name"]: message for message in document["components"]["messages"].values()}

    messages = await receiver.heard()
    assert len(messages) == len(EXAMPLES)
    for message in messages:
        described = by_type[message.event["type"]]
        for part, value in (("payload", message.event), ("headers", message.headers)):
            Draft7Validator({**document, "$ref": described[part]["$ref"]}).validate(value)
        assert message.headers["content-type"] == described["contentType"]
        changed = json.loads(message.body) | {"data": {}}
        payload = Draft7Validator({**document, "$ref": described["payload"]["$ref"]})
        assert list(payload.iter_errors(changed))
