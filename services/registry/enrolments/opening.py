"""What an activation sets going: it is kept, its communes are found, its enrolment is planned.

What is wrong with an activation stands on it, and is no failed event: areas that cannot be
enrolled in are listed while the others are enrolled, and where nobody can be, it waits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.tables import Activation
from services.registry.areas import repository as areas
from services.registry.areas.service import refusals
from services.registry.chunks.planning import plan_first_round
from services.registry.chunks.tables import RunKind
from services.registry.enrolments.completion import end_run
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.document import RoundPlan, SchemeDocument
from services.registry.schemes.service import find_in_force, get_document
from services.registry.settings import Settings
from shared.approvals import Steps
from shared.clock import Clock
from shared.contracts.events import ActivationCancelled, ActivationOpened, ActivationWidened
from shared.errors import Explained
from shared.events import publish_all

RELEASED_BY_OPENING = "the activation"


class ActivationUnknown(Explained):
    """An activation was widened or cancelled that never opened here."""


class CannotEnrol(Explained):
    """Why nobody can be enrolled for an activation yet."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What enrolling needs besides the activation."""

    clock: Clock
    settings: Settings
    steps: Steps


async def open_activation(session: AsyncSession, opened: ActivationOpened, *, means: Means) -> None:
    """Keep the activation, and plan its enrolment by the scheme version of now, if that can be.

    One that is known is told again: where triggers had lost it and began it anew, for more areas.
    """
    await areas.share_fence(session)
    known = await activations.lock_activation(session, opened.activation_id)
    if known is not None:
        await _reach_further(session, known, opened, means=means)
        return
    await activations.add_activation(
        session,
        id=opened.activation_id,
        trigger=opened.trigger,
        trigger_version=opened.trigger_version,
        scheme_code=opened.scheme,
        scheme_version=None,
        shock=opened.shock,
        severity=opened.severity,
        areas=sorted(set(opened.areas)),
        area_filter=opened.area_filter,
        observed_on=opened.observed_on,
        opened_on=opened.opened_on,
        received_at=means.clock.now(),
        ceiling_households=opened.ceiling_households,
        ceiling_minor=opened.ceiling_minor,
        not_enrolled="It has just arrived.",
    )
    await enrol_where_possible(session, opened.activation_id, means=means)


async def widen_activation(
    session: AsyncSession, widened: ActivationWidened, *, means: Means
) -> None:
    """Plan the enrolment of the communes that the activation did not reach before."""
    await areas.share_fence(session)
    activation = await activations.lock_activation(session, widened.activation_id)
    if activation is None:
        raise ActivationUnknown(
            f"Activation {widened.activation_id} was widened, but never opened here. Replay the "
            "event of its opening, which may be parked, then this event."
        )
    await _reach_further(session, activation, widened, means=means)


async def _reach_further(
    session: AsyncSession, activation: Activation, told: ActivationOpened, *, means: Means
) -> None:
    if told.ceiling_households is not None and told.ceiling_minor is not None:
        await activations.change(
            session,
            activation.id,
            has_ceiling=True,
            ceiling_households=told.ceiling_households,
            ceiling_minor=told.ceiling_minor,
        )
    further = set(told.areas) - set(activation.areas)
    if further:
        await activations.change(
            session, activation.id, areas=sorted({*activation.areas, *further})
        )
        await enrol_where_possible(session, activation.id, means=means)


async def cancel_activation(session: AsyncSession, cancelled: ActivationCancelled) -> None:
    """Keep that the activation was cancelled: no chunk of it is worked, no round released."""
    if not await activations.cancel(session, cancelled.activation_id, on=cancelled.cancelled_on):
        raise ActivationUnknown(
            f"Activation {cancelled.activation_id} was cancelled, but never opened here. Nothing "
            "of it is paid. If the event of its opening is parked, leave it there."
        )


