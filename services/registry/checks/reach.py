"""What a filter leaves of the areas that an activation is made of: pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.registry.areas.tables import COUNTRY_CODE
from shared.contracts.checks import AreaReach


def reach_of(areas: Iterable[str], communes: Mapping[str, bool | None]) -> list[AreaReach]:
    """Each area in the order of the codes; ``communes``: whether the filter holds for each."""
    counted: Counter[tuple[str, bool | None]] = Counter()
    for code, holds in communes.items():
        for around in (COUNTRY_CODE, code[:2], code[:4], code):
            counted[around, holds] += 1
    return [
        AreaReach(
            area=area,
            communes=sum(counted[area, holds] for holds in (True, False, None)),
            reached=counted[area, True],
            unknown=counted[area, None],
        )
        for area in sorted(set(areas))
    ]
