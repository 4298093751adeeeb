"""What a filter leaves of the areas that an activation is made of: pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.registry.areas.tables import COUNTRY_CODE
from shared.contracts.checks import AreaReach


def reach_of(
    areas: Iterable[str],
    communes: Mapping[str, bool | None],
    led: Iterable[tuple[str, str]] = (),
) -> list[AreaReach]:
    """Each area in the order of the codes; ``communes``: whether the filter holds for each.

    ``led``: communes as they were called, each with one that it leads to, which counts where the
    first one lay.
    """
    counted: Counter[tuple[str, bool | None]] = Counter()
    for code, holds in communes.items():
        for around in (COUNTRY_CODE, code[:2], code[:4], code):
            counted[around, holds] += 1
    for around, code in _lay_elsewhere(led):
        if code in communes:
            counted[around, communes[code]] += 1
    return [
        AreaReach(
            area=area,
            communes=sum(counted[area, holds] for holds in (True, False, None)),
            reached=counted[area, True],
            unknown=counted[area, None],
        )
        for area in sorted(set(areas))
    ]


def _lay_elsewhere(led: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Areas in which what a commune became does not lie any more."""
    return {
        (around, after)
        for before, after in led
        for around in (before[:2], before[:4], before)
        if not after.startswith(around)
    }
