"""Values that come from outside: text, numbers, days, yes and no.

Every body, path, query and header of the services is made of these types, of enumerations, UUIDs,
and of codes, whose pattern and length say all of it. They are parsed into one form or refused
with a 422, so that nothing later has to fear what a caller sent. A check
(``tests/checks/inbound.py``) tries each field of each operation.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

STORED: Final[Mapping[str, bool]] = {"stored": True}
"""The context in which what was taken under earlier rules is validated: it stays readable."""

# Control characters, invisible and deprecated format characters, line and paragraph separators,
# everything that turns the direction of writing, the signs of text that was damaged on its way,
# private use and what is no character. Zero-width spaces and joiners are left: Khmer is written
# with them, and so is the word joiner.
_UNFIT_OF_THE_FIRST_PLANE = (
    r"\u007f-\u009f\u00ad\u061c\u180e\u200e\u200f\u2028-\u202e\u2061-\u206f"
    r"\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\uffff"
)
_UNFIT_BEYOND = r"\ud800-\udfff\U000e0000-\U0010ffff"
_BUT_LINES = r"\u0000-\u0008\u000b-\u001f"
_ALL_CONTROLS = r"\u0000-\u001f"

UNFIT_FOR_A_LINE = re.compile(f"[{_ALL_CONTROLS}{_UNFIT_OF_THE_FIRST_PLANE}{_UNFIT_BEYOND}]")
"""What a name, or any other text on one line, cannot hold."""
_UNFIT_FOR_LINES = re.compile(f"[{_BUT_LINES}{_UNFIT_OF_THE_FIRST_PLANE}{_UNFIT_BEYOND}]")

_LINE_END = re.compile(r"\r\n?")
_UNSEEN_AT_THE_ENDS = " \t\n\u00a0\u200b\u200c\u200d\u2060\u3000"
_UNFIT = (
    "It holds a character that is not text: a control character, one that turns the direction of "
    "writing, or one that was damaged on its way. Leave it out{lines}."
)


@dataclass(frozen=True, kw_only=True)
class Text:
    """Says of a ``str`` that it is words of a person: ``Annotated[str, Text(longest=200)]``.

    It is taken in Unicode's form NFC and without blanks around it. ``lines``: it may have several,
    which then end with a line feed alone.
    """

    longest: int
    shortest: int = 1
    lines: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        _require(source, str, by=self)
        return core_schema.with_info_after_validator_function(
            self._taken, core_schema.str_schema(max_length=self.longest)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Escapes that every reader of JSON Schema knows; it says less than what is refused.
        controls = _BUT_LINES if self.lines else _ALL_CONTROLS
        return {
            **handler(schema),
            "minLength": self.shortest,
            "pattern": f"^[^{controls}{_UNFIT_OF_THE_FIRST_PLANE}]*$",
        }

    def _taken(self, text: str, info: core_schema.ValidationInfo) -> str:
        if info.context is STORED:
            return text
        if self.lines:
            text = _LINE_END.sub("\n", text)
        unfit = _UNFIT_FOR_LINES if self.lines else UNFIT_FOR_A_LINE
        if unfit.search(text):
            raise ValueError(_UNFIT.format(lines="" if self.lines else ", and write one line"))
        text = unicodedata.normalize("NFC", text).strip(_UNSEEN_AT_THE_ENDS)
        if len(text) < self.shortest:
            raise ValueError(
                f"It has fewer than {self.shortest} characters that can be seen. Write more."
                if self.shortest > 1
                else "It says nothing. Write something."
            )
        return text


_WHOLE = re.compile(r"-?[0-9]{1,19}")
_MAXIMUM_DECIMAL_CHARACTERS = 40
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Says of an ``int`` that it is a whole number from ``least`` to ``most``.

    A yes or no is none, nor is a text in which anything stands beside the digits 0 to 9.
    """

    least: int
    most: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        _require(source, int, by=self)
        return core_schema.no_info_before_validator_function(
            _of_whole_digits, core_schema.int_schema(ge=self.least, le=self.most)
        )


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Says of a ``float`` that it is a number from ``least`` to ``most``, to compute with."""

    least: float
    most: float

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        _require(source, float, by=self)
        return core_schema.no_info_before_validator_function(
            _of_decimal_digits,
            core_schema.float_schema(ge=self.least, le=self.most, allow_inf_nan=False),
        )


@dataclass(frozen=True, kw_only=True)
class Exact:
    """Says of a ``Decimal`` that it is a number of so many digits at most, kept as written."""

    digits: int
    decimals: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        _require(source, Decimal, by=self)
        return core_schema.no_info_before_validator_function(
            _of_decimal_digits,
            core_schema.decimal_schema(max_digits=self.digits, decimal_places=self.decimals),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        beyond = 10 ** (self.digits - self.decimals)
        return {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": -beyond, "exclusiveMaximum": beyond},
                {
                    "type": "string",
                    "pattern": f"^{_DECIMAL.pattern}$",
                    "maxLength": _MAXIMUM_DECIMAL_CHARACTERS,
                },
            ]
        }


def _require(source: Any, wanted: type, *, by: object) -> None:
    if source is not wanted:
        raise TypeError(f"{by} describes {wanted.__name__}, not {source}: put it beside that.")


def _of_whole_digits(given: Any) -> Any:
    if isinstance(given, bool) or (isinstance(given, str) and not _WHOLE.fullmatch(given)):
        raise ValueError("Write a whole number in the digits 0 to 9.")
    return given


def _of_decimal_digits(given: Any) -> Any:
    is_written = isinstance(given, str) and len(given) <= _MAXIMUM_DECIMAL_CHARACTERS
    is_text = isinstance(given, str) and not (is_written and _DECIMAL.fullmatch(given))
    if isinstance(given, bool) or is_text:
        raise ValueError("Write a number in the digits 0 to 9, with a point before its decimals.")
    return given


def _of_a_day(given: Any) -> Any:
    if type(given) is not date and not (isinstance(given, str) and _DAY.fullmatch(given)):
        raise ValueError("Write a day as YYYY-MM-DD.")
    return given


Day = Annotated[date, BeforeValidator(_of_a_day)]
"""A day of the calendar as YYYY-MM-DD; no number of seconds stands for one."""


def _of_an_instant(given: Any) -> Any:
    if type(given) is not datetime and not (isinstance(given, str) and _INSTANT.match(given)):
        raise ValueError("Write an instant as YYYY-MM-DDTHH:MM:SS, with its offset from UTC or Z.")
    return given


def _in_utc(given: datetime) -> datetime:
    if given.tzinfo is None:
        raise ValueError("Say the offset from UTC, or Z.")
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise ValueError("In UTC this is outside of the years 1 to 9999.") from None


Instant = Annotated[datetime, BeforeValidator(_of_an_instant), AfterValidator(_in_utc)]
"""An instant with its offset, in UTC; no number of seconds stands for one."""

YesNo = Annotated[bool, Strict()]
"""JSON's ``true`` or ``false``, and no word or number that may be meant for one. In bodies."""
