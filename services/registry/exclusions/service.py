"""Keeping a household out, and admitting it again: the one alone, the other by two persons."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.service import get_activation
from services.registry.approvals.tables import ApprovalKind
from services.registry.enrolments.tables import HouseholdExclusion
from services.registry.exclusions import repository
from services.registry.exclusions.schemas import ExclusionIn, ExclusionOut, ReadmissionIn
from services.registry.households.service import require_household
from services.registry.schemes.service import get_document
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.bounds import Bound
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX


async def exclude(
    session: AsyncSession,
    activation_id: UUID,
    household_id: UUID,
    given: ExclusionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ExclusionOut:
    """Keep a household out of what is not worked out yet; raises NotFound, Conflict.

    One person does it alone, for less is paid by it; to undo it takes two.
    """
    activation = await get_activation(session, activation_id)
    await require_household(session, household_id, bound=caller.areas)
    kept = await repository.add_exclusion(
        session,
        id=new_id(),
        household_id=household_id,
        scheme_code=activation.scheme_code,
        activation_id=None if given.whole_scheme else activation_id,
        reason=given.reason,
        excluded_by=caller.subject,
        excluded_at=clock.now(),
    )
    if kept is None:
        raise Conflict("The household is kept out already: GET /v1/exclusions lists it.")
    await audit.record(
        session,
        f"households/{household_id}",
        after={"excluded_from": activation.scheme_code, "exclusion_id": str(kept.id)},
        reason=given.reason,
    )
    announced = await repository.count_announced(session, household_id, activation_id)
    return ExclusionOut.model_validate(kept).model_copy(update={"announced_rounds": announced})


async def list_exclusions(
    session: AsyncSession, *, scheme: str | None, standing: bool, bound: Bound, page: Page
) -> PageOf[ExclusionOut]:
    """A page of exclusions, in the order in which they were made."""
    found = await repository.list_exclusions(
        session,
        scheme=scheme,
        standing=standing,
        bound=bound,
        after=page.after(UUID),
        limit=page.fetch_limit,
    )
    rows = [ExclusionOut.model_validate(kept) for kept in found]
    return page.of(rows, key=lambda kept: (kept.id,))


async def get_exclusion(session: AsyncSession, exclusion_id: UUID, *, bound: Bound) -> ExclusionOut:
    """One exclusion; raises NotFound."""
    return ExclusionOut.model_validate(
        await _exclusion(session, exclusion_id, bound=bound, locked=False)
    )


async def propose_readmission(
    session: AsyncSession,
    steps: Steps,
    exclusion_id: UUID,
    given: ReadmissionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to admit a household again; raises NotFound, Conflict."""
    kept = await _standing(session, exclusion_id, bound=caller.areas)
    rounds, minor = await repository.owed_anew(session, kept)
    currency = await _currency(session, kept)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.READMISSION,
        {"exclusion_id": str(exclusion_id), "reason": given.reason},
        Effect(
            what=f"Admit a household to the scheme '{kept.scheme_code}' again, which was kept out "
            f"because: {kept.reason} It was left out of "
            f"{'1 round' if rounds == 1 else f'{rounds} rounds'}. What that comes to is owed then, "
            "and waits for a repair.",
            households=1,
            amount_minor=minor if currency else None,
            currency=currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Admit a household again, as two persons wanted it, if it is owed no more than they saw."""
    kept = await _standing(session, UUID(proposal.document["exclusion_id"]))
    _, minor = await repository.owed_anew(session, kept)
    if minor > (proposal.amount_minor or 0):
        raise Conflict(
            f"It comes to {minor:,} by now, more than was proposed. Decline it, and propose it "
            "again."
        )
    return await readmit(
        session, kept, by=proposal.proposed_by, because=proposal.document["reason"], clock=clock
    )


async def readmit(
    session: AsyncSession, kept: HouseholdExclusion, *, by: str, because: str, clock: Clock
) -> str:
    """End an exclusion; the path where that is read."""
    await repository.readmit(session, kept)
    await repository.end_exclusion(session, kept.id, by=by, at=clock.now(), because=because)
    await audit.record(
        session,
        f"households/{kept.household_id}",
        before={"excluded_from": kept.scheme_code, "exclusion_id": str(kept.id)},
        after={"excluded_from": None},
        reason=because,
    )
    return f"{API_PREFIX}/exclusions/{kept.id}"


async def _currency(session: AsyncSession, kept: HouseholdExclusion) -> str | None:
    if kept.activation_id is None:
        return None
    activation = await get_activation(session, kept.activation_id)
    if activation.scheme_version is None:
        return None
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    return document.currency


async def _exclusion(
    session: AsyncSession, exclusion_id: UUID, *, bound: Bound, locked: bool
) -> HouseholdExclusion:
    kept = await repository.find_exclusion(session, exclusion_id, bound=bound, locked=locked)
    if kept is None:
        raise NotFound("There is no such exclusion. GET /v1/exclusions lists them.")
    return kept


async def _standing(
    session: AsyncSession, exclusion_id: UUID, *, bound: Bound = None
) -> HouseholdExclusion:
    kept = await _exclusion(session, exclusion_id, bound=bound, locked=True)
    if kept.ended_at is not None:
        raise Conflict(f"The household was admitted again, by {kept.ended_by}.")
    return kept
