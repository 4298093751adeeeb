"""Bodies about what has no end, or not a good one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.payments.unresolved.kinds import UnresolvedKind


class UnresolvedSortOut(BaseModel):
    """Those of a kind that share a reason and a currency."""

    reason: str | None
    currency: str | None
    count: int
    amount_minor: int
    oldest_age_seconds: int


class UnresolvedOut(BaseModel):
    """One kind, how much there is of it, and the way out."""

    kind: UnresolvedKind
    meaning: str
    what_to_do: str
    count: int
    oldest_age_seconds: int | None = Field(description="None: there is none.")
    sorts: list[UnresolvedSortOut] = Field(description="By reason and currency.")


class UnresolvedListOut(BaseModel):
    """Every kind, also where there is nothing of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kinds": [
                        {
                            "kind": "held",
                            "meaning": "What the provider says contradicts our order, or what it "
                            "said before.",
                            "what_to_do": "Compare with the provider's statement. "
                            "POST /v1/resolutions.",
                            "count": 2,
                            "oldest_age_seconds": 86_400,
                            "sorts": [
                                {
                                    "reason": "late_success",
                                    "currency": "KHR",
                                    "count": 2,
                                    "amount_minor": 192_000,
                                    "oldest_age_seconds": 86_400,
                                }
                            ],
                        }
                    ]
                }
            ]
        }
    )

    kinds: list[UnresolvedOut]


class UnresolvedItemOut(BaseModel):
    """One payment, or one callback, of a kind."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "instruction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "reason": "late_success",
                    "provider": "mekong",
                    "amount_minor": 96_000,
                    "currency": "KHR",
                    "activation_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                    "since": "2020-10-17T03:14:16Z",
                    "age_seconds": 86_400,
                    "approval_id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
                }
            ]
        }
    )

    id: UUID = Field(description="Of the instruction, of the callback, or of what is unpayable.")
    instruction_id: UUID | None
    reason: str | None
    provider: str | None
    amount_minor: int | None
    currency: str | None
    activation_id: UUID | None
    since: datetime
    age_seconds: int
    approval_id: UUID | None = Field(
        description="The proposal about it that waits for a second person: GET /v1/approvals/"
        "{approval_id}. None: nobody has proposed anything."
    )
