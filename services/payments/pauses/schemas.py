"""Bodies of pauses."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.payments.providers.schemas import ProviderCode
from shared.approvals import Reason
from shared.contracts.checks import AREA_CODE
from shared.documents import Code


class PauseIn(BaseModel):
    """What is not to be sent for the time being. All that is given has to fit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "provider": "mekong",
                    "area": "02",
                    "reason": "Accounts in Battambang are being drained, says the provider.",
                }
            ]
        },
    )

    provider: ProviderCode | None = None
    scheme: Code | None = None
    activation_id: UUID | None = None
    area: (
        Annotated[
            str,
            Field(
                pattern=AREA_CODE,
                max_length=8,
                description="A province, district, commune or village; `KH` is everywhere.",
            ),
        ]
        | None
    ) = None
    reason: Reason

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        given = (self.provider, self.scheme, self.activation_id, self.area)
        if all(value is None for value in given):
            raise ValueError(
                "Give provider, scheme, activation_id or area; area KH pauses everything."
            )
        return self


class ResumptionIn(BaseModel):
    """Why what is paused may be sent again, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "The provider has closed the leak."}]},
    )

    reason: Reason


_EXAMPLE: JsonDict = {
    "id": "0199c1de-8100-7a54-8f62-0d6f0a6f5b21",
    "provider": "mekong",
    "scheme": None,
    "activation_id": None,
    "area": "02",
    "reason": "Accounts in Battambang are being drained, says the provider.",
    "paused_by": "officer@nspc.example",
    "paused_at": "2020-10-18T02:00:00Z",
    "resumed_at": None,
    "age_seconds": 3600,
}


class PauseOut(BaseModel):
    """What is not sent for the time being, or was not."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    provider: str | None = Field(description="Null, as with the others: whichever.")
    scheme: str | None
    activation_id: UUID | None
    area: str | None
    reason: str
    paused_by: str
    paused_at: datetime
    resumed_at: datetime | None = Field(description="Null: it is in force.")
    age_seconds: int = Field(description="How long it has been in force, or was.")


class PauseWaitingOut(BaseModel):
    """What waits for a pause, in one currency."""

    currency: str
    count: int
    households: int
    amount_minor: int


_WAITING_EXAMPLE: JsonDict = {
    **_EXAMPLE,
    "rounds": 3,
    "waiting": [
        {"currency": "KHR", "count": 1200, "households": 1200, "amount_minor": 115_200_000}
    ],
}


class PauseWithWaitingOut(PauseOut):
    """A pause, and what waits for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WAITING_EXAMPLE]})

    rounds: int = Field(
        description="How many rounds that were announced here are of its scheme and activation. 0: "
        "none was yet. Look whether it names what you meant."
    )
    waiting: list[PauseWaitingOut] = Field(
        description="What is released and not sent because of it, by currency; another pause may "
        "keep it as well. What was sent before is asked about and comes to its end."
    )


class PauseMadeOut(PauseWithWaitingOut):
    """A pause that was just made, what waits for it, and what of it nobody could check."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_WAITING_EXAMPLE, "not_checked": ["area"]}]}
    )

    not_checked: list[str] = Field(
        description="What it names that payments has not heard of, and of which the registry did "
        "not say whether it exists: `scheme`, `activation_id`, `area`. It is in force as it is."
    )