async def enrol_where_possible(session: AsyncSession, activation_id: UUID, *, means: Means) -> bool:
    """Plan the enrolment of every commune of the activation that it does not reach yet.

    Keeps why nobody can be enrolled, and in which areas. Whether a run was planned.
    """
    await areas.share_fence(session)
    activation = await activations.lock_activation(session, activation_id)
    assert activation is not None
    if activation.cancelled_on is not None:
        return False
    refused = await refusals(session, activation.areas)
    if refused != activation.areas_refused:
        await activations.change(session, activation_id, areas_refused=refused)
    try:
        communes = await _communes_of(session, activation, refused=refused)
        version, document = await _scheme_of(session, activation)
    except CannotEnrol as hindrance:
        # An activation that has enrolled some stays so, whatever is wrong with what was added.
        if activation.scheme_version is None and activation.not_enrolled != str(hindrance):
            await activations.change(session, activation_id, not_enrolled=str(hindrance))
        return False
    if activation.scheme_version is not None:
        communes -= await activations.reached_communes(session, activation_id)
        if not communes:
            return False
        await _enrol(session, activation_id, communes, RunKind.WIDENING, document, means=means)
        return True
    await activations.change(session, activation_id, scheme_version=version, not_enrolled=None)
    await activations.add_rounds(session, _rounds_of(activation, document, means=means))
    await _enrol(session, activation_id, communes, RunKind.OPENING, document, means=means)
    return True


async def _scheme_of(session: AsyncSession, activation: Activation) -> tuple[int, SchemeDocument]:
    """The version that the activation pays by, that of now if it has none yet."""
    if activation.scheme_version is not None:
        version = activation.scheme_version
        return version, await get_document(session, activation.scheme_code, version)
    scheme = await find_in_force(session, activation.scheme_code)
    if scheme is None:
        raise CannotEnrol(
            f"The scheme '{activation.scheme_code}', which pays, is not posted. Post it to "
            "/v1/schemes: whoever is eligible is enrolled then, by itself."
        )
    return scheme


async def _communes_of(
    session: AsyncSession, activation: Activation, *, refused: Collection[str]
) -> frozenset[str]:
    """The communes of the activation's areas that its filter lets through; raises CannotEnrol."""
    good = [code for code in activation.areas if code not in refused]
    if not good:
        raise CannotEnrol(
            "None of its areas is a country, province, district or commune of the gazetteer. "
            "Load the gazetteer with PUT /v1/gazetteer if it is not, or correct the activation "
            "in triggers."
        )
    condition = None
    if activation.area_filter is not None:
        try:
            condition = compile_rule(activation.area_filter, attributes=COMMUNE_ATTRIBUTES)
        except RuleRefused as refusal:
            raise CannotEnrol(
                f"Its area filter cannot be used. {refusal} Cancel the activation in triggers, "
                "post a version of its trigger with another filter, and declare it again."
            ) from None
    return await areas.communes_within(session, good, condition)


async def _enrol(
    session: AsyncSession,
    activation_id: UUID,
    communes: frozenset[str],
    kind: RunKind,
    document: SchemeDocument,
    *,
    means: Means,
) -> None:
    clock, settings = means.clock, means.settings
    edition = await areas.edition_in_force(session)
    run = await plan_first_round(
        session,
        activation_id=activation_id,
        communes=communes,
        kind=kind,
        currency=document.currency,
        edition=1 if edition is None or edition.number is None else edition.number,
        clock=clock,
        households_per_chunk=settings.households_per_chunk,
        chunks_per_run=settings.chunks_per_run,
    )
    await activations.reach_communes(session, activation_id, communes, run_id=run.id)
    if run.chunks_planned == 0:
        facts = await end_run(session, run.id, document, steps=means.steps, clock=clock)
        await publish_all(session, facts, clock=clock)


def _rounds_of(
    activation: Activation, document: SchemeDocument, *, means: Means
) -> Sequence[dict[str, Any]]:
    now = means.clock.now()
    return [
        {
            "activation_id": activation.id,
            "number": plan.number,
            "due_on": due_on(plan, opened_on=activation.opened_on),
            "released_at": now if plan.number == 1 else None,
            "released_by": RELEASED_BY_OPENING if plan.number == 1 else None,
        }
        for plan in document.rounds
    ]


def due_on(plan: RoundPlan, *, opened_on: date) -> date:
    """The day on which a round is due."""
    if plan.due_on is not None:
        return plan.due_on
    return opened_on + timedelta(days=plan.after_days or 0)
