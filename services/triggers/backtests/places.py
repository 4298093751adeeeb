"""Who lives where and what they would get, as far as it is known: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.triggers.areas import COUNTRY, lies_within


@dataclass(frozen=True, kw_only=True)
class Place:
    """What an activation would pay in one area, over all rounds."""

    households: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Places:
    """Areas with their households and money. An area that is not there is made of its parts."""

    by_area: Mapping[str, Place] = field(default_factory=dict)
    currency: str | None = None

    def of(self, areas: Iterable[str]) -> Place | None:
        """All that would be enrolled in these areas, each household once; None: nobody can say."""
        found = [self._of_area(area) for area in topmost(areas)]
        if not self.by_area or None in found:
            return None
        places = [place for place in found if place is not None]
        return Place(
            households=sum(place.households for place in places),
            amount_minor=sum(place.amount_minor for place in places),
        )

    def outside(self, areas: Iterable[str], taken: Iterable[str]) -> Place | None:
        """All in ``areas`` that lies in none of ``taken``; None: nobody can say."""
        listed, inside = topmost(areas), topmost(taken)
        both = [
            *(area for area in listed if lies_within(area, inside)),
            *(area for area in inside if lies_within(area, listed)),
        ]
        whole, shared = self.of(listed), self.of(both)
        if whole is None or shared is None:
            return None
        return Place(
            households=max(0, whole.households - shared.households),
            amount_minor=max(0, whole.amount_minor - shared.amount_minor),
        )

    def _of_area(self, area: str) -> Place | None:
        if area in self.by_area:
            return self.by_area[area]
        parts = topmost(code for code in self.by_area if lies_within(code, [area]))
        if not parts:
            return None
        return Place(
            households=sum(self.by_area[part].households for part in parts),
            amount_minor=sum(self.by_area[part].amount_minor for part in parts),
        )


def topmost(areas: Iterable[str]) -> list[str]:
    """The areas that lie in no other of them, by code."""
    codes = set(areas)
    if COUNTRY in codes:
        return [COUNTRY]
    return sorted(
        code
        for code in codes
        if not any(code[:length] in codes for length in range(2, len(code), 2))
    )


def overlap(area: str, areas: Iterable[str]) -> bool:
    """Whether an area and one of ``areas`` have ground in common."""
    return any(lies_within(area, [other]) or lies_within(other, [area]) for other in areas)
