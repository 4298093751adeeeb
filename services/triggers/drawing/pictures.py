"""What can be drawn, as plain values; the drawing itself stands in `charts` and `maps`."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from services.triggers.methods.chart import Chart
from shared.version import VERSION
from shared.wording.phrase import Language, Phrase


class Form(StrEnum):
    """The file format of a picture."""

    SVG = "svg"
    PNG = "png"

    @property
    def media_type(self) -> str:
        return "image/svg+xml" if self is Form.SVG else "image/png"


@dataclass(frozen=True, kw_only=True)
class ChartPicture:
    """The charts of some evidence, from top to bottom."""

    charts: tuple[Chart, ...]
    about: Phrase
    """What was measured."""
    sources: tuple[str, ...]
    """Who published it."""


@dataclass(frozen=True, kw_only=True)
class MapPicture:
    """The country, with the areas of some evidence by code."""

    title: Phrase
    reached: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    not_reached: tuple[str, ...] = ()


Picture = ChartPicture | MapPicture


def fingerprint(picture: Picture, *, language: Language, form: Form) -> str:
    """The same for the same picture, whoever asks and whenever; nothing is drawn for it."""
    whole = f"{VERSION} {language} {form} {picture!r}"
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
