"""Each kind of step that needs two persons, whatever it brings about: who decides, and who cannot.

The kinds are those that the services register: a new one is tested by being there.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from services.processes import SERVICES
from shared.approvals import Approval, Decision, Effect, Steps, repository
from shared.approvals import service as approvals
from shared.auth import Caller, development
from shared.auth.roles import Role, scopes_of
from shared.clock import Clock, set_clock
from shared.ids import new_id
from tests.conftest import NOON, RunningService, ServeService

OFFICER = "officer@ministry"
RECORDER = "recorder@ministry"
"""Who posted a figure that the step follows from."""
CHECKER = "checker@ministry"
PROGRAM = "programme@ministry"
REASON = {"reason": "Compared with the statement."}


@dataclass
class Service:
    """A running service, and what its steps brought about, which here is only written down."""

    running: RunningService
    http: httpx.AsyncClient
    steps: Steps
    carried_out: list[UUID]

    @property
    def kinds(self) -> list[StrEnum]:
        return sorted(self.steps.by_kind)

    async def proposed(self, kind: StrEnum) -> UUID:
        """The id of a proposal of the officer's, on a figure of the recorder's."""
        app = self.running.app
        async with app.state.database.transaction() as session:
            proposal = await approvals.propose(
                session,
                self.steps,
                kind,
                {},
                Effect(what="Do what is proposed.", evidence_by=[RECORDER]),
                reason="On the report of today.",
                caller=Caller(OFFICER, frozenset()),
                clock=app.state.clock,
            )
            return proposal.id

    async def asked(
        self,
        subject: str,
        path: str,
        *,
        role: Role = Role.CHECKER,
        client: str | None = None,
        **decision: object,
    ) -> httpx.Response:
        """The answer to ``subject``, who may whatever ``role`` may, about a proposal."""
        token = development.mint(
            self.running.key_file,
            subject=subject,
            client=client,
            scopes=scopes_of([role]),
            seconds=60,
        )
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())}
        return await self.http.post(f"/approvals/{path}", json=REASON | decision, headers=headers)


@pytest.fixture
async def services(serve: ServeService) -> AsyncIterator[list[Service]]:
    found = []
    for name in SERVICES:
        running = await serve(name)
        steps: Steps = running.app.state.steps
        carried_out: list[UUID] = []

        async def write_down(
            session: object, proposal: Approval, clock: Clock, into: list[UUID] = carried_out
        ) -> None:
            into.append(proposal.id)

        steps.by_kind = {
            kind: replace(step, carry_out=write_down) for kind, step in steps.by_kind.items()
        }
        found.append(Service(running, running.client(), steps, carried_out))
    yield found
    for service in found:
        await service.http.aclose()


async def test_nobody_but_another_person_approves_a_step(services: list[Service]) -> None:
    for service in services:
        for kind in service.kinds:
            proposal = await service.proposed(kind)
            refused = {
                who: await service.asked(who, f"{proposal}/approval", role=role)
                for who, role in (
                    (OFFICER, Role.CHECKER),
                    (RECORDER, Role.CHECKER),
                    (CHECKER, Role.OFFICER),
                )
            }
            # A program's own token has the program as its subject.
            refused[PROGRAM] = await service.asked(PROGRAM, f"{proposal}/approval", client=PROGRAM)

            assert {who: answer.status_code for who, answer in refused.items()} == {
                OFFICER: 409,
                RECORDER: 409,
                CHECKER: 403,
                PROGRAM: 403,
            }, (service.running.name, kind)
            assert service.carried_out == []

            approved = await service.asked(CHECKER, f"{proposal}/approval")
            again = await service.asked(CHECKER, f"{proposal}/approval")

            assert approved.json()["status"] == "approved"
            assert approved.json()["decided_by"] == CHECKER
            assert again.status_code == 409
            assert service.carried_out == [proposal]
            service.carried_out.clear()


async def test_many_decisions_ask_the_same_of_each(services: list[Service]) -> None:
    for service in services:
        proposals = [await service.proposed(kind) for kind in service.kinds]
        listed = [str(proposal) for proposal in proposals]
        for subject in (OFFICER, RECORDER, CHECKER):
            answer = await service.asked(
                subject, "decisions", decision="approved", approval_ids=listed
            )
            decided = {result["decided"] for result in answer.json()["results"]}
            assert decided == {subject == CHECKER}
            assert service.carried_out == (proposals if subject == CHECKER else [])


async def test_what_was_declined_or_has_expired_is_not_approved(
    services: list[Service], clock_file: Path
) -> None:
    for service in services:
        set_clock(clock_file, NOON)
        [kind, *_] = service.kinds
        declined, expired = await service.proposed(kind), await service.proposed(kind)
        await service.asked(CHECKER, f"{declined}/refusal")
        longest = max(step.waits for step in service.steps.by_kind.values())
        set_clock(clock_file, NOON + longest + timedelta(minutes=1))
        answers = [
            await service.asked(CHECKER, f"{proposal}/approval") for proposal in (declined, expired)
        ]

        assert [answer.status_code for answer in answers] == [409, 409]
        assert "expired" in answers[1].json()["detail"]
        assert service.carried_out == []


async def test_the_database_refuses_a_checker_who_is_the_maker(services: list[Service]) -> None:
    for service in services:
        proposal = await service.proposed(service.kinds[0])
        for subject, constraint in (
            (OFFICER, "checker_is_not_the_maker"),
            (RECORDER, "checker_is_not_in_the_evidence"),
        ):
            with pytest.raises(IntegrityError, match=constraint):
                async with service.running.app.state.database.transaction() as session:
                    await repository.decide(
                        session,
                        service.steps.table,
                        proposal,
                        Decision.APPROVED,
                        by=subject,
                        at=NOON,
                        reason="Nobody else was there.",
                    )
