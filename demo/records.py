"""The records that the proofs judge, read as the database's owner and from the providers' book.

A judge does not ask the accused: nothing here goes through a service.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from demo.proofs import Account, Ends, Fund, Payment
from services.payments.instructions.states import LIVE

_BOOK_SECONDS = 120

_ACCOUNTS = """
    WITH debited AS (
        SELECT debit_account AS id, sum(amount_minor) AS minor FROM payments.transfer GROUP BY 1
    ),
    credited AS (
        SELECT credit_account AS id, sum(amount_minor) AS minor FROM payments.transfer GROUP BY 1
    )
    SELECT book::text AS book, code::text AS code, scope, currency, debits_minor, credits_minor,
        coalesce(debited.minor, 0)::bigint AS transfers_debited_minor,
        coalesce(credited.minor, 0)::bigint AS transfers_credited_minor
    FROM payments.account
    LEFT JOIN debited USING (id)
    LEFT JOIN credited USING (id)
    ORDER BY book, code, scope
"""

# What was ever committed and what became of it, by the ledger; the same by the instructions.
_FUNDS = """
    WITH posted AS (
        SELECT account.scope AS fund,
            sum(amount_minor) FILTER (WHERE debit_account = account.id) AS committed_minor,
            sum(amount_minor) FILTER (
                WHERE credit_account = account.id AND transfer.code = 'commitment_spent'
            ) AS spent_minor,
            sum(amount_minor) FILTER (
                WHERE credit_account = account.id AND transfer.code <> 'commitment_spent'
            ) AS released_minor
        FROM payments.account
        JOIN payments.transfer ON account.id IN (debit_account, credit_account)
        WHERE account.code = 'COMMITTED'
        GROUP BY account.scope
    ),
    instructed AS (
        SELECT payment_round.fund,
            sum(amount_minor) FILTER (
                WHERE instruction.status IN ('settled', 'returned')
            ) AS paid_minor,
            sum(amount_minor) FILTER (
                WHERE instruction.status IN ('rejected', 'cancelled')
            ) AS ended_unpaid_minor,
            sum(amount_minor) FILTER (
                WHERE instruction.status::text = ANY($1) AND payment_round.status = 'released'
            ) AS in_flight_minor
        FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        GROUP BY payment_round.fund
    )
    SELECT account.scope AS code,
        coalesce(committed_minor, 0)::bigint AS committed_minor,
        coalesce(spent_minor, 0)::bigint AS spent_minor,
        coalesce(released_minor, 0)::bigint AS released_minor,
        (account.debits_minor - account.credits_minor)::bigint AS standing_minor,
        coalesce(paid_minor, 0)::bigint AS paid_minor,
        coalesce(ended_unpaid_minor, 0)::bigint AS ended_unpaid_minor,
        coalesce(in_flight_minor, 0)::bigint AS in_flight_minor
    FROM payments.account
    LEFT JOIN posted ON posted.fund = account.scope
    LEFT JOIN instructed ON instructed.fund = account.scope
    WHERE account.code = 'COMMITTED'
    ORDER BY account.scope
"""

_INSTRUCTIONS = """
    SELECT instruction.id, entitlement_id, amount_minor, chunk.currency, provider.code AS provider,
        instruction.status IN ('settled', 'returned') AS paid
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = chunk_number
    JOIN payments.provider ON provider.number = provider_number
"""

_HOUSEHOLD_ROUNDS_PAID_TWICE = """
    SELECT household_id, payment_round.scheme, payment_round.round, count(*) AS times
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE instruction.status = 'settled'
    GROUP BY household_id, payment_round.activation_id, payment_round.scheme, payment_round.round
    HAVING count(*) > 1
"""

_ENDS = """
    SELECT activation.id AS activation_id, activation.scheme_code AS scheme, entitlement.round,
        entitlement.status, count(*) AS count, sum(amount_minor)::bigint AS minor
    FROM registry.entitlement
    JOIN registry.activation ON activation.id = entitlement.activation_id
    GROUP BY activation.id, entitlement.round, entitlement.status
    ORDER BY activation.opened_on, activation.id, entitlement.round
"""

_PAYMENT_ENDS = """
    SELECT payment_round.activation_id, payment_round.round,
        count(*) FILTER (WHERE instruction.status::text = ANY($1)) AS live,
        coalesce(sum(amount_minor) FILTER (WHERE instruction.status = 'settled'), 0)::bigint AS paid
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    GROUP BY payment_round.activation_id, payment_round.round
"""

# What the registry says of an entitlement, and what payments did about it.
_DISAGREEING = """
    SELECT entitlement.id, entitlement.status, entitlement.amount_minor,
        instruction.amount_minor AS settled_minor
    FROM registry.entitlement
    FULL JOIN (
        SELECT entitlement_id, amount_minor FROM payments.instruction WHERE status = 'settled'
    ) AS instruction ON instruction.entitlement_id = entitlement.id
    WHERE (entitlement.status IS NOT DISTINCT FROM 'paid') <> (instruction.amount_minor IS NOT NULL)
       OR entitlement.amount_minor <> instruction.amount_minor
    LIMIT 1000
"""

_ENROLLED = """
    SELECT activation.id, activation.scheme_code AS scheme, activation.area_filter,
        scheme_version.document ->> 'eligibility' AS eligibility,
        ARRAY(SELECT area_code FROM triggers.activation_area
              WHERE activation_area.activation_id = activation.id) AS areas,
        (SELECT count(*) FROM registry.enrolment
         WHERE enrolment.activation_id = activation.id) AS enrolled
    FROM registry.activation
    JOIN registry.scheme_version USING (scheme_code)
    WHERE scheme_version.version = activation.scheme_version
    ORDER BY activation.opened_on
