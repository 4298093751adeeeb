"""Why a trigger fired, or why not: gathered from what was kept when it was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting
from services.triggers.activations import repository as activations
from services.triggers.activations.tables import Activation, ActivationArea
from services.triggers.checks.service import Checks
from services.triggers.definitions import service as definitions
from services.triggers.definitions.document import Leg
from services.triggers.definitions.schemas import Trigger
from services.triggers.drawing.pictures import ChartPicture, MapPicture
from services.triggers.evaluations.tables import Evaluation
from services.triggers.explanations import repository, telling
from services.triggers.explanations.schemas import (
    MAXIMUM_EVALUATIONS,
    MAXIMUM_FIGURES,
    AreaNotReached,
    AreaReached,
    EstimateOut,
    EvidenceOut,
    FigureOut,
    FiguresOut,
    JudgedOut,
    PicturesOut,
)
from services.triggers.geography.names import name_of
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import IndicatorOut
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage
from shared.approvals import ApprovalOut, Steps
from shared.approvals import service as approvals
from shared.clock import Clock
from shared.database import Database
from shared.errors import NotFound
from shared.wording.phrase import Phrase, listed
from shared.wording.said import Said


@dataclass(frozen=True, kw_only=True)
class Decisive:
    """An evaluation that decided, with the leg that it judged and what was known of it."""

    evaluation: Evaluation
    leg: Leg
    indicator: IndicatorOut
    used: Period
    """The days of the figures that it could use."""
    sources: tuple[str, ...]

    @property
    def reasons(self) -> Sequence[Phrase]:
        """In sentences; what the judgement found where its evidence cannot be told otherwise."""
        told = method_of(self.leg.method).reasons(
            self.evaluation.evidence, unit=self.indicator.unit
        )
        return told or [Phrase.same(self.evaluation.explanation)]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What is known of why a trigger fired, or did not."""

    trigger: Trigger
    activation: Activation | None
    evaluations: tuple[Evaluation, ...]
    decisive: tuple[Decisive, ...]
    areas: tuple[AreaReached, ...]
    """Those that are paid in, or wait."""
    left_out: tuple[AreaNotReached, ...]
    why: tuple[Phrase, ...]
    """What stays so, however an activation goes on."""
    said: tuple[Phrase, ...]
    title: Phrase
    path: str
    """Where it is read."""
    proposal: ApprovalOut | None = None

    @property
    def charts(self) -> ChartPicture:
        """What is drawn of it; raises NotFound where there is nothing to draw."""
        drawn = [
            (decisive, chart)
            for decisive in self.decisive
            for chart in [
                method_of(decisive.leg.method).chart(
                    decisive.evaluation.evidence, unit=decisive.indicator.unit
                )
            ]
            if chart is not None
        ]
        if not drawn:
            raise NotFound(
                "There is no series to draw: nothing was judged by figures, or an official "
                f"declared it. The areas are drawn at {self.path}/map.svg."
            )
        return ChartPicture(
            charts=tuple(chart for _, chart in drawn),
            about=listed(Phrase.same(decisive.indicator.name) for decisive, _ in drawn),
            sources=tuple(sorted({source for decisive, _ in drawn for source in decisive.sources})),
        )

    @property
    def map(self) -> MapPicture:
        return MapPicture(
            title=self.title,
            reached=tuple(area.area for area in self.areas if area.announced_at),
            waiting=tuple(area.area for area in self.areas if not area.announced_at),
            not_reached=tuple(area.area for area in self.left_out),
        )


async def about_activation(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    *,
    clock: Clock,
    until: datetime | None = None,
) -> Explained:
    """Why an activation began, as it stood at a moment, or stands; raises NotFound."""
    activation = await acting.find(session, activation_id)
    trigger = await definitions.get_version(
        session, activation.trigger_code, activation.trigger_version
    )
    evaluations = await repository.evaluations_of(
        session, trigger.code, activation_id, until=until, limit=MAXIMUM_EVALUATIONS
    )
    decisive = [
        await _decisive(session, trigger, evaluation, leg)
        for evaluation, leg in _deciding(trigger, evaluations)
    ]
    kept = [
        area
        for area in await activations.areas_of(session, activation_id)
        if until is None or area.added_at <= until
    ]
    reached = tuple(_reached(activation, area) for area in kept if not _why_not(area))
    left_out = _left_out(kept, decisive)
    proposal = None
    if activation.approval_id is not None:
        proposal = await approvals.get(session, steps, activation.approval_id, clock=clock)
    why = tuple(
        telling.why_it_began(
            activation,
            evidence_to=_evidence_to(activation, evaluations, until=until),
            reasons=[reason for each in decisive for reason in each.reasons],
        )
    )
    return Explained(
        trigger=trigger,
        activation=activation,
        evaluations=tuple(evaluations),
        decisive=tuple(decisive),
        areas=reached,
        left_out=left_out,
        why=why,
        said=(
            *why,
            *telling.how_it_stands(
                activation,
                reached=[area.area for area in reached],
                not_reached=len(left_out),
                proposal=proposal,
            ),
        ),
        title=telling.title_of(activation),
        path=f"/v1/activations/{activation_id}/evidence",
        proposal=proposal,
    )


