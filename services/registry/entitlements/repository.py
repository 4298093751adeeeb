"""Entitlements and chunks in the database."""

from collections.abc import AsyncIterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation
from services.registry.enrolments.tables import Enrolment
from services.registry.entitlements.states import (
    ChunkStatus,
    EntitlementStatus,
    moves_to,
)
from services.registry.entitlements.tables import Entitlement, EntitlementChunk
from shared.contracts import outcomes
from shared.database import driver_connection

LEASE_SECONDS = 15


def _shown() -> Select[Any]:
    return (
        select(
            *(
                getattr(Entitlement, name)
                for name in (
                    "id",
                    "household_id",
                    "activation_id",
                    "chunk_id",
                    "round",
                    "area_code",
                    "amount_minor",
                    "status",
                    "reason",
                    "finished_at",
                )
            ),
            Activation.scheme_code.label("scheme"),
            Activation.scheme_version,
            EntitlementChunk.currency,
            EntitlementChunk.announced_at,
        )
        .join(Activation, Activation.id == Entitlement.activation_id)
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
    )


async def list_of_household(
    session: AsyncSession, household_id: UUID, *, after: tuple[UUID, int] | None, limit: int
) -> Sequence[Row[Any]]:
    """A household's entitlements by activation and round, after one of them."""
    query = _shown().where(Entitlement.household_id == household_id)
    if after is not None:
        activation_id, number = after
        query = query.where(
            or_(
                Entitlement.activation_id > activation_id,
                and_(Entitlement.activation_id == activation_id, Entitlement.round > number),
            )
        )
    rows = await session.execute(
        query.order_by(Entitlement.activation_id, Entitlement.round).limit(limit)
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def find_explained(session: AsyncSession, entitlement_id: UUID) -> Row[Any] | None:
    """An entitlement with the enrolment that it came from."""
    rows = await session.execute(
        _shown()
        .add_columns(
            Enrolment.benefit_case,
            Enrolment.members,
            Enrolment.children_0_5,
            Enrolment.pregnant,
            Enrolment.disabled,
            Enrolment.elderly_60,
        )
        .join(
            Enrolment,
            and_(
                Enrolment.household_id == Entitlement.household_id,
                Enrolment.activation_id == Entitlement.activation_id,
            ),
        )
        .where(Entitlement.id == entitlement_id)
    )
    return rows.one_or_none()


async def find_chunk(session: AsyncSession, chunk_id: UUID) -> EntitlementChunk | None:
    """The chunk with this id."""
    return await session.get(EntitlementChunk, chunk_id)


async def announce_settlement(session: AsyncSession, chunk_id: UUID) -> bool:
    """Whether there is such a chunk: its outcomes are to be fetched (again)."""
    found = await session.scalar(
        text(
            "UPDATE registry.entitlement_chunk SET status = :settling, attempt_after = NULL, "
            "settlements_announced = settlements_announced + 1 "
            "WHERE id = :id AND status IN (:announced, :settling, :settled) RETURNING true"
        ),
        {
            "id": chunk_id,
            "settling": ChunkStatus.SETTLING.value,
            "announced": ChunkStatus.ANNOUNCED.value,
            "settled": ChunkStatus.SETTLED.value,
        },
    )
    return bool(found)


async def announce_refusal(session: AsyncSession, chunk_id: UUID, *, reason: str) -> bool:
    """Whether there is such a chunk to refuse, or was: its entitlements are to say so."""
    found = await session.scalar(
        text(
            "UPDATE registry.entitlement_chunk SET "
            "status = CASE WHEN status = :announced THEN :refusing ELSE status END, "
            "refusal = coalesce(refusal, :reason) "
            "WHERE id = :id AND status IN (:announced, :refusing, :refused) RETURNING true"
        ),
        {
            "id": chunk_id,
            "reason": reason,
            "announced": ChunkStatus.ANNOUNCED.value,
            "refusing": ChunkStatus.REFUSING.value,
            "refused": ChunkStatus.REFUSED.value,
        },
    )
    return bool(found)


async def lease_ending_chunk(session: AsyncSession) -> EntitlementChunk | None:
    """A chunk that is settling or refusing, for this worker alone while the lease lasts."""
    chunk = await session.scalar(
        select(EntitlementChunk)
        .where(
            EntitlementChunk.status.in_([ChunkStatus.SETTLING, ChunkStatus.REFUSING]),
            or_(
                EntitlementChunk.attempt_after.is_(None),
                EntitlementChunk.attempt_after <= func.clock_timestamp(),
            ),
        )
        .order_by(EntitlementChunk.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if chunk is not None:
        await session.execute(
            text(
                "UPDATE registry.entitlement_chunk "
                "SET attempt_after = clock_timestamp() + :seconds * interval '1 second' "
                "WHERE id = :id"
            ),
            {"id": chunk.id, "seconds": LEASE_SECONDS},
        )
    return chunk


_MOVE = text(
    """
    UPDATE registry.entitlement
    SET status = outcome.outcome, reason = outcome.reason, finished_at = outcome.finished_at
    FROM given_outcome AS outcome
    WHERE entitlement.id = outcome.entitlement_id
      AND entitlement.chunk_id = :chunk_id
      AND entitlement.status = ANY(CASE outcome.outcome
          WHEN 'paid' THEN CAST(:to_paid AS text[]) ELSE CAST(:to_failed AS text[]) END)
    """
)

_COUNT = text(
    """
    UPDATE registry.entitlement_chunk AS chunk
    SET paid_count = found.paid_count, paid_minor = found.paid_minor,
        failed_count = found.failed_count, failed_minor = found.failed_minor,
        first_paid_at = found.first_paid_at, last_paid_at = found.last_paid_at,
        settlements_applied = :settlement,
        status = CASE WHEN chunk.settlements_announced = :settlement THEN 'settled'
                      ELSE 'settling' END,
        attempt_after = NULL, attempts = 0, last_error = NULL
    FROM (
        SELECT count(*) FILTER (WHERE status = 'paid') AS paid_count,
               coalesce(sum(amount_minor) FILTER (WHERE status = 'paid'), 0) AS paid_minor,
               count(*) FILTER (WHERE status = 'failed') AS failed_count,
               coalesce(sum(amount_minor) FILTER (WHERE status = 'failed'), 0) AS failed_minor,
               min(finished_at) FILTER (WHERE status = 'paid') AS first_paid_at,
               max(finished_at) FILTER (WHERE status = 'paid') AS last_paid_at
        FROM registry.entitlement WHERE chunk_id = :chunk_id
    ) AS found
    WHERE chunk.id = :chunk_id AND chunk.settlements_applied < :settlement
    RETURNING chunk.payable_count - chunk.paid_count - chunk.failed_count AS without_end
    """
)


async def apply_outcomes(
    session: AsyncSession, chunk_id: UUID, csv: AsyncIterable[bytes], *, settlement: int
) -> int | None:
    """Write a chunk's outcomes to its entitlements; how many payable ones still have no end.

    ``settlement`` counts the chunk's announcements up to the one that these outcomes answer;
    None where a newer one was applied meanwhile.
    """
    await session.execute(
        text(
            "CREATE TEMP TABLE given_outcome (entitlement_id uuid PRIMARY KEY, "
            "outcome text NOT NULL CHECK (outcome IN ('paid', 'failed')), reason text, "
            "finished_at timestamptz NOT NULL) ON COMMIT DROP"
        )
    )
    driver = await driver_connection(session)
    await driver.copy_to_table(
        "given_outcome", columns=list(outcomes.COLUMNS), source=csv, format="csv"
    )
    await session.execute(
        _MOVE,
        {
            "chunk_id": chunk_id,
            "to_paid": moves_to(EntitlementStatus.PAID),
            "to_failed": moves_to(EntitlementStatus.FAILED),
        },
    )
    without_end: int | None = await session.scalar(
        _COUNT, {"chunk_id": chunk_id, "settlement": settlement}
    )
    return without_end


async def apply_refusal(session: AsyncSession, chunk_id: UUID, *, reason: str | None) -> None:
    """Mark the payable entitlements of a refused chunk."""
    await session.execute(
        text(
            "UPDATE registry.entitlement SET status = :refused, reason = :reason "
            "WHERE chunk_id = :chunk_id AND status = ANY(CAST(:from_states AS text[]))"
        ),
        {
            "chunk_id": chunk_id,
            "refused": EntitlementStatus.REFUSED.value,
            "reason": reason,
            "from_states": moves_to(EntitlementStatus.REFUSED),
        },
    )
    await session.execute(
        text(
            "UPDATE registry.entitlement_chunk SET status = :refused, attempt_after = NULL, "
            "attempts = 0, last_error = NULL WHERE id = :chunk_id AND status = :refusing"
        ),
        {
            "chunk_id": chunk_id,
            "refused": ChunkStatus.REFUSED.value,
            "refusing": ChunkStatus.REFUSING.value,
        },
    )
