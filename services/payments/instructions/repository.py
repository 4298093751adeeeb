"""Reading instructions, locking them, and the row of a new attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.tables import Chunk
from services.payments.instructions.postings import POSTING_ROWS, scope_of
from services.payments.instructions.states import EXCLUSIVE, NOT_EXCLUSIVE, Status
from services.payments.instructions.tables import Instruction, InstructionMove
from services.payments.ledger.accounts import TransferCode
from services.payments.ledger.tables import JournalEntry
from services.payments.providers.tables import Provider
from services.payments.rounds.states import RoundStatus
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, AnySelect, among, lives_within, narrowed, paged
from shared.bounds import Bound
from shared.ids import INSTRUCTION_ID

_LOCK = text(
    """
    SELECT instruction.id, instruction.status::text AS status, instruction.amount_minor,
        chunk.currency, instruction.chunk_number, instruction.provider_number,
        instruction.transaction_reference, instruction.paid_minor, instruction.attempt,
        payment_round.status = 'released' AS is_released
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE instruction.id = ANY(:ids)
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction
    """
)

# Its share of each journal entry that one of its moves is a line of; and what was posted for it
# alone.
_TRANSFERS = text(
    f"""
    WITH posting (from_status, to_status, differs, code, debit, debit_scope, credit, credit_scope)
    AS (VALUES
        {POSTING_ROWS}
    ),
    share AS (
        SELECT transfer.id,
            CASE
                WHEN posting.differs <> 0 THEN abs(paid_minor - instruction.amount_minor)
                WHEN posting.code = '{TransferCode.CHARGED}' THEN move.charge_minor
                WHEN posting.code = '{TransferCode.RETURNED}'
                    THEN coalesce(paid_minor, instruction.amount_minor)
                ELSE instruction.amount_minor
            END AS amount_minor
        FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.provider ON provider.number = instruction.provider_number
        JOIN payments.instruction_move AS move ON move.instruction_id = instruction.id
        JOIN posting ON CAST(posting.from_status AS payments.instruction_status)
                = move.from_status
            AND CAST(posting.to_status AS payments.instruction_status) = move.to_status
            AND posting.differs IN (
                0, sign(coalesce(paid_minor, instruction.amount_minor) - instruction.amount_minor)
            )
        JOIN payments.account AS debit
            ON debit.code = CAST(posting.debit AS payments.account_code)
            AND debit.scope =
                {scope_of("posting.debit_scope")}
        JOIN payments.account AS credit
            ON credit.code = CAST(posting.credit AS payments.account_code)
            AND credit.scope =
                {scope_of("posting.credit_scope")}
        JOIN payments.transfer ON transfer.entry_number = move.entry_number
            AND transfer.code = CAST(posting.code AS payments.transfer_code)
            AND (debit_account, credit_account) = (debit.id, credit.id)
        WHERE instruction.id = :id
          AND (posting.code <> '{TransferCode.CHARGED}' OR move.charge_minor IS NOT NULL)
        UNION ALL
        SELECT id, amount_minor FROM payments.transfer WHERE payment_instruction_id = :id
    )
    SELECT transfer.id, transfer.code::text AS code,
        debit.code || ' ' || debit.scope AS debit, credit.code || ' ' || credit.scope AS credit,
        share.amount_minor, transfer.currency, transfer.posted_at, transfer.entry_number,
        transfer.amount_minor AS entry_minor
    FROM share
    JOIN payments.transfer USING (id)
    JOIN payments.account AS debit ON debit.id = transfer.debit_account
    JOIN payments.account AS credit ON credit.id = transfer.credit_account
    ORDER BY transfer.entry_number NULLS FIRST, transfer.id
    """
)

_REROUTINGS = text(
    """
    SELECT rerouting.instruction_id, former.code AS from_provider, former.name AS from_name,
        latter.code AS to_provider, latter.name AS to_name, rerouting.cause::text AS cause,
        route.version AS route_version, rerouting.rerouted_at
    FROM payments.rerouting
    JOIN payments.provider AS former ON former.number = rerouting.from_provider_number
    JOIN payments.provider AS latter ON latter.number = rerouting.to_provider_number
    LEFT JOIN payments.route ON route.number = rerouting.route_number
    WHERE rerouting.instruction_id = ANY(CAST(:ids AS uuid[]))
    ORDER BY rerouting.rerouted_at
    """
)

_NEXT_ID = INSTRUCTION_ID.format(
    entitlement_id="entitlement_id",
    announcement="announcement",
    attempt="CAST(attempt + 1 AS smallint)",
)

_NEW_ATTEMPT = text(
    f"""
    INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor, chunk_number,
        status, provider_number, announcement, attempt, account_sealed, area_code,
        account_fingerprint)
    SELECT {_NEXT_ID}, entitlement_id, household_id, amount_minor, chunk_number,
        'ready', provider_number, announcement, attempt + 1, account_sealed, area_code,
        account_fingerprint
    FROM payments.instruction
    WHERE id = :of
    RETURNING id
    """
)

# Two partial indexes share the entitlements between them.
_HAS_LATER_ATTEMPT = text(
    f"""
    SELECT EXISTS (
        SELECT 1
        FROM payments.instruction AS this
        JOIN payments.instruction ON instruction.entitlement_id = this.entitlement_id
            AND (instruction.announcement, instruction.attempt) > (this.announcement, this.attempt)
        WHERE this.id = :id
          AND (instruction.status IN ({among(EXCLUSIVE)})
            OR instruction.status IN ({among(NOT_EXCLUSIVE)}))
    )
    """
)


@dataclass(frozen=True, slots=True)
class Known:
    """An instruction as our own records have it."""

    instruction_id: UUID
    status: Status
    amount_minor: int
    currency: str
    chunk_number: int
    provider_number: int
    transaction_reference: str | None = None
    paid_minor: int | None = None
    """What was really paid, where that is another amount than ordered."""
    attempt: int = 1
    is_released: bool = True
    """Its round is reserved: until then nothing can be posted for it."""


@dataclass(frozen=True, slots=True)
class RoundOfInstruction:
    """What an instruction is paid from, and whether its round lets it go."""

    status: RoundStatus
    fund: str
    currency: str
    budget_line: str | None


async def lock_known(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Known]:
    """Lock instructions, in the order of their ids, and read what is known of them."""
    rows = await session.execute(_LOCK, {"ids": list(ids)})
    return {
        row.id: Known(
            instruction_id=row.id,
            status=Status(row.status),
            amount_minor=row.amount_minor,
            currency=row.currency,
            chunk_number=row.chunk_number,
            provider_number=row.provider_number,
            transaction_reference=row.transaction_reference,
            paid_minor=row.paid_minor,
            attempt=row.attempt,
            is_released=row.is_released,
        )
        for row in rows
    }


def _select() -> AnySelect:
    return (
        select(
            Instruction.id,
            Instruction.entitlement_id,
            Instruction.household_id,
            PaymentRound.activation_id,
            Chunk.chunk_id,
            PaymentRound.scheme,
            PaymentRound.round,
            Provider.code.label("provider"),
            Instruction.amount_minor,
            Chunk.currency,
            Instruction.status,
            Instruction.announcement,
            Instruction.attempt,
            Instruction.reason,
            Instruction.transaction_reference,
            Instruction.paid_minor,
            Instruction.finished_at,
        )
        .join(Chunk, Chunk.number == Instruction.chunk_number)
        .join(PaymentRound, PaymentRound.number == Chunk.round_number)
        .join(Provider, Provider.number == Instruction.provider_number)
    )


async def list_instructions(
    session: AsyncSession,
    *,
    after: UUID | None,
    limit: int,
    status: Status | None = None,
    activation_id: UUID | None = None,
    chunk_id: UUID | None = None,
    entitlement_id: UUID | None = None,
    provider: str | None = None,
    batch_number: int | None = None,
    bound: Bound = None,
) -> Sequence[AnyRow]:
    """Instructions in the order of their ids; what is None does not narrow."""
    query = narrowed(
        _select().where(lives_within(bound, Instruction.area_code)),
        {
            Instruction.status: status,
            PaymentRound.activation_id: activation_id,
            Chunk.chunk_id: chunk_id,
            Provider.code: provider,
            Instruction.batch_number: batch_number,
        },
    )
    if entitlement_id is not None:
        query = query.where(_of_entitlement(entitlement_id))
    return (await session.execute(paged(query, Instruction.id, after=after, limit=limit))).all()


def _of_entitlement(entitlement_id: UUID) -> ColumnElement[bool]:
    # Two partial indexes share the entitlements between them.
    return or_(
        *(
            and_(
                Instruction.entitlement_id == entitlement_id,
                text(f"instruction.status IN ({among(statuses)})"),
            )
            for statuses in (EXCLUSIVE, NOT_EXCLUSIVE)
        )
    )


async def read_instructions(
    session: AsyncSession,
    *,
    chunk_number: int,
    after: UUID,
    limit: int,
    status: Status | None = None,
    provider: str | None = None,
    entitlement_id: UUID | None = None,
    bound: Bound = None,
) -> Sequence[AnyRow]:
    """Instructions of a chunk in the order of their ids, for an export; None does not narrow."""
    query = narrowed(
        select(
            Instruction.id,
            Instruction.entitlement_id,
            Instruction.household_id,
            PaymentRound.activation_id,
            Chunk.chunk_id,
            PaymentRound.scheme,
            PaymentRound.round,
            Instruction.area_code,
            Provider.code.label("provider"),
            Instruction.amount_minor,
            Chunk.currency,
            Instruction.paid_minor,
            Instruction.status,
            Instruction.announcement,
            Instruction.attempt,
            Instruction.reason,
            Instruction.transaction_reference,
            Instruction.sent_at,
            Instruction.finished_at,
        )
        .join(Chunk, Chunk.number == Instruction.chunk_number)
        .join(PaymentRound, PaymentRound.number == Chunk.round_number)
        .join(Provider, Provider.number == Instruction.provider_number)
        .where(
            Instruction.chunk_number == chunk_number, lives_within(bound, Instruction.area_code)
        ),
        {Instruction.status: status, Provider.code: provider},
    )
    if entitlement_id is not None:
        query = query.where(_of_entitlement(entitlement_id))
    return (await session.execute(paged(query, Instruction.id, after=after, limit=limit))).all()


async def find_chunk_behind(
    session: AsyncSession,
    number: int,
    *,
    activation_id: UUID | None = None,
    chunk_id: UUID | None = None,
    entitlement_id: UUID | None = None,
) -> int | None:
    """The next chunk in the order of their numbers; None: there is none behind it."""
    query = narrowed(
        select(Chunk.number).join(PaymentRound, PaymentRound.number == Chunk.round_number),
        {PaymentRound.activation_id: activation_id, Chunk.chunk_id: chunk_id},
    )
    if entitlement_id is not None:
        own = select(Instruction.chunk_number).where(_of_entitlement(entitlement_id))
        query = query.where(Chunk.number.in_(own))
    found: int | None = await session.scalar(paged(query, Chunk.number, after=number, limit=1))
    return found


async def find_instruction(
    session: AsyncSession, instruction_id: UUID, *, bound: Bound
) -> AnyRow | None:
    """An instruction as the lists show it."""
    query = _select().where(
        Instruction.id == instruction_id, lives_within(bound, Instruction.area_code)
    )
    return (await session.execute(query)).one_or_none()


async def moves_of(session: AsyncSession, instruction_id: UUID) -> Sequence[AnyRow]:
    """An instruction's moves, in order."""
    query = (
        select(
            InstructionMove.from_status,
            InstructionMove.to_status,
            JournalEntry.posted_at.label("moved_at"),
            JournalEntry.actor,
            InstructionMove.reason,
        )
        .join(JournalEntry, JournalEntry.number == InstructionMove.entry_number)
        .where(InstructionMove.instruction_id == instruction_id)
        .order_by(InstructionMove.position)
    )
    return (await session.execute(query)).all()


