"""What a trigger document says of alerts: how severe, how soon and how sure they must be."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.rearm import RearmedDocument
from services.triggers.methods.warning.indicator import AlertSeverity, Certainty, Urgency
from shared.values import Text, Whole


class WarningThresholds(BaseModel):
    """What an alert must be, in all three respects, to reach a stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Annotated[AlertSeverity, Field(description="This severe, or worse.")]
    urgency: Annotated[
        Urgency,
        Field(
            description="This urgent, or more: Unknown, Past, Future, Expected, Immediate. "
            "Unknown: whatever it says.",
        ),
    ]
    certainty: Annotated[
        Certainty,
        Field(
            description="This certain, or more: Unknown, Unlikely, Possible, Likely, Observed. "
            "Unknown: whatever it says.",
        ),
    ]

    def none_above(self, other: "WarningThresholds") -> bool:
        """Whether whatever meets `other` meets these as well."""
        return (
            self.severity.rank <= other.severity.rank
            and self.urgency.rank <= other.urgency.rank
            and self.certainty.rank <= other.certainty.rank
        )


class AlertWarning(RearmedDocument):
    """Alerts in the Common Alerting Protocol that are in force in the trigger's areas."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "warning",
                    "events": ["Flood"],
                    "readiness": {
                        "severity": "Moderate",
                        "urgency": "Future",
                        "certainty": "Possible",
                    },
                    "activation": {
                        "severity": "Severe",
                        "urgency": "Expected",
                        "certainty": "Likely",
                    },
                    "without_end_days": 2,
                    "rearm": {"quiet_days": 30},
                }
            ]
        }
    )

    kind: Literal["warning"]
    events: Annotated[
        list[Annotated[str, Text(longest=200)]],
        Field(
            max_length=100,
            description="The alerts' events that count, in whatever case. Left empty: all.",
        ),
    ] = []
    readiness: WarningThresholds | None = None
    activation: WarningThresholds
    without_end_days: Annotated[
        int,
        Whole(least=1, most=30),
        Field(
            description="An alert that does not say when it ends counts on so many days, of which "
            "the day it was sent is the first.",
        ),
    ] = 2

    @model_validator(mode="after")
    def _readiness_first(self) -> Self:
        if self.readiness and not self.readiness.none_above(self.activation):
            raise ValueError(
                "An alert that reaches activation must reach readiness as well: let no threshold "
                "of readiness lie above that of activation."
            )
        return self
