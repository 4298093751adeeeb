"""Whether the books are right, and how an activation's payments stand."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.proofs import repository
from services.payments.proofs.schemas import (
    ActivationPaymentsOut,
    LastSweepOut,
    PaymentsInStateOut,
    ProofOut,
    ProofsOut,
    ReachOut,
)
from services.payments.sweeps.repository import count_ended
from services.payments.sweeps.service import last_finished
from shared.errors import NotFound

_REACH = (
    "These proofs compare our own records with one another, and with nothing else: they hold also "
    "where a provider's book says something different. A sweep compares with the providers "
    "(POST /v1/sweeps); last_sweep is the one that was finished last."
)


async def prove(session: AsyncSession) -> ProofsOut:
    """Every proof, from one snapshot of the database."""
    await repository.begin_snapshot(session)
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
            "budget_lines_add_up",
            "On each budget line, committed is what is in flight of its payments, and spent is "
            "what was paid of them.",
            repository.LINES,
            lambda row: (
                (row.committed_minor, row.spent_minor) == (row.in_flight_minor, row.paid_minor)
            ),
        ),
        await _proof(
            session,
            "reservations_add_up",
            "In each fund, what is reserved is what is kept for triggers that are ready.",
            repository.RESERVATIONS,
            lambda row: row.posted_minor == row.kept_minor,
        ),
        await _proof(
            session,
            "money_with_providers_is_accounted_for",
            "At each provider, in transit = instructions in flight, and suspense = those held and "
            "what is gone by a statement and by no order of ours.",
            repository.PROVIDERS,
            lambda row: (
                (row.in_transit_minor, row.suspense_minor)
                == (row.in_flight_minor, row.held_minor + row.gone_on_statements_minor)
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
            "postings_match_moves",
            "Each journal entry is the sum of the moves that are its lines: of their amounts, and "
            "of the difference to what was really paid; and no transfer is without its moves.",
            repository.POSTINGS,
            lambda row: row.different == 0,
        ),
        await _proof(
            session,
            "attempts_are_reserved",
            "Each further attempt at a payment was reserved in its fund once, in its amount.",
            repository.ATTEMPTS,
            lambda row: row.different == 0,
        ),
        await _proof(
            session,
            "returns_add_up",
            "At each provider, what is owed to households is what came back after it was paid and "
            "was not given back to its fund; what was given back is the sum of its payments.",
            repository.RETURNS,
            lambda row: (
                (row.payable_minor, row.restored_minor)
                == (row.unclaimed_minor, row.given_back_minor)
            ),
        ),
        await _proof(
            session,
            "reversals_undo",
            "Each deposit or prefunding that was taken back was so once and whole: the same "
            "accounts the other way round, the same amount.",
            repository.REVERSALS,
            lambda row: (row.without_original, row.different) == (0, 0),
        ),
        await _proof(
            session,
            "history_matches_states",
            "Each instruction came to the state that it is in by legal moves, and none is missing.",
            repository.HISTORY,
            lambda row: (row.other_history, row.other_moves, row.other_state) == (0, 0, 0),
        ),
        await _proof(
            session,
            "chunks_are_whole",
            "Each raised chunk has an instruction for each entitlement that was announced, or has "
            "set it aside; each other one has neither.",
            repository.CHUNKS,
            lambda row: row.different == 0,
        ),
        await _proof(
            session,
            "counts_equal_instructions",
            "What is counted of payments as they happen is what there is of them: by chunk, "
            "district, provider and state.",
            repository.COUNTS,
            lambda row: row.different == 0,
        ),
    ]
    return ProofsOut(
        hold=all(proof.holds for proof in proofs), reach=await _reach(session), proofs=proofs
    )


async def _reach(session: AsyncSession) -> ReachOut:
    last = await last_finished(session)
    if last is None or last.finished_at is None:
        return ReachOut(statement=f"{_REACH} No sweep was finished yet.", last_sweep=None)
    ended = await count_ended(session)
    return ReachOut(
        statement=_REACH,
        last_sweep=LastSweepOut(
            id=last.id,
            finished_at=last.finished_at,
            asked_count=last.asked_count,
            share=min(1.0, last.asked_count / ended) if ended else 0.0,
            agreeing_count=last.agreeing_count,
            differing_count=last.differing_count,
            unanswered_count=last.unanswered_count,
        ),
    )


async def _proof(
    session: AsyncSession,
    name: str,
    statement: str,
    query: repository.Statement,
    holds: Callable[[Row[Any]], bool],
) -> ProofOut:
    rows = await repository.numbers_of(session, query)
    return ProofOut(
        name=name,
        statement=statement,
        holds=all(holds(row) for row in rows),
        numbers=[row._asdict() for row in rows],
    )


async def activation_payments(session: AsyncSession, activation_id: UUID) -> ActivationPaymentsOut:
    """An activation's payments by provider, state and reason; raises NotFound."""
    announced = await repository.find_activation(session, activation_id)
    if announced is None:
        raise NotFound(
            "Nothing of this activation was announced here yet. GET /v1/rounds lists all."
        )
    payments = [
        PaymentsInStateOut.model_validate(row._asdict())
        for row in await repository.payments_of(session, activation_id)
    ]
    paid = [payment for payment in payments if payment.status is Status.SETTLED]
    return ActivationPaymentsOut(
        activation_id=activation_id,
        **announced._mapping,
        first_paid_at=min(
            (payment.first_finished_at for payment in paid if payment.first_finished_at),
            default=None,
        ),
        last_paid_at=max(
            (payment.last_finished_at for payment in paid if payment.last_finished_at),
            default=None,
        ),
        payments=payments,
    )
