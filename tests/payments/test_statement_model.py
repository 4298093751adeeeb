"""Whatever stands on a statement: what is listed is what a model says, and the books stay right."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from judge.proofs.ledger import commitments_add_up, money_with_providers_is_accounted_for
from judge.proofs.ledger import sums_to_zero as books_sum_to_zero
from judge.records import Account, Fund, Provider
from judge.witnesses import statements as judging
from services.payments.instructions.states import ENDS
from services.payments.providers.answers import Answer
from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.conftest import World
from tests.payments.statement_files import (
    HEADING,
    Line,
    lines_of,
    mapped,
    ordered,
    send,
    written,
)
from tests.payments.steps import PENDING, REJECTED, SILENCE, Steps, paid

pytestmark = pytest.mark.long


class State(StrEnum):
    """How a payment stands here when the statement comes."""

    SETTLED = "settled"
    UNKNOWN = "unknown"
    PENDING = "pending"
    REJECTED = "rejected"


class Said(StrEnum):
    """What the statement says of a payment."""

    RIGHT = "right"
    HALF = "half"
    TWICE = "twice"
    OTHER_REFERENCE = "other reference"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Case:
    """One day: payments and what is said of each, lines of nobody's, and what befalls the file."""

    payments: tuple[tuple[State, Said], ...]
    unknown: int = 0
    order: int = 0
    cut: float | None = None


CASES = st.builds(
    Case,
    payments=st.lists(
        st.tuples(st.sampled_from(State), st.sampled_from(Said)), min_size=1, max_size=6
    ).map(tuple),
    unknown=st.integers(0, 2),
    order=st.integers(0, 10**6),
    cut=st.none() | st.floats(0, 1),
)
BALANCES = {"opening_differs", "closing_differs", "float_differs"}


def answer_of(state: State, payment_id: UUID) -> Answer:
    match state:
        case State.SETTLED:
            return paid(payment_id)
        case State.UNKNOWN:
            return SILENCE
        case State.PENDING:
            return PENDING
        case State.REJECTED:
            return REJECTED


