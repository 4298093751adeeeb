"""The first witness: the database, read as its owner, in one snapshot."""

import os
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.engine import make_url

from judge.records import (
    Account,
    Announced,
    ChargedLine,
    Charges,
    Disagreement,
    Ends,
    Fund,
    Hold,
    Instruction,
    Line,
    PaidTwice,
    Pause,
    Provider,
    Reach,
    Records,
    Reversal,
)
from judge.witnesses import charges, statements, stopping
from judge.witnesses.rules import as_sql
from judge.words import PAYMENT_ENDS

# The last is what the driver says when the server dies while it is being talked to.
CANNOT_ASK = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_CONNECT_SECONDS = 10
_ROWS_AT_ONCE = 10_000


@asynccontextmanager
async def snapshot(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees one moment of the database, and cannot write.

    Raises one of CANNOT_ASK.
    """
    plain = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(
        plain.render_as_string(hide_password=False), timeout=_CONNECT_SECONDS, **_encrypted()
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


def _encrypted() -> dict[str, ssl.SSLContext]:
    """What DATABASE_TLS and DATABASE_TLS_CA say, as the services read them."""
    mode = os.environ.get("DATABASE_TLS", "prefer")
    if mode == "prefer":
        return {}
    context = ssl.create_default_context(cafile=os.environ.get("DATABASE_TLS_CA"))
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}


async def read_records(connection: asyncpg.Connection) -> Records:
    """Everything that the proofs compare, from a connection that sees one moment."""
    ends = list(PAYMENT_ENDS)
    return Records(
        accounts=[Account(**row) for row in await connection.fetch(statements.ACCOUNTS)],
        transfers=await connection.fetchval(statements.TRANSFERS),
        funds=[Fund(**row) for row in await connection.fetch(statements.FUNDS, ends)],
        kept_minor={row["fund"]: row["minor"] for row in await connection.fetch(statements.KEPT)},
        providers=[Provider(**row) for row in await connection.fetch(statements.PROVIDERS, ends)],
        lines=[Line(**row) for row in await connection.fetch(statements.LINES, ends)],
        reversals=[Reversal(**row) for row in await connection.fetch(statements.REVERSALS)],
        pauses=await read_pauses(connection),
        holds=[Hold(**row) for row in await connection.fetch(stopping.HOLDS)],
        charges=[Charges(**row) for row in await connection.fetch(charges.CHARGES)],
        charged_lines=[ChargedLine(**row) for row in await connection.fetch(charges.CHARGED_LINES)],
        instructions=await _instructions(connection),
        paid_twice=[PaidTwice(**row) for row in await connection.fetch(statements.PAID_TWICE)],
        announced=[Announced(**row) for row in await connection.fetch(statements.ANNOUNCED)],
        ends=await _ends(connection, ends),
        disagreements=[
            Disagreement(**row) for row in await connection.fetch(statements.DISAGREEMENTS)
        ],
        reaches=await _reaches(connection),
        households=await connection.fetchval(statements.HOUSEHOLDS),
        callbacks_stored=frozenset(
            [
                row["instruction_id"]
                async for row in connection.cursor(statements.CALLBACKS, prefetch=_ROWS_AT_ONCE)
            ]
        ),
        waiting={
            what: await connection.fetchval(query) for what, query in statements.WAITING.items()
        },
        listed=frozenset(
            row["instruction_id"] for row in await connection.fetch(statements.LISTED)
        ),
    )


async def under_way(connection: asyncpg.Connection) -> bool:
    """Whether anything waits for a service to go on. Before the first entitlement, something does.

    What waits for a person (a refused chunk, a round without money) is under way as well.
    """
    row = await connection.fetchrow(statements.UNDER_WAY)
    return bool(row["under_way"] > 0 or row["entitlements"] == 0)


async def read_holds(connection: asyncpg.Connection) -> list[Hold]:
    """Every payment that a rule ever held."""
    return [Hold(**row) for row in await connection.fetch(stopping.HOLDS)]


async def read_charges(connection: asyncpg.Connection) -> list[Charges]:
    """What each provider charges."""
    return [Charges(**row) for row in await connection.fetch(charges.CHARGES)]


async def read_charged_lines(connection: asyncpg.Connection) -> list[ChargedLine]:
    """What two persons found to be charged of the lines of statements."""
    return [ChargedLine(**row) for row in await connection.fetch(charges.CHARGED_LINES)]


async def read_pauses(connection: asyncpg.Connection) -> list[Pause]:
    """Every pause there ever was, and what was claimed in spite of it."""
    claimed: dict[UUID, list[tuple[UUID, datetime]]] = {}
    for row in await connection.fetch(stopping.CLAIMED_WHILE_PAUSED):
        claimed.setdefault(row["pause_id"], []).append((row["instruction_id"], row["posted_at"]))
    return [
        Pause(
            id=row["id"],
            paused_at=row["paused_at"],
            resumed_at=row["resumed_at"],
            concerned=frozenset(row["concerned"]),
            claimed=claimed.get(row["id"], []),
        )
        for row in await connection.fetch(stopping.PAUSES)
    ]


async def _instructions(connection: asyncpg.Connection) -> Mapping[UUID, Instruction]:
    read = {}
    async for row in connection.cursor(statements.INSTRUCTIONS, prefetch=_ROWS_AT_ONCE):
        # A few words repeat over a million rows.
        told = row["entitlement_status"]
        read[row["id"]] = Instruction(
            id=row["id"],
            entitlement_id=row["entitlement_id"],
            provider=sys.intern(row["provider"]),
            fund=sys.intern(row["fund"]),
            amount_minor=row["amount_minor"],
            currency=sys.intern(row["currency"]),
            status=sys.intern(row["status"]),
            spent=row["spent"],
            entitlement_status=None if told is None else sys.intern(told),
            owed_minor=row["owed_minor"],
        )
    return read


async def _ends(connection: asyncpg.Connection, payment_ends: Sequence[str]) -> list[Ends]:
    counted = {
        (row["activation_id"], row["round"]): int(row["counted"])
        for row in await connection.fetch(statements.CHUNKS)
    }
    payments = {
        (row["activation_id"], row["round"]): row
        for row in await connection.fetch(statements.PAYMENT_ENDS, payment_ends)
    }
    rounds: dict[tuple[UUID, int], list[asyncpg.Record]] = {}
    for row in await connection.fetch(statements.ENDS):
        rounds.setdefault((row["activation_id"], row["round"]), []).append(row)
    return [
        Ends(
            scheme=rows[0]["scheme"],
            opened_on=rows[0]["opened_on"],
            round=rows[0]["round"],
            counted=counted.get(key, 0),
            by_status=Counter({row["status"]: row["count"] for row in rows}),
            payments_live=payments[key]["live"] if key in payments else 0,
            registry_paid_minor=sum(row["minor"] for row in rows if row["status"] == "paid"),
            payments_paid_minor=payments[key]["paid"] if key in payments else 0,
        )
        for key, rows in rounds.items()
    ]


async def _reaches(connection: asyncpg.Connection) -> list[Reach]:
    return [
        await _reach(connection, activation)
        for activation in await connection.fetch(statements.ACTIVATIONS)
    ]


async def _reach(connection: asyncpg.Connection, activation: asyncpg.Record) -> Reach:
    eligible = enrolled = changed_since = 0
    if activation["eligibility"] is not None:
        planned_at = activation["planned_at"]
        eligible = await connection.fetchval(
            statements.ELIGIBLE.format(
                eligibility=as_sql(activation["eligibility"]),
                area_filter=activation["area_filter"] or "true",
            ),
            activation["areas"],
            planned_at,
            activation["counts_on"],
        )
        enrolled, changed_since = await connection.fetchrow(
            statements.ENROLLED, activation["id"], planned_at
        )
    return Reach(
        scheme=activation["scheme"],
        opened_on=activation["opened_on"],
        known_to_both=activation["known_to_both"],
        eligible=eligible,
        enrolled=enrolled,
        changed_since=changed_since,
    )
