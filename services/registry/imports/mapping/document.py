"""A mapping: what each column of a kind of file is, and how its cells are written."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.fields import Count
from services.registry.households.fields import Field as Known
from services.registry.households.shape import COMMUNE, POVERTY_STATUS, REGISTRATION_NUMBER, SHAPE
from services.registry.imports.mapping.days import Calendar, DateOrder, Era
from services.registry.imports.mapping.words import choices_of
from services.registry.members.shape import MEMBER_SHAPE
from shared.values import Text, Whole

LONGEST_HEADING = 200
_MOST_COLUMNS, _MOST_WORDS = 100, 500
_LONGEST_WORD = 100


class RowsOf(StrEnum):
    """What a row of a file is."""

    HOUSEHOLDS = "households"
    MEMBERS = "members"


def fields_of(rows_of: RowsOf) -> Sequence[Known]:
    """What a file of that kind can say."""
    return {RowsOf.HOUSEHOLDS: SHAPE, RowsOf.MEMBERS: MEMBER_FILE}[rows_of]


MAPPING_EXAMPLE: dict[str, Any] = {
    "rows_of": "households",
    "sheet": None,
    "columns": [
        {"heading": "លេខប័ណ្ណសមធម៌", "field": "registration_number", "digits": None},
        {"heading": "លេខកូដឃុំ", "field": "commune_code", "digits": 6},
    ],
    "defaults": [{"field": "pregnant", "value": "0"}],
    "words": [{"field": "poverty_status", "word": "ក្រ១", "means": "poor-1"}],
    "date_order": "day-first",
    "buddhist_era": None,
}

OF_HOUSEHOLD: tuple[Known, ...] = tuple(
    known
    for known in SHAPE
    if known is not REGISTRATION_NUMBER and not isinstance(known.kind, Count)
)
"""What a row of a member says of the household beside its number: its counts are its members'."""
MEMBER_FILE: tuple[Known, ...] = (REGISTRATION_NUMBER, *MEMBER_SHAPE, *OF_HOUSEHOLD)
"""Every field of a file of members, in the order of a template's columns."""


FieldName = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9_]{0,62}$",
        max_length=63,
        description="A field, as `GET /v1/imports/template` heads it in English letters.",
        examples=["commune_code"],
    ),
]
Heading = Annotated[str, Text(longest=LONGEST_HEADING)]
Word = Annotated[str, Text(longest=_LONGEST_WORD)]


class ColumnMapping(BaseModel):
    """One column of the file."""

    model_config = ConfigDict(extra="forbid")

    heading: Heading = Field(description="As the file has it.", examples=["លេខកូដឃុំ"])
    field: FieldName
    digits: Annotated[int, Whole(least=1, most=40)] | None = Field(
        default=None,
        description="How many digits the code has: the zeros that a spreadsheet took away are put "
        "back in front, and counted in a note. Null: nothing is put in front.",
        examples=[6],
    )


class FieldDefault(BaseModel):
    """What a field is where the file has no column for it, or nothing stands in its cell."""

    model_config = ConfigDict(extra="forbid")

    field: FieldName
    value: Word = Field(examples=["0"])


class WordMeaning(BaseModel):
    """What a word of the file means, for a field that is one of a few."""

    model_config = ConfigDict(extra="forbid")

    field: FieldName
    word: Word = Field(examples=["ក្រ១"])
    means: Word | None = Field(
        description="Null: nothing, as a slip of the pen; rows that have the word are bad.",
        examples=["poor-1"],
    )


class MappingDocument(BaseModel):
    """How the files of one kind are read."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [MAPPING_EXAMPLE],
        },
    )

    rows_of: RowsOf = Field(default=RowsOf.HOUSEHOLDS, description="What a row is.")
    sheet: Annotated[str, Text(longest=31)] | None = Field(
        default=None, description="Of a workbook; null: the one that was looked at."
    )
    columns: list[ColumnMapping] = Field(
        max_length=_MOST_COLUMNS, description="Columns that are not named here are not read."
    )
    defaults: list[FieldDefault] = Field(default=[], max_length=_MOST_COLUMNS)
    words: list[WordMeaning] = Field(
        default=[],
        max_length=_MOST_WORDS,
        description="Beside the words that are known without: those of the template.",
    )
    date_order: DateOrder | None = Field(
        default=None,
        description="Of days such as 04/05/1986. Null: such a day is a fault, and only days that "
        "can be read in one way are.",
    )
    buddhist_era: Era | None = Field(
        default=None,
        description="How the years from 2400 on are counted: `civil` is 543 ahead, as in Thailand; "
        "`visakha` 544 from Visakha Bochea on, as in Cambodia. Null: days that differ by it are "
        "faults.",
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        known = {field.header: field for field in fields_of(self.rows_of)}
        named = [column.field for column in self.columns]
        for given in (*named, *(default.field for default in self.defaults)):
            if given not in known:
                raise ValueError(f"There is no field {given}. The fields are {', '.join(known)}.")
        for names, what in (
            (named, "field"),
            ([column.heading for column in self.columns], "heading"),
            ([default.field for default in self.defaults], "default"),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"A {what} is named twice. Name each once.")
        for word in self.words:
            if word.field not in known:
                raise ValueError(f"There is no field {word.field}.")
            choices = choices_of(known[word.field])
            if word.means not in choices and (word.means is not None or not choices):
                raise ValueError(
                    f"A word for {word.field} means none of what that can be: write one of "
                    f"{', '.join(choices)}."
                    if choices
                    else f"{word.field} is not one of a few words, so none has a meaning."
                )
        return self

    @property
    def says_households(self) -> bool:
        """Whether rows of members say where their household is, and so register it."""
        given = {column.field for column in self.columns}
        given |= {default.field for default in self.defaults}
        return not given.isdisjoint({COMMUNE.header, POVERTY_STATUS.header})

    @property
    def calendar(self) -> Calendar:
        """How days are read."""
        return Calendar(order=self.date_order, era=self.buddhist_era)
