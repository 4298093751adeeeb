"""What the registry announces, kept: chunks as they come, and what they should add up to."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.events import EnrolmentCompleted, EntitlementsReady
from shared.events import StoredEvent

_KEEP_CHUNK = text(
    """
    WITH kept_round AS (
        INSERT INTO payments.payment_round AS kept
            (enrolment_id, round, activation_id, scheme, fund, currency, status, announced_at)
        VALUES (:enrolment_id, :round, :activation_id, :scheme, :fund, :currency, 'gathering', :at)
        -- An update that changes nothing, so that the number is returned either way.
        ON CONFLICT (enrolment_id, round) DO UPDATE SET round = kept.round
        RETURNING number
    )
    INSERT INTO payments.chunk (chunk_id, round_number, fund, currency, entitlement_count,
        total_minor, status, fetch_at, announced_at)
    SELECT :chunk_id, number, :fund, :currency, :count, :total_minor, 'announced',
        clock_timestamp(), :at
    FROM kept_round
    ON CONFLICT (chunk_id) DO NOTHING
    """
)

_KEEP_TOTAL = text(
    """
    INSERT INTO payments.payment_round AS kept (enrolment_id, round, activation_id, scheme, fund,
        currency, chunk_count, entitlement_count, total_minor, status, announced_at)
    VALUES (:enrolment_id, :round, :activation_id, :scheme, :fund, :currency, :chunk_count,
        :entitlements, :total_minor, 'gathering', :at)
    ON CONFLICT (enrolment_id, round) DO UPDATE
    SET chunk_count = excluded.chunk_count,
        entitlement_count = excluded.entitlement_count,
        total_minor = excluded.total_minor
    WHERE kept.chunk_count IS NULL
    """
)


async def on_entitlements_ready(session: AsyncSession, event: StoredEvent) -> None:
    """A chunk can be fetched."""
    ready = EntitlementsReady.model_validate(event.data)
    await session.execute(
        _KEEP_CHUNK,
        {
            "enrolment_id": ready.enrolment_id,
            "round": ready.round,
            "activation_id": ready.activation_id,
            "scheme": ready.scheme,
            "fund": ready.fund,
            "currency": ready.currency,
            "chunk_id": ready.chunk_id,
            "count": ready.count,
            "total_minor": ready.total_minor,
            "at": event.time,
        },
    )


async def on_enrolment_completed(session: AsyncSession, event: StoredEvent) -> None:
    """These were all the chunks of an enrolment's round, and this is their sum."""
    completed = EnrolmentCompleted.model_validate(event.data)
    await session.execute(
        _KEEP_TOTAL,
        {
            "enrolment_id": completed.enrolment_id,
            "round": completed.round,
            "activation_id": completed.activation_id,
            "scheme": completed.scheme,
            "fund": completed.fund,
            "currency": completed.currency,
            "chunk_count": completed.chunk_count,
            "entitlements": completed.entitlements,
            "total_minor": completed.total_minor,
            "at": event.time,
        },
    )


HANDLERS = {
    EntitlementsReady.type: on_entitlements_ready,
    EnrolmentCompleted.type: on_enrolment_completed,
}
