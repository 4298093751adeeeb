"""What every route owes: docs whose examples really validate."""

import pytest
from pydantic import BaseModel

from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    CorrectionIn,
    DecisionIn,
    DeclarationIn,
)
from services.triggers.backtests.document import BacktestIn
from services.triggers.backtests.schemas import BacktestDetail, BacktestOut
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.schemas import TriggerOut
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.explanations.schemas import EvidenceOut
from services.triggers.indicators.schemas import IndicatorIn, IndicatorOut
from services.triggers.methods.registry import METHODS
from services.triggers.observations.schemas import ObservationOut, ObservationsIn, RecordedOut
from tests.checks.openapi import PROBES, faults_of
from tests.triggers.flow import Flow


async def test_every_operation_is_described_and_its_examples_are_valid(flow: Flow) -> None:
    document = (await flow.client.get(flow.client.base_url.join("/openapi.json"))).json()
    assert faults_of(document, public=PROBES) == []


@pytest.mark.parametrize(
    "schema",
    [
        IndicatorIn,
        IndicatorOut,
        ObservationsIn,
        RecordedOut,
        ObservationOut,
        TriggerDocument,
        TriggerOut,
        *(method.document for method in METHODS),
        EvaluationOut,
        BacktestIn,
        BacktestOut,
        BacktestDetail,
        EvidenceOut,
        DeclarationIn,
        CorrectionIn,
        DecisionIn,
        ActivationOut,
        ActivationDetail,
    ],
)
def test_examples_are_taken_by_the_code_itself(schema: type[BaseModel]) -> None:
    extra = schema.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    for example in examples:
        schema.model_validate(example)


async def test_readiness_is_narrowed_to_what_is_ready(alone: Flow) -> None:
    for only_ready in ("true", "false"):
        page = await alone.got("/readiness", only_ready=only_ready)
        assert page["items"] == []
