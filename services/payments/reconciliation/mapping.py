"""How a provider's CSV is read: a versioned document, by the provider's code."""

from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.repository import find_provider
from services.payments.reconciliation.tables import StatementMapping
from shared.documents import Document, DocumentKind, VersionOut
from shared.errors import Unprocessable
from shared.values import Text

ColumnName = Annotated[str, Text(longest=64)]
Value = Annotated[str, Text(longest=64)]

_EXAMPLE: Final[dict[str, Any]] = {
    "code": "mekong",
    "delimiter": ",",
    "columns": {
        "our_id": "Correlation ID",
        "reference": "Transaction ID",
        "amount": "Amount",
        "currency": "Currency",
        "direction": "Type",
        "booked_at": "Time",
        "balance": "Balance",
    },
    "out_values": ["disbursement", "charge"],
    "in_values": ["deposit", "reversal"],
    "time_format": None,
}


class Columns(BaseModel):
    """The heading of each column that is read. Every other column is left unread."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: ColumnName
    our_id: ColumnName | None = Field(
        default=None, description="Where our instruction's id stands, with or without hyphens."
    )
    reference: ColumnName | None = Field(
        default=None, description="Where the provider's own reference stands."
    )
    currency: ColumnName | None = Field(
        default=None, description="None: every line is in the provider's currency."
    )
    direction: ColumnName | None = Field(
        default=None, description="None: an amount with a minus went out, any other came in."
    )
    booked_at: ColumnName | None = None
    balance: ColumnName | None = Field(
        default=None, description="What was left after the line, in the order of time."
    )

    @model_validator(mode="after")
    def _tells_which_payment(self) -> Self:
        if self.our_id is None and self.reference is None:
            raise ValueError("Name the column of our_id, of reference, or both.")
        return self


class StatementMappingDocument(Document):
    """How the CSV of the provider with this code is read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]}
    )

    delimiter: Annotated[str, Field(pattern=r"^[,;|\t]$", max_length=1)] = ","
    columns: Columns
    out_values: list[Value] = Field(
        default=[], max_length=50, description="What the column direction says of money going out."
    )
    in_values: list[Value] = Field(
        default=[], max_length=50, description="What the column direction says of money coming in."
    )
    time_format: Annotated[str, Text(longest=40)] | None = Field(
        default=None,
        description="As Python's `strptime` has it, such as `%d/%m/%Y %H:%M:%S`; none: ISO 8601. "
        "A time without an offset is in the country's zone.",
    )

    @model_validator(mode="after")
    def _directions_are_told(self) -> Self:
        if (self.columns.direction is None) == bool(self.out_values or self.in_values):
            raise ValueError(
                "Give out_values and in_values with a column direction, and without it neither."
            )
        if set(self.out_values) & set(self.in_values):
            raise ValueError("The same value cannot mean out and in.")
        return self


class StatementMappingOut(VersionOut[StatementMappingDocument]):
    """One version of how a provider's CSV is read."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "mekong",
                    "version": 1,
                    "posted_by": "treasurer@nspc.example",
                    "posted_at": "2020-10-01T02:00:00Z",
                    "document": _EXAMPLE,
                }
            ]
        },
    )


async def _of_a_provider(session: AsyncSession, document: StatementMappingDocument) -> None:
    if await find_provider(session, document.code) is None:
        raise Unprocessable(
            f"There is no provider {document.code}. The code of a statement mapping is its "
            "provider's: GET /v1/providers lists them."
        )


MAPPINGS: Final = DocumentKind(
    noun="statement mapping",
    path="/v1/statement-mappings",
    table=StatementMapping,
    document=StatementMappingDocument,
    version_out=StatementMappingOut,
    check=_of_a_provider,
)
