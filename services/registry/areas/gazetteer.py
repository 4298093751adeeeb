"""The gazetteer that is shipped with the registry, read from its files. Sources: see NOTICE."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import NamedTuple

from services.registry.areas.tables import COUNTRY_CODE, Level, Residence

SHIPPED_EDITION = "ncdd-2022"
_CAPITAL = "12"
_URBAN_UNITS = {"Sangkat", "Quarter"}


class AreaRecord(NamedTuple):
    """One area, its fields in the order of the table's columns."""

    code: str
    parent_code: str | None
    level: Level
    name_en: str
    name_km: str
    residence: Residence | None = None
    households_total: int | None = None
    idpoor1_households: int | None = None
    idpoor2_households: int | None = None
    flood_hazard_index: Decimal | None = None
    vulnerability_index: Decimal | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    edition: str = SHIPPED_EDITION
    ended_at: datetime | None = None


def shipped_areas() -> Iterator[AreaRecord]:
    """Every area of the shipped edition, parents before their parts."""
    yield AreaRecord(COUNTRY_CODE, None, Level.COUNTRY, "Cambodia", "កម្ពុជា")
    for row in _rows("provinces"):
        yield _place(row, "adm1_code", Level.PROVINCE, parent_code=COUNTRY_CODE)
    for row in _rows("districts"):
        yield _place(row, "adm2_code", Level.DISTRICT, parent_code=row["adm1_code"])
    for row in _rows("communes"):
        yield _place(row, "adm3_code", Level.COMMUNE, parent_code=row["adm2_code"])._replace(
            residence=_residence(row),
            households_total=_count(row["hh_total"]),
            idpoor1_households=_count(row["idpoor1_hh"]),
            idpoor2_households=_count(row["idpoor2_hh"]),
            flood_hazard_index=_number(row["flood_hazard_index"]),
            vulnerability_index=_number(row["vulnerability_index"]),
        )
    for row in _rows("villages"):
        yield _place(row, "village_code", Level.VILLAGE, parent_code=row["adm3_code"])


def _rows(name: str) -> Iterator[dict[str, str]]:
    source = files("services.registry.areas") / "data" / f"{name}.csv.gz"
    text = gzip.decompress(source.read_bytes()).decode()
    yield from csv.DictReader(io.StringIO(text, newline=""))


def _place(row: dict[str, str], code: str, level: Level, *, parent_code: str) -> AreaRecord:
    return AreaRecord(
        code=row[code],
        parent_code=parent_code,
        level=level,
        name_en=row["name_en"],
        name_km=row["name_km"],
        latitude=_number(row.get("lat", "")),
        longitude=_number(row.get("lon", "")),
    )


def _residence(row: dict[str, str]) -> Residence:
    if row["adm1_code"] == _CAPITAL:
        return Residence.PHNOM_PENH
    return Residence.URBAN if row["unit_latin"] in _URBAN_UNITS else Residence.RURAL


def _count(text: str) -> int | None:
    return int(text) if text else None


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
