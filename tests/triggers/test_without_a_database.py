"""The same judgements and intents as the service's, from plain values and without a session."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.triggers.activations.latest import LatestActivation
from services.triggers.evaluations.deciding import Decision, decide, periods_due

from services.triggers.activations.states import State
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.intent import Begin, Intent, Widen
from services.triggers.methods.judgement import Period
from services.triggers.methods.reported_impact.series import Report
from services.triggers.methods.trigger_stage import TriggerStage
from shared.ids import new_id
from tests.triggers.data import flood_reports, published_in, rice_medians


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day on which something was published, and all that was known then."""

    day: date
    changed: Period
    known: Sequence[Any]


def replayed(code: str, days: Sequence[Day]) -> Iterator[tuple[date, Decision]]:
    """Decide on each day by what was known then; what is acted on is a plain value."""
    trigger = TriggerDocument.model_validate(shipped_document(code))
    latest: LatestActivation | None = None
    for published in days:
        for period in periods_due(
            trigger, published.known, changed=published.changed, today=published.day
        ):
            decision = decide(trigger, published.known, period=period, latest=latest)
            latest = followed(latest, decision)
            yield published.day, decision


def followed(latest: LatestActivation | None, decision: Decision) -> LatestActivation | None:
    """The trigger's latest activation once a decision was acted on."""
    judgement, intent = decision.judgement, decision.intent
    match intent.step:
        case Begin():
            return LatestActivation(
                id=new_id(),
                # As it stands once it was weighed.
                state=State.OPEN,
                evidence=judgement.period,
                areas=frozenset(judgement.areas),
            )
        case Widen(areas=areas):
            assert latest is not None
            return replace(
                latest,
                evidence=Period(
                    first_on=min(latest.evidence.first_on, judgement.period.first_on),
                    last_on=max(latest.evidence.last_on, judgement.period.last_on),
                ),
                areas=latest.areas | set(areas),
            )
        case _ if intent.closing:
            assert latest is not None
            return replace(latest, state=State.CLOSED)
        case _:
            return latest


def test_the_flood_of_october_2020_opens_on_its_first_day_and_widens_on_its_last() -> None:
    reports = [
        Report(
            area=row["area"],
            source=row["source"],
            reported_on=day,
            revision=1,
            households=row["value"],
        )
        for day, rows in flood_reports()
        for row in rows
    ]
    days = [
        Day(
            day=day,
            changed=Period(first_on=day, last_on=day),
            known=[report for report in reports if report.reported_on <= day],
        )
        for day in sorted({report.reported_on for report in reports})
    ]
    (first_day, first), *later = replayed("flood-reported-impact", days)

    assert first_day == date(2020, 10, 12)
    assert first.intent == Intent(step=Begin())
    assert first.judgement.areas == ("01", "02", "15", "19", "20", "24")
    assert first.judgement.evidence["national_households"] == 24_156
    added = [
        (day.day, len(decision.intent.step.areas))
        for day, decision in later
        if isinstance(decision.intent.step, Widen)
    ]
    assert added == [(14, 0), (16, 0), (19, 0), (20, 13)]
    _, last = later[-1]
    assert last.judgement.evidence["national_households"] == 66_088 + 22_178 + 18_365


def test_the_rice_prices_open_in_february_and_september_2023() -> None:
    months = rice_medians()
    days = [
        Day(
            day=published_in(entry.month),
            changed=Period(first_on=entry.month, last_on=entry.month),
            known=[known for known in months if known.month <= entry.month],
        )
        for entry in months
    ]
    told = list(replayed("rice-price-spike", days))

    began = [
        (day, decision.judgement.period.first_on)
        for day, decision in told
        if isinstance(decision.intent.step, Begin)
    ]
    assert began == [
        (date(2023, 2, 10), date(2023, 1, 1)),
        (date(2023, 9, 10), date(2023, 8, 1)),
    ]
    closed = [day for day, decision in told if decision.intent.closing]
    assert closed == [date(2023, 9, 10), date(2024, 9, 10)]
    stages = {decision.judgement.period.first_on: decision.judgement.stage for _, decision in told}
    assert stages[date(2023, 7, 1)] is TriggerStage.READINESS
