"""The two tables of an edition, as CSV: what they say, or what is wrong with each line. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from services.registry.areas.tables import COUNTRY_CODE, ChangeKind, Level, Residence
from services.registry.editions.comparing import DIGITS, LEVEL_OF, Change, Fault, Names, Table
from shared.values import UNFIT_FOR_A_LINE

AREA_HEADERS = ("level", "code", "name_en", "name_km")
OPTIONAL_HEADERS = ("residence", "latitude", "longitude")
CHANGE_HEADERS = ("from_code", "to_code", "kind")
NO_AREAS, NO_CHANGES = (f"{','.join(header)}\n" for header in (AREA_HEADERS, CHANGE_HEADERS))
"""Tables without a line."""
MAXIMUM_AREAS = 60_000
MAXIMUM_CHANGES = 60_000
_MAXIMUM_NAME = 200
_LATITUDES = (Decimal(-90), Decimal(90))
_LONGITUDES = (Decimal(-180), Decimal(180))
_LONGEST_NUMBER = 20
_LONGEST_LINE_CELLS = 40

Row = Mapping[str, str]


@dataclass(frozen=True)
class GivenArea:
    """One line of the areas."""

    line: int
    names: Names
    residence: Residence | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None


@dataclass(frozen=True)
class ReadEdition:
    """What the two tables say; whatever is wrong with them is in ``faults``."""

    areas: Mapping[str, GivenArea]
    """By code, without the country, which has no line of its own."""
    changes: Sequence[tuple[int, Change]]
    faults: Sequence[Fault]


def read_edition(areas: str, changes: str) -> ReadEdition:
    """Read both tables; never raises."""
    faults: list[Fault] = []
    given: dict[str, GivenArea] = {}
    for line, row in _rows(areas, Table.AREAS, faults):
        _read_area(line, row, given, faults)
    stated: list[tuple[int, Change]] = []
    for line, row in _rows(changes, Table.CHANGES, faults):
        _read_change(line, row, stated, faults)
    return ReadEdition(given, stated, faults)


def _rows(text: str, table: Table, faults: list[Fault]) -> Iterator[tuple[int, Row]]:
    of_areas = table is Table.AREAS
    needed = AREA_HEADERS if of_areas else CHANGE_HEADERS
    may_be = (*needed, *OPTIONAL_HEADERS) if of_areas else needed
    most = MAXIMUM_AREAS if of_areas else MAXIMUM_CHANGES
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header: list[str] = []
    count = 0
    line = 1
    try:
        for cells in islice(reader, most + 2):
            begins, line = line, reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = [cell.strip() for cell in cells[:_LONGEST_LINE_CELLS]]
                if sorted(set(header)) != sorted(header) or not (
                    set(needed) <= set(header) <= set(may_be)
                ):
                    told = f"The first line has to be {','.join(needed)}, in any order"
                    also = f", with {', '.join(OPTIONAL_HEADERS)} if known" if of_areas else ""
                    faults.append(Fault(table, begins, "header", f"{told}{also}."))
                    return
                continue
            count += 1
            if count > most:
                faults.append(
                    Fault(table, begins, "too-many", f"At most {most:,} lines are taken.")
                )
                return
            if len(cells) != len(header):
                faults.append(
                    Fault(table, begins, "cells", f"A line has {len(header)} cells, as the first.")
                )
                continue
            yield begins, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error:
        faults.append(
            Fault(
                table, line, "not-csv", "It cannot be read as CSV: a quote is open, or misplaced."
            )
        )
        return
    if not header:
        faults.append(Fault(table, 1, "empty", "It has no line, not even the first."))


def _is_code(text: str) -> bool:
    return len(text) in LEVEL_OF and text.isascii() and text.isdigit()


def _read_area(line: int, row: Row, given: dict[str, GivenArea], faults: list[Fault]) -> None:
    code = row["code"]
    if code == COUNTRY_CODE and row["level"] == Level.COUNTRY:
        return None

    def wrong(kind: str, detail: str) -> None:
        faults.append(Fault(Table.AREAS, line, kind, detail))

    if not _is_code(code):
        return wrong("code", "code is two digits for each level, leading zeros included.")
    if row["level"] != LEVEL_OF[len(code)]:
        levels = ", ".join(f"{level}: {digits}" for level, digits in DIGITS.items())
        return wrong("level", f"level does not go with a code of {len(code)} digits ({levels}).")
    if code in given:
        return wrong("repeated", f"{code} is on line {given[code].line} already.")
    names = Names(*(unicodedata.normalize("NFC", row[key]) for key in ("name_en", "name_km")))
    unfit = any(len(name) > _MAXIMUM_NAME or UNFIT_FOR_A_LINE.search(name) for name in names)
    if unfit or not any(names):
        return wrong(
            "name",
            f"name_en and name_km are up to {_MAXIMUM_NAME} characters on one line, and one of "
            "them is there.",
        )
    residence = row.get("residence", "")
    if residence and residence not in set(Residence):
        return wrong("residence", f"residence is one of {', '.join(Residence)}, or empty.")
    is_commune = len(code) == DIGITS[Level.COMMUNE]
    if residence and not is_commune:
        return wrong("residence", "residence is of communes alone. Leave it empty.")
    places = []
    for key, (least, most) in (("latitude", _LATITUDES), ("longitude", _LONGITUDES)):
        text = row.get(key, "")
        number = _number(text) if text else None
        if text and (number is None or not least <= number <= most):
            return wrong(key, f"{key} is a number of degrees from {least} to {most}, or empty.")
        places.append(number)
    given[code] = GivenArea(
        line,
        names,
        Residence(residence) if residence else None,
        latitude=places[0],
        longitude=places[1],
    )
    return None


def _number(text: str) -> Decimal | None:
    plain = text.removeprefix("-").replace(".", "", 1)
    if len(text) > _LONGEST_NUMBER or not (plain.isascii() and plain.isdigit()):
        return None
    return Decimal(text)


def _read_change(
    line: int, row: Row, stated: list[tuple[int, Change]], faults: list[Fault]
) -> None:
    codes = row["from_code"], row["to_code"]
    if not all(map(_is_code, codes)):
        faults.append(
            Fault(
                Table.CHANGES,
                line,
                "code",
                "from_code and to_code are two digits for each level, leading zeros included.",
            )
        )
    elif row["kind"] not in set(ChangeKind):
        faults.append(
            Fault(Table.CHANGES, line, "kind", f"kind is one of {', '.join(ChangeKind)}.")
        )
    else:
        stated.append((line, Change(*codes, ChangeKind(row["kind"]))))
