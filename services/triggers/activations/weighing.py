"""Weighing activations: whether one opens, or widens, by itself, or a person is asked.

Evaluations only ever propose. What an activation would pay is the registry's to say, and it is
asked over HTTP: between two transactions, of which the second acts only if nothing of the
activation has changed meanwhile. While the registry is away the activation waits; after a while a
person is asked without its figures.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting, proposing, repository
from services.triggers.activations.ceilings import by_document, why_a_person
from services.triggers.activations.evidence import all_vouched_for
from services.triggers.activations.states import LIVE, State
from services.triggers.activations.tables import Activation
from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.asking import RegistryAway
from services.triggers.checks.estimate import Estimate
from services.triggers.checks.service import Checks
from services.triggers.definitions import service as definitions
from services.triggers.indicators import service as indicators
from shared.approvals import ApprovalStatus, Steps
from shared.approvals import service as approvals
from shared.approvals.tables import Approval
from shared.clock import Clock
from shared.database import Database

_LEASE_SECONDS = 40
"""Longer than the registry is waited for. A worker that dies leaves it to another after that."""
_AGAIN_SECONDS = 1
_PATIENCE_SECONDS = 600

_EXPIRED = (
    "Nobody decided in time. Evidence that meets the thresholds proposes again; an official can "
    "declare it: POST /v1/activations."
)


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """An activation as it was when the registry was asked about it."""

    activation_id: UUID
    leased_until: datetime
    areas: frozenset[str]
    estimate: Estimate


class Weighing:
    """Weighs live activations, and lets those expire on which nobody decided, one at each step."""

    def __init__(self, database: Database, *, checks: Checks, steps: Steps, clock: Clock) -> None:
        self._database = database
        self._checks = checks
        self._steps = steps
        self._clock = clock

    async def step(self) -> int:
        """Weigh one activation; 0 when none waits, or the registry is away."""
        async with self._database.transaction() as session:
            row = await repository.claim_unweighed(
                session, lease_seconds=_LEASE_SECONDS, patience_seconds=_PATIENCE_SECONDS
            )
            if row is None:
                return 0
            activation = await acting.find(session, row.id)
            areas = await proposing.areas_to_pay_in(session, activation)
        estimate = Estimate()
        if activation.state in LIVE:
            try:
                estimate = await self._checks.estimate(
                    areas, area_filter=activation.area_filter, scheme=activation.scheme
                )
            except RegistryAway:
                if not row.waited_long:
                    async with self._database.transaction() as session:
                        await repository.weigh_again(
                            session, activation.id, after_seconds=_AGAIN_SECONDS
                        )
                    # The loop rests: others would ask in vain as well.
                    return 0
        claim = _Claim(
            activation_id=activation.id,
            leased_until=row.weigh_at,
            areas=areas,
            estimate=estimate,
        )
        async with self._database.transaction() as session:
            await self._act(session, claim)
        return 1

    async def expire(self) -> int:
        """Let a proposed activation go that nobody decided on, or ask again about a widening."""
        async with self._database.transaction() as session:
            expired = await repository.find_expired(session, now=self._clock.now())
            if expired is None:
                return 0
            activation, proposal = await proposing.lock(session, self._steps, expired)
            if not self._stands(proposal, ApprovalStatus.EXPIRED):
                return 0
            if activation.state is State.PROPOSED:
                await acting.expire(
                    session,
                    activation.id,
                    by=f"trigger:{activation.trigger_code}",
                    reason=_EXPIRED,
                    clock=self._clock,
                )
            elif activation.state is State.OPEN:
                await repository.weigh_now(session, activation.id)
            return 1

    async def _act(self, session: AsyncSession, claim: _Claim) -> None:
        """Do what follows, unless the activation has changed since the registry was asked."""
        activation, proposal = await proposing.lock(session, self._steps, claim.activation_id)
        if activation.weigh_at != claim.leased_until:
            return
        await repository.note_filtered(
            session,
            activation.id,
            {area.area: not area.reached for area in claim.estimate.reach},
        )
        if activation.state not in LIVE:
            await self._supersede(
                session, proposal, reason=f"The activation is {activation.state}."
            )
        elif added := await proposing.areas_to_add(session, activation):
            await self._open_or_ask(session, activation, proposal, claim, added=added)
        else:
            await self._supersede(session, proposal, reason="Nothing of it is left to add.")
        if activation.judge_again_at is not None:
            # Another event waited for this one to be opened, or asked about.
            trigger = await definitions.get(session, activation.trigger_code)
            await indicators.judge_by(
                session, trigger.document.indicators, at=activation.judge_again_at
            )
        await repository.weighed(session, activation.id)

    async def _open_or_ask(
        self,
        session: AsyncSession,
        activation: Activation,
        proposal: Approval | None,
        claim: _Claim,
        *,
        added: list[str],
    ) -> None:
        trigger = await definitions.get(session, activation.trigger_code)
        because = why_a_person(
            trigger.document,
            origin=activation.origin,
            estimate=claim.estimate,
            vouched=await all_vouched_for(session, activation, trigger),
            doubted=activation.doubt is not None,
        )
        if because is not None:
            if self._is_asking(proposal, about=claim.areas):
                return
            await self._supersede(
                session, proposal, reason="More evidence came: it was proposed again with all."
            )
            await proposing.propose(
                session,
                self._steps,
                activation,
                trigger,
                added=added,
                together=claim.areas,
                estimate=claim.estimate,
                because=because,
                clock=self._clock,
            )
            return
        await self._supersede(session, proposal, reason="It is within its trigger's ceiling.")
        stated = trigger.document.stages.activation.ceiling
        assert stated is not None
        ceiling = by_document(stated)
        if activation.state is State.OPEN:
            await acting.announce_wider(
                session, activation, added, ceiling=ceiling, clock=self._clock
            )
            return
        await acting.open_with(
            session,
            activation.id,
            added,
            ceiling=ceiling,
            by=f"trigger:{activation.trigger_code}",
            reason=f"Within the ceiling of its trigger: {claim.estimate}.",
            clock=self._clock,
        )

    def _is_asking(self, proposal: Approval | None, *, about: frozenset[str]) -> bool:
        """Whether a person is being asked about exactly these areas already.

        What an official declared stays as it was declared: evidence widens it once it is open.
        """
        return (
            proposal is not None
            and self._stands(proposal, ApprovalStatus.WAITING)
            and (proposal.kind is ApprovalKind.DECLARATION or proposing.is_about(proposal, about))
        )

    def _stands(self, proposal: Approval | None, status: ApprovalStatus) -> bool:
        return (
            proposal is not None and approvals.status_of(proposal, now=self._clock.now()) is status
        )

    async def _supersede(
        self, session: AsyncSession, proposal: Approval | None, *, reason: str
    ) -> None:
        if proposal is not None:
            await approvals.supersede(
                session, self._steps, proposal, by="triggers", reason=reason, clock=self._clock
            )
