"""How a provider answers: kept by every worker, shown with the provider, told when it is down."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.health.keeping import row_of
from services.payments.providers.health.noting import Noting
from services.payments.providers.health.repository import keep
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import NOT_KNOWN, PENDING, REJECTED, SILENCE, Steps, paid
from tests.server import eventually

TIMES = {"PAYMENTS_PROVIDER_HEALTH_SECONDS": "0.1", "PAYMENTS_WATCH_SECONDS": "0.1"}


async def health(world: World, provider: str = "mekong") -> Any:
    return (await world.get(f"/providers/{provider}"))["health"]


async def down(world: World) -> list[Any]:
    alarms: list[Any] = (await world.get("/alarms", kind="provider_down", status="open"))["items"]
    return alarms


class Clock:
    """A process's clock, in seconds, and what it noted by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.noting = Noting(now=lambda: self.now)


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (PENDING, (1, 0)),
        (REJECTED, (1, 0)),
        (NOT_KNOWN, (1, 0)),
        (SILENCE, (0, 1)),
        (Answer(AnswerKind.NO_ANSWER, reason="http_503", provider_unwell=True), (0, 1)),
        (Answer(AnswerKind.NO_ANSWER), (0, 1)),
        (Answer(AnswerKind.NOT_SENT, reason="worker_stopping"), (0, 0)),
        (Answer(AnswerKind.UNSENDABLE), (0, 0)),
    ],
)
def test_what_tells_something_is_a_reply_and_what_never_left_is_nothing(
    answer: Answer, counted: tuple[int, int]
) -> None:
    noting = Noting()
    noting.note(answer)
    noted = noting.take()
    assert (noted.replies, noted.failures) == counted
    assert noted.is_empty == (counted == (0, 0))


def test_it_fails_since_the_first_failure_after_the_last_reply_however_often_it_is_kept() -> None:
    clock = Clock()
    clock.noting.note_reply(failure=None)
    for clock.now in (1, 2):
        clock.noting.note_reply(failure="timeout")
    assert clock.noting.take().failing_since == 1
    clock.now = 3
    clock.noting.note_reply(failure="timeout")
    assert clock.noting.take().failing_since == 1
    clock.noting.note_reply(failure=None)
    assert clock.noting.take().failing_since is None


SEEN: Sequence[Sequence[tuple[float, str | None]]] = [
    # When, in seconds before they are kept, each worker heard what.
    [(50, None), (20, "timeout"), (10, "timeout")],
    [(40, "http_503"), (30, None)],
    [(15, "http_500")],
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_order_in_which_workers_keep_does_not_matter(
    world: World, steps: Steps, order: Sequence[int]
) -> None:
    number = await steps.wiring.directory.number_of("mekong")
    async with steps.wiring.database.transaction() as session:
        for worker in order:
            clock = Clock()
            for before, failure in SEEN[worker]:
                clock.now = 100 - before
                clock.noting.note_reply(failure=failure)
            clock.now = 100
            row = row_of(clock.noting, provider_number=number)
            assert row is not None
            # In one transaction, whose instant they share.
            await keep(session, [row])
    [kept] = await world.owner.fetch(
        "SELECT last_failure, "
        "extract(epoch FROM last_failure_at - last_reply_at)::float AS failed_after, "
        "extract(epoch FROM failing_since - last_reply_at)::float AS failing_after "
        "FROM payments.provider_health"
    )
    assert tuple(kept) == ("timeout", 20, 10)
    shown = await health(world)
    assert (shown["state"], shown["replies"], shown["failures"]) == ("failing", 2, 4)
    assert shown["error_rate"] == 0.6667


async def test_a_worker_that_fails_on_after_another_was_answered_is_heard(
    world: World, steps: Steps
) -> None:
    number = await steps.wiring.directory.number_of("mekong")
    failing, answered = Clock(), Clock()
    for failing.now in (50, 70, 80):
        failing.noting.note_reply(failure="timeout")
    answered.now = 70
    answered.noting.note_reply(failure=None)
    failing.now = answered.now = 100
    async with steps.wiring.database.transaction() as session:
        for clock in (answered, failing):
            row = row_of(clock.noting, provider_number=number)
            assert row is not None
            await keep(session, [row])
    assert (await health(world))["state"] == "failing"


async def test_a_provider_that_was_never_asked_is_quiet(world: World, steps: Steps) -> None:
    await steps.step("health")
    shown = await health(world)
    assert (shown["state"], shown["error_rate"], shown["float_lasts_seconds"]) == (
        "quiet",
        None,
        None,
    )
    assert await down(world) == []


async def test_a_float_lasts_as_long_as_it_was_sent_lately(world: World, steps: Steps) -> None:
    await world.fund(960_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    [first, second] = [order.instruction_id for order in await steps.claim()]
    await steps.hear([(first, paid(first)), (second, SILENCE)])
    await steps.step("health")
    await world.owner.execute(
        "UPDATE payments.provider_minute SET minute = now() - interval '100 seconds'"
    )
    shown = await health(world)
    provider = await world.get("/providers/mekong")
    # So much of it was sent in 100 seconds.
    lasts = provider["float_minor"] * 100 // 192_000
    assert lasts <= shown["float_lasts_seconds"] <= lasts * 1.2
    assert (shown["unknown_count"], shown["unknown_minor"]) == (1, 96_000)
    assert 0 <= shown["unknown_oldest_seconds"] < 60


@pytest.fixture
def down_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TIMES, "PAYMENTS_PROVIDER_DOWN_SECONDS": "0.3"}.items():
        monkeypatch.setenv(name, value)


async def test_a_provider_that_does_not_answer_is_an_alarm_until_it_does(
    down_at_once: None, world: World, start_sandbox: StartSandbox
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3, provider="mekong"))
    async with world.working():

        async def told() -> bool:
            return bool(await down(world))

        await eventually(told)
        [alarm] = await down(world)
        assert (alarm["provider"], alarm["instruction_id"]) == ("mekong", None)
        assert "mekong has answered nothing that could be used since 20" in alarm["detail"]
        assert "connection_lost" in alarm["detail"]
        shown = await health(world)
        assert (shown["state"], shown["replies"], shown["error_rate"]) == ("down", 0, 1)
        assert (await health(world, "tonle"))["state"] == "quiet"

        start_sandbox()
        await world.until_chunk(announced, "settled")

        async def cleared() -> bool:
            return not await down(world)

        await eventually(cleared)
        assert (await health(world))["state"] == "answering"
    await world.proofs()
