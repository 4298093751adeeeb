"""Moments at which the books are read."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from shared.clock import ClockDependency
from shared.errors import Unprocessable
from shared.values import Instant


async def _past(
    clock: ClockDependency,
    at: Annotated[
        Instant | None,
        Query(
            description="The moment, with its offset from UTC; now, if it is not given.",
            examples=["2020-10-31T17:00:00Z"],
        ),
    ] = None,
) -> datetime | None:
    if at is not None and at > clock.now():
        raise Unprocessable("`at` is to come: what the books will say then is not known.")
    return at


Moment = Annotated[datetime | None, Depends(_past)]
"""The query parameter ``at``: a moment that is not to come; None is now."""
