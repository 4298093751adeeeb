"""What is known of the areas of an edition: it goes with the places, from code to code. Pure.

What was counted of a place that was merged is added up, and its indexes are the mean by its
households. Of the parts of a place that was split nobody has counted the households; its indexes
hold for each. A commune of the capital's province counts as the capital.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from services.registry.areas.gazetteer import AreaRecord
from services.registry.areas.tables import COUNTRY_CODE, Level, Residence
from services.registry.editions.comparing import LEVEL_OF, Moves, parent_of
from services.registry.editions.reading import GivenArea

_CAPITAL = "12"


def records_of(
    known: Mapping[str, AreaRecord],
    given: Mapping[str, GivenArea],
    moves: Moves,
    *,
    edition: str,
) -> Iterator[AreaRecord]:
    """The areas of an edition; ``known`` are those in force with what is known of them."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for code in known:
        for target in moves.get(code, (code,)):
            sources[target].append(code)
    yield known[COUNTRY_CODE]._replace(edition=edition, ended_at=None)
    for code, area in sorted(given.items()):
        came_from = [known[source] for source in sources[code] if source in known]
        whole = all(len(moves.get(source.code, (source.code,))) == 1 for source in came_from)
        inherited = _inherited(code, came_from, whole=whole)
        yield inherited._replace(
            code=code,
            parent_code=parent_of(code),
            level=LEVEL_OF[len(code)],
            name_en=area.names.english,
            name_km=area.names.khmer,
            residence=_residence(code, area, came_from),
            latitude=area.latitude if area.latitude is not None else inherited.latitude,
            longitude=area.longitude if area.longitude is not None else inherited.longitude,
            edition=edition,
            ended_at=None,
        )


def without_residence(
    known: Mapping[str, AreaRecord], given: Mapping[str, GivenArea], moves: Moves
) -> list[str]:
    """Communes that nothing leads to and of which the edition does not say what kind they are."""
    led_to = {target for targets in moves.values() for target in targets}
    return sorted(
        code
        for code, area in given.items()
        if LEVEL_OF[len(code)] is Level.COMMUNE
        and area.residence is None
        and code not in known
        and code not in led_to
        and not code.startswith(_CAPITAL)
    )


def _residence(code: str, area: GivenArea, came_from: Sequence[AreaRecord]) -> Residence | None:
    if LEVEL_OF[len(code)] is not Level.COMMUNE:
        return None
    if area.residence is not None:
        return area.residence
    if code.startswith(_CAPITAL):
        return Residence.PHNOM_PENH
    before = next((source.residence for source in came_from if source.residence), Residence.RURAL)
    return Residence.URBAN if before is Residence.PHNOM_PENH else before


def _inherited(code: str, came_from: Sequence[AreaRecord], *, whole: bool) -> AreaRecord:
    if len(came_from) == 1 and whole:
        return came_from[0]
    fresh = AreaRecord(code, None, LEVEL_OF[len(code)], "", "")
    indexed = fresh._replace(
        flood_hazard_index=_mean(came_from, "flood_hazard_index"),
        vulnerability_index=_mean(came_from, "vulnerability_index"),
    )
    if not whole:
        return indexed
    return indexed._replace(
        households_total=_sum(came_from, "households_total"),
        idpoor1_households=_sum(came_from, "idpoor1_households"),
        idpoor2_households=_sum(came_from, "idpoor2_households"),
    )


def _sum(came_from: Sequence[AreaRecord], name: str) -> int | None:
    counts = [count for source in came_from if (count := getattr(source, name)) is not None]
    return sum(counts) if counts else None


def _mean(came_from: Sequence[AreaRecord], name: str) -> Decimal | None:
    weighed = [
        (value, Decimal(source.households_total or 1))
        for source in came_from
        if (value := getattr(source, name)) is not None
    ]
    if not weighed:
        return None
    total = sum(weight for _, weight in weighed)
    return sum((value * weight for value, weight in weighed), Decimal(0)) / total
