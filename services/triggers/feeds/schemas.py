"""How feeds look over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.outcomes import Alarm, Outcome
from services.triggers.feeds.shipped import shipped_document
from shared.documents import VersionOut

_HEALTH: dict[str, Any] = {
    "next_pull_at": "2026-01-05T11:00:00Z",
    "answered_at": "2026-01-05T05:00:00Z",
    "new_at": "2025-11-02T05:00:00Z",
    "failures": 0,
    "alarm": "silent",
    "alarmed_at": "2026-01-01T05:00:00Z",
}


class FeedHealth(BaseModel):
    """How a feed stands."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_HEALTH]})

    next_pull_at: Annotated[
        datetime | None, Field(description="By the machine's clock; null: it is retired.")
    ]
    answered_at: Annotated[
        datetime | None, Field(description="The last answer that could be read.")
    ]
    new_at: Annotated[datetime | None, Field(description="The last answer with new figures.")]
    failures: Annotated[int, Field(description="Pulls in a row that brought nothing readable.")]
    alarm: Annotated[
        Alarm | None,
        Field(
            description="`silent`: nothing came for longer than its document says. `failing`: "
            "several pulls in a row brought nothing readable. null: it is well."
        ),
    ]
    alarmed_at: datetime | None


class FeedOut(VersionOut[FeedDocument]):
    """One version of a feed; where it is the one in force, with how the feed stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "wfp-food-prices",
                    "version": 1,
                    "posted_by": "officer@nspc.example",
                    "posted_at": "2026-01-01T02:00:00Z",
                    "document": shipped_document("wfp-food-prices"),
                    "health": _HEALTH,
                }
            ]
        }
    )

    health: FeedHealth | None = None


class Refusal(BaseModel):
    """Something that was sent and is not recorded."""

    where: str
    reason: str


class PullOut(BaseModel):
    """One time that a feed was asked for, and what came of it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "sequence": 41,
                    "feed_version": 1,
                    "began_at": "2026-01-05T05:00:00Z",
                    "ended_at": "2026-01-05T05:00:04Z",
                    "outcome": "read",
                    "status": 200,
                    "detail": None,
                    "seen": 54798,
                    "recorded": 38,
                    "unchanged": 3126,
                    "set_aside": 0,
                    "refused": 1,
                    "refusals": [
                        {
                            "where": "line 54790",
                            "reason": "Its month is none: write YYYY-MM, or YYYY-MM-DD.",
                        }
                    ],
                    "etag": '"5d1c-62a"',
                    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                }
            ]
        },
    )

    sequence: Annotated[int, Field(description="Rises with each pull of any feed.")]
    feed_version: int
    began_at: datetime
    ended_at: datetime
    outcome: Outcome
    status: Annotated[int | None, Field(description="Of HTTP; null: there was no answer.")]
    detail: Annotated[str | None, Field(description="Why nothing was read.")]
    seen: Annotated[int, Field(description="Rows, alerts or features, wanted or not.")]
    recorded: Annotated[int, Field(description="New values and new revisions.")]
    unchanged: Annotated[int, Field(description="Rows that were known as they are.")]
    set_aside: Annotated[
        int,
        Field(
            description="Rows that are doubtful by themselves, such as of an unknown place or in a "
            "unit that cannot be brought into the indicator's: `GET /v1/doubtful-observations`."
        ),
    ]
    refused: int
    refusals: Annotated[list[Refusal], Field(description="The first hundred, with reasons.")]
    etag: str | None
    digest: Annotated[str | None, Field(description="SHA-256 of the body, in hexadecimals.")]
