"""Batches and statements in any order: what is listed is what a model says, and all of it ends.

The provider's memory decides: what it paid is paid once, stands on its statements as it likes to
write them, and is settled here in the end, by the batch's results or by the statement.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.batch_provider import BatchProvider, Fault, provider
from tests.payments.conftest import World
from tests.payments.statement_files import Line, mapped, open_differences, send, written
from tests.payments.steps import Steps
from tests.payments.test_batches import announce, environment, go_on

pytestmark = pytest.mark.long

__all__ = ["environment", "provider"]

_FUND_MINOR = 1_000_000_000
FUNDED = Line(None, _FUND_MINOR, "test", "deposit")
_BALANCES = ("opening_differs", "closing_differs", "float_differs")
_LEFT_OF_A_LINE = 12
_WAYS_TO_AN_END = 12


class Written(StrEnum):
    """How the provider writes a statement."""

    RIGHT = "right"
    HALF_WRONG = "half wrong"
    CUT = "cut"
    TWICE = "twice"
    STRANGER = "stranger"


ACTIONS = st.one_of(
    st.tuples(st.just("announce"), st.integers(1, 3)),
    st.tuples(st.just("go on"), st.lists(st.sampled_from(Fault), max_size=3)),
    st.tuples(st.just("statement"), st.sampled_from(Written)),
    st.tuples(st.just("follow"), st.none()),
)


def lines_of(paid: Iterable[UUID]) -> list[Line]:
    """What the provider paid, in the order in which it did."""
    return [Line(payment, reference=f"of-{payment}") for payment in paid]


def as_written(lines: list[Line], how: Written) -> list[Line]:
    """The lines that can be read of such a statement."""
    match how:
        case Written.HALF_WRONG:
            return [
                replace(line, amount_minor=line.amount_minor + 100) if number % 2 else line
                for number, line in enumerate(lines)
            ]
        case Written.CUT:
            return lines[: len(lines) // 2]
        case Written.TWICE:
            return [*lines, *lines[:1]]
        case Written.STRANGER:
            return [*lines, Line(None, 700, f"stranger-{new_id()}", "charge")]
        case Written.RIGHT:
            return lines


def listed(statuses: dict[UUID, str], lines: Sequence[Line]) -> Counter[str]:
    """What is to be listed of a statement: the model."""
    found: Counter[str] = Counter()
    seen: set[UUID] = set()
    for line in lines:
        if line.payment_id is None:
            found["unknown_payment"] += 1
        elif line.payment_id in seen:
            found["line_repeated"] += 1
        elif line.amount_minor != Line(None).amount_minor:
            found["other_amount"] += 1
        elif statuses[line.payment_id] in ("ready", "rejected"):
            found["not_paid_here"] += 1
        elif statuses[line.payment_id] != "settled":
            found["awaiting_answer"] += 1
        seen |= {line.payment_id} if line.payment_id else set()
    missing = [
        each for each, status in statuses.items() if status == "settled" and each not in seen
    ]
    return found + Counter(not_on_statement=len(missing))


async def test_whatever_comes_of_batches_and_statements_each_payment_has_its_true_end(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(2 * _FUND_MINOR)
    await mapped(world)
    loop = asyncio.get_running_loop()
    taken: Counter[Written] = Counter()

    async def statuses() -> dict[UUID, str]:
        rows = await owner.fetch("SELECT id, status::text FROM payments.instruction")
        return {row["id"]: row["status"] for row in rows}

    async def take(how: Written) -> list[Any]:
        """Send such a statement; what is open of it, but for its balances."""
        # No two files are the same: such a one changes nothing.
        funded = replace(FUNDED, at=NOON + timedelta(seconds=taken.total()))
        lines = as_written(lines_of(provider.paid), how)
        content = written([funded, *lines])
        if how is Written.CUT:
            whole = written([funded, *lines_of(provider.paid)])
            content = whole[: len(content) + _LEFT_OF_A_LINE]
        before = await statuses()
        await send(world, content)
        taken[how] += 1
        found = [each for each in await open_differences(world) if each["kind"] not in _BALANCES]
        assert Counter(each["kind"] for each in found) == listed(before, lines), how
        return found

    async def is_right() -> None:
        assert max(provider.paid.values(), default=1) == 1
        for payment, status in (await statuses()).items():
            if status in ("settled", "rejected"):
                assert (status == "settled") == (payment in provider.paid), status
        proofs = await steps.prove()
        assert [proof for proof in proofs.proofs if not proof.holds] == []

    async def play(actions: list[tuple[str, Any]]) -> None:
        for action, given_ in actions:
            match action:
                case "announce":
                    await announce(world, steps, given_)
                case "go on":
                    provider.faults = iter(given_)
                    await go_on(steps, owner)
                case "statement":
                    await take(given_)
                case "follow":
                    await steps.step("follow-statements")
            await is_right()
        provider.faults = iter(())
        await go_on(steps, owner, times=_WAYS_TO_AN_END)
        await take(Written.RIGHT)
        await steps.step("follow-statements")
        assert [each["kind"] for each in await open_differences(world)] == []
        ended = await statuses()
        assert all(ended[payment] == "settled" for payment in provider.paid)
        await is_right()

    @given(st.lists(ACTIONS, min_size=4, max_size=12))
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(actions: list[tuple[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(play(actions), loop).result()

    await asyncio.to_thread(run)
    assert set(taken) == set(Written)
