"""Bodies about files of figures that are sent by hand."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.feeds.schemas import Refusal
from shared.documents import Code
from shared.values import Text


class ObservationImportIn(BaseModel):
    """A file to come: as what it is read, and why it comes by hand."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "feed": "wfp-food-prices",
                    "note": "Their server has been away since Monday; the file came by mail.",
                }
            ]
        },
    )

    feed: Annotated[
        Code,
        Field(
            description="The feed whose document says how the file is read, of which source and "
            "which indicators it is, and how large it may be. It may be retired (`enabled` false): "
            "what is only ever sent by hand has such a one."
        ),
    ]
    note: Annotated[
        str, Text(longest=1_000, lines=True), Field(description="Where it comes from, and why.")
    ]


class ObservationImportOut(BaseModel):
    """A file of figures, and what came of it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "feed_code": "wfp-food-prices",
                    "feed_version": 1,
                    "note": "Their server has been away since Monday; the file came by mail.",
                    "created_by": "officer@nspc.example",
                    "created_at": "2026-01-05T05:00:00Z",
                    "sent_by": "officer@nspc.example",
                    "read_at": "2026-01-05T05:01:00Z",
                    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "seen": 54798,
                    "recorded": 0,
                    "unchanged": 3126,
                    "set_aside": 0,
                    "refused": 1,
                    "refusals": [
                        {
                            "where": "line 54790",
                            "reason": "Its month is none: write YYYY-MM, or YYYY-MM-DD.",
                        }
                    ],
                    "proposed": 38,
                    "approval_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
                }
            ]
        },
    )

    id: UUID
    feed_code: str
    feed_version: Annotated[int, Field(description="By which the file is read.")]
    note: str
    created_by: str
    created_at: datetime
    sent_by: Annotated[
        str | None, Field(description="Who sent the file: `posted_by` of its observations.")
    ]
    read_at: Annotated[
        datetime | None, Field(description="Null: no file that could be read has come.")
    ]
    digest: Annotated[str | None, Field(description="SHA-256 of the file, in hexadecimals.")]
    seen: Annotated[int, Field(description="Rows, alerts or features, wanted or not.")]
    recorded: Annotated[int, Field(description="New values and new revisions.")]
    unchanged: Annotated[int, Field(description="Rows that were known as they are.")]
    set_aside: Annotated[
        int,
        Field(
            description="Rows that are doubtful by themselves: `GET /v1/doubtful-observations`. "
            "What is recorded is held against its series when it is judged, as any figure is."
        ),
    ]
    refused: int
    refusals: Annotated[list[Refusal], Field(description="The first hundred, with reasons.")]
    proposed: Annotated[
        int,
        Field(
            description="Rows of indicators that a trigger in force reads. They count once a "
            "second person approves them, and not before."
        ),
    ]
    approval_id: Annotated[
        UUID | None, Field(description="The proposal about them: `GET /v1/approvals/{id}`.")
    ]