async def about_evaluation(session: AsyncSession, code: str, evaluation_id: UUID) -> Explained:
    """Why an evaluation came out as it did; raises NotFound."""
    await definitions.get(session, code)
    evaluation = await repository.find_evaluation(session, code, evaluation_id)
    if evaluation is None:
        raise NotFound(
            "The trigger has no evaluation with this id. GET /v1/triggers/{code}/evaluations "
            "lists them."
        )
    trigger = await definitions.get_version(session, code, evaluation.trigger_version)
    leg = _leg_of(trigger, evaluation)
    decisive = [await _decisive(session, trigger, evaluation, leg)] if leg else []
    named = _named(decisive)
    fired = evaluation.stage is TriggerStage.ACTIVATION
    why = tuple(
        telling.about_evaluation(
            evaluation, reasons=[reason for each in decisive for reason in each.reasons]
        )
    )
    return Explained(
        trigger=trigger,
        activation=None,
        evaluations=(evaluation,),
        decisive=tuple(decisive),
        areas=tuple(
            AreaReached(area=area, name=Said.of(name_of(area)), announced_at=None)
            for area, because in sorted(named.items())
            if because is None and fired
        ),
        left_out=tuple(
            AreaNotReached(
                area=area,
                name=Said.of(name_of(area)),
                because=Said.of(because or telling.NOT_FIRED),
            )
            for area, because in sorted(named.items())
            if because is not None or not fired
        ),
        why=why,
        said=why,
        title=telling.title_of_evaluation(evaluation),
        path=_path_of(evaluation),
    )


async def shown(explained: Explained, *, database: Database, checks: Checks) -> EvidenceOut:
    """Everything of it, with the figures; and the areas in which the registry enrols nobody."""
    async with database.transaction() as session:
        figures = [await _figures(session, decisive) for decisive in explained.decisive]
    activation = explained.activation
    enrolment = None
    if activation is not None and activation.opened_on is not None:
        enrolment = await checks.enrolment(activation.id)
    refused = enrolment.areas_refused if enrolment else {}
    decided = {decisive.evaluation.id for decisive in explained.decisive}
    belongs_to = activation.id if activation else explained.evaluations[0].activation_id
    return EvidenceOut(
        trigger=explained.trigger.code,
        trigger_version=explained.trigger.version,
        document=f"/v1/triggers/{explained.trigger.code}/versions/{explained.trigger.version}",
        activation_id=belongs_to,
        state=activation.state if activation else None,
        severity=activation.severity if activation else None,
        said=[Said.of(phrase) for phrase in explained.said],
        evaluations=[
            JudgedOut(
                evaluation_id=evaluation.id,
                judged_on=evaluation.judged_on,
                known_at=evaluation.known_at,
                evaluated_at=evaluation.evaluated_at,
                trigger_version=evaluation.trigger_version,
                stage=evaluation.stage,
                outcome=evaluation.outcome,
                evidence=evaluation.evidence if evaluation.id in decided else None,
                path=_path_of(evaluation),
            )
            for evaluation in explained.evaluations
        ],
        figures=figures,
        areas_reached=[area for area in explained.areas if area.area not in refused],
        areas_not_reached=[
            *explained.left_out,
            *(
                AreaNotReached(
                    area=area.area, name=area.name, because=Said.of(telling.NOT_ENROLLED)
                )
                for area in explained.areas
                if area.area in refused
            ),
        ],
        estimate=_estimate(activation, explained.proposal) if activation else None,
        pictures=PicturesOut(
            chart_svg=f"{explained.path}/chart.svg" if explained.decisive else None,
            chart_png=f"{explained.path}/chart.png" if explained.decisive else None,
            map_svg=f"{explained.path}/map.svg",
            map_png=f"{explained.path}/map.png",
            page=f"{explained.path}.html",
        ),
    )


def _deciding(trigger: Trigger, evaluations: Sequence[Evaluation]) -> list[tuple[Evaluation, Leg]]:
    """For each leg the evaluation that decided: of what widens the latest, else the first."""
    decided: dict[int, tuple[Evaluation, Leg]] = {}
    for evaluation in evaluations:
        leg = _leg_of(trigger, evaluation)
        if leg is None or evaluation.stage is not TriggerStage.ACTIVATION:
            continue
        if method_of(leg.method).widens or id(leg) not in decided:
            decided[id(leg)] = (evaluation, leg)
    return list(decided.values())


