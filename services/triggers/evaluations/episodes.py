"""What a trigger had to say: its steps, the events that reached activation, its readiness."""

from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.methods.judgement import Judgement
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One judgement of one leg, and what it makes of the trigger."""

    decided_on: date
    """The day by whose figures it was judged."""
    leg: int
    """Which of the document's legs was judged, from 0."""
    judgement: Judgement
    stage: TriggerStage
    """The trigger's: its legs joined."""
    severity: Severity
    areas: tuple[str, ...]
    episode: int | None
    """The number of the episode that it belongs to; None: activation was not reached."""
    because: str | None = None
    """Why an activation stage that was reached begins nothing, or what it continues."""
    is_lapse: bool = False
    """Whether nothing was said, and time alone made it due."""

    @property
    def evidence_on(self) -> date:
        """The last day of what was said: of what lapsed, the day before it did."""
        period = self.judgement.period
        return period.first_on - _ONE_DAY if self.is_lapse else period.last_on


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A day, and a sentence for people."""

    decided_on: date
    because: str


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One event for which a trigger reached activation."""

    number: int
    """From 0, the oldest first."""
    first_on: date
    """The first day of the evidence that first reached activation."""
    last_on: date
    """The last day of evidence that reached it."""
    decided_on: date
    """The day by whose figures activation was first reached."""
    latest_on: date
    """The day by whose figures it was last reached."""
    severity: Severity
    areas: tuple[str, ...]
    finding: str
    """What the judgement said that first reached it."""
    because: str | None = None
    """Why it is another event than the one before; None: the first."""
    withdrawn: Noted | None = None
    """That figures which became known later would not have let it begin."""
    ended: Noted | None = None
    """That what came later is another event, whether or not that one reaches activation."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """A span in which a trigger was ready or active; it ends when a judgement is below."""

    decided_on: date
    latest_on: date
    """The last day of the evidence that kept it so."""
    ended_on: date | None
    areas: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """All that a trigger had to say, the oldest first."""

    steps: tuple[Step, ...] = ()
    episodes: tuple[Episode, ...] = ()
    readiness: tuple[Readiness, ...] = ()
