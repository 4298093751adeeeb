"""SQL of answers: storing and picking them, and what one changes beside an instruction's state."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.statements import answers_that_say_paid
from shared.database import NOW

_AGAIN_SECONDS = 30
"""Whoever stored an answer, or took it up again, has so long to apply it before others try."""

_STORE = text(
    f"""
    INSERT INTO payments.answer (instruction_id, provider_number, actor, kind, reason, amount_minor,
        currency, our_reference, transaction_reference, server_correlation_id, try_at)
    SELECT instruction_id, provider_number, :actor, CAST(kind AS payments.answer_kind), reason,
        amount_minor, currency, our_reference, transaction_reference, server_correlation_id,
        clock_timestamp() + interval '{_AGAIN_SECONDS} seconds'
    FROM unnest(
        CAST(:instruction_ids AS uuid[]), CAST(:provider_numbers AS smallint[]),
        CAST(:kinds AS text[]), CAST(:reasons AS text[]), CAST(:amounts AS bigint[]),
        CAST(:currencies AS text[]), CAST(:our_references AS uuid[]),
        CAST(:transaction_references AS text[]), CAST(:server_correlation_ids AS uuid[])
    ) WITH ORDINALITY AS given (instruction_id, provider_number, kind, reason, amount_minor,
        currency, our_reference, transaction_reference, server_correlation_id, position)
    ORDER BY position
    RETURNING number
    """
)

_PICK = text(
    f"""
    UPDATE payments.answer
    SET try_at = clock_timestamp() + interval '{_AGAIN_SECONDS} seconds'
    WHERE number IN (
        SELECT number FROM payments.answer
        WHERE applied_at IS NULL AND try_at <= {NOW}
        ORDER BY try_at
        LIMIT :size
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING number, instruction_id, provider_number, actor, kind::text AS kind, reason,
        amount_minor, currency, our_reference, transaction_reference, server_correlation_id
    """
)

_APPLIED = text(
    """
    UPDATE payments.answer SET applied_at = clock_timestamp()
    WHERE number = ANY(:numbers) AND applied_at IS NULL
    """
)

_PUT_OFF = text(
    f"""
    UPDATE payments.answer SET try_at = clock_timestamp() + interval '{_AGAIN_SECONDS} seconds'
    WHERE number = ANY(:numbers)
    """
)

_TAKEN = text(
    """
    SELECT instruction.provider_number, instruction.transaction_reference, instruction.id
    FROM unnest(CAST(:provider_numbers AS smallint[]), CAST(:references AS text[]))
        AS given (provider_number, transaction_reference)
    JOIN payments.instruction USING (provider_number, transaction_reference)
    WHERE instruction.status = 'settled' AND instruction.transaction_reference IS NOT NULL
    """
)

_SAYS_PAID = text(
    f"""
    SELECT {answers_that_say_paid("instruction.entitlement_id")}
    FROM payments.instruction
    WHERE id = :instruction_id
    """
)

_INQUIRE_NOW = text(
    """
    UPDATE payments.instruction SET next_action_at = clock_timestamp()
    WHERE id = ANY(:ids) AND status IN ('pending', 'unknown')
    """
)

_KEEP_REASONS = text(
    """
    UPDATE payments.instruction SET reason = given.reason
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS given (id, reason)
    WHERE instruction.id = given.id AND instruction.status IN ('pending', 'unknown')
      AND instruction.reason IS DISTINCT FROM given.reason
    """
)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer about an instruction, and the provider that gave it."""

    instruction_id: UUID
    provider_number: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored answer that is not applied yet, and who heard it."""

    number: int
    heard: Heard
    actor: str


async def store_answers(
    session: AsyncSession, answers: Sequence[Heard], *, actor: str
) -> list[Waiting]:
    """Keep answers in the order in which they were heard."""
    rows = await session.execute(
        _STORE,
        {
            "actor": actor,
            "instruction_ids": [heard.instruction_id for heard in answers],
            "provider_numbers": [heard.provider_number for heard in answers],
            "kinds": [heard.answer.kind.value for heard in answers],
            "reasons": [heard.answer.reason for heard in answers],
            "amounts": [heard.answer.amount_minor for heard in answers],
            "currencies": [heard.answer.currency for heard in answers],
            "our_references": [heard.answer.our_reference for heard in answers],
            "transaction_references": [heard.answer.transaction_reference for heard in answers],
            "server_correlation_ids": [heard.answer.server_correlation_id for heard in answers],
        },
    )
    numbers = sorted(rows.scalars())
    return [Waiting(number, heard, actor) for number, heard in zip(numbers, answers, strict=True)]


async def pick_answers(session: AsyncSession, *, size: int) -> list[Waiting]:
    """Answers that are still to be applied, as they were heard; nobody else gets them for now."""
    rows = (await session.execute(_PICK, {"size": size})).all()
    return [
        Waiting(
            number=row.number,
            heard=Heard(
                instruction_id=row.instruction_id,
                provider_number=row.provider_number,
                answer=Answer(
                    AnswerKind(row.kind),
                    reason=row.reason,
                    amount_minor=row.amount_minor,
                    currency=row.currency,
                    our_reference=row.our_reference,
                    transaction_reference=row.transaction_reference,
                    server_correlation_id=row.server_correlation_id,
                ),
            ),
            actor=row.actor,
        )
        for row in sorted(rows, key=lambda row: int(row.number))
    ]


async def mark_applied(session: AsyncSession, numbers: Sequence[int]) -> bool:
    """These are applied, with the session's transaction; whether none of them was before."""
    changed: Any = await session.execute(_APPLIED, {"numbers": list(numbers)})
    return bool(changed.rowcount == len(numbers))


async def put_off(session: AsyncSession, numbers: Sequence[int]) -> None:
    """These cannot be applied now: they are tried again later."""
    await session.execute(_PUT_OFF, {"numbers": list(numbers)})


async def settled_by_reference(
    session: AsyncSession, references: Collection[tuple[int, str]]
) -> dict[tuple[int, str], UUID]:
    """Which settled instruction has each of these transaction references of a provider."""
    if not references:
        return {}
    rows = await session.execute(
        _TAKEN,
        {
            "provider_numbers": [number for number, _ in references],
            "references": [reference for _, reference in references],
        },
    )
    return {(row.provider_number, row.transaction_reference): row.id for row in rows}


async def says_paid(session: AsyncSession, instruction_id: UUID) -> bool:
    """Whether an answer that is not applied yet says that the instruction's entitlement was paid.

    By whatever attempt. Of a set of entitlements, ``statements.answers_that_say_paid`` asks it.
    """
    return bool(await session.scalar(_SAYS_PAID, {"instruction_id": instruction_id}))


async def inquire_now(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Have the provider asked about these at once."""
    await session.execute(_INQUIRE_NOW, {"ids": list(ids)})


async def keep_reasons(session: AsyncSession, reasons: Mapping[UUID, str]) -> None:
    """Keep why these have no end yet, as a code: of those that are pending or unknown."""
    if not reasons:
        return
    given = {"ids": list(reasons), "reasons": list(reasons.values())}
    await session.execute(_KEEP_REASONS, given)
