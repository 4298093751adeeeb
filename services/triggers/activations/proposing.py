"""Proposals about activations: what one would do, who stands behind it, what its areas are."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting, repository
from services.triggers.activations.ceilings import above_stated
from services.triggers.activations.evidence import persons_behind
from services.triggers.activations.states import Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.estimate import Estimate
from services.triggers.definitions.schemas import Trigger
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock

_AREAS_NAMED = 10


async def lock(
    session: AsyncSession, steps: Steps, activation_id: UUID
) -> tuple[Activation, Approval | None]:
    """An activation and its latest proposal, locked: the proposal first, as whoever decides does.

    Raises NotFound.
    """
    approval_id = (await acting.find(session, activation_id)).approval_id
    proposal = None
    if approval_id is not None:
        proposal = await approvals.find_locked(session, steps, approval_id)
    activation = await acting.lock(session, activation_id)
    if activation.approval_id != approval_id:
        # Only whoever has weighed the activation sets it, and so does not again.
        proposal = None
    return activation, proposal


async def areas_to_pay_in(session: AsyncSession, activation: Activation) -> frozenset[str]:
    """Every area that is announced, or waits."""
    return frozenset(
        area.area_code
        for area in await repository.areas_of(session, activation.id)
        if area.declined_at is None
    )


async def areas_to_add(session: AsyncSession, activation: Activation) -> list[str]:
    """What waits to be announced, by code; of one that is not open yet, all of it."""
    return sorted(
        area.area_code
        for area in await repository.areas_of(session, activation.id)
        if area.declined_at is None
        and (area.announced_at is None or activation.state is State.PROPOSED)
    )


async def propose(
    session: AsyncSession,
    steps: Steps,
    activation: Activation,
    trigger: Trigger,
    *,
    added: Collection[str],
    together: Collection[str],
    estimate: Estimate,
    because: str,
    clock: Clock,
) -> ApprovalOut:
    """Ask a person to open an activation, or to widen an open one by ``added``."""
    match activation.state, activation.origin:
        case State.OPEN, _:
            kind, verb = ApprovalKind.WIDENING, "Widen"
        case _, Origin.DECLARED:
            kind, verb = ApprovalKind.DECLARATION, "Open"
        case _:
            kind, verb = ApprovalKind.ACTIVATION, "Open"
    # A declaration is its official's; whatever the evidence asks for is its trigger's.
    by = (
        activation.proposed_by
        if kind is ApprovalKind.DECLARATION
        else f"trigger:{activation.trigger_code}"
    )
    above = above_stated(trigger.document, estimate)
    proposal = await approvals.propose(
        session,
        steps,
        kind,
        {
            "activation_id": str(activation.id),
            "areas_added": sorted(added),
            "areas": sorted(together),
            "evidence": evidence_path(activation.id),
            "fund": estimate.fund,
            "fund_cover": estimate.cover.model_dump() if estimate.cover else None,
            "rounds": estimate.rounds,
            "by_area": [area.model_dump() for area in estimate.by_area],
            "unpayable": estimate.unpayable,
        },
        Effect(
            what=_sentences(
                f"{verb} an activation of trigger '{activation.trigger_code}', scheme "
                f"'{activation.scheme}', in {named(added)}: {estimate} in all.",
                paid_from(estimate),
                _filtered(estimate),
                because,
                above if above != because else None,
            ),
            households=estimate.households,
            amount_minor=estimate.amount_minor,
            currency=estimate.currency,
            evidence_by=await persons_behind(session, activation, trigger),
        ),
        reason=activation.reason,
        caller=Caller(by, frozenset()),
        clock=clock,
    )
    await repository.set_approval(session, activation.id, proposal.id)
    return proposal


def evidence_path(activation_id: UUID) -> str:
    """Where whoever decides reads why, with a chart and a map."""
    return f"/v1/activations/{activation_id}/evidence"


def is_about(proposal: Approval, areas: Collection[str]) -> bool:
    """Whether a proposal's areas are these, together with those announced before."""
    return set(proposal.document["areas"]) == set(areas)


def named(areas: Collection[str]) -> str:
    """Areas as people read them: some by code, and how many more."""
    shown = ", ".join(sorted(areas)[:_AREAS_NAMED])
    more = len(areas) - _AREAS_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def paid_from(estimate: Estimate) -> str | None:
    """From which fund, whether it covers this, and how many could not be paid."""
    if estimate.fund is None:
        return None
    could_not = (
        f" {estimate.unpayable:,} of the households have no account that can be paid."
        if estimate.unpayable
        else ""
    )
    return f"It is paid from fund '{estimate.fund}', {_cover(estimate)}.{could_not}"


def _cover(estimate: Estimate) -> str:
    cover = estimate.cover
    if cover is None:
        return f"of which GET /v1/funds/{estimate.fund} of payments says what it has"
    has = f"which has {cover.available_minor:,} {cover.currency}"
    if cover.reserved_minor:
        has += f", and {cover.reserved_minor:,} more reserved for triggers that are ready"
    short = (estimate.amount_minor or 0) - cover.available_minor
    if short <= 0:
        return f"{has}: enough"
    if short <= cover.reserved_minor:
        return f"{has}: enough only with what is reserved, if that is for this trigger"
    return f"{has}: {short - cover.reserved_minor:,} {cover.currency} too little at least"


def _filtered(estimate: Estimate) -> str | None:
    """In which areas nobody would be enrolled, because the filter takes no commune of them."""
    filtered = [area.area for area in estimate.reach if not area.reached]
    if not filtered:
        return None
    return (
        f"The filter takes no commune in {len(filtered)} of {len(estimate.reach)} areas: "
        f"{named(filtered)}."
    )


def _sentences(*sentences: str | None) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
