"""Bodies about activations."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.activations.states import Origin, State
from services.triggers.areas import AreaCode
from services.triggers.methods.severity import Severity
from shared.contracts.checks import ActivationEnrolment
from shared.documents import Code
from shared.values import Day, Text

Reason = Annotated[
    str,
    Text(longest=1_000, shortest=3, lines=True),
    Field(description="Why, for whoever reads it later. No names of persons."),
]

_ACTIVATION: dict[str, Any] = {
    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "trigger": "flood-reported-impact",
    "trigger_version": 1,
    "scheme": "flood-2022",
    "shock": "flood",
    "area_filter": "flood_hazard_index >= 5",
    "severity": "severe",
    "origin": "evidence",
    "state": "open",
    "reason": "24156 households reported in 3 areas; the threshold is 20000.",
    "evidence_from": "2020-10-12",
    "evidence_to": "2020-10-14",
    "proposed_at": "2020-10-12T02:00:05Z",
    "proposed_by": "trigger:flood-reported-impact",
    "opened_on": "2020-10-12",
    "approval_id": None,
    "ceiling_households": 200_000,
    "ceiling_minor": 120_000_000_000,
    "doubt": None,
}


class DeclarationIn(BaseModel):
    """An activation that an official declares."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "trigger": "flood-reported-impact",
                    "areas": ["12", "0801"],
                    "severity": "severe",
                    "observed_on": "2022-10-02",
                    "reason": "Flash flood after the dam release; the committee's count is late.",
                }
            ]
        },
    )

    trigger: Annotated[
        Code, Field(description="Whose scheme, shock and area filter apply to the activation.")
    ]
    areas: Annotated[list[AreaCode], Field(min_length=1, max_length=2_000)]
    severity: Severity
    observed_on: Annotated[Day, Field(description="The day of the event, today at the latest.")]
    reason: Reason


class DecisionIn(BaseModel):
    """Why an activation is closed, or to be cancelled."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "Confirmed with the provincial committees by telephone."}]
        },
    )

    reason: Reason


class CorrectionIn(BaseModel):
    """Areas that an open activation should have had, and those that it should not."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "areas_added": ["0801"],
                    "areas_refused": ["0881"],
                    "reason": "The committee's report had a slip of the pen in the district.",
                }
            ]
        },
    )

    areas_added: Annotated[
        list[AreaCode],
        Field(max_length=2_000, description="Those that it has already are passed by."),
    ] = []
    areas_refused: Annotated[
        list[Annotated[str, Text(longest=8)]],
        Field(
            max_length=2_000,
            description="Areas of the activation in which nobody can be enrolled, because the "
            "gazetteer does not know them or they are smaller than a commune.",
        ),
    ] = []
    reason: Reason

    @model_validator(mode="after")
    def _corrects_something(self) -> Self:
        if not self.areas_added and not self.areas_refused:
            raise ValueError("Name areas to add, or areas to refuse.")
        return self


class ActivationOut(BaseModel):
    """An activation as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACTIVATION]})

    id: UUID
    trigger: str
    trigger_version: int
    scheme: str
    shock: str
    area_filter: str | None
    severity: Severity
    origin: Origin
    state: Annotated[
        State,
        Field(
            description="`proposed`: waits for a second person, or to be held against its ceiling. "
            "`open`: paid, and still widened. `declined`: never paid. `expired`: nobody decided in "
            "time; evidence that meets the thresholds proposes again. `closed`: no longer widened; "
            "what was opened is paid. `cancelled`: what had not been sent is not paid."
        ),
    ]
    reason: str
    evidence_from: Annotated[date, Field(description="The first day of the evidence.")]
    evidence_to: Annotated[date, Field(description="The last day of the evidence so far.")]
    proposed_at: datetime
    proposed_by: str
    opened_on: date | None
    approval_id: Annotated[
        UUID | None,
        Field(
            description="The latest proposal to open or to widen it: `GET /v1/approvals/{id}`. "
            "Null: no person was asked."
        ),
    ]
    ceiling_households: Annotated[
        int | None,
        Field(
            description="How many households it may pay without asking a person again; null: not "
            "opened, or nobody could say."
        ),
    ]
    ceiling_minor: Annotated[
        int | None, Field(description="So much, over all rounds, in the scheme's currency.")
    ]
    doubt: Annotated[
        str | None,
        Field(
            description="Why figures that became known later would not have let it begin; a person "
            "is asked whether to cancel it. Null: the evidence stands."
        ),
    ]


class AreaOut(BaseModel):
    """An area of an activation, and since when."""

    area: str
    added_at: datetime
    added_by: str
    announced_at: Annotated[
        datetime | None, Field(description="Since when it is paid in; null: it waits, or never is.")
    ] = None
    declined_at: Annotated[
        datetime | None, Field(description="Null unless a second person declined to add it.")
    ] = None
    declined_by: str | None = None
    refused_at: Annotated[
        datetime | None, Field(description="Null unless a correction refused it.")
    ] = None
    refused_by: str | None = None
    filtered: Annotated[
        bool | None,
        Field(
            description="Whether the trigger's filter takes no commune of it, so that nobody is "
            "enrolled there; null: there is no filter, or nobody said."
        ),
    ] = None


class MoveOut(BaseModel):
    """What happened to an activation: who, when and why."""

    from_state: Annotated[State | None, Field(description="Null: it began.")] = None
    to_state: State
    moved_at: datetime
    moved_by: str
    reason: str


class ActivationDetail(ActivationOut):
    """An activation with its areas and its history."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ACTIVATION,
                    "areas": [
                        {
                            "area": "02",
                            "added_at": "2020-10-12T02:00:05Z",
                            "added_by": "trigger:flood-reported-impact",
                            "announced_at": "2020-10-12T02:00:06Z",
                            "declined_at": None,
                            "declined_by": None,
                            "refused_at": None,
                            "refused_by": None,
                            "filtered": False,
                        }
                    ],
                    "moves": [
                        {
                            "from_state": None,
                            "to_state": "proposed",
                            "moved_at": "2020-10-12T02:00:05Z",
                            "moved_by": "trigger:flood-reported-impact",
                            "reason": "24156 households reported in 3 areas; the threshold is "
                            "20000.",
                        },
                        {
                            "from_state": "proposed",
                            "to_state": "open",
                            "moved_at": "2020-10-12T02:00:06Z",
                            "moved_by": "trigger:flood-reported-impact",
                            "reason": "Within the ceiling of its trigger: about 24,156 households, "
                            "11,275,740,300 KHR.",
                        },
                    ],
                    "sent": None,
                    "enrolment": {
                        "not_enrolled": None,
                        "areas_refused": {"99": "Not enrolled: It is not in the gazetteer."},
                    },
                }
            ]
        }
    )

    areas: list[AreaOut]
    moves: Annotated[
        list[MoveOut],
        Field(description="What a second person added is listed too, with one state twice."),
    ]
    sent: Annotated[
        str | None,
        Field(description="Of a cancelled one: where it says how much had been sent."),
    ] = None
    enrolment: Annotated[
        ActivationEnrolment | None,
        Field(
            description="What the registry says of it, when it is read; null: it was never "
            "opened, the registry has not heard of it yet, or cannot be asked just now."
        ),
    ] = None
