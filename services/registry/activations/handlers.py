"""What the registry does when triggers says that an activation opened, or was widened."""

from datetime import date, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation, ActivationCommune
from services.registry.enrolments.completion import complete_run
from services.registry.enrolments.planning import communes_of, plan_first_round
from services.registry.enrolments.tables import RunKind
from services.registry.rounds.tables import PaymentRound
from services.registry.schemes.document import RoundPlan, SchemeDocument
from services.registry.schemes.repository import find_version, get_document
from services.registry.settings import Settings
from shared.clock import Clock
from shared.contracts.events import ActivationOpened, ActivationWidened
from shared.events import Handler, StoredEvent, publish

RELEASED_BY_OPENING = "the activation"

_REACH = text(
    """
    INSERT INTO registry.activation_commune (activation_id, area_code, enrolment_run_id)
    SELECT :activation, commune, :run FROM unnest(CAST(:communes AS text[])) AS commune
    """
)


class SchemeNotPosted(Exception):
    """An activation names a scheme that nobody posted: post it, then replay the event."""


class ActivationUnknown(Exception):
    """An activation was widened that never opened here: replay its opening, then this event."""


class ActivationHandlers:
    """Handlers of the events of triggers. Twice equals once."""

    def __init__(self, *, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings

    def by_type(self) -> dict[str, Handler]:
        """For the consumer: which handler is for which type of event."""
        return {
            ActivationOpened.type: self.on_opened,
            ActivationWidened.type: self.on_widened,
        }

    async def on_opened(self, session: AsyncSession, event: StoredEvent) -> None:
        """Keep the activation with the scheme version of now, and plan its enrolment."""
        opened = ActivationOpened.model_validate(event.data)
        if await session.get(Activation, opened.activation_id) is not None:
            return
        version = await find_version(session, opened.scheme)
        if version is None:
            raise SchemeNotPosted
        document = SchemeDocument.model_validate(version.document)
        activation = Activation(
            id=opened.activation_id,
            trigger=opened.trigger,
            trigger_version=opened.trigger_version,
            scheme_code=opened.scheme,
            scheme_version=version.version,
            shock=opened.shock,
            severity=opened.severity,
            areas=sorted(set(opened.areas)),
            area_filter=opened.area_filter,
            observed_on=opened.observed_on,
            opened_on=opened.opened_on,
            received_at=self._clock.now(),
        )
        session.add(activation)
        await session.flush()
        session.add_all(self._round(activation, one) for one in document.rounds)
        await session.flush()
        await self._enrol(session, activation, document, opened, RunKind.OPENING)

    async def on_widened(self, session: AsyncSession, event: StoredEvent) -> None:
        """Plan the enrolment of the communes that the activation did not reach before."""
        widened = ActivationWidened.model_validate(event.data)
        activation = await session.get(Activation, widened.activation_id)
        if activation is None:
            raise ActivationUnknown
        document = await get_document(session, activation.scheme_code, activation.scheme_version)
        activation.areas = sorted({*activation.areas, *widened.areas})
        await self._enrol(session, activation, document, widened, RunKind.WIDENING)

    async def _enrol(
        self,
        session: AsyncSession,
        activation: Activation,
        document: SchemeDocument,
        announced: ActivationOpened,
        kind: RunKind,
    ) -> None:
        reached = await session.scalars(
            select(ActivationCommune.area_code).where(
                ActivationCommune.activation_id == activation.id
            )
        )
        communes = set(
            await communes_of(session, areas=announced.areas, area_filter=announced.area_filter)
        ) - set(reached.all())
        if kind is RunKind.WIDENING and not communes:
            return
        run = await plan_first_round(
            session,
            activation_id=activation.id,
            communes=sorted(communes),
            kind=kind,
            currency=document.currency,
            clock=self._clock,
            households_per_chunk=self._settings.households_per_chunk,
            chunks_per_run=self._settings.chunks_per_run,
        )
        if communes:
            await session.execute(
                _REACH,
                {"activation": activation.id, "run": run.id, "communes": sorted(communes)},
            )
        if run.chunks_planned == 0:
            await publish(session, await complete_run(session, run.id, document, clock=self._clock))

    def _round(self, activation: Activation, plan: RoundPlan) -> PaymentRound:
        first = plan.number == 1
        return PaymentRound(
            activation_id=activation.id,
            number=plan.number,
            due_on=due_on(plan, opened_on=activation.opened_on),
            released_at=self._clock.now() if first else None,
            released_by=RELEASED_BY_OPENING if first else None,
        )


def due_on(plan: RoundPlan, *, opened_on: date) -> date:
    """The day on which a round is due."""
    if plan.due_on is not None:
        return plan.due_on
    return opened_on + timedelta(days=plan.after_days or 0)
