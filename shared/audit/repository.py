"""What is asked of a service's audit record, by the name of its schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.audit.chain import BEGINNING, Head

_LOCK_CLASS = 7_209

_GIVEN = {
    "id": "uuid",
    "subject": "text",
    "client": "text",
    "request_id": "uuid",
    "operation": "text",
    "unmasked_read": "boolean",
    "objects": "text[]",
    "before": "jsonb",
    "after": "jsonb",
    "reason": "text",
}
_NOTHING: dict[str, object] = dict.fromkeys(("before", "after", "reason"))

_ADD = f"""
    INSERT INTO {{schema}}.audit_record ({", ".join(_GIVEN)})
    SELECT {", ".join(f"CAST(:{name} AS {kind})" for name, kind in _GIVEN.items())}
"""

# Whoever wrote anything, or locked a row to write it, has a transaction id by then.
_UNLESS_RECORDED = """
    WHERE pg_current_xact_id_if_assigned() IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM {schema}.audit_record
          -- Of an epoch before, another cluster may have given the same number.
          WHERE epoch = events.current_epoch()
            AND transaction_id = pg_current_xact_id_if_assigned()
      )
"""

# One sequencer in each service; the lock goes with the transaction.
_CLAIM = f"SELECT pg_try_advisory_xact_lock({_LOCK_CLASS}, hashtext(:schema))"

_LAST = """
    SELECT sequence, digest, epoch, transaction_id::text AS transaction_id, record_id
    FROM {schema}.audit_link
    ORDER BY sequence DESC
    LIMIT 1
