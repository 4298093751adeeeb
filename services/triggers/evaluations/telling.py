"""Telling a history step by step: each judgement in turn, and what it makes of the trigger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Self

from services.triggers.definitions.document import TriggerDocument
from services.triggers.evaluations.due import Due, LegHistory
from services.triggers.evaluations.episodes import Episode, History, Noted, Readiness, Step
from services.triggers.evaluations.joining import Joined, joined
from services.triggers.evaluations.standing import EpisodeSoFar, Standing
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Order
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(kw_only=True)
class _Open:
    """An episode that is being told."""

    episode: Episode
    fired: dict[int, Period] = field(default_factory=dict)
    """By leg: the evidence that reached activation, as its method counts from it."""
    standing: dict[tuple[int, Period], bool] = field(default_factory=dict)
    """By leg and period: whether what reached activation still does."""

    @classmethod
    def of(cls, so_far: EpisodeSoFar) -> Self:
        return cls(
            episode=so_far.episode,
            fired=dict(so_far.fired),
            standing={(leg, period): stands for leg, period, stands in so_far.reached},
        )

    def so_far(self) -> EpisodeSoFar:
        return EpisodeSoFar(
            episode=self.episode,
            fired=tuple(self.fired.items()),
            reached=tuple((*key, stands) for key, stands in self.standing.items()),
        )


class Telling:
    """A history that is being told, from a standing or from its beginning."""

    def __init__(
        self,
        document: TriggerDocument,
        legs: Mapping[int, LegHistory],
        *,
        since: Standing | None = None,
    ) -> None:
        self._document = document
        self._legs = legs
        self._steps: list[Step] = []
        self._latest: dict[int, Judgement] = {}
        self._episodes: list[_Open] = []
        self._readiness: list[Readiness] = []
        if since is not None:
            self._latest = dict(since.latest)
            self._episodes = [_Open.of(episode) for episode in since.episodes]
            self._readiness = list(since.readiness)

    def told(self) -> History:
        return History(
            steps=tuple(self._steps),
            episodes=tuple(told.episode for told in self._episodes),
            readiness=tuple(self._readiness),
        )

    def standing(
        self,
        told_to: date,
        *,
        begun_on: tuple[date | None, ...],
        lapses_on: tuple[date | None, ...],
    ) -> Standing:
        """How the trigger stands after what was told so far, which is all until the end of a day.

        Of judgements that are joined with later ones the evidence is not asked for again.
        """
        return Standing(
            told_to=told_to,
            begun_on=begun_on,
            lapses_on=lapses_on,
            latest=tuple(
                (leg, replace(judgement, evidence={}))
                for leg, judgement in sorted(self._latest.items())
            ),
            episodes=tuple(told.so_far() for told in self._episodes),
            readiness=tuple(self._readiness),
        )

    def add(self, due: Due) -> None:
        """Tell what is due next."""
        leg = self._legs[due.leg]
        judgement, series = leg.judge(due)
        latest = self._latest.get(due.leg)
        is_later = latest is None or judgement.period.last_on >= latest.period.last_on
        # That nobody says any more takes nothing back of what holds beside other legs.
        if is_later and not (due.is_lapse and judgement.unjudged is not None):
            self._latest[due.leg] = judgement
        reached = joined(self._document, {**self._latest, due.leg: judgement}, on=due.decided_on)
        self._note_readiness(reached, due)
        if reached.stage is TriggerStage.ACTIVATION and judgement.unjudged is None:
            number, because = self._episode_of(due, reached, series=series)
        else:
            number, because = None, None
            if judgement.unjudged is None:
                self._note_end(due, series=series)
        self._withdraw(due, judgement, reached)
        self._steps.append(
            Step(
                decided_on=due.decided_on,
                leg=due.leg,
                judgement=judgement,
                stage=reached.stage,
                severity=reached.severity,
                areas=reached.areas,
                episode=number,
                because=because,
                is_lapse=due.is_lapse,
            )
        )

    def _episode_of(
        self, due: Due, reached: Joined, *, series: Any
    ) -> tuple[int | None, str | None]:
        """Which episode what was reached belongs to, and why; a new one where to none."""
        because, order = None, Order.LATER
        for told in reversed(self._episodes):
            order, reason = self._order(told, due, series=series)
            match order:
                case Order.SAME:
                    self._continue(told, due, reached)
                    return told.episode.number, reason
                case Order.LATER:
                    because = reason
                    break
                case Order.EARLIER:
                    because = reason
        if order is Order.EARLIER:
            return None, because
        refused = self._why_none_begins(due)
        if refused is not None:
            return None, refused
        return self._begin(due, reached, because=because), because

    def _order(self, told: _Open, due: Due, *, series: Any) -> tuple[Order, str]:
        """How what is judged stands to an episode, and why."""
        leg = self._legs[due.leg]
        fired = told.fired.get(due.leg)
        if fired is not None:
            continuation = leg.method.continues(
                series, leg.document, period=due.period, earlier=fired
            )
            return continuation.order, continuation.because
        if leg.method.is_over(
            leg.document, evidence_to=told.episode.last_on, on=due.period.first_on
        ):
            return Order.LATER, "It came after the event before."
        return Order.SAME, "Another leg reached activation of its event."

    def _begin(self, due: Due, reached: Joined, *, because: str | None) -> int:
        number = len(self._episodes)
        if self._episodes and because is not None:
            self._end(self._episodes[-1], due.decided_on, because)
        episode = Episode(
            number=number,
            first_on=due.period.first_on,
            last_on=due.period.last_on,
            decided_on=due.decided_on,
            latest_on=due.decided_on,
            severity=reached.severity,
            areas=reached.areas,
            finding=reached.finding,
            because=because,
        )
        told = _Open(episode=episode, fired={due.leg: due.period})
        told.standing[due.leg, due.period] = True
        self._episodes.append(told)
        return number

    def _continue(self, told: _Open, due: Due, reached: Joined) -> None:
        episode, leg = told.episode, self._legs[due.leg]
        told.standing[due.leg, due.period] = True
        fired = told.fired.get(due.leg, due.period)
        if leg.method.widens:
            fired = Period(
                first_on=min(fired.first_on, due.period.first_on),
                last_on=max(fired.last_on, due.period.last_on),
            )
        told.fired[due.leg] = fired
        told.episode = replace(
            episode,
            first_on=min(episode.first_on, due.period.first_on),
            last_on=max(episode.last_on, due.period.last_on),
            latest_on=max(episode.latest_on, due.decided_on),
            severity=max(episode.severity, reached.severity, key=lambda severity: severity.rank),
            areas=tuple(sorted({*episode.areas, *reached.areas})),
            withdrawn=None,
            ended=None,
        )

    def _note_end(self, due: Due, *, series: Any) -> None:
        """Note where what is judged is of a later event than the latest episode."""
        if not self._episodes or self._episodes[-1].episode.ended is not None:
            return
        order, because = self._order(self._episodes[-1], due, series=series)
        if order is Order.LATER:
            self._end(self._episodes[-1], due.decided_on, because)

    def _end(self, told: _Open, day: date, because: str) -> None:
        if told.episode.ended is None:
            told.episode = replace(told.episode, ended=Noted(decided_on=day, because=because))

    def _withdraw(self, due: Due, judgement: Judgement, reached: Joined) -> None:
        """Note where a period that had reached activation does not, by what is known now."""
        if reached.stage is TriggerStage.ACTIVATION:
            return
        for told in self._episodes:
            if told.standing.get((due.leg, due.period)):
                told.standing[due.leg, due.period] = False
                if not any(told.standing.values()):
                    told.episode = replace(
                        told.episode,
                        withdrawn=Noted(
                            decided_on=due.decided_on,
                            because=judgement.unjudged or judgement.finding,
                        ),
                    )

    def _why_none_begins(self, due: Due) -> str | None:
        """Why nothing begins of an event on which activation was reached; None: it does."""
        season = self._document.season
        if season is None:
            return None
        if not season.holds(due.period.last_on):
            return f"Its season is from {season.first} to {season.last}."
        begun = season.begun_on(due.period.last_on)
        already = sum(
            told.episode.withdrawn is None and told.episode.first_on >= begun
            for told in self._episodes
        )
        if season.at_most is not None and already >= season.at_most:
            return f"It activates {season.at_most} times in a season at most, and has."
        return None

    def _note_readiness(self, reached: Joined, due: Due) -> None:
        day, said_on = due.decided_on, due.period.last_on
        ready = reached.stage.rank >= TriggerStage.READINESS.rank
        latest = self._readiness[-1] if self._readiness else None
        if latest is None or latest.ended_on is not None:
            if ready:
                self._readiness.append(
                    Readiness(decided_on=day, latest_on=said_on, ended_on=None, areas=reached.areas)
                )
        elif ready:
            areas = tuple(sorted({*latest.areas, *reached.areas}))
            latest_on = max(latest.latest_on, said_on)
            self._readiness[-1] = replace(latest, areas=areas, latest_on=latest_on)
        elif reached.is_judged:
            self._readiness[-1] = replace(latest, ended_on=day)
