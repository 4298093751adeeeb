"""SQL of further attempts that may be among the commits that were lost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.repository import lock_known, round_of
from services.payments.instructions.statements import booked
from services.payments.instructions.states import MAY_BE_TRIED_ANEW, Status
from services.payments.ledger.accounts import ATTEMPT_RESERVED
from services.payments.ledger.repository import post
from services.payments.providers.answers import Answer, AnswerKind

_COLUMNS = """
    tried.id, tried.entitlement_id, tried.announcement, tried.attempt, tried.provider_number,
    tried.status::text AS status,
    extract(epoch FROM clock_timestamp() - chunk.told_at)::float AS seconds
"""

# Asked once for all: as long as nothing was lost, no payment is looked at.
_IS_TO_BE_ASKED = """
    EXISTS (SELECT FROM payments.chunk WHERE epoch < (SELECT events.current_epoch()))
    AND chunk.epoch < (SELECT events.current_epoch())
    AND NOT EXISTS (
        SELECT FROM payments.asked_further AS asked
        WHERE asked.instruction_id = tried.id AND asked.epoch = (SELECT events.current_epoch())
    )
"""

# What nothing that was announced since can be paid before, and what is not sent again before.
_PERHAPS_TRIED = text(
    f"""
    SELECT found.* FROM (
        (
            SELECT DISTINCT {_COLUMNS}
            FROM payments.instruction
            JOIN payments.chunk AS anew ON anew.number = instruction.chunk_number
            JOIN payments.payment_round ON payment_round.number = anew.round_number
            JOIN payments.instruction AS tried
                ON tried.entitlement_id = instruction.entitlement_id
                AND tried.status IN ('rejected', 'held', 'returned', 'cancelled')
            JOIN payments.chunk ON chunk.number = tried.chunk_number
            WHERE instruction.status = 'ready' AND instruction.announcement > 1
              AND tried.status = 'rejected' AND tried.announcement < instruction.announcement
              AND anew.status = 'raised' AND payment_round.status = 'released'
              AND (instruction.next_action_at IS NULL
                OR instruction.next_action_at <= clock_timestamp())
              AND {_IS_TO_BE_ASKED}
            LIMIT :size
        )
        UNION ALL
        (
            SELECT {_COLUMNS}
            FROM payments.instruction AS tried
            JOIN payments.chunk ON chunk.number = tried.chunk_number
            WHERE tried.status = 'unknown' AND tried.reason = '{MAY_BE_TRIED_ANEW}'
              AND {_IS_TO_BE_ASKED}
            LIMIT :size
        )
    ) AS found
    WHERE clock_timestamp() >= (
        SELECT begun_at FROM events.epoch WHERE number = (SELECT events.current_epoch())
    ) + make_interval(secs => :trusted_after_seconds)
    """
)

# As rejected: what the provider says of it since is a success that comes late, and is held.
_ADD_FOUND = text(
    booked(
        moved=f"""
            INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor,
                chunk_number, status, provider_number, announcement, attempt, moves,
                account_sealed, area_code, account_fingerprint, finished_at, reason)
            SELECT CAST(:id AS uuid), entitlement_id, household_id, amount_minor, chunk_number,
                '{Status.REJECTED}', CAST(:found_at AS smallint), announcement,
                CAST(:attempt AS smallint), 1, account_sealed, area_code, account_fingerprint,
                CAST(:at AS timestamptz), CAST(:reason AS text)
            FROM payments.instruction
            WHERE id = :tried_id
            RETURNING id, amount_minor, amount_minor AS paid_minor, chunk_number, provider_number,
                CAST('{Status.READY}' AS payments.instruction_status) AS from_status,
                status AS to_status, CAST(1 AS smallint) AS position, reason
        """,
    )
)

_FOUND_ELSEWHERE = text(
    """
    INSERT INTO payments.rerouting (instruction_id, from_provider_number, to_provider_number,
        cause, rerouted_at)
    SELECT :id, provider_number, :found_at, 'found_there', :at
    FROM payments.instruction WHERE id = :tried_id AND provider_number <> :found_at
    ON CONFLICT DO NOTHING
    """
)

_EXISTS = text("SELECT EXISTS (SELECT FROM payments.instruction WHERE id = :id)")

_KEEP_ASKED = text(
    """
    INSERT INTO payments.asked_further AS asked (instruction_id, epoch, is_certain)
    SELECT id, events.current_epoch(), is_certain
    FROM unnest(CAST(:ids AS uuid[]), CAST(:certain AS boolean[])) AS given (id, is_certain)
    ORDER BY id
    ON CONFLICT (instruction_id) DO UPDATE SET epoch = excluded.epoch,
        is_certain = excluded.is_certain, asked_at = clock_timestamp()
    """
)

_GOES_ON = text(
    """
    UPDATE payments.instruction SET next_action_at = clock_timestamp()
    WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'unknown'
    """
)

# What was announced since is only let go by persons.
_WITHHOLD = text(
    """
    WITH waiting AS (
        SELECT instruction.id, count(*) AS found
        FROM payments.instruction AS tried
        JOIN payments.instruction ON instruction.entitlement_id = tried.entitlement_id
            AND instruction.status = 'ready'
            AND instruction.announcement > tried.announcement
        WHERE tried.id = ANY(CAST(:ids AS uuid[])) AND tried.status = 'rejected'
        GROUP BY instruction.id
    ),
    withheld AS (
        UPDATE payments.instruction SET withheld = true
        FROM waiting
        WHERE instruction.id = waiting.id AND instruction.status = 'ready'
        RETURNING instruction.id, waiting.found
    )
    INSERT INTO payments.hold (instruction_id, rule, found, allowed, window_days, held_at)
    SELECT id, 'perhaps_tried_anew', found, 0, 0, :at FROM withheld ORDER BY id
    ON CONFLICT (instruction_id, rule) DO UPDATE SET ended_at = NULL, resolution_id = NULL
    """
)

# One that is unknown is looked at again once its provider was asked about it again.
_PUT_OFF = text(
    f"""
    WITH unknown AS (
        UPDATE payments.instruction SET reason = 'not_known_to_provider'
        WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'unknown'
          AND reason = '{MAY_BE_TRIED_ANEW}'
    )
    UPDATE payments.instruction
    SET next_action_at = clock_timestamp() + make_interval(secs => :seconds)
    FROM payments.instruction AS tried
    WHERE tried.id = ANY(CAST(:ids AS uuid[])) AND tried.status = 'rejected'
      AND instruction.entitlement_id = tried.entitlement_id AND instruction.status = 'ready'
      AND instruction.announcement > tried.announcement
    """
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A payment of which further attempts may have been lost."""

    instruction_id: UUID
    entitlement_id: UUID
    announcement: int
    attempt: int
    provider_number: int
    is_unknown: bool
    """It has no end, and is not sent again before it was asked about. Else it is rejected."""
    seconds: float
    """For how long a further attempt may have been with a provider."""


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """A further attempt that a provider knows."""

    instruction_id: UUID
    tried_id: UUID
    """The payment of which it is a further attempt."""
    attempt: int
    provider_number: int
    answer: Answer


