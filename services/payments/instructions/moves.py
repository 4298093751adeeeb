"""The only writer of an instruction's state.

One statement for a whole set: the state, its history and its postings change together or not at
all. What is not a legal move from the state that the row is in does not move, and is not returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions import statements
from services.payments.instructions.states import Status
from services.payments.settings import Settings
from shared.clock import Clock
from shared.retry import Backoff


@dataclass(frozen=True, slots=True)
class Move:
    """Where an instruction is to go, and what was learnt."""

    instruction_id: UUID
    target: Status
    reason: str | None = None
    """A code: payments are counted by it."""
    note: str | None = None
    """What an officer wrote. It stands in the history, and nowhere else."""
    transaction_reference: str | None = None
    server_correlation_id: UUID | None = None
    paid_minor: int | None = None
    """What was really paid, where that is another amount than ordered."""
    claimed_at_position: int | None = None
    """Of a move back to ``ready``: which of the instruction's moves claimed it. Where it has moved
    since, somebody else may have sent it, and it is left alone."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long, by the database's clock, until something is done about an instruction again."""

    lease_seconds: float
    """From "about to be sent" to giving its sender up."""
    unknown: Backoff
    """From losing an answer to asking for it."""
    pending: Backoff
    """From "the provider has it" to asking, where no callback comes."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The waits of the settings."""
        return cls(
            lease_seconds=settings.dispatch_lease_seconds,
            unknown=settings.unknown_inquiry,
            pending=settings.pending_inquiry,
        )


class InstructionMoves:
    """Moves instructions, and knows when what is moved is to be looked at again."""

    def __init__(self, *, clock: Clock, waits: Waits) -> None:
        self.clock = clock
        self.waits = waits
        self._statement = statements.move_instructions(
            lease_seconds=waits.lease_seconds, unknown=waits.unknown, pending=waits.pending
        )

    async def make(self, session: AsyncSession, moves: Sequence[Move], *, actor: str) -> set[UUID]:
        """Make every legal one of ``moves``, with history and postings; returns which moved.

        ``moves`` names each instruction once, and the caller holds their row locks (taken in the
        order of the ids), so that two sets never wait for each other in a circle. Raises
        IntegrityError where an account would be overdrawn: then nothing has moved.
        """
        if not moves:
            return set()
        rows = await session.execute(
            self._statement,
            {
                "ids": [move.instruction_id for move in moves],
                "targets": [move.target.value for move in moves],
                "reasons": [move.reason for move in moves],
                "notes": [move.note for move in moves],
                "references": [move.transaction_reference for move in moves],
                "correlations": [move.server_correlation_id for move in moves],
                "paid": [move.paid_minor for move in moves],
                "claims": [move.claimed_at_position for move in moves],
                "actor": actor,
                "at": self.clock.now(),
            },
        )
        return set(rows.scalars())