async def transfers_of(session: AsyncSession, instruction_id: UUID) -> Sequence[AnyRow]:
    """The transfers that an instruction is part of, with its share, in order."""
    return (await session.execute(_TRANSFERS, {"id": instruction_id})).all()


async def reroutings_of(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """By whom these payments go in place of whom, in order."""
    return (await session.execute(_REROUTINGS, {"ids": list(ids)})).all()


async def insert_attempt(session: AsyncSession, *, of: UUID) -> UUID:
    """A ready instruction like the one it follows; raises IntegrityError beside a live one."""
    attempt_id: UUID = (await session.execute(_NEW_ATTEMPT, {"of": of})).scalar_one()
    return attempt_id


async def has_later_attempt(session: AsyncSession, instruction_id: UUID) -> bool:
    """Whether the entitlement has an attempt after this one."""
    return bool(await session.scalar(_HAS_LATER_ATTEMPT, {"id": instruction_id}))


async def round_of(session: AsyncSession, instruction_id: UUID) -> RoundOfInstruction:
    """The round that an instruction is part of."""
    query = (
        select(PaymentRound.status, Chunk.fund, Chunk.currency, Chunk.budget_line)
        .join(Chunk, Chunk.round_number == PaymentRound.number)
        .join(Instruction, Instruction.chunk_number == Chunk.number)
        .where(Instruction.id == instruction_id)
    )
    return RoundOfInstruction(*(await session.execute(query)).one())
