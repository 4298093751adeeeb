"""Bodies about how far an activation is. Nothing in them is about a single person."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.payments.instructions.states import Status
from services.payments.progress.standing import By, Standing, States
from services.payments.unresolved.kinds import WAYS, UnresolvedKind

PROGRESS_EXAMPLE: JsonDict = {
    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
    "as_of": "2020-10-12T02:00:11.250000Z",
    "at_rest": False,
    "last_changed_at": "2020-10-12T02:00:11.118000Z",
    "ended_per_minute": 52000.0,
    "expected_end_at": None,
    "announced": [
        {
            "currency": "KHR",
            "announced_count": 5000,
            "announced_minor": 480_000_000,
            "not_raised_count": 0,
            "not_raised_minor": 0,
            "refused_count": 0,
            "refused_minor": 0,
            "set_aside_count": 1,
            "set_aside_minor": 96_000,
        }
    ],
    "totals": [
        {"status": "settled", "currency": "KHR", "count": 4990, "amount_minor": 479_040_000},
        {"status": "held", "currency": "KHR", "count": 9, "amount_minor": 864_000},
    ],
    "waits": [
        {
            "kind": "held",
            "currency": "KHR",
            "count": 9,
            "amount_minor": 864_000,
            "what_to_do": "Compare with the provider's statement. POST /v1/resolutions, for one, a "
            "list or all of a sort; another person approves it.",
        }
    ],
    "by": "province",
    "groups": [
        {
            "key": "02",
            "states": [
                {
                    "status": "settled",
                    "currency": "KHR",
                    "count": 4990,
                    "amount_minor": 479_040_000,
                },
                {"status": "held", "currency": "KHR", "count": 9, "amount_minor": 864_000},
            ],
        }
    ],
}


class StateOut(BaseModel):
    """So many payments in one state, and what was ordered for them."""

    status: Status
    currency: str
    count: int
    amount_minor: int

    @classmethod
    def all_of(cls, states: States) -> list[Self]:
        """One for each state and currency that has any."""
        return [
            cls(status=status, currency=currency, count=each.count, amount_minor=each.amount_minor)
            for (status, currency), each in states.items()
        ]


class GroupOut(BaseModel):
    """The same of one round, area or provider."""

    key: str | None = Field(
        description="The round's number, the code of the area in the gazetteer, or of the "
        "provider. Null: nobody knows the area."
    )
    states: list[StateOut]


class AnnouncedOut(BaseModel):
    """What the registry announced in one currency; the rest of it is in the states."""

    model_config = ConfigDict(from_attributes=True)

    currency: str
    announced_count: int
    announced_minor: int
    not_raised_count: int = Field(description="In chunks that are still to be fetched.")
    not_raised_minor: int
    refused_count: int = Field(description="In chunks that were refused: GET /v1/chunks.")
    refused_minor: int
    set_aside_count: int = Field(
        description="Nothing was raised for them here: GET /v1/chunks/{chunk_id}/set-aside."
    )
    set_aside_minor: int


class WaitOut(BaseModel):
    """What has no end and goes on only when a person does something."""

    kind: UnresolvedKind
    currency: str
    count: int | None = Field(
        description="Null: single communes are paused; GET /v1/unresolved counts them."
    )
    amount_minor: int | None
    what_to_do: str


class ProgressOut(BaseModel):
    """How far an activation is, counted at one moment. Times are the machine's."""

    model_config = ConfigDict(json_schema_extra={"examples": [PROGRESS_EXAMPLE]})

    activation_id: UUID
    as_of: datetime
    at_rest: bool = Field(
        description="Every chunk that was announced is closed or refused: nothing more happens by "
        "itself. Of some districts: each of their payments has its end, and none can come."
    )
    last_changed_at: datetime | None = Field(description="Null: nothing was raised yet.")
    ended_per_minute: float | None = Field(
        description="Over the last five minutes, or since payments began to end in them; null "
        "where that is less than half a minute, or none ended."
    )
    expected_end_at: datetime | None = Field(
        description="When all of it has its end if that goes on; null where it cannot be said: no "
        "pace is known, or something waits for a person."
    )
    announced: list[AnnouncedOut]
    totals: list[StateOut] = Field(description="Payments of the whole activation by state.")
    waits: list[WaitOut]
    by: By | None
    groups: list[GroupOut] = Field(description="The same by what `by` names; empty without it.")

    @classmethod
    def of(cls, activation_id: UUID, standing: Standing, *, by: By | None) -> Self:
        """What a standing says."""
        groups = standing.groups(by) if by else {}
        return cls(
            activation_id=activation_id,
            as_of=standing.at,
            at_rest=standing.at_rest,
            last_changed_at=standing.last_changed_at,
            ended_per_minute=standing.ended_per_minute,
            expected_end_at=standing.expected_end_at,
            announced=[AnnouncedOut.model_validate(each) for each in standing.announced],
            totals=StateOut.all_of(standing.totals()),
            waits=[
                WaitOut(
                    kind=wait.kind,
                    currency=wait.currency,
                    count=wait.count,
                    amount_minor=wait.amount_minor,
                    what_to_do=WAYS[wait.kind].what_to_do,
                )
                for wait in standing.waits()
            ],
            by=by,
            groups=[
                GroupOut(key=key, states=StateOut.all_of(states)) for key, states in groups.items()
            ],
        )
