"""Enrolling late registrants of an activation, or households by hand: by two persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation, require_not_cancelled
from services.registry.activations.tables import Activation
from services.registry.approvals.tables import ApprovalKind
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.chunks.planning import plan_further
from services.registry.enrolments.statements import Further
from services.registry.further_enrolments import repository
from services.registry.further_enrolments.schemas import FurtherEnrolmentIn
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import get_document
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.bounds import Bound, lies_within
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.version import API_PREFIX


@dataclass(frozen=True)
class Whom:
    """Whom a further run would enrol."""

    activation: Activation
    document: SchemeDocument
    whom: Further
    by_commune: Sequence[tuple[str, int, int]]

    @property
    def households(self) -> int:
        return sum(households for _, households, _ in self.by_commune)

    @property
    def one_round_minor(self) -> int:
        return sum(minor for _, _, minor in self.by_commune)

    @property
    def minor(self) -> int:
        """Over all rounds."""
        return self.one_round_minor * len(self.document.rounds)

    def told(self) -> str:
        count = self.households
        households = "1 household" if count == 1 else f"{count:,} households"
        return f"{households} and {self.minor:,} {self.document.currency} over all rounds"


async def propose(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to enrol late registrants, or households by hand; raises NotFound, Conflict."""
    known_until = clock.now()
    given = _narrowed(given, caller.areas)
    found = await find_whom(
        session, activation_id, given, bound=caller.areas, known_until=known_until, clock=clock
    )
    how = {
        Further.LATE: "late registrants",
        Further.NAMED: "households that are named",
        Further.BY_HAND: "households by hand, whatever the rule says,",
    }[found.whom]
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.FURTHER_ENROLMENT,
        {
            "activation_id": str(activation_id),
            "enrolment": given.model_dump(mode="json"),
            "known_until": known_until.isoformat(),
            "by_commune": [
                {"area_code": commune, "households": households, "amount_minor": minor}
                for commune, households, minor in found.by_commune
            ],
        },
        Effect(
            what=f"Enrol {how} in activation {activation_id} ({found.activation.scheme_code}): "
            f"{found.told()}.",
            households=found.households,
            amount_minor=found.minor,
            currency=found.document.currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


def _narrowed(given: FurtherEnrolmentIn, bound: Bound) -> FurtherEnrolmentIn:
    """The same of a caller's areas alone: what is carried out later is what they may propose."""
    if bound is None or given.household_ids is not None:
        return given
    asked = given.areas or [COUNTRY_CODE]
    areas = {area for area in asked if lies_within(bound, area)}
    areas |= {code for code in bound if any(_lies_in(code, area) for area in asked)}
    if not areas:
        raise NotFound(f"There is no area {', '.join(asked)} in yours: {', '.join(bound)}.")
    return given.model_copy(update={"areas": sorted(areas)})


async def carry_out(
    session: AsyncSession, proposal: Approval, clock: Clock, *, households_per_chunk: int
) -> str:
    """Plan what two persons wanted enrolled, if it is no more than they saw."""
    activation_id = UUID(proposal.document["activation_id"])
    given = FurtherEnrolmentIn.model_validate(proposal.document["enrolment"])
    known_until = datetime.fromisoformat(proposal.document["known_until"])
    found = await find_whom(session, activation_id, given, known_until=known_until, clock=clock)
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    if found.households > proposal.households or found.minor > proposal.amount_minor:
        raise Conflict(
            f"It comes to {found.told()} by now, more than was proposed. Decline it, and propose "
            "it again."
        )
    await plan(
        session,
        found,
        household_ids=given.household_ids,
        known_until=known_until,
        households_per_chunk=households_per_chunk,
        clock=clock,
        reason=given.reason,
        requested_by=proposal.proposed_by,
        requested_at=proposal.proposed_at,
        approval_id=proposal.id,
    )
    return f"{API_PREFIX}/activations/{activation_id}"


async def plan(
    session: AsyncSession,
    found: Whom,
    *,
    household_ids: Sequence[UUID] | None,
    known_until: datetime,
    households_per_chunk: int,
    clock: Clock,
    **why: Any,
) -> None:
    """Plan the run that enrols them; ``why`` are the columns that say who wanted it."""
    run = await plan_further(
        session,
        activation_id=found.activation.id,
        households={commune: households for commune, households, _ in found.by_commune},
        covers=["late"] if household_ids is None else sorted(household_ids),
        currency=found.document.currency,
        clock=clock,
        households_per_chunk=households_per_chunk,
    )
    await repository.add_further(
        session,
        run_id=run.id,
        household_ids=None if household_ids is None else list(household_ids),
        whatever_the_rule=found.whom is Further.BY_HAND,
        known_until=known_until,
        **why,
    )


async def find_whom(
    session: AsyncSession,
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    *,
    bound: Bound = None,
    known_until: datetime,
    clock: Clock,
) -> Whom:
    """Whom of an activation it is about; raises NotFound, and Conflict where there is nobody.

    Until the commit nothing else of the activation is let through.
    """
    activation = await activations.lock_activation(session, activation_id)
    if activation is None:
        await get_activation(session, activation_id)
        raise AssertionError
    require_not_cancelled(activation)
    if activation.scheme_version is None:
        raise Conflict(f"Nobody is enrolled for the activation yet. {activation.not_enrolled}")
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    communes = await activations.reached_communes(session, activation_id)
    if given.household_ids is None:
        whom = Further.LATE
        await _require_open(session, activation_id, today=clock.today())
        if given.areas is not None:
            communes = frozenset(
                code for code in communes if any(_lies_in(code, area) for area in given.areas)
            )
    else:
        whom = Further.BY_HAND if given.whatever_the_rule else Further.NAMED
        lives = await require_free(session, activation, given.household_ids, bound=bound)
        if whom is Further.BY_HAND:
            communes = frozenset(lives.values())
    found = Whom(
        activation,
        document,
        whom,
        await repository.sums_of_further(
            session,
            document,
            whom,
            activation_id,
            communes,
            known_until=known_until,
            as_of=activation.opened_on,
            household_ids=given.household_ids,
        ),
    )
    if not found.by_commune:
        raise Conflict(
            "Nobody is there to enrol: whoever is meant is enrolled, is not eligible, lives where "
            "the activation does not reach, or was changed since it was proposed. "
            f"GET /v1/activations/{activation_id}/households/{{household_id}}/decision says why."
        )
    return found


def _lies_in(commune: str, area: str) -> bool:
    return area == "KH" or commune.startswith(area)


async def _require_open(session: AsyncSession, activation_id: UUID, *, today: date) -> None:
    rounds = await activations.lock_rounds(session, activation_id)
    last = max(payment_round.due_on for payment_round in rounds.values())
    if today > last:
        raise Conflict(
            f"The last round was due on {last}: late registrants are not enrolled any more. "
            "Households that are named can be."
        )


async def require_free(
    session: AsyncSession,
    activation: Activation,
    household_ids: Sequence[UUID],
    *,
    bound: Bound = None,
) -> Mapping[UUID, str]:
    """Where these households live; raises NotFound, and Conflict where some cannot be enrolled."""
    lives = await repository.communes_of(session, household_ids, bound=bound)
    missing = len(set(household_ids)) - len(lives)
    if missing:
        raise NotFound(
            f"{missing} of the households named are not registered. GET /v1/households lists those "
            "of an area."
        )
    enrolled = await repository.count_enrolled(session, activation.id, household_ids)
    if enrolled:
        raise Conflict(
            f"{enrolled} of the households named are enrolled in the activation already. What is "
            "owed to them and not paid is announced again by a repair: "
            f"POST /v1/activations/{activation.id}/repairs."
        )
    kept_out = await repository.count_kept_out(
        session, activation.scheme_code, activation.id, household_ids
    )
    if kept_out:
        raise Conflict(
            f"Officers keep {kept_out} of the households named out. GET /v1/exclusions lists them; "
            "admit them again first."
        )
    return lives
