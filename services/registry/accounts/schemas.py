"""How changes of accounts look over HTTP."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.bodies import given, with_fields
from services.registry.households.shape import ACCOUNT, PROVIDER
from shared.approvals import ApprovalStatus


@with_fields((PROVIDER, ACCOUNT), given)
class PayeeAccountIn(BaseModel):
    """The account that a household is paid to from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{PROVIDER.name: PROVIDER.example, ACCOUNT.name: ACCOUNT.example}]
        },
    )

    provider_code: str
    account: str


class AccountBatchOut(BaseModel):
    """The accounts that one sending of an import would change, which two persons decide."""

    approval_id: UUID = Field(description="The proposal: GET /v1/approvals/{approval_id}.")
    status: ApprovalStatus
    households: int = Field(description="Whose account it would change.", examples=[412])
    enrolled: int = Field(
        description="Of them, those enrolled in an activation that can still pay.", examples=[380]
    )
    changed: int = Field(description="Changed so far, once it was approved.", examples=[0])
    finished_at: datetime | None = Field(
        description="When the last was; whose account had changed meanwhile was left alone."
    )