def _evidence_to(
    activation: Activation, evaluations: Sequence[Evaluation], *, until: datetime | None
) -> date:
    """The last day of an activation's evidence, as far as it had come."""
    judged = [evaluation.judged_on for evaluation in evaluations]
    if until is None or not judged:
        return activation.evidence_to
    return max(activation.evidence_from, min(activation.evidence_to, max(judged)))


def _leg_of(trigger: Trigger, evaluation: Evaluation) -> Leg | None:
    """The leg that was judged; None where the trigger has none that is judged so."""
    legs = trigger.document.legs
    if evaluation.known_at is not None:
        return legs[evaluation.leg]
    kind = evaluation.evidence.get("method")
    return next((leg for leg in legs if leg.method.kind == kind), None)


async def _decisive(
    session: AsyncSession, trigger: Trigger, evaluation: Evaluation, leg: Leg
) -> Decisive:
    first_on = evaluation.judged_from or evaluation.judged_on
    used = method_of(leg.method).used(Period(first_on=first_on, last_on=evaluation.judged_on))
    sources = await repository.sources_known(
        session,
        leg.indicator,
        observed_from=used.first_on,
        observed_to=used.last_on,
        known_until=evaluation.known_at or evaluation.evaluated_at,
    )
    return Decisive(
        evaluation=evaluation,
        leg=leg,
        indicator=await indicators.get(session, leg.indicator),
        used=used,
        sources=tuple(sources),
    )


async def _figures(session: AsyncSession, decisive: Decisive) -> FiguresOut:
    used, evaluation = decisive.used, decisive.evaluation
    known_until = evaluation.known_at or evaluation.evaluated_at
    rows = await repository.figures_known(
        session,
        decisive.indicator.code,
        observed_from=used.first_on,
        observed_to=used.last_on,
        known_until=known_until,
        limit=MAXIMUM_FIGURES,
    )
    count = await repository.count_figures(
        session,
        decisive.indicator.code,
        observed_from=used.first_on,
        observed_to=used.last_on,
        known_until=known_until,
    )
    return FiguresOut(
        indicator=decisive.indicator.code,
        name=decisive.indicator.name,
        unit=decisive.indicator.unit,
        known_until=known_until,
        observed_from=None if used.first_on == date.min else used.first_on,
        observed_to=used.last_on,
        count=count,
        items=[FigureOut.model_validate(row, from_attributes=True) for row in rows],
        path=_path_of_figures(decisive.indicator.code, used),
    )


def _path_of_figures(indicator: str, used: Period) -> str:
    wanted = {
        "indicator": indicator,
        "observed_to": used.last_on.isoformat(),
        "revisions": "all",
    }
    if used.first_on != date.min:
        wanted["observed_from"] = used.first_on.isoformat()
    return f"/v1/observations?{urlencode(wanted)}"


def _path_of(evaluation: Evaluation) -> str:
    return f"/v1/triggers/{evaluation.trigger_code}/evaluations/{evaluation.id}/evidence"


def _reached(activation: Activation, area: ActivationArea) -> AreaReached:
    # Yesterday's code took whatever it kept as announced, before anything opened.
    announced: datetime | None = area.announced_at if activation.opened_on else None
    return AreaReached(
        area=area.area_code, name=Said.of(name_of(area.area_code)), announced_at=announced
    )


def _left_out(
    kept: Sequence[ActivationArea], decisive: Sequence[Decisive]
) -> tuple[AreaNotReached, ...]:
    """The areas that evidence named, or an activation had, and that are not paid in."""
    because = {code: why for code, why in _named(decisive).items() if why is not None}
    for area in kept:
        why_not = _why_not(area)
        if why_not is None:
            because.pop(area.area_code, None)
        else:
            because[area.area_code] = why_not
    return tuple(
        AreaNotReached(area=code, name=Said.of(name_of(code)), because=Said.of(because[code]))
        for code in sorted(because)
    )


def _why_not(area: ActivationArea) -> Phrase | None:
    if area.declined_at is not None:
        return telling.DECLINED
    if area.refused_at is not None:
        return telling.REFUSED
    return telling.FILTERED if area.filtered else None


def _named(decisive: Sequence[Decisive]) -> dict[str, Phrase | None]:
    """The areas that the evidence names, each with why it is not reached; None: it is."""
    named: dict[str, Phrase | None] = {}
    for each in decisive:
        for code, because in telling.named_in(each.evaluation.evidence).items():
            if because is None or named.get(code, because) is not None:
                named[code] = because
    return named


def _estimate(activation: Activation, proposal: ApprovalOut | None) -> EstimateOut:
    return EstimateOut(
        households=proposal.households if proposal else None,
        amount_minor=proposal.amount_minor if proposal else None,
        currency=proposal.currency if proposal else None,
        fund=proposal.document.get("fund") if proposal else None,
        fund_cover=proposal.document.get("fund_cover") if proposal else None,
        proposal=f"/v1/approvals/{proposal.id}" if proposal else None,
        ceiling_households=activation.ceiling_households,
        ceiling_minor=activation.ceiling_minor,
    )
