"""How far an activation may pay by itself, and what is held above that for a second person.

The registry looks where the truth is known: when a run has worked out who and how much. Chunks are
announced as they are worked out, for payments releases nothing of a run before it hears that the
run is complete; above the ceiling it does not hear that.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.tables import Activation
from services.registry.approvals.tables import ApprovalKind
from services.registry.chunks import repository as chunks
from services.registry.chunks.tables import EnrolmentRun
from services.registry.enrolments import repository
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import posted_by
from shared.approvals import ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock

REGISTRY = Caller(subject="service:registry", scopes=frozenset())
"""Who proposes what the registry found by itself: no person, so any may decide."""


@dataclass(frozen=True)
class Sum:
    """Households, and what they get over all rounds."""

    households: int
    minor: int

    def fits(self, limit: "Sum") -> bool:
        return self.households <= limit.households and self.minor <= limit.minor

    def told(self, currency: str) -> str:
        households = "1 household" if self.households == 1 else f"{self.households:,} households"
        return f"{households} and {self.minor:,} {currency}"


async def total_with(session: AsyncSession, run: EnrolmentRun) -> Sum:
    """What the activation of a run comes to, over all its rounds, once the run is let through."""
    return Sum(*await repository.totals_with(session, run.activation_id, run.id))


def limit_of(activation: Activation) -> Sum | None:
    """Up to where an activation pays by itself, or two persons let it here; None: no limit.

    What triggers did not say is zero: then it is a person who says it.
    """
    if not activation.has_ceiling:
        return None
    return Sum(
        max(activation.ceiling_households or 0, activation.allowed_households),
        max(activation.ceiling_minor or 0, activation.allowed_minor),
    )


async def exceeds(session: AsyncSession, run: EnrolmentRun) -> bool:
    """Whether a run takes its activation above what it may pay by itself.

    Until the commit no other run of the activation is looked at: two that fit one by one may not
    fit together.
    """
    activation = await activations.lock_activation(session, run.activation_id)
    assert activation is not None
    limit = limit_of(activation)
    return limit is not None and not (await total_with(session, run)).fits(limit)


async def ask(
    session: AsyncSession,
    run: EnrolmentRun,
    document: SchemeDocument,
    *,
    steps: Steps,
    caller: Caller = REGISTRY,
    reason: str | None = None,
    clock: Clock,
) -> ApprovalOut:
    """Hold a run, and propose that it be let through."""
    activation = await activations.lock_activation(session, run.activation_id)
    assert activation is not None
    limit = limit_of(activation)
    total = await total_with(session, run)
    proposal = await approvals.propose(
        session,
        steps,
        ApprovalKind.OVER_CEILING,
        _document(run, total, limit),
        Effect(
            what=_in_words(run, activation, total, limit, currency=document.currency),
            households=total.households,
            amount_minor=total.minor,
            currency=document.currency,
            evidence_by=await _evidence_by(session, run, activation),
        ),
        reason=reason,
        caller=caller,
        clock=clock,
    )
    await chunks.hold_run(session, run.id, approval_id=proposal.id, at=clock.now())
    return proposal


def _document(run: EnrolmentRun, total: Sum, limit: Sum | None) -> dict[str, Any]:
    return {
        "activation_id": str(run.activation_id),
        "run_id": str(run.id),
        "round": run.round,
        "households": total.households,
        "amount_minor": total.minor,
        "ceiling_households": limit and limit.households,
        "ceiling_minor": limit and limit.minor,
    }


def _in_words(
    run: EnrolmentRun, activation: Activation, total: Sum, limit: Sum | None, *, currency: str
) -> str:
    if limit is None or limit == Sum(0, 0):
        approved = "for which no ceiling was stated"
    else:
        approved = f"approved up to {limit.households:,} and {limit.minor:,}"
    return (
        f"Let the {run.kind} of round {run.round} of activation {activation.id} "
        f"({activation.scheme_code}) through: over all rounds it comes to "
        f"{total.told(currency)}, {approved}."
    )


async def _evidence_by(
    session: AsyncSession, run: EnrolmentRun, activation: Activation
) -> list[str]:
    """Who posted the scheme, and who released the round, if a person did."""
    assert activation.scheme_version is not None, "a run has a scheme"
    persons = [await posted_by(session, activation.scheme_code, activation.scheme_version)]
    if run.round > 1:
        persons += await activations.who_released(session, activation.id, run.round)
    return persons


async def allow(session: AsyncSession, activation_id: UUID, up_to: Sum) -> None:
    """Keep that two persons let an activation come to this."""
    activation = await activations.lock_activation(session, activation_id)
    assert activation is not None
    await activations.change(
        session,
        activation_id,
        allowed_households=max(activation.allowed_households, up_to.households),
        allowed_minor=max(activation.allowed_minor, up_to.minor),
    )
