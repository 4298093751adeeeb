"""How backtests look over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.triggers.backtests.report import Report
from services.triggers.backtests.states import BacktestState

_EXAMPLE: dict[str, JsonValue] = {
    "id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "name": "Floods, 2020 to 2022",
    "trigger_code": "flood-reported-impact",
    "trigger_version": 1,
    "state": "running",
    "asked_by": "officer@nspc.example",
    "asked_at": "2026-03-01T02:00:00Z",
    "steps_done": 2,
    "steps": 5,
    "finished_at": None,
    "failure": None,
}


class BacktestOut(BaseModel):
    """One backtest, and how far it has come."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    name: str
    trigger_code: str
    trigger_version: Annotated[
        int | None, Field(description="Null: a document that need not be posted.")
    ]
    state: BacktestState
    asked_by: str
    asked_at: datetime
    steps_done: int
    steps: Annotated[
        int, Field(description="The definition itself, each value of its curve, and the money.")
    ]
    finished_at: datetime | None
    failure: Annotated[str | None, Field(description="Why there is no report, and what to do.")]


class BacktestDetail(BacktestOut):
    """One backtest with its report, once it is finished."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_extra={"examples": [{**_EXAMPLE, "report": None}]}
    )

    report: Report | None
