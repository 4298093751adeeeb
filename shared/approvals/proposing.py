"""The frame of a route that proposes a step, or does at once what one person may do alone."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from shared.approvals.routes import TwoPersonSteps
from shared.approvals.schemas import ApprovalOut
from shared.approvals.steps import Steps
from shared.auth import Caller
from shared.clock import Clock, ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Idempotent, Once

PROPOSES: dict[str, Any] = {
    "status_code": HTTPStatus.ACCEPTED,
    "response_model": ApprovalOut,
    "responses": problem_responses(400, 401, 403, 404, 409, 422),
}
"""What a route that always proposes says of its answers: ``@router.post(path, **PROPOSES)``."""

MAY_WAIT: dict[int | str, dict[str, Any]] = {
    202: {"model": ApprovalOut, "description": "Proposed: it waits for a second person."}
}
"""The same of a route that proposes where one person may not do it alone: in its ``responses``."""


class Proposals:
    """What a request needs that proposes a step: its transaction, the steps, a clock, and its
    ``Idempotency-Key``."""

    def __init__(self, session: AsyncSession, steps: Steps, clock: Clock, once: Idempotent) -> None:
        self._session = session
        self._steps = steps
        self._clock = clock
        self._once = once

    async def propose(
        self,
        propose: Callable[..., Awaitable[BaseModel]],
        *about: Any,
        given: BaseModel,
        caller: Caller,
    ) -> Response:
        """Propose it once for each key, by ``propose(session, steps, *about, given, …)`` of a
        service: whoever repeats it is answered alike."""
        return await self.reply(
            given,
            lambda: propose(
                self._session, self._steps, *about, given, caller=caller, clock=self._clock
            ),
        )

    async def reply(
        self,
        given: BaseModel | None,
        effect: Callable[[], Awaitable[BaseModel]],
        *,
        alone: int = HTTPStatus.OK,
    ) -> Response:
        """The same of anything that comes to a proposal, or was done ``alone``."""
        return await self._once.reply(
            given, effect, status_code=lambda answer: _status(answer, alone=alone)
        )


async def _proposals(
    session: Session, steps: TwoPersonSteps, clock: ClockDependency, once: Once
) -> Proposals:
    return Proposals(session, steps, clock, once)


Proposing = Annotated[Proposals, Depends(_proposals)]


def answered(done: BaseModel, *, alone: int = HTTPStatus.OK) -> Response:
    """The answer of a request that needs no key: what was done, or the proposal to do it."""
    return Response(
        done.model_dump_json(),
        status_code=_status(done, alone=alone),
        media_type="application/json",
    )


def _status(done: BaseModel, *, alone: int) -> int:
    return HTTPStatus.ACCEPTED if isinstance(done, ApprovalOut) else alone
