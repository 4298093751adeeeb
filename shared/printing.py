"""Papers that people carry, fill in and sign: a table over numbered pages, in both languages.

Pure, and the same paper gives the same bytes whenever it is made. Khmer is shaped, by HarfBuzz:
letters that stand under, before or around others are where they belong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from shared.wording.numbers import khmer_digits
from shared.wording.phrase import Phrase

_FONT = "NotoSansKhmer[wdth,wght].ttf"
_MARGIN_MM = 10.0
_FOOT_MM = 14.0
_LINE_MM = 5.0
_HEAD_MM = 11.0
_WIDTH_MM = 190.0
_FACT_MM = 62.0
_KHMER = range(0x1780, 0x1800)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table."""

    heading: Phrase
    width_mm: float
    align: Literal["L", "C", "R"] = "L"


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a paper. The widths of its columns come to 190 millimetres."""

    title: Phrase
    code: str
    """By which it is called: at the foot of each page, with the page's number."""
    made_at: datetime
    facts: Sequence[tuple[Phrase, Phrase]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    row_mm: float
    closing: Sequence[tuple[Phrase, Phrase]] = ()
    """Below the table: totals and the like."""
    signed_by: Sequence[Phrase] = ()
    notes: Sequence[Phrase] = ()


def print_paper(paper: Paper) -> bytes:
    """The paper as PDF, A4. The library is loaded by the first who prints."""
    from fpdf import FPDF

    class Printer(FPDF):
        """One paper on its way to being bytes."""

        def __init__(self) -> None:
            super().__init__(format="A4")
            self.set_creation_date(paper.made_at)
            self.set_title(f"{paper.code} {paper.title.en}")
            self.set_margin(_MARGIN_MM)
            self.set_auto_page_break(False)
            with as_file(files("fontpkg_noto_sans_khmer") / "files") as folder:
                self._take_letters(folder / _FONT, "", weight=400.0)
                self._take_letters(folder / _FONT, "B", weight=700.0)
            self.alias_nb_pages("{pages}")

        def _take_letters(self, path: Path, style: Literal["", "B"], *, weight: float) -> None:
            variations = {"wght": weight, "wdth": 100.0}
            self.add_font(
                "paper",
                style,
                path,
                variations=variations,  # type: ignore[call-arg] # the stubs are of 2.8.4
            )

        def say(
            self,
            text: str,
            *,
            x: float,
            y: float,
            width: float,
            size: float = 9,
            bold: bool = False,
            align: Literal["L", "C", "R"] = "L",
        ) -> None:
            """One line of text, smaller where it would not fit."""
            is_khmer = any(ord(letter) in _KHMER for letter in text)
            self.set_text_shaping(True, script="khmr" if is_khmer else "latn")
            self.set_font("paper", "B" if bold else "")
            self.set_font_size(size)
            wide = self.get_string_width(text)
            if wide > width - 2:
                self.set_font_size(max(4.0, size * (width - 2) / wide))
            self.set_xy(x, y)
            self.cell(width, _LINE_MM, text, align=align)

        def say_both(
            self, said: Phrase, *, x: float, y: float, width: float, bold: bool = False
        ) -> None:
            """Khmer, and English below it."""
            self.say(said.km, x=x, y=y, width=width, bold=bold, align="C")
            if said.en != said.km:
                self.say(said.en, x=x, y=y + 4.6, width=width, size=7.5, align="C")

        def begin_page(self) -> float:
            """A further page with the headings of the table; where the next row begins."""
            self.add_page()
            y = self.header_facts() if self.page == 1 else _MARGIN_MM
            x = _MARGIN_MM
            for column in paper.columns:
                self.rect(x, y, column.width_mm, _HEAD_MM)
                self.say_both(column.heading, x=x, y=y + 0.6, width=column.width_mm, bold=True)
                x += column.width_mm
            return y + _HEAD_MM

        def header_facts(self) -> float:
            """What stands above the table; where that ends."""
            km, en, x, width = paper.title.km, paper.title.en, _MARGIN_MM, _WIDTH_MM
            self.say(km, x=x, y=9, width=width, size=15, bold=True, align="C")
            self.say(en, x=x, y=16, width=width, size=11, align="C")
            return self.facts(paper.facts, y=24.0) + 3

        def facts(self, told: Sequence[tuple[Phrase, Phrase]], *, y: float) -> float:
            """Names and what they are, a line each, or two; where that ends."""
            for name, value in told:
                width = _WIDTH_MM - _FACT_MM
                self.say(f"{name.km}", x=_MARGIN_MM, y=y, width=30, size=8.5)
                self.say(f"{name.en}", x=_MARGIN_MM + 30, y=y, width=_FACT_MM - 30, size=8)
                self.say(value.km, x=_MARGIN_MM + _FACT_MM, y=y, width=width, bold=True)
                if value.en != value.km:
                    y += _LINE_MM - 0.4
                    self.say(value.en, x=_MARGIN_MM + _FACT_MM, y=y, width=width, size=8)
                y += _LINE_MM
            return y

        def footer(self) -> None:
            """The paper's code, and which page of how many this is."""
            y = self.h - _FOOT_MM + 2
            self.say(paper.code, x=_MARGIN_MM, y=y, width=90, size=8, bold=True)
            pages = f"{self.page} / {{pages}}"
            self.say(pages, x=_MARGIN_MM + 172, y=y, width=30, size=8)

    printer = Printer()
    y = printer.begin_page()
    # The end stays together, with the last row: who signs it has a line of the list before them.
    closing_mm = 12 * len(paper.closing) + 9 * len(paper.notes) + (36 if paper.signed_by else 0)
    for place, row in enumerate(paper.rows, start=1):
        needed_mm = paper.row_mm + (closing_mm if place == len(paper.rows) else 0)
        if y + needed_mm > printer.h - _FOOT_MM:
            y = printer.begin_page()
        x = _MARGIN_MM
        for column, text in zip(paper.columns, row, strict=True):
            printer.rect(x, y, column.width_mm, paper.row_mm)
            printer.say(
                text,
                x=x,
                y=y + (paper.row_mm - _LINE_MM) / 2,
                width=column.width_mm,
                align=column.align,
            )
            x += column.width_mm
        y += paper.row_mm
    y = printer.facts(paper.closing, y=y + 3)
    for note in paper.notes:
        printer.say(note.km, x=_MARGIN_MM, y=y, width=_WIDTH_MM, size=8)
        printer.say(note.en, x=_MARGIN_MM, y=y + 4.2, width=_WIDTH_MM, size=7)
        y += 9
    for place, who in enumerate(paper.signed_by):
        width = _WIDTH_MM / len(paper.signed_by)
        x = _MARGIN_MM + place * width
        printer.say_both(who, x=x, y=y + 2, width=width)
        printer.line(x + 8, y + 30, x + width - 8, y + 30)
    return bytes(printer.output())


def numbered(number: int) -> str:
    """A line's number as it is printed: in figures that both languages' readers know."""
    return f"{number} / {khmer_digits(str(number))}"
