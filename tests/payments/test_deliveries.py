"""Whatever receivers do: each event reaches whoever can take it, and nobody waits for another."""

import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis.strategies import integers, text

from services.payments.deliveries import repository, service
from services.payments.deliveries.repository import Outcome
from services.payments.deliveries.states import DeliveryStatus
from services.payments.settings import WorkerSettings
from shared.addresses import refusal_of, url_of
from shared.contracts import events
from shared.contracts.catalogue import EXAMPLES
from shared.outbound import is_public, is_public_or_loopback
from shared.schedule import Schedule
from shared.sending import Sender
from tests.payments.conftest import BothSettings, World
from tests.payments.receiver import RunningReceiver
from tests.payments.steps import Steps, running_steps
from tests.payments.subscribing import (
    REASON,
    deliver,
    deliveries,
    environment,
    fan_out,
    key_of,
    receiver,
    subscribed,
    tell,
)
from tests.payments.test_subscriptions import verifies, verifies_asymmetrically
from tests.server import eventually

__all__ = ["environment", "receiver"]

STANDARD_SECONDS = WorkerSettings.model_fields["delivery_retry_seconds"].default
FAILING = {
    "/status/500": (500, "500"),
    "/status/404": (404, "404"),
    "/redirect": (307, "redirects"),
    "/giant-failing": (500, "500"),
    "/never": (None, "within 1 seconds"),
    "/drip": (None, "within 1 seconds"),
    "/headers": (None, "no HTTP"),
    "/garbage": (None, "no HTTP"),
    "/cut": (None, "broke"),
}
"""By path: the status that is kept of what a receiver does, and what is said of it."""


async def test_those_that_misbehave_hold_nobody_back_and_are_given_up(
    world: World, receiver: RunningReceiver
) -> None:
    paths = {
        (await subscribed(world, f"{receiver.url}{path}"))["id"]: path
        for path in (*FAILING, "/giant", "/ok")
    }
    answering = {
        subscription_id
        for subscription_id, path in paths.items()
        if path not in ("/never", "/drip")
    }
    hung = [await subscribed(world, f"{receiver.url}/never") for _ in range(8)]
    told = await tell(world, again=10)
    async with world.working():

        async def is_served() -> bool:
            return len(await receiver.heard("/ok")) >= len(told)

        began = time.monotonic()
        await eventually(is_served)
        served_seconds = time.monotonic() - began
        still = await deliveries(world, subscription_id=hung[0]["id"], status="waiting")
        assert still, f"whoever hangs had its end within {served_seconds} seconds"

        async def have_their_end() -> bool:
            waiting = await deliveries(world, status="waiting")
            return not {row["subscription_id"] for row in waiting} & answering

        await eventually(have_their_end)

    made = await deliveries(world)
    for subscription_id, path in paths.items():
        own = [row for row in made if row["subscription_id"] == subscription_id]
        ends = {row["status"] for row in own}
        if path in ("/giant", "/ok"):
            assert ends == {"delivered"}, path
        elif subscription_id in answering:
            assert ends == {"failed"}, path
            assert {row["attempts"] for row in own} == {4}, path
    heard = await receiver.heard("/ok")
    assert len(heard) == len(told), "what redirects was followed, or something was sent twice"