"""

_RECORD_AS_TEXT = """
    ARRAY[
        record.id::text,
        to_char(record.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        record.epoch::text, record.transaction_id::text, record.subject, record.client,
        record.request_id::text, record.operation, record.unmasked_read::text,
        array_to_json(record.objects)::text, record.before::text, record.after::text,
        record.reason
    ]
"""

_POSITION = "(:epoch, CAST(CAST(:transaction_id AS text) AS xid8), CAST(:record_id AS uuid))"

# Below the fence every transaction has ended: nothing can appear there any more.
_BELOW_FENCE = """
    (record.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
     OR record.epoch < (SELECT events.current_epoch()))
"""

_UNCHAINED = f"""
    SELECT record.id, record.epoch, record.transaction_id::text AS transaction_id,
        {_RECORD_AS_TEXT} AS record
    FROM {{schema}}.audit_record AS record
    WHERE (record.epoch, record.transaction_id, record.id) > {_POSITION} AND {_BELOW_FENCE}
    ORDER BY record.epoch, record.transaction_id, record.id
    LIMIT :limit
"""

_CHAIN = """
    INSERT INTO {schema}.audit_link (sequence, record_id, epoch, transaction_id, digest)
    SELECT sequence, record_id, epoch, CAST(transaction_id AS xid8), digest
    FROM unnest(
        CAST(:sequences AS bigint[]), CAST(:record_ids AS uuid[]), CAST(:epochs AS integer[]),
        CAST(:transaction_ids AS text[]), CAST(:digests AS bytea[])
    ) AS link (sequence, record_id, epoch, transaction_id, digest)
"""

_WAITING = f"""
    SELECT count(*)
    FROM {{schema}}.audit_record AS record
    WHERE (record.epoch, record.transaction_id, record.id) > {_POSITION}
"""

_LINKS = f"""
    SELECT link.sequence, link.record_id, link.digest, record.id IS NOT NULL AS has_record,
        {_RECORD_AS_TEXT} AS record, record.operation, record.subject, record.recorded_at
    FROM {{schema}}.audit_link AS link
    LEFT JOIN {{schema}}.audit_record AS record ON record.id = link.record_id
    WHERE link.sequence > :after
    ORDER BY link.sequence
    LIMIT :limit
"""

_INSERTED = f"""
    SELECT record.id, record.operation, record.subject, record.recorded_at
    FROM {{schema}}.audit_record AS record
    WHERE (record.epoch, record.transaction_id, record.id) <= {_POSITION}
      AND NOT EXISTS (SELECT FROM {{schema}}.audit_link WHERE record_id = record.id)
    ORDER BY record.epoch, record.transaction_id, record.id
    LIMIT :limit
"""

_LIST = """
    SELECT record.id, link.sequence, record.recorded_at, record.subject, record.client,
        record.request_id, record.operation,
        CASE WHEN record.unmasked_read THEN 'unmasked-read'
            -- Whoever reads writes nothing else.
            WHEN starts_with(record.operation, 'GET ') THEN 'export' ELSE 'change' END AS action,
        record.objects, record.before, record.after, record.reason
    FROM {schema}.audit_record AS record
    LEFT JOIN {schema}.audit_link AS link ON link.record_id = record.id
    WHERE {conditions}
    ORDER BY record.recorded_at DESC, record.id DESC
    LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in the order of the chain: epoch, transaction, id."""

    epoch: int
    transaction_id: str
    record_id: UUID


@dataclass(frozen=True, slots=True)
class Link:
    """A record in its place in the chain."""

    head: Head
    position: Position


def _statement(statement: str, schema: str) -> TextClause:
    return text(statement.format(schema=schema))


def _add(statement: str, schema: str) -> TextClause:
    return _statement(statement, schema).bindparams(
        bindparam("before", type_=JSONB(none_as_null=True)),
        bindparam("after", type_=JSONB(none_as_null=True)),
        bindparam("objects", type_=ARRAY(Text)),
        bindparam("id", type_=Uuid),
        bindparam("request_id", type_=Uuid),
    )


async def add(session: AsyncSession, schema: str, **columns: object) -> None:
    """Keep a record; ``columns`` are the table's, but for what the database says by itself."""
    await session.execute(_add(_ADD, schema), _NOTHING | columns)


async def add_unless_recorded(session: AsyncSession, schema: str, **columns: object) -> None:
    """Keep a record where this transaction wrote something and nothing was recorded in it."""
    await session.execute(_add(_ADD + _UNLESS_RECORDED, schema), _NOTHING | columns)


async def claim(session: AsyncSession, schema: str) -> bool:
    """Whether nobody else makes the chain just now; nobody will until this transaction ends."""
    return bool(await session.scalar(text(_CLAIM), {"schema": schema}))


async def last_link(session: AsyncSession | AsyncConnection, schema: str) -> Link:
    """The chain's last link; before its first the beginning."""
    row = (await session.execute(_statement(_LAST, schema))).one_or_none()
    if row is None:
        return Link(Head(0, BEGINNING), Position(0, "0", UUID(int=0)))
    return Link(
        Head(row.sequence, row.digest), Position(row.epoch, row.transaction_id, row.record_id)
    )


async def unchained(
    session: AsyncSession, schema: str, after: Position, *, limit: int
) -> Sequence[Row[Any]]:
    """Records behind a position that no earlier one can appear among any more, in their order."""
    values = {**_position(after), "limit": limit}
    return (await session.execute(_statement(_UNCHAINED, schema), values)).all()


async def chain(session: AsyncSession, schema: str, links: Sequence[Link]) -> None:
    """Add links to the chain."""
    await session.execute(
        _statement(_CHAIN, schema),
        {
            "sequences": [link.head.sequence for link in links],
            "record_ids": [link.position.record_id for link in links],
            "epochs": [link.position.epoch for link in links],
            "transaction_ids": [link.position.transaction_id for link in links],
            "digests": [link.head.digest for link in links],
        },
    )


async def count_waiting(
    session: AsyncSession | AsyncConnection, schema: str, after: Position
) -> int:
    """How many records are behind the chain's end."""
    return int(await session.scalar(_statement(_WAITING, schema), _position(after)) or 0)


async def links(
    connection: AsyncConnection, schema: str, *, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Links in their order, behind one, each with its record where that is there."""
    return (
        await connection.execute(_statement(_LINKS, schema), {"after": after, "limit": limit})
    ).all()


async def inserted(
    connection: AsyncConnection, schema: str, up_to: Position, *, limit: int
) -> Sequence[Row[Any]]:
    """Records without a link that lie where the chain has been already."""
    values = {**_position(up_to), "limit": limit}
    return (await connection.execute(_statement(_INSERTED, schema), values)).all()


async def list_records(
    session: AsyncSession,
    schema: str,
    *,
    subject: str | None,
    about: str | None,
    operation: str | None,
    request_id: UUID | None,
    recorded_from: datetime | None,
    recorded_to: datetime | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Records, the newest first, before one of them."""
    recorded_before, id_before = before or (None, None)
    wanted: dict[str, dict[str, object]] = {
        "record.subject = :subject": {"subject": subject},
        "record.objects @> CAST(ARRAY[:about] AS text[])": {"about": about},
        "record.operation = :operation": {"operation": operation},
        "record.request_id = :request_id": {"request_id": request_id},
        "record.recorded_at >= :recorded_from": {"recorded_from": recorded_from},
        "record.recorded_at < :recorded_to": {"recorded_to": recorded_to},
        "(record.recorded_at, record.id) < (:recorded_before, :id_before)": {
            "recorded_before": recorded_before,
            "id_before": id_before,
        },
    }
    conditions = ["true"]
    values: dict[str, object] = {"limit": limit}
    for condition, given in wanted.items():
        if None not in given.values():
            conditions.append(condition)
            values |= given
    statement = text(_LIST.format(schema=schema, conditions=" AND ".join(conditions)))
    return (await session.execute(statement, values)).all()


def _position(position: Position) -> dict[str, object]:
    return {
        "epoch": position.epoch,
        "transaction_id": position.transaction_id,
        "record_id": position.record_id,
    }
