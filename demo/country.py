"""A synthetic country: as many poor households in each commune as IDPoor counted, times a scale.

No household here exists. What is real is how many there are in each commune, how many persons
they have, and which share of persons is small, disabled or old; the sources are in NOTICE.
One seed makes one country, byte for byte.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.names import FAMILY_NAMES, GIVEN_NAMES
from deploy.local.environment import PROVIDERS
from services.registry.households.fields import Field
from services.registry.households.shape import (
    ACCOUNT,
    CHILDREN,
    COMMUNE,
    DISABLED,
    ELDERLY,
    HEAD_NAME,
    HEADERS,
    ID_NUMBER,
    MEMBERS,
    PHONE,
    POVERTY_STATUS,
    PREGNANT,
    PROVIDER,
    REGISTRATION_NUMBER,
    SHAPE,
)

GAZETTEER = Path(__file__).parents[1] / "services" / "registry" / "areas" / "data"
COUNTRY_HOUSEHOLDS = 678_440
"""IDPoor poor-1 and poor-2 households of the 2022 round: the country at scale 1."""

# Shares of persons in the households paid by the flood programme of 2022.
CHILD_SHARE = Fraction(116, 1000)
DISABLED_SHARE = Fraction(16, 1000)
ELDERLY_SHARE = Fraction(153, 1000)
# No source counts pregnancies; a plausible few, so that the feature is not always zero.
PREGNANT_SHARE_OF_HOUSEHOLDS = 0.02
MEAN_MEMBERS = Fraction(408, 100)
# The head is no small child, and no small child is old: so the rest have the higher chance.
_CHANCE_OF_CHILD = float(CHILD_SHARE * MEAN_MEMBERS / (MEAN_MEMBERS - 1))
_CHANCE_OF_ELDERLY = float(ELDERLY_SHARE / (1 - CHILD_SHARE))

SHARE_WITHOUT_ACCOUNT = 0.02
SHARE_WITHOUT_PHONE = 0.03
SHARE_WITHOUT_ID_NUMBER = 0.05
WALLETS = dict(zip(PROVIDERS, (0.6, 0.4), strict=True))
"""The share of households that bank with each provider, where there are two wallets."""

# Every area code of the Cambodian plan ends in 2 to 9: nobody has, or will get, one of these.
_PHONE_PREFIXES = [f"+855{code}" for code in (20, 21, 30, 31, 40, 41, 50, 51)]
_PHONES = 10**7
# Coprime to the number of phones, so that every serial number has a phone of its own.
_PHONE_STEP = 3_141_593
_ID_NUMBER_PREFIXES = [f"{code}" for code in range(99, 91, -1)]
_MOST_EXTRA_MEMBERS = 19

SHARES = {CHILDREN: CHILD_SHARE, DISABLED: DISABLED_SHARE, ELDERLY: ELDERLY_SHARE}
"""The share of persons whom a field counts, where a source says."""


@dataclass(frozen=True)
class Cell:
    """The households of one poverty status in one commune: how many to make, and how large.

    ``counted_households`` and ``counted_persons`` are IDPoor's figures, ``households`` is the
    scaled number, and ``serial`` counts the households of all cells before, at scale 1.
    """

    commune: str
    poverty_status: str
    counted_households: int
    counted_persons: int
    households: int
    serial: int


def cells(scale: Fraction) -> list[Cell]:
    """Every commune's two cells, in the order of their codes.

    Counts are rounded so that each lies within one household of ``scale`` times the real one, and
    so does the sum over any stretch of the country: the total is right, and so is each province.
    """
    if not 0 < scale <= 1:
        raise ValueError("The scale is above 0 and at most 1; 1 is the country.")
    made: list[Cell] = []
    counted_before = 0
    with gzip.open(GAZETTEER / "communes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for status, prefix in (("poor-1", "idpoor1"), ("poor-2", "idpoor2")):
                counted = int(row[f"{prefix}_hh"] or 0)
                persons = int(row[f"{prefix}_persons"] or 0)
                # Four communes report fewer persons than households.
                plausible = persons >= counted
                made.append(
                    Cell(
                        commune=row["adm3_code"],
                        poverty_status=status,
                        counted_households=counted,
                        counted_persons=persons if plausible else round(counted * MEAN_MEMBERS),
                        households=_rounded(scale * (counted_before + counted))
                        - _rounded(scale * counted_before),
                        serial=counted_before,
                    )
                )
                counted_before += counted
    return made


def country_csv(
    *, scale: Fraction, seed: int, shares: Mapping[str, float] = WALLETS, nth: int = 0
) -> Iterator[bytes]:
    """The country as the registry's import file, a commune at a time, header first.

    ``shares`` of households bank with each provider, by its code; nothing else depends on them.
    The ``nth`` country, 0 to 7, has phones and ID numbers that no other of them has.
    """
    yield (",".join(HEADERS) + "\n").encode()
    for cell in cells(scale):
        if cell.households:
            yield _rows(cell, seed=seed, shares=shares, nth=nth)


def _rounded(exact: Fraction) -> int:
    return int(exact + Fraction(1, 2))


def _members(cell: Cell, draws: np.random.Generator) -> NDArray[np.int64]:
    """Sizes of the cell's households: everyone beyond the head falls to one of them at random."""
    count = cell.households
    exact = count * (cell.counted_persons - cell.counted_households)
    extra, remainder = divmod(exact, cell.counted_households)
    extra += int(draws.integers(cell.counted_households) < remainder)
    dealt = draws.multinomial(extra, np.full(count, 1 / count))
    return np.minimum(dealt, _MOST_EXTRA_MEMBERS) + 1


