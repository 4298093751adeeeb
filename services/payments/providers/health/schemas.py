"""How a provider answers, as it is shown with the provider."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.payments.providers.health.repository import WINDOW_MINUTES
from services.payments.statements import AnyRow


class ProviderState(StrEnum):
    ANSWERING = "answering"
    """Its last word told something, whatever that was."""
    FAILING = "failing"
    """It failed since it answered last."""
    DOWN = "down"
    """It has failed for long enough to be an alarm."""
    QUIET = "quiet"
    """Nothing was asked of it lately."""


class HealthOut(BaseModel):
    """How a provider answers all workers together."""

    state: ProviderState
    last_reply_at: datetime | None = Field(
        description="When it told something last; null: never, as far as is known."
    )
    last_failure_at: datetime | None
    last_failure: str | None = Field(description="A code, such as `timeout` or `http_503`.")
    failing_since: datetime | None = Field(
        description="The first failure after the last reply; null: it answers."
    )
    resting_until: datetime | None = Field(
        description="It asked to be left alone until then (`Retry-After`), and no worker sends to "
        "it or asks it before; null: it did not."
    )
    resting_because: str | None = Field(
        description="By which answer it asked, a code such as `http_429`."
    )
    replies: int = Field(description=f"In the last {WINDOW_MINUTES} minutes.")
    failures: int = Field(
        description="Requests without a reply that could be used, in the same time."
    )
    error_rate: Annotated[
        float | None, Field(description="Failures of all of them, from 0 to 1; null: none was.")
    ]
    unknown_count: int = Field(description="Payments of which nobody knows what became of them.")
    unknown_minor: int
    unknown_oldest_seconds: int | None = Field(
        description="Since the oldest of them may have been sent first."
    )
    float_lasts_seconds: int | None = Field(
        description="How long its float lasts at the rate of the same time; null: nothing was "
        "sent to it."
    )

    @classmethod
    def of(cls, row: AnyRow) -> Self:
        """What the row of a provider says of its health."""
        asked = row.replies + row.failures
        return cls(
            state=_state(row, asked=asked),
            last_reply_at=row.last_reply_at,
            last_failure_at=row.last_failure_at,
            last_failure=row.last_failure,
            failing_since=row.failing_since,
            resting_until=row.resting_until,
            resting_because=row.resting_because,
            replies=row.replies,
            failures=row.failures,
            error_rate=round(row.failures / asked, 4) if asked else None,
            unknown_count=row.unknown_count,
            unknown_minor=row.unknown_minor,
            unknown_oldest_seconds=row.unknown_oldest_seconds,
            float_lasts_seconds=(
                int(row.float_minor * max(row.recent_seconds, 1) / row.sent_minor)
                if row.sent_minor
                else None
            ),
        )


def _state(row: AnyRow, *, asked: int) -> ProviderState:
    if row.is_down:
        return ProviderState.DOWN
    if row.failing_since is not None:
        return ProviderState.FAILING
    return ProviderState.ANSWERING if asked else ProviderState.QUIET
