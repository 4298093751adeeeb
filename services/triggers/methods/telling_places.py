"""What several places say together, in sentences, from the evidence as it was kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.triggers.geography.names import name_of
from services.triggers.methods.plain import levels_said, silent_said
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.wording.vocabulary import STAGES
from shared.wording import numbers
from shared.wording.phrase import Phrase

_MAXIMUM_PLACES = 8

Evidence = Mapping[str, Any]
Tell = Callable[[Evidence], Phrase]
"""What the numbers of one place say."""


def name_in(place: Evidence) -> Phrase:
    """What a place is called: by its name, or by that of its area where it is one."""
    name = str(place["place"])
    return name_of(name) if name in place.get("areas", ()) else Phrase.same(name)


def reasons(evidence: Evidence, *, unit: str, tell: Tell) -> list[Phrase]:
    """How many places reach what, what the furthest measured, and from where they would."""
    places: Sequence[Evidence] = evidence["places"]
    judged = [place for place in places if "unjudged" not in place]
    judged.sort(key=lambda place: -TriggerStage(place["stage"]).rank)
    return [
        _together(judged, of=len(places), needed=evidence["thresholds"].get("at_least_places", 1)),
        *(tell(place) for place in judged[:_MAXIMUM_PLACES]),
        *levels_said(evidence, unit=unit),
        *silent_said(evidence),
    ]


def _together(judged: Sequence[Evidence], *, of: int, needed: int) -> Phrase:
    every, least = numbers.number(of), numbers.number(needed)
    ranks = [TriggerStage(place["stage"]).rank for place in judged]
    for stage in sorted(TriggerStage, key=lambda each: -each.rank):
        reached_by = sum(rank >= stage.rank for rank in ranks)
        if stage is not TriggerStage.NONE and reached_by >= needed:
            word, count = STAGES[stage.value], numbers.number(reached_by)
            return Phrase(
                f"{count.en} of {every.en} places reach {word.en}; {least.en} are needed.",
                f"ទីកន្លែងចំនួន {count.km} ក្នុងចំណោម {every.km} បានឈានដល់កម្រិត{word.km}។ "
                f"ត្រូវការយ៉ាងតិច {least.km}។",
            )
    return Phrase(
        f"Of {every.en} places fewer than the {least.en} that are needed reach a stage.",
        f"ក្នុងចំណោមទីកន្លែង {every.km} មានតិចជាង {least.km} ដែលត្រូវការ បានឈានដល់កម្រិតណាមួយ។",
    )
