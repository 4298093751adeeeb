"""What areas are called in English and Khmer, by the national gazetteer. Sources: see NOTICE."""

import csv
import io
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from services.triggers.areas import COUNTRY
from shared.wording.phrase import Phrase

_UNITS_KM = {
    "province": "ខេត្ត",
    "capital": "រាជធានី",
    "district": "ស្រុក",
    "municipality": "ក្រុង",
    "khan": "ខណ្ឌ",
    "commune": "ឃុំ",
    "sangkat": "សង្កាត់",
}
_COUNTRY = Phrase("Cambodia", "កម្ពុជា")
_COMMUNE_CODE_LENGTH = 6


class _Name(NamedTuple):
    en: str
    km: str
    unit: str


def name_of(code: str) -> Phrase:
    """An area's name; a commune's or a district's with the province that it lies in.

    Names repeat from district to district. What is no area of the gazetteer stands by its code,
    and so does a village, which is told by its commune.
    """
    if code == COUNTRY:
        return _COUNTRY
    own = _names().get(code)
    if own is None:
        commune = _names().get(code[:_COMMUNE_CODE_LENGTH])
        if commune is None or len(code) <= _COMMUNE_CODE_LENGTH:
            return Phrase.same(code)
        within = name_of(code[:_COMMUNE_CODE_LENGTH])
        return Phrase(f"village {code}, {within.en}", f"ភូមិ {code} {within.km}")
    province = _names()[code[:2]]
    if own is province:
        return _province(own)
    within = _province(province)
    return Phrase(f"{own.en} {own.unit}, {within.en}", f"{_UNITS_KM[own.unit]}{own.km} {within.km}")


def own_name_of(code: str) -> Phrase:
    """An area's name alone, where what lies around it is seen."""
    own = _names().get(code)
    return name_of(code) if own is None else Phrase(own.en, own.km)


def _province(own: _Name) -> Phrase:
    return Phrase(own.en, f"{_UNITS_KM[own.unit]}{own.km}")


@cache
def _names() -> Mapping[str, _Name]:
    source = files("services.triggers.geography") / "data" / "names.csv"
    rows = csv.DictReader(io.StringIO(source.read_text(encoding="utf-8"), newline=""))
    return {row["code"]: _Name(row["name_en"], row["name_km"], row["unit"]) for row in rows}
