"""The service's steps one at a time, as its worker wires them: for tests that choose the order."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from services.payments.answers.recording import Recorded
from services.payments.answers.repository import Heard
from services.payments.instructions.moves import Move
from services.payments.instructions.states import Status
from services.payments.looks.statements import QUESTIONS
from services.payments.proofs.schemas import ProofsOut
from services.payments.proofs.service import prove
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Order
from services.payments.settings import WorkerSettings
from services.payments.worker import wire, worker_of
from shared.database import NOW
from shared.worker import Loop
from tests.hearing import hear


class Steps:
    """One worker's steps, on the service's own role."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.wiring = wire(settings)
        self.worker = worker_of(self.wiring)

    async def step(self, name: str, *, alone: bool = True) -> int:
        """One step of the loop of that name, and what it began at the providers.

        A step that finds something to do was not to be passed over; that is known while nobody else
        is at work (``alone``).
        """
        was_seen = not alone or await self._is_seen(name)
        done = await self.worker.step(name)
        await self.wiring.settle_requests()
        assert was_seen or not done, f"{name} did {done}, and was not to be looked at"
        return done

    def loop(self, name: str) -> Loop:
        """The worker's loop of that name."""
        return next(loop for loop in self.worker.loops if loop.name == name)

    async def _is_seen(self, name: str) -> bool:
        of_loop = [kind for kind in QUESTIONS if name == kind or name.startswith(f"{kind}-")]
        if not of_loop or self.loop(name).look is None:
            return True
        # What is due is so by now, whether it was when the question was put or is by the step.
        soon = QUESTIONS[max(of_loop, key=len)].replace(
            NOW, "(SELECT clock_timestamp() + interval '1 minute')"
        )
        async with self.wiring.database.reading() as session:
            return bool(await session.scalar(text(f"SELECT {soon}")))

    async def raise_announced(self) -> None:
        """Consume, fetch and release all that there is."""
        await hear(self.worker, "payments")
        while await self.step("fetch-1"):
            pass
        while await self.step("release"):
            pass

    async def claim(self, provider: str = "mekong", *, size: int = 100) -> list[Order]:
        """Move ready instructions to sending, as the dispatcher does before it sends."""
        claimed = await self.wiring.lanes[provider].claim(size=size, actor="test")
        return [claim.order for claim in claimed]

    async def hear(
        self, answers: Sequence[tuple[UUID, Answer]], *, provider: str = "mekong"
    ) -> list[Recorded]:
        """Record answers from a provider."""
        number = await self.wiring.directory.number_of(provider)
        return await self.wiring.recording.take(
            [Heard(instruction_id, number, answer) for instruction_id, answer in answers],
            actor="test",
        )

    async def pay_all(self) -> list[Order]:
        """Send all that may be sent, and hear that it was paid; what was sent."""
        sent: list[Order] = []
        for provider in self.wiring.lanes:
            orders = await self.claim(provider)
            answers = [
                (
                    order.instruction_id,
                    paid(order.instruction_id, amount_minor=order.money.amount_minor),
                )
                for order in orders
            ]
            await self.hear(answers, provider=provider)
            sent += orders
        return sent

    async def close_all(self) -> None:
        """Close every chunk that can be closed."""
        while await self.step("close"):
            pass

    async def resend(self, instruction_id: UUID) -> bool:
        """Move an unknown instruction to sending; whether it was unknown."""
        async with self.wiring.database.transaction() as session:
            moved = await self.wiring.moves.make(
                session, [Move(instruction_id, Status.SENDING)], actor="test"
            )
        return bool(moved)

    async def prove(self) -> ProofsOut:
        async with self.wiring.database.transaction() as session:
            return await prove(session)


@asynccontextmanager
async def running_steps(settings: WorkerSettings) -> AsyncIterator[Steps]:
    steps = Steps(settings)
    try:
        yield steps
    finally:
        await steps.worker.close()


def paid(
    instruction_id: UUID,
    *,
    amount_minor: int = 96_000,
    currency: str = "KHR",
    reference: str | None = None,
) -> Answer:
    """The provider says that it paid the instruction."""
    return Answer(
        AnswerKind.SETTLED,
        amount_minor=amount_minor,
        currency=currency,
        our_reference=instruction_id,
        transaction_reference=reference or f"reference-of-{instruction_id}",
    )


REJECTED = Answer(AnswerKind.REJECTED, reason="incorrectState")
PENDING = Answer(AnswerKind.PENDING)
SILENCE = Answer(AnswerKind.NO_ANSWER, reason="timeout")
NOT_KNOWN = Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