async def pick_perhaps_tried(
    session: AsyncSession, *, trusted_after_seconds: float, size: int
) -> list[Tried]:
    """Payments of which further attempts may have been lost, where something waits for knowing."""
    given = {"trusted_after_seconds": trusted_after_seconds, "size": size}
    return [
        Tried(
            instruction_id=row.id,
            entitlement_id=row.entitlement_id,
            announcement=row.announcement,
            attempt=row.attempt,
            provider_number=row.provider_number,
            is_unknown=row.status == "unknown",
            seconds=row.seconds,
        )
        for row in await session.execute(_PERHAPS_TRIED, given)
    ]


async def add_found(
    session: AsyncSession, found: FoundAttempt, *, actor: str, at: datetime
) -> None:
    """Have a row again of an attempt that a provider knows, as rejected; one that has it keeps it.

    Raises IntegrityError where its fund does not cover what was reserved for it.
    """
    if await session.scalar(_EXISTS, {"id": found.instruction_id}):
        return
    [tried] = (await lock_known(session, [found.tried_id])).values()
    paid_in = await round_of(session, found.tried_id)
    await post(
        session,
        ATTEMPT_RESERVED,
        debit_scope=paid_in.fund,
        credit_scope=paid_in.fund,
        budget_line=paid_in.budget_line,
        amount_minor=tried.amount_minor,
        currency=paid_in.currency,
        posted_at=at,
        reason="Found with its provider, after commits were lost.",
        payment_instruction_id=found.instruction_id,
    )
    given = {
        "id": found.instruction_id,
        "tried_id": found.tried_id,
        "found_at": found.provider_number,
        "at": at,
    }
    is_rejected = found.answer.kind is AnswerKind.REJECTED
    await session.execute(
        _ADD_FOUND,
        {
            **given,
            "attempt": found.attempt,
            "reason": found.answer.reason if is_rejected else MAY_BE_TRIED_ANEW,
            "actor": actor,
        },
    )
    await session.execute(_FOUND_ELSEWHERE, given)


async def keep_asked(
    session: AsyncSession, asked: Sequence[tuple[UUID, bool]], *, at: datetime
) -> None:
    """Keep of which payments no further attempt is without its row any more.

    With each, whether that is certain: what was announced since, of those of which it is not, is
    withheld for persons.
    """
    ids = [each for each, _ in asked]
    certain = [is_certain for _, is_certain in asked]
    await session.execute(_KEEP_ASKED, {"ids": ids, "certain": certain})
    await session.execute(_GOES_ON, {"ids": ids})
    uncertain = [each for each, is_certain in asked if not is_certain]
    if uncertain:
        await session.execute(_WITHHOLD, {"ids": uncertain, "at": at})


async def put_off(session: AsyncSession, ids: Collection[UUID], *, seconds: float) -> None:
    """Ask about the further attempts of these again later."""
    await session.execute(_PUT_OFF, {"ids": list(ids), "seconds": seconds})
