"""What every route owes: a token with the scope, and docs whose examples really validate."""

import pytest

from services.registry.imports.schemas import CSV_EXAMPLE
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import SHIPPED_SCHEMES, shipped_document
from tests.checks.openapi import PROBES, faults_of
from tests.conftest import ServeService
from tests.registry.flow import Flow

_ID = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
ROUTES = [
    ("PUT", "/gazetteer", "areas:write"),
    ("GET", "/areas", "areas:read"),
    ("GET", "/areas/KH", "areas:read"),
    ("POST", "/imports", "households:write"),
    ("GET", "/imports", "households:read"),
    ("GET", f"/imports/{_ID}", "households:read"),
    ("PUT", f"/imports/{_ID}/rows", "households:write"),
    ("GET", f"/imports/{_ID}/rejections", "households:read"),
    ("GET", "/households", "households:read"),
    ("POST", "/households/search", "households:search"),
    ("GET", f"/households/{_ID}", "households:read"),
    ("PUT", f"/households/{_ID}/payee-account", "households:write"),
    ("GET", f"/households/{_ID}/entitlements", "entitlements:read"),
    ("POST", "/schemes", "schemes:write"),
    ("GET", "/schemes", "schemes:read"),
    ("GET", "/schemes/x", "schemes:read"),
    ("POST", "/schemes/x/versions", "schemes:write"),
    ("GET", "/schemes/x/versions", "schemes:read"),
    ("GET", "/schemes/x/versions/1", "schemes:read"),
    ("GET", "/activations", "enrolments:read"),
    ("GET", f"/activations/{_ID}", "enrolments:read"),
    ("GET", f"/activations/{_ID}/summary", "enrolments:read"),
    ("GET", f"/activations/{_ID}/chunks", "enrolments:read"),
    ("GET", f"/activations/{_ID}/rounds", "enrolments:read"),
    ("POST", f"/activations/{_ID}/rounds/2/release", "rounds:release"),
    ("GET", f"/activations/{_ID}/repairs/preview?round=1", "enrolments:read"),
    ("POST", f"/activations/{_ID}/repairs", "rounds:release"),
    ("POST", f"/entitlement-chunks/{_ID}/reannouncement", "rounds:release"),
    ("GET", f"/entitlement-chunks/{_ID}/reannouncements", "enrolments:read"),
    ("POST", "/checks/activations", "activations:check"),
    ("GET", "/audit", "audit:read"),
    ("GET", "/audit/head", "audit:read"),
    ("GET", f"/entitlements?household_id={_ID}", "entitlements:read"),
    ("GET", f"/entitlements/{_ID}", "entitlements:read"),
    ("GET", f"/entitlement-chunks/{_ID}/entitlements", "entitlements:read"),
]


async def test_every_route_asks_for_its_scope(serve: ServeService) -> None:
    service = await serve("registry")
    async with service.client("events:read") as client:
        document = (await client.get(client.base_url.join("/openapi.json"))).json()
        for method, path, scope in ROUTES:
            body: dict[str, object] | None = {} if method in {"POST", "PUT"} else None
            refused = await client.request(method, path, json=body)
            assert refused.status_code == 403, (method, path)
            assert scope in refused.json()["detail"]
            anonymous = await client.request(method, path, headers={"Authorization": ""}, json=body)
            assert anonymous.status_code == 401, (method, path)
    listed = sum(len(methods) for methods in document["paths"].values())
    of_the_log = 5
    assert listed == len(ROUTES) + len(PROBES) + of_the_log


async def test_every_operation_is_described_and_its_examples_are_valid(empty: Flow) -> None:
    document = (await empty.client.get(empty.client.base_url.join("/openapi.json"))).json()
    assert faults_of(document, public=PROBES) == []


async def test_the_example_of_an_import_is_taken(flow: Flow) -> None:
    made = await flow.post("/imports", {"source": "example"})
    ended = await flow.send(made["id"], CSV_EXAMPLE)
    assert (ended["households_added"], ended["rows_rejected"]) == (1, 0)


async def test_the_example_of_a_scheme_is_taken(empty: Flow) -> None:
    (example,) = SchemeDocument.model_json_schema()["examples"]
    await empty.post("/schemes", example)


@pytest.mark.parametrize("code", SHIPPED_SCHEMES)
def test_a_shipped_scheme_says_what_it_decided(code: str) -> None:
    assert "head" in shipped_document(code)["notes"]
