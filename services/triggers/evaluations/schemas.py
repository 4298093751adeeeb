"""Bodies about evaluations."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods import registry
from services.triggers.methods.trigger_stage import TriggerStage


class EvaluationOut(BaseModel):
    """One judgement of a trigger, with the numbers that decided."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                    "trigger_code": "flood-reported-impact",
                    "trigger_version": 1,
                    "leg": 0,
                    "judged_from": "2020-10-12",
                    "judged_on": "2020-10-12",
                    "decided_on": "2020-10-12",
                    "known_at": "2020-10-12T02:00:05Z",
                    "digest": "6d1f0a7b53d9c0e54b8f0f3d1d7f2f1b9f3f7b0e4b0c6f0c5a9d8e7f6a5b4c3d",
                    "evaluated_at": "2020-10-12T02:00:05Z",
                    "stage": "activation",
                    "leg_stage": "activation",
                    "unjudged": None,
                    "outcome": "proposed",
                    "activation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
                    "explanation": "24156 households reported in 3 areas, 3 more named without a "
                    "figure; the threshold is 20000.",
                    "evidence": {
                        "method": "reported-impact",
                        "reported_from": "2020-10-12",
                        "reported_to": "2020-10-12",
                        "national_households": 24156,
                        "areas": [
                            {
                                "area": "02",
                                "households": 13180,
                                "source": "HRF",
                                "reported_on": "2020-10-12",
                                "published_on": "2020-10-12",
                                "taken_in": True,
                            }
                        ],
                        "thresholds": {
                            "activation": {
                                "national_threshold_households": 20000,
                                "area_threshold_households": 1000,
                            }
                        },
                    },
                }
            ]
        },
    )

    id: UUID
    trigger_code: str
    trigger_version: int
    leg: Annotated[int, Field(description="Which of the trigger's legs was judged, from 0.")]
    judged_from: Annotated[date | None, Field(description="The first day of what was judged.")]
    judged_on: Annotated[
        date,
        Field(
            description="What was judged, by its last day: "
            f"{', or '.join(words.judged_on for words in registry.words())}."
        ),
    ]
    decided_on: Annotated[
        date | None,
        Field(description="The day by whose figures it was judged: what was published by then."),
    ]
    known_at: Annotated[
        datetime | None,
        Field(
            description="Every figure recorded until this instant was known, and none later. Null, "
            "as is `digest`: an evaluation from before this was kept."
        ),
    ]
    digest: Annotated[
        str | None,
        Field(
            description="SHA-256 of what was judged, by which numbers, with what result: "
            "`python -m services rejudge` makes each evaluation again and compares."
        ),
    ]
    evaluated_at: datetime
    stage: Annotated[
        TriggerStage,
        Field(description="`readiness`: prepare, nothing is paid. `activation`: enrol and pay."),
    ]
    leg_stage: Annotated[
        TriggerStage | None, Field(description="The leg's own, before the legs are joined.")
    ]
    unjudged: Annotated[
        str | None,
        Field(description="Why the figures did not let it be judged, which is no calm."),
    ]
    outcome: Annotated[
        Outcome,
        Field(
            description="What was done. `proposed`: an activation began, which opens by itself up "
            "to its trigger's ceiling, or when a second person approves. `widened`: areas were "
            "found to add to one, likewise. `quiet`: the activation stage was reached, and its "
            "event has been activated, or declined, before. `raised`: the severity of one rose. "
            "`unjudged`: it could not be judged. `opened`: as `proposed`, of earlier "
            "evaluations."
        ),
    ]
    activation_id: UUID | None
    explanation: str
    evidence: Annotated[
        dict[str, Any],
        Field(
            description="The numbers used, with the thresholds in force: "
            f"{', or '.join(words.evidence for words in registry.words())}."
        ),
    ]
