"""Carrying out what two persons decided about payments, in sets, each with its own result."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks.repository import accept_names
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.repository import Known, lock_known
from services.payments.instructions.states import Status
from services.payments.ledger.repository import is_overdraft
from services.payments.resolutions import repository
from services.payments.resolutions.deciding import Overtaken, Resolved, move_of
from services.payments.resolutions.states import Outcome, Result
from services.payments.settlement.reopening import reopen_chunks
from shared.database import Database

NOT_COVERED = (
    "The fund or the provider's float does not cover that: top it up, and propose it again."
)
PAID_ALREADY = (
    "Another instruction for the same entitlement is live or settled: a household is paid an "
    "entitlement once. Resolve this one as returned."
)

ANSWER_WAITS = (
    "The provider has said something about it that is not applied yet, and comes first. Nothing "
    "was changed: look again when it is applied."
)

PERHAPS_ELSEWHERE = (
    "Another provider may have had it before the database lost commits, and has not said yet that "
    "it does not know it. Nothing was changed: propose it again once it has."
)

NOT_HELD = "It is {status} now, and no rule holds it. Nothing was changed."

_BEGINNING = UUID(int=0)

Results = dict[UUID, tuple[Result, str | None]]


class CarryingOut:
    """Carries out approved resolutions, the oldest first, a set of payments in a transaction."""

    def __init__(self, *, database: Database, moves: InstructionMoves, size: int) -> None:
        self._database = database
        self._moves = moves
        self._size = size
        # How far this process knows the resolution that it is at to be done: so that it does not
        # pass by all that is done again for each set. Where it forgets, the database knows.
        self._at: UUID | None = None
        self._done_to = _BEGINNING

    async def step(self) -> int:
        """Resolve a set of payments; returns how many, or 1 where a resolution came to its end."""
        async with self._database.transaction() as session:
            resolved = await repository.lock_next(session)
            if resolved is None:
                return 0
            items = await self._pick(session, resolved.resolution_id)
            if not items:
                at = self._moves.clock.now()
                await repository.finish(session, resolved.resolution_id, at=at)
                return 1
            known = await lock_known(session, list(items))
            answered = await repository.with_answers(session, list(items))
            elsewhere = await self._perhaps_elsewhere(session, resolved, items)
            open_items = {
                each: state for each, state in items.items() if each not in answered | elsewhere
            }
            if resolved.outcome is Outcome.RESEND:
                results = await self._allow_resend(session, open_items, known)
            elif resolved.outcome is Outcome.RELEASED:
                results = await self._let_go(session, resolved, open_items, known)
            else:
                results = await self._resolve(session, resolved, open_items, known)
            results |= dict.fromkeys(answered, (Result.OVERTAKEN, ANSWER_WAITS))
            results |= dict.fromkeys(elsewhere - answered, (Result.OVERTAKEN, PERHAPS_ELSEWHERE))
            await repository.keep_results(session, resolved.resolution_id, results)
        self._done_to = max(items)
        return len(items)

    async def _pick(self, session: AsyncSession, resolution_id: UUID) -> dict[UUID, Status]:
        if resolution_id != self._at:
            self._at, self._done_to = resolution_id, _BEGINNING
        items = await repository.pick_items(
            session, resolution_id, after=self._done_to, size=self._size
        )
        if not items and self._done_to != _BEGINNING:
            # The database may have lost what this process saw committed: a failover, a restore.
            self._done_to = _BEGINNING
            items = await repository.pick_items(
                session, resolution_id, after=self._done_to, size=self._size
            )
        return items

    async def _perhaps_elsewhere(
        self, session: AsyncSession, resolved: Resolved, items: dict[UUID, Status]
    ) -> set[UUID]:
        if resolved.outcome is not Outcome.CANCELLED:
            return set()
        return await repository.perhaps_elsewhere(session, list(items))

    async def _allow_resend(
        self, session: AsyncSession, items: dict[UUID, Status], known: dict[UUID, Known]
    ) -> Results:
        marked = await repository.allow_resend(session, list(items))
        return {
            instruction_id: (Result.DONE, None)
            if instruction_id in marked
            else (
                Result.OVERTAKEN,
                f"It is {known[instruction_id].status} now: only what is unknown is sent again.",
            )
            for instruction_id in items
        }

    async def _let_go(
        self,
        session: AsyncSession,
        resolved: Resolved,
        items: dict[UUID, Status],
        known: dict[UUID, Known],
    ) -> Results:
        gone = await repository.let_go(
            session, resolved.resolution_id, list(items), at=self._moves.clock.now()
        )
        await accept_names(session, resolved.resolution_id, gone)
        return {
            instruction_id: (Result.DONE, None)
            if instruction_id in gone
            else (Result.OVERTAKEN, NOT_HELD.format(status=known[instruction_id].status))
            for instruction_id in items
        }

    async def _resolve(
        self,
        session: AsyncSession,
        resolved: Resolved,
        items: dict[UUID, Status],
        known: dict[UUID, Known],
    ) -> Results:
        results: Results = {}
        moves: list[Move] = []
        for instruction_id, proposed_in in items.items():
            move = move_of(resolved, proposed_in=proposed_in, known=known[instruction_id])
            if isinstance(move, Overtaken):
                results[instruction_id] = (Result.OVERTAKEN, move.detail)
            else:
                moves.append(move)
                results[instruction_id] = (Result.DONE, None)
        chunks = sorted({known[move.instruction_id].chunk_number for move in moves})
        if chunks:
            await reopen_chunks(session, chunks, at=self._moves.clock.now())
        refused = await self._make(session, moves, actor=resolved.actor)
        if resolved.outcome is Outcome.CANCELLED:
            cancelled = [move.instruction_id for move in moves]
            await repository.end_holds(
                session,
                resolved.resolution_id,
                [each for each in cancelled if each not in refused],
                at=self._moves.clock.now(),
            )
        return results | refused

    async def _make(self, session: AsyncSession, moves: Sequence[Move], *, actor: str) -> Results:
        """Make all moves that can be made: a set that is refused is halved until it is one row."""
        if not moves:
            return {}
        try:
            async with session.begin_nested():
                await self._moves.make(session, moves, actor=actor)
        except IntegrityError as error:
            if len(moves) == 1:
                detail = NOT_COVERED if is_overdraft(error) else PAID_ALREADY
                return {moves[0].instruction_id: (Result.REFUSED, detail)}
            half = len(moves) // 2
            first = await self._make(session, moves[:half], actor=actor)
            return first | await self._make(session, moves[half:], actor=actor)
        return {}
