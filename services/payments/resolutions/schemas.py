"""Bodies of resolutions."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.payments.instructions.states import Status
from services.payments.providers.schemas import ProviderCode
from services.payments.resolutions.states import Outcome, Result
from shared.approvals import ApprovalOut, Reason
from shared.approvals.schemas import APPROVAL_EXAMPLE
from shared.values import Whole

MAXIMUM_LISTED = 5_000

_OUTCOME = (
    "`settled`: the household has the money. `rejected`: the provider did not pay and will not. "
    "`returned`: we have it back. `resend`: the provider is asked once more, and sent the same "
    "order again if it does not know it. `cancelled`: it was not sent and is not to be. "
    "`released`: a rule held it, and it may go."
)

OutcomeField = Annotated[Outcome, Field(description=_OUTCOME)]
PaidField = Annotated[
    Annotated[int, Whole(least=1, most=10**15)] | None,
    Field(
        description="With `settled`: what was really paid, each time, where that is another amount "
        "than ordered and than the provider told. The difference is booked.",
    ),
]


class ChoiceIn(BaseModel):
    """Payments by what they have in common, as they are when it is proposed."""

    model_config = ConfigDict(extra="forbid")

    status: Status
    provider: ProviderCode | None = None
    activation_id: UUID | None = None
    reason: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$", max_length=64)] | None = Field(
        default=None, description="The code that they have as their reason."
    )


class EndIn(BaseModel):
    """How payments ended, and what says so."""

    outcome: OutcomeField
    reason: Reason
    paid_minor: PaidField = None

    @model_validator(mode="after")
    def _paid_where_settled(self) -> Self:
        if self.paid_minor is not None and self.outcome is not Outcome.SETTLED:
            raise ValueError("Only with the outcome settled was anything paid.")
        return self


class ResolutionsIn(EndIn):
    """A decision about payments, for another person to approve: a list, or all of a sort."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "outcome": "settled",
                    "reason": "On the provider's statement of 17 October.",
                    "chosen": {"status": "unknown", "provider": "mekong"},
                }
            ]
        },
    )

    instruction_ids: (
        Annotated[list[UUID], Field(min_length=1, max_length=MAXIMUM_LISTED)] | None
    ) = None
    chosen: ChoiceIn | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.instruction_ids is None) == (self.chosen is None):
            raise ValueError("Give either instruction_ids or chosen.")
        return self


RESOLUTION_EXAMPLE: JsonDict = {
    "id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
    "outcome": "settled",
    "paid_minor": None,
    "count": 12,
    "open_count": 0,
    "done_count": 11,
    "overtaken_count": 1,
    "refused_count": 0,
    "finished_at": "2020-10-18T03:00:01Z",
    "proposal": APPROVAL_EXAMPLE,
}


class ResolutionOut(BaseModel):
    """A decision about payments: its proposal, and how far it is carried out."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESOLUTION_EXAMPLE]})

    id: UUID = Field(description="Also the id of its proposal under /v1/approvals.")
    outcome: Outcome
    paid_minor: int | None
    count: int = Field(description="How many payments it is about.")
    open_count: int = Field(description="Of these, not carried out yet.")
    done_count: int
    overtaken_count: int = Field(
        description="They had moved on before it was carried out, by what the provider said, and "
        "were left alone."
    )
    refused_count: int = Field(description="The ledger or another payment does not allow it.")
    finished_at: datetime | None = Field(description="Since when each payment has its result.")
    proposal: ApprovalOut


class ResolutionItemOut(BaseModel):
    """One payment of a resolution."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "from_status": "unknown",
                    "result": "overtaken",
                    "detail": "It is settled now; it was unknown when this was proposed. Nothing "
                    "was changed.",
                }
            ]
        }
    )

    instruction_id: UUID
    from_status: Status = Field(description="Its state when this was proposed.")
    result: Result | None = Field(description="None: not carried out yet.")
    detail: str | None