def _rows(cell: Cell, *, seed: int, shares: Mapping[str, float], nth: int) -> bytes:
    count, codes = cell.households, tuple(shares)
    # A generator for each cell: a household's draws do not depend on who was made before it.
    draws = np.random.default_rng([seed, int(cell.commune), int(cell.poverty_status[-1])])
    members = _members(cell, draws)
    children = draws.binomial(members - 1, _CHANCE_OF_CHILD)
    elderly = draws.binomial(members - children, _CHANCE_OF_ELDERLY)
    disabled = draws.binomial(members, float(DISABLED_SHARE))
    expecting = draws.random(count) < PREGNANT_SHARE_OF_HOUSEHOLDS
    family_names = draws.integers(len(FAMILY_NAMES), size=count)
    given_names = draws.integers(len(GIVEN_NAMES), size=count)
    providers = draws.choice(len(shares), size=count, p=list(shares.values()))
    has_phone, has_id_number, has_account = (
        draws.random(count) >= share
        for share in (SHARE_WITHOUT_PHONE, SHARE_WITHOUT_ID_NUMBER, SHARE_WITHOUT_ACCOUNT)
    )
    phones = ((cell.serial + np.arange(count)) * _PHONE_STEP + seed) % _PHONES
    phone_texts = [f"{_PHONE_PREFIXES[nth]}{number:07}" for number in phones.tolist()]
    numbers = range(1, count + 1)
    columns: dict[Field, Iterable[str]] = {
        REGISTRATION_NUMBER: (
            f"{cell.commune}-{cell.poverty_status[-1]}-{number:05}" for number in numbers
        ),
        COMMUNE: repeat(cell.commune, count),
        POVERTY_STATUS: repeat(cell.poverty_status, count),
        MEMBERS: _texts(members),
        CHILDREN: _texts(children),
        PREGNANT: _texts(expecting & (members - children > 1)),
        DISABLED: _texts(disabled),
        ELDERLY: _texts(elderly),
        HEAD_NAME: (
            f"{FAMILY_NAMES[family]} {GIVEN_NAMES[given]}"
            for family, given in zip(family_names.tolist(), given_names.tolist(), strict=True)
        ),
        PHONE: _where(has_phone, phone_texts),
        ID_NUMBER: _where(
            has_id_number,
            (f"{_ID_NUMBER_PREFIXES[nth]}{cell.serial + number:07}" for number in numbers),
        ),
        PROVIDER: _where(has_account, (codes[at] for at in providers.tolist())),
        ACCOUNT: _where(has_account, phone_texts),
    }
    # Nothing is known of a field that is new to the demonstration.
    in_order = [columns.get(field) or repeat(field.kind.blank, count) for field in SHAPE]
    return "".join([f"{','.join(row)}\n" for row in zip(*in_order, strict=True)]).encode()


def _texts(counts: NDArray[Any]) -> list[str]:
    return [str(int(count)) for count in counts.tolist()]


def _where(has: NDArray[np.bool_], texts: Iterable[str]) -> list[str]:
    return [text if has_it else "" for has_it, text in zip(has.tolist(), texts, strict=True)]
