"""Codes of places: that of a place begins with the code of whatever it lies in."""

from collections.abc import Iterable

_DISTRICT_DIGITS = 4


def districts_of(communes: Iterable[str]) -> list[str]:
    """The codes of the districts that communes lie in, each once and in order."""
    return sorted({code[:_DISTRICT_DIGITS] for code in communes})
