"""What an ensemble says of a day to come.

A forecast is believed when enough members reach the level, and when it says so in several issues
running: a single run of a model changes its mind. This is how forecast-based financing reads
GloFAS (Coughlan de Perez and others, "Action-based flood forecasting for triggering humanitarian
action", Hydrology and Earth System Sciences 20, 2016; Alfieri and others, "GloFAS: global
ensemble streamflow forecasting and flood early warning", the same 17, 2013). The share itself is
a probability, and is kept: it is what a Brier score compares with what came.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.triggers.methods.ensemble_share.document import EnsembleShare, ShareStage
from services.triggers.methods.ensemble_share.series import EnsembleSeries, Issue
from services.triggers.methods.judgement import Period
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.verdicts import Verdict


class Running(NamedTuple):
    """Issues running that say so: those that are known, and what it would be with the missing."""

    known: int
    possible: int


def judge_ensemble(place: EnsembleSeries, document: EnsembleShare, period: Period) -> Verdict:
    issues = place.issues(period, minimum_members=document.minimum_members)
    if not issues:
        return Verdict(
            site=place.site,
            says=f"{place.site.name} has no forecast of {period.last_on} by "
            f"{document.minimum_members} members.",
            is_unjudged=True,
        )
    level = document.levels[place.site.name]
    stage, is_unsure = TriggerStage.NONE, False
    for each, needed in document.of_stages():
        running = issues_running(
            issues,
            needed,
            level=level.level,
            period=period,
            every_days=document.issued_every_days,
        )
        if running.known >= needed.issues_running:
            stage, is_unsure = each, False
        elif running.possible >= needed.issues_running:
            is_unsure = True
    latest = issues[-1]
    lead_days = (period.first_on - latest.issued_on).days
    share = latest.share(level.level)
    is_unjudged = is_unsure and stage is TriggerStage.NONE
    unsure = " Issues are missing, so it cannot be said for how long." if is_unjudged else ""
    return Verdict(
        site=place.site,
        stage=stage,
        severity=_severity(latest, place, document),
        says=f"{place.site.name}: {share:.0%} of {len(latest.highest)} members reach "
        f"{level.level:g} on {period.last_on}, as issued {latest.issued_on}, {lead_days} days "
        f"before; activation from {document.activation.share:.0%} in "
        f"{document.activation.issues_running} issues running.{unsure}",
        numbers={
            "probability": share,
            "issued_on": latest.issued_on.isoformat(),
            "lead_days": lead_days,
            "level": level.level,
            "issues": [
                {
                    "issued_on": issue.issued_on.isoformat(),
                    "lead_days": (period.first_on - issue.issued_on).days,
                    "members": len(issue.highest),
                    "share": issue.share(level.level),
                }
                for issue in issues
            ],
        },
        is_unjudged=is_unjudged,
    )


def issues_running(
    issues: Sequence[Issue],
    needed: ShareStage,
    *,
    level: float,
    period: Period,
    every_days: int,
) -> Running:
    """How many issues within the lead time say so, back from the latest of all.

    The latest issue speaks: where it lies outside of the lead time the stage has no say. A missing
    issue neither counts nor breaks the run. What would count if it had said so is the second
    number: between the two it cannot be judged.
    """
    day = period.first_on.toordinal()
    first, last = day - needed.lead_days_to, day - needed.lead_days_from
    later = issues[-1].issued_on.toordinal()
    if not first <= later <= last:
        return Running(0, 0)
    known = possible = 0
    for issue in reversed(issues):
        issued_on = issue.issued_on.toordinal()
        if issued_on < first:
            break
        possible += max(later - issued_on - 1, 0) // every_days
        if issue.share(level) < needed.share:
            return Running(known, possible)
        known += 1
        possible += 1
        later = issued_on
    return Running(known, possible + (later - first) // every_days)


def _severity(issue: Issue, place: EnsembleSeries, document: EnsembleShare) -> Severity:
    level, share = document.levels[place.site.name], document.activation.share
    if level.extreme is not None and issue.share(level.extreme) >= share:
        return Severity.EXTREME
    if level.severe is not None and issue.share(level.severe) >= share:
        return Severity.SEVERE
    return Severity.MODERATE


def is_below(place: EnsembleSeries, document: EnsembleShare, period: Period) -> bool:
    """Whether the latest issue gave the period less than the share of release."""
    issues = place.issues(period, minimum_members=document.minimum_members)
    if not issues:
        return False
    share = issues[-1].share(document.levels[place.site.name].level)
    return share < document.rearm.below_share
