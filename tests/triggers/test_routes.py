"""What every route owes: a token with the scope, and docs whose examples really validate."""

import pytest
from pydantic import BaseModel

from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    CorrectionIn,
    DecisionIn,
    DeclarationIn,
)
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.schemas import TriggerOut
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.indicators.schemas import IndicatorIn, IndicatorOut
from services.triggers.methods.registry import METHODS
from services.triggers.observations.schemas import ObservationOut, ObservationsIn, RecordedOut
from tests.checks.openapi import PROBES, faults_of
from tests.conftest import ServeService
from tests.triggers.flow import Flow

ROUTES = [
    ("POST", "/indicators", "indicators:write"),
    ("GET", "/indicators", "indicators:read"),
    ("GET", "/indicators/rice", "indicators:read"),
    ("POST", "/observations", "observations:write"),
    ("GET", "/observations?indicator=rice", "observations:read"),
    ("POST", "/triggers", "triggers:write"),
    ("GET", "/triggers", "triggers:read"),
    ("GET", "/triggers/rice", "triggers:read"),
    ("POST", "/triggers/rice/versions", "triggers:write"),
    ("GET", "/triggers/rice/versions", "triggers:read"),
    ("GET", "/triggers/rice/versions/1", "triggers:read"),
    ("GET", "/triggers/rice/evaluations", "triggers:read"),
    ("POST", "/activations", "activations:write"),
    ("GET", "/activations", "activations:read"),
    ("GET", "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10", "activations:read"),
    ("POST", "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/approve", "activations:approve"),
    ("POST", "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/decline", "activations:approve"),
    ("POST", "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/correction", "activations:approve"),
    ("POST", "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/close", "activations:approve"),
    (
        "POST",
        "/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/cancellation",
        "activations:approve",
    ),
]


async def test_every_route_asks_for_its_scope(serve: ServeService) -> None:
    service = await serve("triggers")
    async with service.client("events:read") as client:
        for method, path, scope in ROUTES:
            body: dict[str, object] | None = {} if method == "POST" else None
            refused = await client.request(method, path, json=body)
            assert refused.status_code == 403, (method, path)
            assert scope in refused.json()["detail"]
            anonymous = await client.request(method, path, headers={"Authorization": ""}, json=body)
            assert anonymous.status_code == 401, (method, path)


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
