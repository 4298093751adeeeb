"""Area codes of the national gazetteer: the code's prefix is the parent."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.checks import AREA_CODE

COUNTRY = "KH"

AreaCode = Annotated[
    str,
    Field(
        pattern=AREA_CODE,
        max_length=8,
        description="NCDD Gazetteer code as text, two digits for each of province, district, "
        "commune and village, with leading zeros; `KH` is the whole country.",
        examples=["02"],
    ),
]


class AreaLevel(StrEnum):
    """How deep in the gazetteer an area lies."""

    COUNTRY = "country"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    VILLAGE = "village"

    @property
    def depth(self) -> int:
        """0 for the country, one more for each level inside of it."""
        return list(AreaLevel).index(self)


_LEVEL_OF_LENGTH = {
    2: AreaLevel.PROVINCE,
    4: AreaLevel.DISTRICT,
    6: AreaLevel.COMMUNE,
    8: AreaLevel.VILLAGE,
}


def level_of(code: str) -> AreaLevel:
    """The level of a well-formed area code."""
    return AreaLevel.COUNTRY if code == COUNTRY else _LEVEL_OF_LENGTH[len(code)]


def lies_within(code: str, areas: Iterable[str]) -> bool:
    """Whether an area is one of `areas` or inside one of them."""
    return any(area == COUNTRY or code.startswith(area) for area in areas)


def shared_by(codes: Iterable[str], areas: Iterable[str]) -> tuple[str, ...]:
    """What lies both in `codes` and in `areas`: of two areas, one in the other, the inner one."""
    outer = list(areas)
    shared = set()
    for code in codes:
        if lies_within(code, outer):
            shared.add(code)
        else:
            shared |= {area for area in outer if lies_within(area, [code])}
    return tuple(sorted(shared))
