"""How what is asked of partners, and what is on its way to them, looks over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.registry.spdci.later.tables import DeliveryStatus
from shared.values import Text, Whole

_MAXIMUM_QUERY = 4_000


def _query(written: str) -> str:
    try:
        query = orjson.loads(written)
    except orjson.JSONDecodeError:
        raise ValueError("It is no JSON: write the query as the standard has it.") from None
    if not isinstance(query, dict | list):
        raise ValueError("A query is an object, or a list of predicates.")
    return written


_Type = Annotated[str, Field(max_length=99, pattern=r"^[A-Za-z0-9:._/-]+$")]


class SearchIn(BaseModel):
    """One search of a partner's registry, as the standard has it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "query_type": "idtype-value",
                    "query": '{"type": "UIN", "value": "010203045"}',
                    "reg_type": "ns:org:RegistryType:Civil",
                    "reg_record_type": "Person",
                    "page_size": 100,
                }
            ]
        },
    )

    query_type: Literal["idtype-value", "expression", "predicate"]
    query: Annotated[
        str,
        Text(longest=_MAXIMUM_QUERY, lines=True),
        AfterValidator(_query),
        Field(description="The query as the standard has it, as JSON in a text."),
    ]
    reg_type: _Type | None = None
    reg_record_type: _Type | None = None
    response_entity: Literal["Group", "Member"] | None = None
    page_size: Annotated[int, Whole(least=1, most=1_000)] = 100
    page_number: Annotated[int, Whole(least=1, most=100_000)] = 1

    def criteria(self) -> dict[str, Any]:
        """The search's ``search_criteria``."""
        told = self.model_dump(exclude_none=True, exclude={"query", "page_size", "page_number"})
        return {
            "version": "1.0.0",
            **told,
            "query": orjson.loads(self.query),
            "pagination": {"page_size": self.page_size, "page_number": self.page_number},
        }


class DeliveryOut(BaseModel):
    """One message to a partner, without what it says."""

    id: UUID = Field(description="The `message_id`, in every attempt.")
    action: str = Field(examples=["on-search"])
    status: DeliveryStatus
    attempts: int = Field(examples=[1])
    made_at: datetime
    attempted_at: datetime | None
    next_attempt_at: datetime | None = Field(description="Null: none follows.")
    finished_at: datetime | None
    answer_status: int | None = Field(
        description="The HTTP status of the last answer.", examples=[200]
    )
    detail: str | None = Field(
        description="Why there was no answer, or not a good one.",
        examples=["It did not answer within 15 seconds."],
    )


class ReceivedOut(BaseModel):
    """One message that a partner sent, without what it says."""

    id: UUID
    action: str = Field(examples=["notify"])
    message_id: str = Field(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11"])
    transaction_id: str = Field(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a15"])
    received_at: datetime


class ReceivedMessageOut(ReceivedOut):
    """One message that a partner sent."""

    message: dict[str, Any] = Field(description="As it came; it may name persons.")


class SearchOut(BaseModel):
    """A search of a partner's registry."""

    id: UUID = Field(description="Its `transaction_id`.")
    sender_id: str = Field(examples=["spmis.mosvy.gov.kh"])
    asked_by: str = Field(examples=["officer@example.org"])
    asked_at: datetime
    delivery: DeliveryOut | None = Field(description="How it is sent; null: it is too long ago.")
    answers: list[ReceivedMessageOut]


class SearchAskedOut(BaseModel):
    """A search that is sent to a partner."""

    id: UUID
    sender_id: str = Field(examples=["spmis.mosvy.gov.kh"])
