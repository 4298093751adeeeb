"""What an activation sets going: it is kept, its communes are found, its enrolment is planned."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.areas import repository as areas
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.chunks.planning import plan_first_round
from services.registry.chunks.tables import RunKind
from services.registry.enrolments.completion import complete_run
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.schemes.document import RoundPlan, SchemeDocument
from services.registry.schemes.service import find_in_force, get_document
from services.registry.settings import Settings
from shared.clock import Clock
from shared.contracts.events import ActivationOpened, ActivationWidened
from shared.errors import Explained
from shared.events import publish

RELEASED_BY_OPENING = "the activation"

_DIGITS_OF_AREAS = {2, 4, 6}


class SchemeNotPosted(Explained):
    """An activation names a scheme that nobody posted."""


class ActivationUnknown(Explained):
    """An activation was widened that never opened here."""


class UnknownArea(Explained):
    """An activation names an area that is no country, province, district or commune here."""


async def open_activation(
    session: AsyncSession, opened: ActivationOpened, *, clock: Clock, settings: Settings
) -> None:
    """Keep the activation with the scheme version of now, and plan its enrolment."""
    if await activations.find_activation(session, opened.activation_id) is not None:
        return
    scheme = await find_in_force(session, opened.scheme)
    if scheme is None:
        raise SchemeNotPosted(
            f"The activation is paid by the scheme '{opened.scheme}', which nobody posted. "
            "Post it to /v1/schemes, then replay this event."
        )
    version, document = scheme
    now = clock.now()
    await activations.add_activation(
        session,
        id=opened.activation_id,
        trigger=opened.trigger,
        trigger_version=opened.trigger_version,
        scheme_code=opened.scheme,
        scheme_version=version,
        shock=opened.shock,
        severity=opened.severity,
        areas=sorted(set(opened.areas)),
        area_filter=opened.area_filter,
        observed_on=opened.observed_on,
        opened_on=opened.opened_on,
        received_at=now,
    )
    await activations.add_rounds(
        session,
        [
            {
                "activation_id": opened.activation_id,
                "number": plan.number,
                "due_on": due_on(plan, opened_on=opened.opened_on),
                "released_at": now if plan.number == 1 else None,
                "released_by": RELEASED_BY_OPENING if plan.number == 1 else None,
            }
            for plan in document.rounds
        ],
    )
    communes = await _communes_of(session, opened)
    await _enrol(
        session,
        opened.activation_id,
        communes,
        kind=RunKind.OPENING,
        document=document,
        clock=clock,
        settings=settings,
    )


async def widen_activation(
    session: AsyncSession, widened: ActivationWidened, *, clock: Clock, settings: Settings
) -> None:
    """Plan the enrolment of the communes that the activation did not reach before."""
    activation = await activations.find_activation(session, widened.activation_id)
    if activation is None:
        raise ActivationUnknown(
            f"Activation {widened.activation_id} was widened, but never opened here. Replay the "
            "event of its opening, which may be parked, then this event."
        )
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    await activations.name_areas(
        session, activation.id, sorted({*activation.areas, *widened.areas})
    )
    reached = await activations.reached_communes(session, activation.id)
    communes = await _communes_of(session, widened) - reached
    if not communes:
        return
    await _enrol(
        session,
        activation.id,
        communes,
        kind=RunKind.WIDENING,
        document=document,
        clock=clock,
        settings=settings,
    )


async def _enrol(
    session: AsyncSession,
    activation_id: UUID,
    communes: frozenset[str],
    *,
    kind: RunKind,
    document: SchemeDocument,
    clock: Clock,
    settings: Settings,
) -> None:
    run = await plan_first_round(
        session,
        activation_id=activation_id,
        communes=communes,
        kind=kind,
        currency=document.currency,
        clock=clock,
        households_per_chunk=settings.households_per_chunk,
        chunks_per_run=settings.chunks_per_run,
    )
    await activations.reach_communes(session, activation_id, communes, run_id=run.id)
    if run.chunks_planned == 0:
        await publish(
            session, await complete_run(session, run.id, document, clock=clock), clock=clock
        )


async def _communes_of(session: AsyncSession, announced: ActivationOpened) -> frozenset[str]:
    """The announced communes that the filter lets through; raises UnknownArea, RuleRefused."""
    await _require_known(session, announced.areas)
    condition = None
    if announced.area_filter is not None:
        condition = compile_rule(announced.area_filter, attributes=COMMUNE_ATTRIBUTES)
    return await areas.communes_within(session, announced.areas, condition)


async def _require_known(session: AsyncSession, codes: Sequence[str]) -> None:
    known = await areas.known_codes(session, codes)
    for code in codes:
        fits = code == COUNTRY_CODE or len(code) in _DIGITS_OF_AREAS
        if code not in known or not fits:
            raise UnknownArea(
                f"Area {code} is not in the gazetteer, or is smaller than a commune. "
                "Load the gazetteer, then replay this event."
            )
    if not codes:
        raise UnknownArea(
            "The activation names no area, so nobody is enrolled for it. Correct its trigger and "
            "open another."
        )


def due_on(plan: RoundPlan, *, opened_on: date) -> date:
    """The day on which a round is due."""
    if plan.due_on is not None:
        return plan.due_on
    return opened_on + timedelta(days=plan.after_days or 0)
