"""What is tried on history, and what the trigger would have had to say: pure.

It is told by the function that decides live, by what was known on each day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.backtests import timing
from services.triggers.backtests.document import RealEvent, Window
from services.triggers.backtests.places import overlap
from services.triggers.definitions.document import TriggerDocument
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import Episode, History, Step
from services.triggers.evaluations.history import tell
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried, on which days, and against what."""

    document: TriggerDocument
    version: int | None = None
    first_on: date
    last_on: date
    events: Sequence[RealEvent]
    window: Window
    assume_published_after_days: int | None = None
    today: date | None = None
    """The day on which it is tried, which is not over yet; None: the span is."""

    @property
    def told_on(self) -> date:
        """The day by which it is told: the one after the span, and never one to come."""
        after = self.last_on + _ONE_DAY
        return after if self.today is None else min(after, self.today)

    def holds(self, day: date) -> bool:
        """Whether a day lies in the span."""
        return self.first_on <= day <= self.last_on


def refused(document: TriggerDocument) -> str | None:
    """Why a document cannot be tried on the past; None: it can."""
    for position, leg in enumerate(document.legs):
        if method_of(leg.method).uses_whole_sample:
            return (
                f"Leg {position} takes its levels from the whole of its history, years after the "
                "period among them: it would be tried on what it was made from. Use a method that "
                "looks only backwards."
            )
    return None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a trigger would have had to say, before anybody looks at what happened."""

    trial: Trial
    history: History
    known: Mapping[str, Known]
    """What was out by the end of the span, dated as the trial assumes."""
    came_after: Mapping[str, int]
    """Of each indicator, how many figures came out later."""

    @property
    def steps(self) -> list[Step]:
        """The judgements of the span."""
        return [step for step in self.history.steps if self.trial.holds(step.decided_on)]

    @property
    def episodes(self) -> list[Episode]:
        """The activations of the span."""
        episodes = self.history.episodes
        return [episode for episode in episodes if self.trial.holds(episode.decided_on)]

    @property
    def areas(self) -> set[str]:
        """Every area of which a report wants to know who lives there."""
        named = [event.areas for event in self.trial.events]
        return set().union(*named, *(episode.areas for episode in self.episodes))


def told(trial: Trial, known: Mapping[str, Known]) -> Told:
    """The history by what was out on each day of the span and before, and by nothing later.

    `known` holds every indicator of the document's legs.
    """
    days = trial.assume_published_after_days
    out = {}
    for code in trial.document.indicators:
        dated = known[code] if days is None else timing.assumed(known[code], days=days)
        out[code] = timing.until(dated, trial.last_on)
    return Told(
        trial=trial,
        history=tell(trial.document, out, on=trial.told_on),
        known=out,
        came_after={code: len(known[code].figures) - len(out[code].figures) for code in out},
    )


def why_unjudged(judgement: Judgement) -> str | None:
    """Why the figures did not let a period be judged, or a part of what was needed."""
    if judgement.unjudged is not None:
        return judgement.unjudged
    if judgement.stage is not TriggerStage.NONE:
        return None
    for part in judgement.evidence.values():
        if isinstance(part, Mapping) and isinstance(part.get("unjudged"), str):
            return str(part["unjudged"])
    return None


def hits(trial: Trial, episode: Episode, event: RealEvent) -> bool:
    """Whether an activation is one of an event: by its day, and by its place where that is said."""
    earliest = event.first_on - timedelta(days=trial.window.lead_days)
    latest = event.last_on + timedelta(days=trial.window.lag_days)
    if not earliest <= episode.decided_on <= latest:
        return False
    return not event.areas or any(overlap(area, event.areas) for area in episode.areas)
