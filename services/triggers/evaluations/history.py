"""What a trigger has to say of all that was known, day by day: pure.

The live service and a backtest are this one function. Each day on which something became known,
or on which the waiting for a period ended, is looked at in turn, by the figures that counted at
the end of it; what was published later decides nothing before it was. So whatever order figures
arrive in, however they are batched, and whenever a worker gets to them: the same figures tell the
same history, and a system that goes live in the middle of an event tells it as one that was live
before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.definitions.document import TriggerDocument
from services.triggers.evaluations.due import Known, LegHistory
from services.triggers.evaluations.episodes import History
from services.triggers.evaluations.standing import Standing
from services.triggers.evaluations.telling import Telling

KEPT_DAYS = 8
"""Of so many days before the one on which a history is told a standing is of use: what becomes
known about an earlier day has the whole history told again."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A history from where its telling began, and where it can be told on from."""

    history: History
    """All of its episodes and readiness; of its steps those that were told now."""
    standings: tuple[Standing, ...]
    """How the trigger stood at the end of days that are over, the earliest first."""
    lapses_on: tuple[date | None, ...]
    """By leg, the next day on which time alone makes something due, by what is known now."""


def tell(document: TriggerDocument, known: Mapping[str, Known], *, on: date) -> History:
    """The history of a trigger as it stands on a day, which is not over yet.

    `known` holds every indicator of the document's legs. Of what happens at no set times, what
    is published on the day `on` counts already; a period of any other indicator is judged by
    days that are over, so that the rest of a day's figures cannot come too late for it.
    """
    return tell_on(document, known, on=on).history


def tell_on(
    document: TriggerDocument,
    known: Mapping[str, Known],
    *,
    on: date,
    since: Standing | None = None,
) -> Told:
    """The same history, told on from a standing; None: from its beginning.

    With a standing, `known` may leave out an indicator of which nothing was published since, and
    nothing is due by time.
    """
    legs = {
        position: LegHistory(
            position,
            leg,
            known[leg.indicator],
            document=document,
            on=on,
            after=None if since is None else since.told_to,
        )
        for position, leg in enumerate(document.legs)
        if since is None or leg.indicator in known
    }
    due = sorted(
        (pair for leg in legs.values() for pair in leg.due()),
        key=lambda pair: (pair.decided_on, pair.period.last_on, pair.period.first_on, pair.leg),
    )
    before = (None,) * len(document.legs) if since is None else since.begun_on
    begun_on = tuple(
        legs[position].begun_on if position in legs else day for position, day in enumerate(before)
    )
    lapsing = (None,) * len(document.legs) if since is None else since.lapses_on

    def lapses_on(day: date | None = None) -> tuple[date | None, ...]:
        return tuple(
            legs[position].lapses_on(day) if position in legs else before
            for position, before in enumerate(lapsing)
        )

    def standing(day: date) -> Standing:
        return telling.standing(day, begun_on=begun_on, lapses_on=lapses_on(day))

    telling = Telling(document, legs, since=since)
    standings: list[Standing] = []
    stops = [
        day
        for day in (on - timedelta(days=KEPT_DAYS), on - timedelta(days=1))
        if since is None or day > since.told_to
    ]
    for decision in due:
        while stops and decision.decided_on > stops[0]:
            standings.append(standing(stops.pop(0)))
        telling.add(decision)
    standings += [standing(day) for day in stops]
    return Told(history=telling.told(), standings=tuple(standings), lapses_on=lapses_on())
