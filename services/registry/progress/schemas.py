"""How activations look over HTTP, from the registry's side: who was enrolled, what is owed."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.chunks.states import ChunkStatus
from services.registry.chunks.tables import RunKind


class ActivationOut(BaseModel):
    """An activation as it was announced, with the scheme version that it pays by."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    trigger: str = Field(examples=["flood-reported-households"])
    trigger_version: int = Field(examples=[1])
    scheme_code: str = Field(examples=["flood-2022"])
    scheme_version: int | None = Field(
        description="The version that held when it was enrolled for; null: not enrolled yet.",
        examples=[1],
    )
    shock: str = Field(examples=["flood"])
    severity: str = Field(examples=["severe"])
    areas: list[str] = Field(
        description="As announced when it opened and when it was widened; to whoever is bound to "
        "areas, those that these lie in, or that lie in these.",
        examples=[["02", "15"]],
    )
    area_filter: str | None = Field(
        description="CQL2 text over attributes of communes.", examples=["flood_hazard_index >= 5"]
    )
    observed_on: date
    opened_on: date
    received_at: datetime
    not_enrolled: str | None = Field(
        description="Why nobody is enrolled for it yet, and what to do; null: somebody is, or "
        "could be. It is tried again by itself.",
        examples=[None],
    )
    areas_refused: dict[str, str] = Field(
        description="Areas in which nobody can be enrolled, each with why; the others are.",
        examples=[{"99": "Not enrolled: It is not in the gazetteer."}],
    )
    cancelled_on: date | None = Field(
        description="The day on which an officer cancelled it: no chunk of it is worked out and "
        "no round released since; null: it is not cancelled.",
        examples=[None],
    )
    has_ceiling: bool = Field(
        description="Whether it pays up to its ceilings alone; false: it opened before there were "
        "any."
    )
    ceiling_households: int | None = Field(
        description="How many households it may pay without asking a person, as triggers said "
        "last; null: it did not say, and everything is asked.",
        examples=[20000],
    )
    ceiling_minor: int | None = Field(
        description="How much, over all rounds.", examples=[1000000000]
    )
    allowed_households: int | None = Field(
        description="How many two persons let it pay above that; null, as the ceilings are: to "
        "whoever is bound to areas.",
        examples=[24156],
    )
    allowed_minor: int | None = Field(description="And how much.", examples=[3758580100])


class RepairOfRun(BaseModel):
    """Why a run announced entitlements again."""

    model_config = ConfigDict(from_attributes=True)

    reason: str = Field(examples=["Everybody who has an account now."])
    requested_by: str = Field(examples=["officer@nspc.example"])
    requested_at: datetime
    chunk_id: UUID | None = Field(description="Null: not of one chunk only.")
    same_account: bool = Field(description="Whether accounts that had failed were tried again.")


class RunOut(BaseModel):
    """One run of enrolment: an opening, a widening, a later round, or a repair."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    round: int = Field(examples=[1])
    kind: RunKind
    chunks_planned: int = Field(examples=[16])
    chunks_done: int = Field(examples=[16])
    planned_at: datetime
    completed_at: datetime | None
    held_at: datetime | None = Field(
        description="Since when it was found above the activation's ceiling; without "
        "`completed_at` it is held, and nothing of it is paid."
    )
    approval_id: UUID | None = Field(
        description="The proposal to let it through: GET /v1/approvals/{approval_id}."
    )
    repair: RepairOfRun | None = Field(default=None, description="Of a repair only.")


class Progress(BaseModel):
    """Counts are entitlements of all released rounds, each once however often it was announced.

    Each is payable, unpayable or excluded; of those payable each is paid, failed, refused, or
    waiting. Money is in minor units of the currency.
    """

    currency: str | None = Field(examples=["KHR"])
    communes: int = Field(examples=[103])
    households_enrolled: int = Field(examples=[30412])
    payable_count: int = Field(description="What payments has, or had, in hand.", examples=[30001])
    payable_minor: int = Field(examples=[4560032000])
    unpayable_count: int = Field(
        description="Entitled, without an account that can be paid to.", examples=[411]
    )
    unpayable_minor: int = Field(examples=[62000000])
    excluded_count: int = Field(description="Another scheme pays.", examples=[0])
    refused_count: int = Field(
        description="In chunks that payments refused, and not announced again.", examples=[0]
    )
    refused_minor: int = Field(examples=[0])
    paid_count: int = Field(examples=[29710])
    paid_minor: int = Field(examples=[4515000000])
    failed_count: int = Field(examples=[291])
    failed_minor: int = Field(examples=[45032000])
    waiting_count: int = Field(description="Payable, and not ended yet.", examples=[0])
    first_announced_at: datetime | None
    first_paid_at: datetime | None
    last_paid_at: datetime | None


class ActivationProgressOut(ActivationOut):
    """An activation and how far it is."""

    chunks_planned: int = Field(examples=[16])
    chunks_done: int = Field(examples=[16])
    runs: list[RunOut] = Field(description="None to whoever is bound to areas.")
    progress: Progress


class ProvinceSummary(Progress):
    """An activation's progress in one province."""

    province_code: str = Field(examples=["02"])
    province_name: str = Field(examples=["Battambang"])


class SummaryOut(BaseModel):
    """An activation, province by province: no persons, fit for the public."""

    activation_id: UUID
    scheme: str = Field(examples=["flood-2022"])
    provinces: list[ProvinceSummary]
    reasons: dict[str, int] = Field(
        description="Why entitlements failed or could not be paid, and how many.",
        examples=[{"no-payee-account": 411, "accountNotFound": 291}],
    )


class ChunkOut(BaseModel):
    """A chunk: communes worked in one transaction and announced together."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    enrolment_run_id: UUID
    round: int = Field(examples=[1])
    province_code: str = Field(examples=["02"])
    area_codes: list[str] = Field(examples=[["020101", "020102"]])
    home_chunk_id: UUID | None = Field(
        description="Of a repair's chunk: the one whose entitlements it announced again."
    )
    status: ChunkStatus
    planned_at: datetime
    announced_at: datetime | None
    announced_count: int = Field(description="As payments was told.", examples=[412])
    announced_minor: int = Field(examples=[62624000])
    payable_count: int = Field(
        description="Of its entitlements now (of a repair's chunk: of what it announced).",
        examples=[412],
    )
    payable_minor: int = Field(examples=[62624000])
    unpayable_count: int = Field(examples=[6])
    excluded_count: int = Field(examples=[0])
    paid_count: int = Field(examples=[405])
    failed_count: int = Field(examples=[7])
    refused_count: int = Field(examples=[0])
    refusal: str | None = Field(
        description="Why payments refused it.", examples=["The fund does not cover the round."]
    )
    attempts: int = Field(
        description="Attempts that failed since the last that worked.", examples=[0]
    )
    last_error: str | None = Field(
        description="What kind of error, and where in the code.",
        examples=["ConnectError at client.py:10 get"],
    )
