"""What has to be true once everything came to rest, by three witnesses that do not share memory:
the services' databases (read as their owner), the provider's own book, and what callers were told.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from tests.faults.leaks import leaks
from tests.faults.world import FUND, World

# The last is what the driver says when the server dies while it is being talked to.
_CANNOT_ASK = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_ENDS = {"paid", "failed", "unpayable"}

_ENTITLEMENTS = "SELECT status, count(*) AS count FROM registry.entitlement GROUP BY status"

_PAID = """
    SELECT instruction.id, instruction.entitlement_id, instruction.amount_minor, instruction.status,
           entitlement.status AS entitlement_status, entitlement.amount_minor AS owed_minor
    FROM payments.instruction
    LEFT JOIN registry.entitlement ON entitlement.id = instruction.entitlement_id
"""

_BOOKS = """
    SELECT book, sum(debits_minor - credits_minor) AS balance_minor
    FROM payments.account GROUP BY book
"""

_UNTRUE_BALANCES = """
    SELECT account.code, account.scope FROM payments.account
    WHERE (debits_minor, credits_minor) IS DISTINCT FROM (
        (SELECT coalesce(sum(amount_minor), 0) FROM payments.transfer
         WHERE debit_account = account.id),
        (SELECT coalesce(sum(amount_minor), 0) FROM payments.transfer
         WHERE credit_account = account.id)
    )
"""

_BALANCES = """
    SELECT code::text AS code, scope, debits_minor, credits_minor FROM payments.account
"""

_PARKED = """
    SELECT 'registry' AS service, count(*) FROM registry.dead_letter
    UNION ALL SELECT 'triggers', count(*) FROM triggers.dead_letter
    UNION ALL SELECT 'payments', count(*) FROM payments.dead_letter
"""

_OPEN = """
    SELECT
        (SELECT count(*) FROM registry.entitlement_chunk
         WHERE status NOT IN ('settled', 'empty') OR settlements_applied < settlements_announced)
        + (SELECT count(*) FROM registry.enrolment_run WHERE completed_at IS NULL)
        + (SELECT count(*) FROM payments.chunk WHERE status <> 'settled')
        + (SELECT count(*) FROM payments.payment_round WHERE status <> 'released')
        + (SELECT count(*) FROM payments.webhook WHERE status IN ('received', 'unmatched'))
        AS open,
        (SELECT count(*) FROM registry.entitlement WHERE status <> 'unpayable') AS entitlements
"""


_PROGRESS = """
    SELECT count(*) AS ended FROM payments.instruction WHERE status IN ('settled', 'rejected')
"""


@dataclass
class Verdict:
    """``faults`` says in words what is wrong; none: everything holds."""

    faults: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class Booked:
    """One line of the provider's book: a payment that reached an account."""

    provider: str
    correlation_id: UUID
    account: str
    amount_minor: int


def at_rest(world: World) -> bool:
    """Whether nothing is under way any more. False, too, while something cannot be asked."""
    try:
        row = asyncio.run(_fetch(world, _OPEN))[0]
    except _CANNOT_ASK:
        return False
    return row["open"] == 0 and row["entitlements"] > 0 and not _callbacks_waiting(world)


def half_paid(world: World) -> bool:
    """Whether every other household has an end already. False while nobody can be asked."""
    try:
        row = asyncio.run(_fetch(world, _PROGRESS))[0]
    except _CANNOT_ASK:
        return False
    return bool(2 * row["ended"] >= world.households)


def judge(world: World) -> Verdict:
    """The verdict on a world that came to rest, or should have."""
    verdict = Verdict()
    verdict.faults += _acknowledged(world)
    booked = list(_book(world))
    asyncio.run(_records(world, booked, verdict))
    verdict.faults += _webhooks(world)
    verdict.faults += leaks(world)
    return verdict


async def _fetch(world: World, query: str) -> list[asyncpg.Record]:
    url = make_url(world.stack.database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False), timeout=5)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()


