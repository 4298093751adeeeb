"""What every route owes: docs whose examples really validate."""

import pytest

from services.registry.imports.schemas import CSV_EXAMPLE
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import SHIPPED_SCHEMES, shipped_document
from tests.checks.openapi import PROBES, faults_of
from tests.registry.flow import Flow


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
