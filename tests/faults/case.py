"""One kind of trouble amid thousands of ordinary payments: what it is, and how it is judged.

Where a storm kills processes of a well-behaved world, a case lets the world itself behave badly.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

from judge.witnesses.database import CANNOT_ASK, snapshot
from judge.words import PAYMENT_ENDS
from sandbox.options import SandboxOptions
from tests.faults.judge import Outcome, at_rest, judged
from tests.faults.patience import Patience
from tests.faults.run import Plan, world_of
from tests.faults.world import NotAcknowledged, World

LEFT_TO_PERSONS = frozenset(
    {
        "Every balance follows from the book and the deposits",
        "Our records equal the providers' book, line by line",
        "Every entitlement has an end",
        "Every payment has an end",
        "Nothing is parked, refused or unmatched",
    }
)
"""What cannot hold where a provider says what is not true, before a person has decided. Nobody may
be paid twice even then, the ledger adds up, and each difference from the book is on a list."""

_STILL_SECONDS = 12
"""Longer than any wait between two tries in QUICK."""
_LOOK_SECONDS = 1.0

_LIVE = """
    SELECT instruction.id, provider.code AS provider
    FROM payments.instruction
    JOIN payments.provider ON provider.number = provider_number
    WHERE status::text <> ALL($1)
      AND NOT (status::text = 'unknown' AND coalesce(reason, '') = ANY($2))
"""

_WITHOUT_PAYMENT = """
    SELECT count(*) FROM registry.entitlement
    WHERE status::text IN ('ready', 'announced', 'refused')
      AND NOT EXISTS (
          SELECT FROM payments.instruction WHERE instruction.entitlement_id = entitlement.id
      )
"""

_STATE = """
    SELECT 'payment', status::text, count(*) FROM payments.instruction GROUP BY 2
    UNION ALL
    SELECT 'entitlement', status::text, count(*) FROM registry.entitlement GROUP BY 2
    UNION ALL
    SELECT 'chunk', status::text, count(*) FROM payments.chunk GROUP BY 2
    UNION ALL
    SELECT 'callback', status::text, count(*) FROM payments.webhook GROUP BY 2
    ORDER BY 1, 2
"""


def nothing(_: World) -> list[str]:
    """Nothing happens, and nothing is wrong with that."""
    return []


@dataclass(frozen=True, kw_only=True)
class FaultCase:
    """Trouble, by what is special about it. Each function says in words what it found wrong."""

    says: str
    plan: Plan
    file: Callable[[bytes], bytes] = bytes
    """What becomes of the import file."""
    before: Callable[[World], list[str]] = nothing
    """After the households are there, before the shock."""
    meanwhile: Callable[[World], list[str]] = nothing
    """While payments are on their way."""
    after: Callable[[World], list[str]] = nothing
    rests: bool = True
    """Whether it has to come to rest by itself, or some payments wait for a person."""
    but: Collection[str] = ()
    """Claims of the judge that need not hold here."""
    open_payments: int = 0
    """How many payments may be without an end, beside those that a provider is hostile to."""
    unknown_because: Collection[str] = ()
    """Reasons for which any payment may be unknown here: only a person may send it again."""
    least_seconds: float = 0
    """How long it takes until everything that the provider does late is done."""


def run_case(case: FaultCase, directory: Path, *, plan: Plan | None = None) -> Outcome:
    """Carry a case out in ``directory``, which keeps the logs; ``plan`` instead of its own."""
    plan = plan or case.plan
    world = world_of(plan, directory)
    spread = world.spoil
    world = replace(world, spoil=lambda file: case.file(spread(file)))
    with world.stack:
        found: list[str] = []
        began = monotonic()
        try:
            world.prepare()
            found += case.before(world)
            began = monotonic()
            world.strike()
            found += case.meanwhile(world)
        except NotAcknowledged as error:
            found.append(str(error))
        rested = _comes_to_rest(world, since=began, plan=plan, least_seconds=case.least_seconds)
        if not rested and case.rests:
            found.append("it did not come to rest: nothing moves any more, or too slowly")
        found += case.after(world)
        found += _without_end(
            world, at_most=case.open_payments, unknown_because=case.unknown_because
        )
        verdict = judged(world, but=case.but)
        verdict.faults[:0] = found
        return verdict


def met_with_hostility(world: World, instruction_id: UUID, provider: str) -> bool:
    """Whether the sandbox is hostile to this payment."""
    nature = options_of(world).nature
    return nature.kind(provider=provider, correlation_id=str(instruction_id)) is not None


def options_of(world: World) -> SandboxOptions:
    assert world.stack.sandbox is not None
    return world.stack.sandbox


async def asked(world: World, query: str, *arguments: object) -> list[tuple[object, ...]]:
    """What the database answers; raises one of CANNOT_ASK."""
    async with snapshot(world.stack.database_url) as connection:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]


def counted(world: World, condition: str, *arguments: object) -> int:
    """How many payments are so."""
    ((count,),) = asyncio.run(
        asked(
            world,
            "SELECT count(*) FROM payments.instruction"
            f" JOIN payments.provider ON provider.number = provider_number WHERE {condition}",
            *arguments,
        )
    )
    return int(str(count))


def _without_end(world: World, *, at_most: int, unknown_because: Collection[str]) -> list[str]:
    """Whom trouble that is not theirs keeps waiting."""
    live = asyncio.run(asked(world, _LIVE, list(PAYMENT_ENDS), list(unknown_because)))
    innocent = [
        instruction_id
        for instruction_id, provider in live
        if not met_with_hostility(world, UUID(str(instruction_id)), str(provider))
    ]
    ((without_payment,),) = asyncio.run(asked(world, _WITHOUT_PAYMENT))
    waiting = len(innocent) + int(str(without_payment))
    if waiting <= at_most:
        return []
    found = (
        f"{waiting} payments that nothing is wrong with have no end ({without_payment} of them "
        f"were never raised), where {at_most} may have none; for instance {innocent[:1]}"
    )
    return [found]


def _comes_to_rest(world: World, *, since: float, plan: Plan, least_seconds: float) -> bool:
    """Wait until everything rests, or nothing has changed for a while; whether it rests."""
    patience = Patience(plan.rest_seconds)
    stillness = Patience(_STILL_SECONDS)
    before: list[tuple[object, ...]] | None = None
    while not patience.is_over:
        if at_rest(world):
            return True
        try:
            state = asyncio.run(asked(world, _STATE))
        except CANNOT_ASK:
            state = None
        if state is None or state != before or monotonic() - since < least_seconds:
            before, stillness = state, Patience(_STILL_SECONDS)
        elif stillness.is_over:
            return False
        sleep(_LOOK_SECONDS)
    return False
