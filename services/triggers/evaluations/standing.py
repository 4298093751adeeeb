"""How a trigger stood at the end of a day: all that is needed to tell its history on from there.

What became known later about days after it changes nothing of a standing. What became known about
a day up to it does: then the history is told from an earlier standing, or from its beginning.
"""

from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter

from services.triggers.evaluations.episodes import Episode, Readiness
from services.triggers.methods.judgement import Judgement, Period


@dataclass(frozen=True, kw_only=True)
class EpisodeSoFar:
    """An episode, and what decides whether later evidence is of it or takes its ground away."""

    episode: Episode
    fired: tuple[tuple[int, Period], ...]
    """By leg: the evidence that reached activation, as its method counts from it."""
    reached: tuple[tuple[int, Period, bool], ...]
    """By leg and period: whether what reached activation still does."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A trigger at the end of a day."""

    told_to: date
    """The day: everything that was due until then is told."""
    begun_on: tuple[date | None, ...]
    """By leg, the first day of which a figure was known; None: of no day."""
    lapses_on: tuple[date | None, ...]
    """By leg, the next day on which time alone makes something due; None: nothing is known to."""
    latest: tuple[tuple[int, Judgement], ...]
    """By leg: its latest judgement, without its evidence."""
    episodes: tuple[EpisodeSoFar, ...]
    readiness: tuple[Readiness, ...]

    def lapsed(self, on: date) -> frozenset[int]:
        """The legs of which time alone has made something due since, or does on a day."""
        return frozenset(
            leg for leg, day in enumerate(self.lapses_on) if day is not None and day <= on
        )


STANDING = TypeAdapter(Standing)
"""Reads a standing from JSON, and writes it."""
