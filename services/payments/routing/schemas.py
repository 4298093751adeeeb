"""Bodies of the rules about who pays in whose place."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from services.payments.providers.schemas import ProviderCode
from services.payments.routing.states import RouteCause
from shared.approvals import Reason
from shared.money import MAXIMUM_AMOUNT_MINOR
from shared.values import Whole

_Rejection = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$", max_length=64)]

_EXAMPLE: JsonDict = {
    "provider": "mekong",
    "instead": ["tonle"],
    "causes": ["paused", "down", "rejected"],
    "down_seconds": 900,
    "rejections": ["identifierError"],
    "maximum_minor": 50_000_000,
    "reason": "Both reach every number by the national switch.",
}


class RouteIn(BaseModel):
    """The rule about one provider, whole, in place of the one that it has."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    provider: ProviderCode = Field(description="The one that accounts name.")
    instead: list[ProviderCode] = Field(
        max_length=7,
        description="Who pays in its place, in the order in which they are tried: the first that "
        "is configured, not paused and answers. Each is in its group (`PAYMENTS_STAND_INS`).",
    )
    causes: list[RouteCause] = Field(
        max_length=5, description="When. Empty: it pays what is its own."
    )
    down_seconds: Annotated[int, Whole(least=30, most=604_800)] = Field(
        default=900,
        description="Of `down`: for how long it has failed, and told nothing.",
    )
    rejections: list[_Rejection] = Field(
        default=[],
        max_length=50,
        description="Of `rejected`: the codes after which a further attempt, which two persons "
        "decide on, goes the other way.",
    )
    maximum_minor: Annotated[int, Whole(least=1, most=MAXIMUM_AMOUNT_MINOR)] = Field(
        description="What may go the other way by this version, in all."
    )
    reason: Reason

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if RouteCause.FOUND_THERE in self.causes:
            raise ValueError("found_there is what asking brings, and no rule's cause")
        if self.causes and not self.instead:
            raise ValueError("give in `instead` who pays in its place")
        if (RouteCause.REJECTED in self.causes) != bool(self.rejections):
            raise ValueError("give `rejections` with the cause `rejected`, and only then")
        if len({*self.instead, self.provider}) <= len(self.instead):
            raise ValueError("a provider stands in for another one, and once")
        return self


class RouteOut(BaseModel):
    """One version of a rule."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 3,
                    "currency": "KHR",
                    "version": 2,
                    "rerouted_minor": 960_000,
                    "rerouted_count": 10,
                    "approval_id": "0199c1de-9000-7a54-8f62-0d6f0a6f5b20",
                    "set_at": "2022-09-01T02:00:00Z",
                    **_EXAMPLE,
                }
            ]
        }
    )

    number: int
    provider: str
    currency: str
    version: int = Field(description="The latest is in force.")
    instead: list[str]
    causes: list[RouteCause]
    down_seconds: int
    rejections: list[str]
    maximum_minor: int
    rerouted_minor: int = Field(description="What went the other way by this version.")
    rerouted_count: int
    reason: str
    approval_id: UUID
    set_at: datetime