async def test_what_a_receiver_did_is_told_in_words(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    paths = {(await subscribed(world, f"{receiver.url}{path}"))["id"]: path for path in FAILING}
    await tell(world)
    await deliver(steps)

    for delivery in await deliveries(world):
        status, words = FAILING[paths[delivery["subscription_id"]]]
        assert delivery["answer_status"] == status, delivery
        assert words in delivery["detail"], delivery
        assert delivery["status"] != "delivered"


async def test_a_receiver_that_comes_back_gets_what_it_missed_under_the_same_id(
    world: World, receiver: RunningReceiver
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/flaky/2")
    await tell(world, again=3)
    async with world.working():

        async def are_delivered() -> bool:
            return len(await deliveries(world, status="delivered")) == 3

        await eventually(are_delivered)

    messages = await receiver.heard()
    key = await key_of(world, agreed)
    for delivery in await deliveries(world):
        own = [m for m in messages if m.headers["webhook-id"] == delivery["id"]]
        assert len(own) == delivery["attempts"] == 3
        assert len({message.body for message in own}) == 1
        assert all(verifies(key["secret"], message) for message in own)


async def test_who_asks_to_be_left_alone_is(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    await subscribed(world, f"{receiver.url}/busy/600")
    await tell(world)
    await deliver(steps)
    seconds = await owner.fetchval(
        "SELECT extract(epoch FROM next_attempt_at - attempted_at) FROM payments.delivery"
    )

    [delivery] = await deliveries(world)
    assert (delivery["status"], delivery["answer_status"]) == ("waiting", 503)
    assert seconds >= 600
    assert len(await receiver.heard()) == 1


async def test_who_answers_410_gets_nothing_more(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    gone = await subscribed(world, f"{receiver.url}/status/410")
    other = await subscribed(world, f"{receiver.url}/ok")
    await tell(world, again=9)
    await deliver(steps)
    asked = len(await receiver.heard("/status/410"))
    await tell(world)
    await deliver(steps)

    seen = await world.get(f"/subscriptions/{gone['id']}")
    assert (seen["status"], seen["waiting"]) == ("disabled", 0)
    assert "410" in seen["ended_because"]
    assert len(await receiver.heard("/status/410")) == asked <= 4
    own = await deliveries(world, subscription_id=gone["id"])
    assert {row["status"] for row in own} == {"stopped"}
    assert len(own) == 9
    assert len(await deliveries(world, subscription_id=other["id"], status="delivered")) == 10
    refused = await world.post(f"/deliveries/{own[0]['id']}/replay", {}, status=409)
    assert "410" in refused["detail"]


async def test_what_waits_for_a_subscription_that_is_ended_is_not_sent(
    world: World, steps: Steps, receiver: RunningReceiver
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok")
    await tell(world, again=5)
    await fan_out(steps)
    ended = await world.client.delete(f"/subscriptions/{agreed['id']}")
    await deliver(steps)

    assert ended.json()["status"] == "ended"
    assert await receiver.heard() == []
    assert {row["status"] for row in await deliveries(world)} == {"stopped"}
    assert (await world.client.delete(f"/subscriptions/{agreed['id']}")).status_code == 409


async def test_a_delivery_is_made_again_for_whoever_asks(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    await subscribed(world, f"{receiver.url}/flaky/1")
    await tell(world)
    await deliver(steps)
    # It has waited for its time, and was tried as often as it is.
    await owner.execute("UPDATE payments.delivery SET attempts = 9, next_attempt_at = now()")
    await deliver(steps)
    [delivered] = await deliveries(world, status="delivered")
    again = await world.post(f"/deliveries/{delivered['id']}/replay", {}, status=202)
    await deliver(steps)

    assert (again["status"], again["attempts"]) == ("waiting", 0)
    ids = [message.headers["webhook-id"] for message in await receiver.heard()]
    assert ids == [delivered["id"]] * 3
    assert [row["status"] for row in await deliveries(world)] == ["delivered"]


async def test_a_time_is_sent_again_whole_also_what_was_before_the_subscription(
    world: World, steps: Steps, receiver: RunningReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = await tell(world, again=3)
    agreed = await subscribed(world, f"{receiver.url}/ok")
    later = await tell(world, again=2)
    await tell(world, events.FeedRecovered.model_validate(EXAMPLES[events.FeedRecovered]))
    await deliver(steps)
    path = f"/subscriptions/{agreed['id']}/replays"
    day = {"since": "2026-01-05T00:00:00Z", "until": "2026-01-06T00:00:00Z", "reason": REASON}

    assert (await world.post(path, day, status=202)) == {"deliveries": 5}
    assert (await world.post(path, day, status=202)) == {"deliveries": 0}, "they wait already"
    await deliver(steps)
    ids = [message.event["id"] for message in await receiver.heard()]
    assert ids[:2] == [event["id"] for event in later]
    assert sorted(ids[2:]) == sorted(event["id"] for event in [*earlier, *later])

    other_day = {**day, "since": "2026-01-06T00:00:00Z", "until": None}
    assert (await world.post(path, other_day, status=202)) == {"deliveries": 0}
    monkeypatch.setattr(service, "MOST_REPLAYED", 4)
    refused = await world.post(path, day, status=409)
    assert "GET /v1/events" in refused["detail"]


@pytest.mark.parametrize("signing", ["hmac-sha256", "ed25519"])
async def test_keys_are_changed_without_a_message_that_cannot_be_verified(
    world: World, steps: Steps, receiver: RunningReceiver, signing: str
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok", signing=signing)
    path = f"/subscriptions/{agreed['id']}/keys"

    async def keys() -> list[Any]:
        found = (await world.get(path))["items"]
        return [key["secret"] or key["public_key"] for key in found]

    def is_verified(by: str, message: Any) -> bool:
        check = verifies if signing == "hmac-sha256" else verifies_asymmetrically
        return check(by, message)

    [first] = await keys()
    made = await world.post(path, {"overlap_hours": 72, "reason": REASON})
    assert made["secret"] is None, "the answer is kept for repeats"
    _, second = await keys()
    await tell(world)
    await deliver(steps)
    [both] = await receiver.heard()
    assert is_verified(first, both)
    assert is_verified(second, both)
    assert len(both.headers["webhook-signature"].split(" ")) == 2

    await world.post(path, {"overlap_hours": 0, "reason": "The first became known."})
    [third] = await keys()
    await tell(world)
    await deliver(steps)
    [_, last] = await receiver.heard()
    assert [is_verified(key, last) for key in (first, second, third)] == [False, False, True]


async def test_nothing_is_open_in_the_database_while_a_receiver_is_waited_for(
    world: World, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    await subscribed(world, f"{receiver.url}/never")
    await tell(world)
    async with world.working():

        async def is_asked() -> bool:
            return bool(await receiver.heard())

        await eventually(is_asked)
        for _ in range(20):
            held = await owner.fetchval(
                "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
                "WHERE relname = 'delivery' AND mode = 'RowExclusiveLock' AND pg_locks.pid IN ("
                "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' "
                "AND state_change < clock_timestamp() - interval '500 milliseconds')"
            )
            assert held == 0


async def test_what_a_worker_that_died_had_begun_is_sent_by_another(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    agreed = await subscribed(world, f"{receiver.url}/ok")
    await tell(world)
    await fan_out(steps)
    database = steps.wiring.database

    async def claimed() -> Any:
        async with database.transaction() as session:
            return await repository.claim(session, {}, room=4, lease_seconds=60)

    [first] = await claimed()
    assert await claimed() == [], "it is leased"
    await owner.execute("UPDATE payments.delivery SET next_attempt_at = now()")
    await claimed()
    late = Outcome(
        number=first.number,
        attempts=first.attempts,
        subscription_id=UUID(agreed["id"]),
        status=DeliveryStatus.FAILED,
        detail="It comes late.",
    )
    async with database.transaction() as session:
        await repository.record(session, [late])
    [delivery] = await deliveries(world)
    assert (delivery["status"], delivery["attempts"]) == ("waiting", 2)

    await owner.execute("UPDATE payments.delivery SET next_attempt_at = now()")
    async with running_steps(world.settings) as others:
        await deliver(others)
    [delivery] = await deliveries(world)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)
    assert len(await receiver.heard()) == 1


async def test_an_address_that_came_to_lead_inwards_is_sent_nothing(
    world: World, receiver: RunningReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was agreed on is judged again whenever it is sent."""
    port = receiver.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost"):
        await subscribed(world, f"http://{host}:{port}/ok")
    await tell(world)
    monkeypatch.setenv("PAYMENTS_SUBSCRIBERS_ON_LOOPBACK", "false")
    async with running_steps(BothSettings()) as steps:
        await deliver(steps)

    assert await receiver.heard() == []
    made = await deliveries(world)
    assert len(made) == 2
    for delivery in made:
        assert "private network" in delivery["detail"]


async def test_what_cannot_be_signed_is_not_sent_and_says_so(
    world: World, steps: Steps, receiver: RunningReceiver, owner: asyncpg.Connection
) -> None:
    await subscribed(world, f"{receiver.url}/ok")
    await owner.execute(
        "UPDATE payments.subscription_key "
        "SET secret_sealed = set_byte(secret_sealed, 20, 255 - get_byte(secret_sealed, 20))"
    )
    await tell(world)
    await deliver(steps)

    assert await receiver.heard() == []
    [delivery] = await deliveries(world)
    assert "its key does not open" in delivery["detail"]


async def test_the_sender_goes_out_alone(receiver: RunningReceiver) -> None:
    port = receiver.url.rpartition(":")[2]
    within = [f"http://{host}:{port}/ok" for host in ("127.0.0.1", "localhost", "[::1]")]
    within += [f"http://{host}:{port}/ok" for host in ("2130706433", "127.1", "0x7f000001")]
    outwards = Sender(judge=is_public, timeout_seconds=2, at_once=8)
    for url in within:
        sent = await outwards.send(url, headers={}, body=b"{}")
        assert sent.status is None, url
    on_loopback = Sender(judge=is_public_or_loopback, timeout_seconds=2, at_once=8)
    sent = await on_loopback.send("http://10.0.0.1/ok", headers={}, body=b"{}")
    assert sent.detail is not None
    assert "private network" in sent.detail
    assert await receiver.heard() == []
    assert (await on_loopback.send(within[0], headers={}, body=b"{}")).is_delivered
    await outwards.close()
    await on_loopback.close()


@given(written=text() | text(alphabet="htps:/.@#[]0123456789abcxyz%?&=-_~ \\\0"))
def test_an_address_is_one_or_is_said_to_be_none(written: str) -> None:
    with suppress(ValueError):
        url = url_of(written)
        assert url.scheme in ("https", "http")
        assert url.host
        assert refusal_of(url, is_public) or url.scheme == "https"


@given(attempts=integers(min_value=1, max_value=30))
def test_the_waits_are_those_of_the_standard(attempts: int) -> None:
    wait = Schedule(STANDARD_SECONDS).after(attempts)

    if attempts > len(STANDARD_SECONDS):
        assert wait is None
    else:
        assert wait is not None
        assert STANDARD_SECONDS[attempts - 1] <= wait <= 1.2 * STANDARD_SECONDS[attempts - 1]


def test_a_receiver_has_three_days_to_come_back() -> None:
    assert len(STANDARD_SECONDS) + 1 == 10
    assert sum(STANDARD_SECONDS) == ((3 * 24 + 3) * 60 + 35) * 60 + 5
