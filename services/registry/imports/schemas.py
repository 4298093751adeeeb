"""How imports look over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.accounts.schemas import AccountBatchOut
from services.registry.households.fields import Field as HouseholdField
from services.registry.households.shape import HEADERS, SHAPE
from services.registry.imports.file_schemas import ImportRunOut
from services.registry.imports.mapping.document import RowsOf
from services.registry.imports.tables import ImportStatus
from shared.values import Text

CSV_EXAMPLE = ",".join(HEADERS) + "\n" + ",".join(str(field.example) for field in SHAPE) + "\n"


def _described(field: HouseholdField) -> str:
    kept = ", personal: sealed before it is stored" if field.personal else ""
    return f"| `{field.header}` | {field.described}{kept} | {field.remedy} |"


CSV_DESCRIPTION = "\n".join(
    [
        "A household a row, in UTF-8, under a header of these columns (the last may be missing):",
        "",
        "| column | what it is | how to write it |",
        "|---|---|---|",
        *(_described(field) for field in SHAPE),
    ]
)


class ImportIn(BaseModel):
    """An import to come."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"source": "IDPoor round 2022", "note": "Provinces 01 and 02"}]
        },
    )

    source: Annotated[str, Text(longest=200)] = Field(description="Where the rows come from.")
    note: Annotated[str, Text(longest=1_000, shortest=0, lines=True)] = ""
    rows_of: RowsOf = Field(default=RowsOf.HOUSEHOLDS, description="What a row of its file is.")


class ImportOut(BaseModel):
    """An import, with the counts of its last sending."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "source": "IDPoor round 2022",
                    "note": "Provinces 01 and 02",
                    "status": "completed",
                    "created_by": "officer@nspc.example",
                    "created_at": "2022-11-01T02:00:00Z",
                    "begun_at": "2022-11-01T02:01:00Z",
                    "ended_at": "2022-11-01T02:01:30Z",
                    "rows_read": 678440,
                    "households_added": 678438,
                    "households_changed": 0,
                    "households_unchanged": 0,
                    "rows_rejected": 2,
                    "stopped_at_line": None,
                    "sent_by": "officer@nspc.example",
                    "accounts_changed": 0,
                    "account_changes": [],
                    "rows_of": "households",
                    "last_run": None,
                }
            ]
        },
    )

    id: UUID
    source: str
    note: str
    status: ImportStatus = Field(
        description="`interrupted`: the rows counted here are saved; send the whole file again."
    )
    created_by: str
    created_at: datetime
    sent_by: str | None = Field(description="Who sent the rows, the last time.")
    begun_at: datetime | None
    ended_at: datetime | None
    rows_read: int
    households_added: int
    households_changed: int
    households_unchanged: int
    rows_rejected: int
    stopped_at_line: int | None = Field(
        description="Where the last sending was stopped for too many faults; null: it was not. "
        "The rows before that line are saved, or listed as rejected; none from there on was read. "
        "Look at the rejections, correct the file, and send all of it again."
    )
    accounts_changed: int = Field(
        description="Of known households, changed by the last sending alone."
    )
    account_changes: list[AccountBatchOut] = Field(
        description="Of known households, those that wait, or waited, for a second person."
    )
    rows_of: RowsOf
    last_run: ImportRunOut | None = Field(
        description="How far the last reading of its file is; null: none was asked for."
    )


class RejectionOut(BaseModel):
    """One fault of one rejected row. What the row said is not repeated: it may be personal."""

    line: int = Field(description="Where the row begins; the header is line 1.", examples=[17])
    column: str = Field(
        description="The column at fault; `row` for the row as a whole.",
        examples=["commune_code"],
    )
    code: str = Field(examples=["unknown"])
    detail: str = Field(
        description="How to mend it.",
        examples=["Write the six digits of a commune of the gazetteer."],
    )
    wrong: str = Field(
        description="What is wrong, in English.", examples=["It is none of those that are known."]
    )
    wrong_km: str = Field(description="What is wrong, in Khmer.", examples=["មិនមានក្នុងបញ្ជី។"])
    detail_km: str = Field(
        description="How to mend it, in Khmer.",
        examples=["សូមសរសេរលេខកូដឃុំ/សង្កាត់ ៦ ខ្ទង់ រួមទាំងលេខសូន្យខាងមុខ។"],
    )
