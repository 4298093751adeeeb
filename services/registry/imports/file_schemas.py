"""How the files of imports, the readings of them and mappings look over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.imports.files.format import FileFormat
from services.registry.imports.mapping.document import MAPPING_EXAMPLE, MappingDocument
from services.registry.imports.mapping.proposing import Asked
from services.registry.imports.tables import RunKind, RunStatus
from shared.values import Text, YesNo

MappingName = Annotated[
    str,
    Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$", max_length=63, examples=["idpoor-excel"]),
]
"""In small letters, digits and hyphens."""

_RUN_EXAMPLE: dict[str, Any] = {
    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
    "import_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "kind": "dry-run",
    "all_or_nothing": False,
    "status": "running",
    "asked_by": "officer@nspc.example",
    "asked_at": "2022-11-01T02:00:00Z",
    "begun_at": "2022-11-01T02:00:01Z",
    "ended_at": None,
    "rows_read": 120000,
    "rows_good": 119980,
    "rows_bad": 20,
    "households_added": 119000,
    "households_changed": 180,
    "households_unchanged": 800,
    "members_added": 0,
    "members_changed": 0,
    "members_unchanged": 0,
    "members_left": 0,
    "share_done": 0.25,
    "seconds": 15.0,
    "seconds_left": 45.0,
    "stopped_because": None,
}


class ImportNoteOut(BaseModel):
    """What a reading put right by itself, as the mapping says, or wants to be known."""

    column: str = Field(examples=["commune_code"])
    code: str = Field(examples=["zeros-put-back"])
    rows: int = Field(examples=[20])
    detail: str = Field(
        examples=["Zeros that were missing in front were put back, as the mapping says."]
    )


class ImportRunIn(BaseModel):
    """A reading to come."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "dry-run", "all_or_nothing": False}]},
    )

    kind: RunKind = Field(
        description="`dry-run`: changes nothing, and says what `import` would do."
    )
    all_or_nothing: YesNo = Field(
        default=False,
        description="True: the file is read to its end first, and nothing is stored if a row is "
        "bad. False: good rows are stored, and bad ones listed.",
    )


class ImportRunOut(BaseModel):
    """A reading of a file, while it goes on and afterwards."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_RUN_EXAMPLE]})

    id: UUID
    import_id: UUID
    kind: RunKind
    all_or_nothing: bool
    status: RunStatus = Field(
        description="`stopped`: for what the file is, and what was stored before stays; `refused`: "
        "it was to be all or nothing, and a row is bad. A reading whose process died is `running` "
        "until the next process goes on with it, where it was."
    )
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    rows_read: int
    rows_good: int
    rows_bad: int
    households_added: int
    households_changed: int
    households_unchanged: int
    members_added: int
    members_changed: int
    members_unchanged: int
    members_left: int = Field(
        description="Who is no member any more, and stays so whatever the file says."
    )
    share_done: float = Field(description="Of the file, from 0 to 1.")
    seconds: float = Field(description="For how long it was read.")
    seconds_left: float | None = Field(
        description="If it goes on as it went until now; null: not known yet, or it has ended."
    )
    stopped_because: str | None = Field(description="And what to do.")


class ImportRunDetailsOut(ImportRunOut):
    """A reading, with what it put right."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _RUN_EXAMPLE
                | {
                    "notes": [
                        {
                            "column": "commune_code",
                            "code": "zeros-put-back",
                            "rows": 20,
                            "detail": "Zeros that were missing in front were put back, as the "
                            "mapping says.",
                        }
                    ]
                }
            ]
        }
    )

    notes: list[ImportNoteOut]


class ImportAreaOut(BaseModel):
    """What a reading found in one area."""

    model_config = ConfigDict(from_attributes=True)

    area_code: str = Field(
        description="Empty: rows that name no commune of the gazetteer.", examples=["0102"]
    )
    households_added: int = Field(examples=[119])
    households_changed: int = Field(examples=[2])
    households_unchanged: int = Field(examples=[8])
    rows_bad: int = Field(examples=[1])


class QuestionOut(BaseModel):
    """Something that the mapping has to say before the file is read."""

    about: Asked
    field: str = Field(examples=["poverty_status"])
    heading: str | None = Field(examples=["កម្រិតក្រីក្រ"])
    detail: str = Field(examples=["Say in `words` what each word means."])
    words: list[str] = Field(
        description="Words of the file's first rows that are not known.", examples=[["ក្រខ្លាំង"]]
    )


class ImportFileOut(BaseModel):
    """A file that was sent, and how it will be read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "format": "xlsx",
                    "size_bytes": 5126301,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "received_at": "2022-11-01T02:00:00Z",
                    "received_by": "officer@nspc.example",
                    "encoding": "utf-8",
                    "delimiter": None,
                    "sheet": "Households",
                    "sheets": ["Households", "Words"],
                    "merged_cells": 0,
                    "heading_row": 1,
                    "headings": ["លេខប័ណ្ណសមធម៌", "លេខកូដឃុំ", "ល.រ"],
                    "mapping": MAPPING_EXAMPLE,
                    "mapping_name": None,
                    "questions": [],
                    "ignored": ["ល.រ"],
                }
            ]
        }
    )

    format: FileFormat
    size_bytes: int
    sha256: str
    received_at: datetime
    received_by: str
    encoding: str
    delimiter: str | None = Field(description="Of CSV.")
    sheet: str | None = Field(
        description="Of a workbook: the sheet that is read, the first that has headings that are "
        "known. `PUT …/mapping` with another `sheet` of `sheets` takes that."
    )
    sheets: list[str]
    merged_cells: int = Field(
        description="Sets of merged cells of the sheet. The first cell of each has the value, and "
        "the others are empty: fill them in before the file is sent."
    )
    heading_row: int = Field(
        description="The line or row with the headings; 0: each object names its values."
    )
    headings: list[str]
    mapping: MappingDocument = Field(
        description="Proposed from the headings, or kept from an earlier file, or as it was given."
    )
    mapping_name: str | None = Field(description="Of the kept mapping that fits the file.")
    questions: list[QuestionOut] = Field(
        description="What the mapping has to say; as long as there are any, the file is not read."
    )
    ignored: list[str] = Field(description="Headings of columns from which nothing is read.")


class ImportMappingIn(BaseModel):
    """How the file of an import is to be read: by a kept mapping, by one that is given, or by the
    one that is proposed for another sheet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "idpoor-excel"}]}
    )

    name: MappingName | None = Field(default=None, description="A kept mapping's.")
    mapping: MappingDocument | None = None
    sheet: Annotated[str, Text(longest=31)] | None = Field(
        default=None,
        description="A sheet of the workbook, of `sheets`: its columns are looked at, and a "
        "mapping is proposed for them.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(given is not None for given in (self.name, self.mapping, self.sheet)) != 1:
            raise ValueError(
                "Give the name of a kept mapping, a mapping, or a sheet: one of the three."
            )
        return self


class KeptMappingOut(BaseModel):
    """A mapping that is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "idpoor-excel",
                    "mapping": MAPPING_EXAMPLE,
                    "changed_by": "officer@nspc.example",
                    "changed_at": "2022-11-01T02:00:00Z",
                }
            ]
        }
    )

    name: str
    mapping: MappingDocument
    changed_by: str
    changed_at: datetime