"""

# The rules are CQL2 text that is SQL as well: PostgreSQL's own reading of them is the judge.
_ELIGIBLE = """
    SELECT count(*)
    FROM registry.household
    JOIN registry.area ON area.code = household.area_code
    WHERE ({eligibility}) AND ({area_filter})
      AND ('KH' = ANY($1) OR left(area.code, 2) = ANY($1))
"""

_WAITING = {
    "events parked": """
        SELECT (SELECT count(*) FROM registry.dead_letter)
             + (SELECT count(*) FROM triggers.dead_letter)
             + (SELECT count(*) FROM payments.dead_letter)
    """,
    "callbacks not applied": "SELECT count(*) FROM payments.webhook WHERE status <> 'applied'",
    "chunks refused": "SELECT count(*) FROM payments.chunk WHERE status = 'refused'",
    "rounds without money": """
        SELECT count(*) FROM payments.payment_round WHERE status <> 'released'
    """,
    "alarms": "SELECT count(*) FROM payments.alarm",
}


@dataclass(frozen=True, kw_only=True)
class Records:
    """Everything that the proofs compare."""

    accounts: list[Account]
    transfers: int
    funds: list[Fund]
    paid: list[Payment]
    entitlement_of: dict[UUID, UUID]
    household_rounds_paid_twice: list[str]
    ends: list[Ends]
    disagreeing: list[str]
    expected: dict[str, int]
    enrolled: dict[str, int]
    waiting: dict[str, int]


async def read_records(database_url: str) -> Records:
    """Read it all in one snapshot of the database."""
    plain = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _read(connection)
    finally:
        await connection.close()


async def _read(connection: asyncpg.Connection) -> Records:
    live = [status.value for status in LIVE]
    paid: list[Payment] = []
    entitlement_of: dict[UUID, UUID] = {}
    async for row in connection.cursor(_INSTRUCTIONS, prefetch=10_000):
        entitlement_of[row["id"]] = row["entitlement_id"]
        if row["paid"]:
            provider, currency = sys.intern(row["provider"]), sys.intern(row["currency"])
            paid.append(Payment(provider, row["id"], row["amount_minor"], currency))
    expected: dict[str, int] = {}
    enrolled: dict[str, int] = {}
    for row in await connection.fetch(_ENROLLED):
        expected[row["scheme"]] = await connection.fetchval(
            _ELIGIBLE.format(
                eligibility=row["eligibility"], area_filter=row["area_filter"] or "true"
            ),
            row["areas"],
        )
        enrolled[row["scheme"]] = row["enrolled"]
    return Records(
        accounts=[Account(**row) for row in await connection.fetch(_ACCOUNTS)],
        transfers=await connection.fetchval("SELECT count(*) FROM payments.transfer"),
        funds=[Fund(**row) for row in await connection.fetch(_FUNDS, live)],
        paid=paid,
        entitlement_of=entitlement_of,
        household_rounds_paid_twice=[
            f"household {row['household_id']}, {row['scheme']} round {row['round']}, "
            f"{row['times']} times"
            for row in await connection.fetch(_HOUSEHOLD_ROUNDS_PAID_TWICE)
        ],
        ends=_ends(
            await connection.fetch(_ENDS),
            {
                (row["activation_id"], row["round"]): (row["live"], row["paid"])
                for row in await connection.fetch(_PAYMENT_ENDS, live)
            },
        ),
        disagreeing=[
            f"entitlement {row['id']} of {row['amount_minor']} is {row['status']} in the registry; "
            f"payments settled {row['settled_minor'] or 'nothing'} of it"
            for row in await connection.fetch(_DISAGREEING)
        ],
        expected=expected,
        enrolled=enrolled,
        waiting={what: await connection.fetchval(query) for what, query in _WAITING.items()},
    )


def _ends(rows: list[Any], payments: dict[tuple[UUID, int], tuple[int, int]]) -> list[Ends]:
    """``payments``: how many are live and how much was paid, by activation and round."""
    counts: dict[tuple[UUID, str, int], Counter[str]] = {}
    paid: Counter[tuple[UUID, str, int]] = Counter()
    for row in rows:
        key = (row["activation_id"], row["scheme"], row["round"])
        counts.setdefault(key, Counter())[row["status"]] += row["count"]
        if row["status"] == "paid":
            paid[key] += row["minor"]
    return [
        Ends(
            scheme=scheme,
            round=number,
            entitlements=by_status.total(),
            by_status={status: n for status, n in by_status.items() if status != "ready"},
            open=by_status["ready"],
            payments_live=payments.get((activation, number), (0, 0))[0],
            registry_paid_minor=paid[activation, scheme, number],
            payments_paid_minor=payments.get((activation, number), (0, 0))[1],
        )
        for (activation, scheme, number), by_status in counts.items()
    ]


def read_book(sandbox_url: str) -> Iterator[Payment]:
    """The providers' book, streamed line by line."""
    with httpx.stream("GET", f"{sandbox_url}/book", timeout=_BOOK_SECONDS) as response:
        response.raise_for_status()
        for row in csv.DictReader(response.iter_lines()):
            yield Payment(
                sys.intern(row["provider"]),
                UUID(row["correlation_id"]),
                # The riel has no smaller unit: the book's amounts are whole.
                int(row["amount"]),
                sys.intern(row["currency"]),
            )
