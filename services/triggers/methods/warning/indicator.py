"""Alerts as they are posted: how severe, for which area, and what else the alert says.

Source: OASIS, Common Alerting Protocol 1.2, sections 3.2.1 (alert) and 3.2.2 (info).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from shared.values import Instant, Text

_Words = Annotated[str, Text(longest=500)]


class AlertSeverity(StrEnum):
    """How bad, the least first: a row's value is the rank."""

    UNKNOWN = "Unknown"
    MINOR = "Minor"
    MODERATE = "Moderate"
    SEVERE = "Severe"
    EXTREME = "Extreme"

    @property
    def rank(self) -> int:
        return list(AlertSeverity).index(self)


class Urgency(StrEnum):
    """How soon something must be done, the least first."""

    UNKNOWN = "Unknown"
    PAST = "Past"
    FUTURE = "Future"
    EXPECTED = "Expected"
    IMMEDIATE = "Immediate"

    @property
    def rank(self) -> int:
        return list(Urgency).index(self)


class Certainty(StrEnum):
    """How sure, the least first."""

    UNKNOWN = "Unknown"
    UNLIKELY = "Unlikely"
    POSSIBLE = "Possible"
    LIKELY = "Likely"
    VERY_LIKELY = "Very Likely"
    """The word of CAP 1.0; later versions have it read as Likely."""
    OBSERVED = "Observed"

    @property
    def rank(self) -> int:
        read = Certainty.LIKELY if self is Certainty.VERY_LIKELY else self
        return list(Certainty).index(read)


class AlertStatus(StrEnum):
    """Whether it is meant; only what is actual counts."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """What it does: alerts, stands in place of earlier alerts, or takes them away."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACKNOWLEDGEMENT = "Ack"
    ERROR = "Error"


class AlertDetails(BaseModel):
    """What an alert says beside its severity, in the words of CAP 1.2."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identifier: _Words
    sender: _Words
    event: _Words
    urgency: Urgency
    certainty: Certainty
    status: AlertStatus
    msg_type: MessageType
    onset: Instant | None = None
    expires: Annotated[Instant | None, Field(description="Null: it does not say when it ends.")] = (
        None
    )
    references: Annotated[
        tuple[_Words, ...],
        Field(
            max_length=100,
            description="The identifiers of the same sender's alerts that an Update stands in "
            "place of, or a Cancel takes away.",
        ),
    ] = ()


def faults_of(row: PostedRow) -> list[RowFault]:
    if row.value is None or row.value not in {severity.rank for severity in AlertSeverity}:
        return [
            RowFault(
                "value",
                "An alert's value is the rank of its severity: 0 unknown, 1 minor, 2 moderate, "
                "3 severe, 4 extreme.",
            )
        ]
    return []


ALERT = IndicatorKind(
    code="alert",
    says="the rank of an alert's severity in an area (CAP 1.2: 0 unknown, 1 minor, 2 moderate, "
    "3 severe, 4 extreme), with what else the alert says in `details`",
    dated="the day on which an alert was sent",
    faults_of=faults_of,
    details=AlertDetails,
)
