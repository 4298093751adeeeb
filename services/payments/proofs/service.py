"""Whether the books are right, and how an activation's payments stand."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.proofs import repository
from services.payments.proofs.schemas import ActivationPayments, PaymentsInState, Proof, Proofs
from shared.errors import NotFound

_ACTIVATION = text(
    """
    SELECT min(chunk.currency) AS currency,
        sum(chunk.entitlement_count) AS entitlements_announced,
        sum(chunk.total_minor) AS announced_minor,
        count(*) FILTER (WHERE chunk.status = 'refused') AS refused_chunks,
        count(DISTINCT payment_round.number) FILTER (WHERE payment_round.status = 'unfunded')
            AS unfunded_rounds
    FROM payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    WHERE payment_round.activation_id = :activation_id
    HAVING count(*) > 0
    """
)

_PAYMENTS = text(
    """
    SELECT provider.code AS provider, instruction.status::text AS status, instruction.reason,
        count(*) AS count, sum(instruction.amount_minor)::bigint AS amount_minor,
        min(instruction.finished_at) AS first_finished_at,
        max(instruction.finished_at) AS last_finished_at
    FROM payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE payment_round.activation_id = :activation_id
    GROUP BY provider.code, instruction.status, instruction.reason
    ORDER BY provider.code, instruction.status, instruction.reason
    """
)


async def prove(session: AsyncSession) -> Proofs:
    """Every proof, from one snapshot of the database."""
    await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    proofs = [
        await _proof(
            session,
            "books_sum_to_zero",
            "In each book and currency, debits equal credits.",
            repository.BOOKS,
            lambda row: row.debits_minor == row.credits_minor,
        ),
        await _proof(
            session,
            "balances_equal_transfers",
            "Each account's running balance is the sum of its transfers.",
            repository.BALANCES,
            lambda row: row.different == 0,
        ),
        await _proof(
            session,
            "commitments_add_up",
            "In each fund, committed = paid + in flight + released.",
            repository.COMMITMENTS,
            lambda row: (
                row.committed_minor == row.paid_minor + row.in_flight_minor + row.released_minor
            ),
        ),
        await _proof(
            session,
            "money_with_providers_is_accounted_for",
            "At each provider, in transit = instructions in flight and suspense = those held.",
            repository.PROVIDERS,
            lambda row: (
                (row.in_transit_minor, row.suspense_minor) == (row.in_flight_minor, row.held_minor)
            ),
        ),
        await _proof(
            session,
            "no_entitlement_twice",
            "No entitlement has two instructions that are live or settled.",
            repository.TWICE,
            lambda row: row.claimed_twice == 0 and row.settled_twice == 0,
        ),
        await _proof(
            session,
            "postings_match_states",
            "Each instruction made just the transfers that its state allows, of its amount.",
            repository.POSTINGS,
            lambda row: (
                row.other_codes == 0
                and row.other_amounts == 0
                and row.transfers == row.transfers_of_instructions
            ),
        ),
        await _proof(
            session,
            "history_matches_states",
            "Each instruction's last move led to the state that it is in, and none is missing.",
            repository.HISTORY,
            lambda row: row.other_history == 0 and row.other_state == 0,
        ),
        await _proof(
            session,
            "chunks_are_whole",
            "Each raised chunk has the instructions that were announced, each other one none.",
            repository.CHUNKS,
            lambda row: row.different == 0,
        ),
    ]
    return Proofs(hold=all(proof.holds for proof in proofs), proofs=proofs)


async def _proof(session: AsyncSession, name: str, statement: str, query: Any, holds: Any) -> Proof:
    rows: Sequence[Row[Any]] = await repository.rows(session, query)
    return Proof(
        name=name,
        statement=statement,
        holds=all(holds(row) for row in rows),
        numbers=[row._asdict() for row in rows],
    )


async def activation_payments(session: AsyncSession, activation_id: UUID) -> ActivationPayments:
    """An activation's payments by provider, state and reason; raises NotFound."""
    row = (await session.execute(_ACTIVATION, {"activation_id": activation_id})).one_or_none()
    if row is None:
        raise NotFound("Nothing of this activation was announced here yet. GET /rounds lists all.")
    payments = [
        PaymentsInState.model_validate(one._asdict())
        for one in await session.execute(_PAYMENTS, {"activation_id": activation_id})
    ]
    paid = [one for one in payments if one.status is Status.SETTLED]
    return ActivationPayments(
        activation_id=activation_id,
        **row._mapping,
        first_paid_at=min(
            (one.first_finished_at for one in paid if one.first_finished_at), default=None
        ),
        last_paid_at=max(
            (one.last_finished_at for one in paid if one.last_finished_at), default=None
        ),
        payments=payments,
    )
