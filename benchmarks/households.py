"""Synthetic households in any number, as the registry's import files."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from demo.country import COUNTRY_HOUSEHOLDS, country_csv
from services.registry.households.shape import HEADERS

_SEED = 1
_HEADER = (",".join(HEADERS) + "\n").encode()

PAYABLE_SHARE = 0.98
"""The part of the households that have an account; the rest are entitled and not payable."""

_FIRST_COUNTRY_OF = {"": 0, "F": 6}
"""Of a series: nobody of one has the phone or the ID number of anybody of another. The first has
room for six countries, and the second for two."""


def write_parts(directory: Path, *, households: int, parts: int, series: str = "") -> list[Path]:
    """``households`` of them in about equal files, in the order of their communes.

    Those of another ``series`` have other registration numbers.
    """
    paths = []
    rows = _rows(households, series)
    for number in range(1, parts + 1):
        path = directory / f"households-{number}.csv"
        size = households * number // parts - households * (number - 1) // parts
        with path.open("wb") as file:
            file.write(_HEADER)
            file.writelines(next(rows) for _ in range(size))
        paths.append(path)
    return paths


def _rows(households: int, series: str) -> Iterator[bytes]:
    """Beyond the country's number there is a second country, under other registration numbers, with
    other phones and ID numbers: nobody is suspected of being somebody else."""
    made = 0
    while made < households:
        country = made // COUNTRY_HOUSEHOLDS
        scale = Fraction(min(households - made, COUNTRY_HOUSEHOLDS), COUNTRY_HOUSEHOLDS)
        nth = _FIRST_COUNTRY_OF[series] + country
        blocks = country_csv(scale=scale, seed=_SEED + country, nth=nth)
        next(blocks)
        prefix = f"{series}{country + 1}-".encode()
        for block in blocks:
            for row in block.splitlines(keepends=True):
                made += 1
                yield prefix + row