def _sandbox(world: World) -> sqlite3.Connection:
    assert world.stack.sandbox is not None
    connection = sqlite3.connect(f"file:{world.stack.sandbox.storage}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def _book(world: World) -> Iterator[Booked]:
    """The payments that the provider made, from its own storage."""
    connection = _sandbox(world)
    try:
        for row in connection.execute("SELECT * FROM payment WHERE booked_at IS NOT NULL"):
            yield Booked(
                row["provider"], UUID(row["correlation_id"]), row["account"], int(row["amount"])
            )
    finally:
        connection.close()


def _callbacks_waiting(world: World) -> int:
    connection = _sandbox(world)
    try:
        (count,) = connection.execute(
            "SELECT count(*) FROM payment WHERE callback_state = 'waiting' OR status = 'pending'"
        ).fetchone()
        return int(count)
    finally:
        connection.close()


def _acknowledged(world: World) -> Iterator[str]:
    """Whatever a caller was told is saved can be read back, as it was told."""
    for service, path, told in world.acknowledged:
        with world.stack.client(service) as client:
            answer = client.get(path)
        if answer.status_code != httpx.codes.OK:
            yield f"acknowledged, but not there: {service} {path} ({answer.status_code})"
            continue
        found = answer.json()
        fixed = ("id", "code", "version", "created_at")
        changed = [name for name in fixed if name in told and told[name] != found.get(name)]
        if changed:
            yield f"acknowledged, but different: {service} {path}: {', '.join(changed)}"


def _webhooks(world: World) -> Iterator[str]:
    """Every callback that the provider saw acknowledged is stored."""
    connection = _sandbox(world)
    try:
        delivered = connection.execute(
            "SELECT correlation_id FROM payment WHERE callback_state = 'delivered'"
        ).fetchall()
    finally:
        connection.close()
    stored = asyncio.run(_fetch(world, "SELECT DISTINCT instruction_id FROM payments.webhook"))
    known = {row["instruction_id"] for row in stored}
    lost = [row[0] for row in delivered if UUID(row[0]) not in known]
    if lost:
        yield f"{len(lost)} callbacks were acknowledged and are not there, for instance {lost[0]}"


async def _records(world: World, booked: list[Booked], verdict: Verdict) -> None:
    faults = verdict.faults
    ends = {row["status"]: row["count"] for row in await _fetch(world, _ENTITLEMENTS)}
    instructions = {row["id"]: row for row in await _fetch(world, _PAID)}
    verdict.figures |= {
        "households": world.households,
        "entitlements": sum(ends.values()),
        "booked": len(booked),
        "booked_minor": sum(line.amount_minor for line in booked),
        **{f"entitlements_{status}": count for status, count in ends.items()},
    }
    if sum(ends.values()) != world.households:
        faults.append(f"{world.households} households, but {sum(ends.values())} entitlements")
    for status, count in ends.items():
        if status not in _ENDS:
            faults.append(f"{count} entitlements have no end: {status}")
    if not booked:
        faults.append("nobody was paid at all")
    for account, count in Counter((line.provider, line.account) for line in booked).items():
        if count > 1:
            faults.append(f"an account at {account[0]} was paid {count} times")
    entitlements = Counter(
        instructions[line.correlation_id]["entitlement_id"]
        for line in booked
        if line.correlation_id in instructions
    )
    faults += [
        f"entitlement {entitlement} was paid {count} times"
        for entitlement, count in entitlements.items()
        if count > 1
    ]
    faults += _against_the_book(instructions, booked)
    faults += await _money(world, booked)
    for row in await _fetch(world, _PARKED):
        if row["count"]:
            faults.append(f"{row['count']} events are parked in {row['service']}")


def _against_the_book(
    instructions: dict[UUID, asyncpg.Record], booked: list[Booked]
) -> Iterator[str]:
    book = {line.correlation_id: line for line in booked}
    for identity, line in book.items():
        ours = instructions.get(identity)
        if ours is None:
            yield f"in the book and not ours: {identity}"
        elif ours["status"] != "settled" or ours["entitlement_status"] != "paid":
            yield (
                f"in the book, but instruction {identity} is {ours['status']} and its entitlement "
                f"{ours['entitlement_status']}"
            )
        elif not ours["amount_minor"] == ours["owed_minor"] == line.amount_minor:
            yield f"{identity}: another amount in the book than is owed"
    for identity, ours in instructions.items():
        if ours["status"] == "settled" and identity not in book:
            yield f"settled, but not in the book: {identity}"


async def _money(world: World, booked: list[Booked]) -> list[str]:
    faults = [
        f"the {row['book']} book does not sum to zero: {row['balance_minor']}"
        for row in await _fetch(world, _BOOKS)
        if row["balance_minor"]
    ]
    faults += [
        f"the balance of {row['code']} {row['scope']} is not the sum of its transfers"
        for row in await _fetch(world, _UNTRUE_BALANCES)
    ]
    balances = {
        (row["code"], row["scope"]): row["debits_minor"] - row["credits_minor"]
        for row in await _fetch(world, _BALANCES)
    }
    paid = Counter[str]()
    for line in booked:
        paid[line.provider] += line.amount_minor
    expected = {("BUDGET_SPENT", FUND): paid.total(), ("COMMITTED", FUND): 0}
    expected["BUDGET_AVAILABLE", FUND] = world.deposited_minor - paid.total()
    for provider, prefunded in world.prefunded_minor.items():
        expected["PROVIDER_FLOAT", provider] = prefunded - paid[provider]
        expected["IN_TRANSIT", provider] = 0
    faults += [
        f"{code} of {scope} is {balances.get((code, scope))}, by the book and the deposits it has "
        f"to be {amount}"
        for (code, scope), amount in expected.items()
        if balances.get((code, scope)) != amount
    ]
    return faults