def said_lines(line: Line, said: Said) -> list[Line]:
    match said:
        case Said.RIGHT:
            return [line]
        case Said.HALF:
            return [replace(line, amount_minor=line.amount_minor // 2)]
        case Said.TWICE:
            return [line, line]
        case Said.OTHER_REFERENCE:
            return [replace(line, reference=f"other-{line.payment_id}")]
        case Said.NOTHING:
            return []


def shuffled(lines: list[Line], order: int) -> list[Line]:
    """A permutation of the lines, by number."""
    left, found = list(lines), []
    while left:
        order, at = divmod(order, len(left))
        found.append(left.pop(at))
    return found


def surviving(content: str, lines: list[Line]) -> tuple[list[Line], int]:
    """Which lines a file still holds, and how many of its lines cannot be read."""
    rows = [row for row in content.split("\n")[1:] if row]
    whole = [
        row.count(",") == HEADING.count(",") and bool(re.fullmatch(r"-?[0-9]+", row.split(",")[6]))
        for row in rows
    ]
    return [line for line, is_whole in zip(lines, whole, strict=False) if is_whole], whole.count(
        False
    )


def expected(states: dict[UUID, State], lines: list[Line]) -> Counter[str]:
    """What is listed, by the model: a loop over lines and payments, one at a time."""
    found: Counter[str] = Counter()
    seen: dict[UUID, str | None] = {}
    for line in lines:
        if line.payment_id is None:
            found["unknown_payment"] += 1
            continue
        state = states[line.payment_id]
        if line.payment_id in seen:
            found["line_repeated"] += 1
            continue
        seen[line.payment_id] = line.reference
        if line.amount_minor != 96_000:
            found["other_amount"] += 1
        elif state is State.SETTLED:
            found["other_reference"] += line.reference is not None
        elif state is State.REJECTED:
            found["not_paid_here"] += 1
        else:
            found["awaiting_answer"] += 1
    found["not_on_statement"] += sum(
        state is State.SETTLED and payment_id not in seen for payment_id, state in states.items()
    )
    return +found


async def listed(world: World, statement_id: str) -> Counter[str]:
    page = await world.get("/differences", status="open", statement_id=statement_id, limit=500)
    return Counter(each["kind"] for each in page["items"] if each["kind"] not in BALANCES)


async def require_right_books(world: World, owner: asyncpg.Connection) -> None:
    """By the service's own proofs, and by the judge's, which imports nothing of it."""
    await world.proofs()
    ends = [state.value for state in ENDS]
    accounts = [Account(**row) for row in await owner.fetch(judging.ACCOUNTS)]
    providers = [Provider(**row) for row in await owner.fetch(judging.PROVIDERS, ends)]
    funds = [Fund(**row) for row in await owner.fetch(judging.FUNDS, ends)]
    transfers = await owner.fetchval(judging.TRANSFERS)
    for finding in (
        books_sum_to_zero(accounts, transfers=transfers),
        money_with_providers_is_accounted_for(providers),
        commitments_add_up(funds),
    ):
        assert finding.evidence == ()


async def test_what_is_listed_is_what_a_model_says(
    world: World, steps: Steps, owner: asyncpg.Connection, clock_file: Path
) -> None:
    await world.fund(1_000_000_000)
    await mapped(world)
    loop = asyncio.get_running_loop()
    days = iter(NOON + timedelta(days=number) for number in range(1, 10_000))

    async def play(case: Case, at: datetime) -> None:
        set_clock(clock_file, at)
        day = at.date().isoformat()
        orders = await ordered(world, steps, len(case.payments))
        right = [replace(line, at=at) for line in lines_of(orders)]
        states: dict[UUID, State] = {}
        lines: list[Line] = []
        for line, (state, said) in zip(right, case.payments, strict=True):
            assert line.payment_id is not None
            states[line.payment_id] = state
            await steps.hear([(line.payment_id, answer_of(state, line.payment_id))])
            lines += said_lines(line, said)
        lines += [Line(None, 7, f"nobodys-{new_id()}", at=at) for _ in range(case.unknown)]
        lines = shuffled(lines, case.order)
        content = written(lines, opening_minor=10**9)
        if case.cut is not None:
            least = len(HEADING) + 1
            content = content[: least + int(case.cut * (len(content) - least))]
        lines, faults = surviving(content, lines)

        taken = await send(world, content, day=day)
        assert (taken["line_count"], taken["set_aside_count"]) == (len(lines), faults)
        assert await listed(world, taken["id"]) == expected(states, lines)
        gone = 7 * sum(line.payment_id is None for line in lines)
        held = await owner.fetchval(
            "SELECT sum(suspense_minor)::bigint FROM payments.statement_difference AS difference "
            "JOIN payments.statement ON statement.number = statement_number AND id = $1",
            UUID(taken["id"]),
        )
        assert (held or 0) == gone
        await require_right_books(world, owner)
        assert (await send(world, content, day=day))["id"] == taken["id"]

        # What is said with the right amount is taken as an answer, and nothing else is.
        for _ in range(2):
            await steps.step("follow-statements")
        told = {line.payment_id for line in lines if line.amount_minor == 96_000}
        first = {line.payment_id: line for line in reversed(lines)}
        for payment_id, state in states.items():
            is_told = payment_id in told and first[payment_id].amount_minor == 96_000
            status = (await world.get(f"/instructions/{payment_id}"))["status"]
            match state:
                case State.SETTLED:
                    assert status == "settled"
                case State.REJECTED:
                    assert status == ("held" if is_told else "rejected")
                case State.UNKNOWN | State.PENDING:
                    assert status == ("settled" if is_told else state.value)
        after = expected(states, lines)
        after.pop("awaiting_answer", None)
        assert await listed(world, taken["id"]) == after
        await require_right_books(world, owner)

        # The whole file takes its place: nothing is left but what two persons decide.
        whole = await send(world, written(right, opening_minor=10**9 + 1), day=day)
        for _ in range(2):
            await steps.step("follow-statements")
        assert await listed(world, taken["id"]) == Counter()
        rejected = sum(state is State.REJECTED for state in states.values())
        # What was told under another reference is known by that since.
        renamed = sum(
            state in (State.UNKNOWN, State.PENDING)
            and payment_id in told
            and first[payment_id].reference is not None
            for payment_id, state in states.items()
        )
        assert await listed(world, whole["id"]) == +Counter(
            not_paid_here=rejected, other_reference=renamed
        )
        assert (
            await owner.fetchval("SELECT sum(suspense_minor) FROM payments.statement_difference")
            == 0
        )
        await require_right_books(world, owner)

    @given(CASES)
    @example(Case(((State.SETTLED, Said.TWICE), (State.UNKNOWN, Said.TWICE))))
    @example(Case(((State.REJECTED, Said.RIGHT), (State.UNKNOWN, Said.HALF)), unknown=2, cut=0.6))
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(case: Case) -> None:
        asyncio.run_coroutine_threadsafe(play(case, next(days)), loop).result()

    await asyncio.to_thread(run)
