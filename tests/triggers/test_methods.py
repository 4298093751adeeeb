"""What follows from the registry of methods; and that one more method is one more line in it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from services.triggers.definitions.shipped import DOCUMENTS, shipped_document
from services.triggers.methods import registry
from shared.auth import development
from shared.version import API_PREFIX
from tests.conftest import FEED, RunningService
from tests.server import eventually
from tests.triggers.flow import Flow

DAY = date(2026, 9, 1)

GAUGE = {
    "code": "mekong-forecast",
    "name": "Forecast level of the Mekong",
    "unit": "metres",
    "kind": "water_level",
    "area_level": "province",
    "forecast": True,
}

TRIGGER: dict[str, Any] = {
    "code": "mekong-high",
    "name": "High water is forecast",
    "scheme": "flood-2022",
    "shock": "flood",
    "judge_within_days": 30,
    "legs": [
        {
            "indicator": GAUGE["code"],
            "method": {"kind": "forecast-level", "from_metres": 22},
        }
    ],
    "stages": {
        "activation": {
            "approval": "automatic",
            "ceiling": {"households": 1_000, "amount_minor": 500_000_000, "currency": "KHR"},
        }
    },
}


def test_every_kind_of_method_and_of_indicator_is_told_apart_by_its_name() -> None:
    kinds = [method.kind for method in registry.METHODS]
    assert len(set(kinds)) == len(kinds) == 12
    by_code = registry.indicator_kinds()
    assert all(
        by_code[kind.code] is kind for method in registry.METHODS for kind in method.indicator_kinds
    )


def test_every_method_reads_its_own_example_and_the_shipped_documents_are_of_methods() -> None:
    adapter = TypeAdapter(registry.any_document())
    for method in registry.METHODS:
        for example in method.document.model_json_schema()["examples"]:
            assert registry.method_of(adapter.validate_python(example)) is method
    for path in sorted(DOCUMENTS.glob("*.json")):
        for leg in shipped_document(path.stem)["legs"]:
            adapter.validate_python(leg["method"])
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "guess"})


@pytest.fixture
async def one_method_more(
    registry: RunningService,
    environment: dict[str, str],
    key_file: Path,
    owner: asyncpg.Connection,
    clock_file: Path,
) -> AsyncIterator[Flow]:
    """API server and worker in a process of their own, whose registry has another method."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.triggers.forecast_level", stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{environment['TRIGGERS_PORT']}"

    def client_of(subject: str) -> httpx.AsyncClient:
        token = development.mint(
            key_file,
            subject=subject,
            scopes=development.EVERY_SCOPE,
            seconds=3600,
            client=subject if subject.startswith(FEED) else None,
        )
        return httpx.AsyncClient(
            base_url=url + API_PREFIX, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    try:
        async with client_of("officer@test") as client:

            async def answers() -> bool:
                assert process.returncode is None
                try:
                    return (await client.get("/indicators")).is_success
                except httpx.TransportError:
                    return False

            await eventually(answers)
            yield Flow(client, client_of, owner, clock_file)
    finally:
        process.terminate()
        await process.wait()


async def test_another_method_is_judged_end_to_end_by_one_more_line_in_the_registry(
    one_method_more: Flow,
) -> None:
    flow = one_method_more
    flow.go_to(DAY)
    await flow.created("/indicators", GAUGE)
    posted = await flow.created("/triggers", TRIGGER)
    assert posted["document"]["legs"] == [{**TRIGGER["legs"][0], "holds_days": 31}]

    ahead = DAY + timedelta(days=5)
    row = {
        "area": "11",
        "source": "MRC",
        "observed_on": ahead.isoformat(),
        "published_on": DAY.isoformat(),
    }
    wrong = await flow.post(
        "/observations",
        {
            "indicator": GAUGE["code"],
            "unit": GAUGE["unit"],
            "observations": [{**row, "value": None}],
        },
    )
    assert wrong.json()["errors"] == [
        {"pointer": "/body/observations/0/value", "detail": "A level is a number."}
    ]

    await flow.record(GAUGE, [{**row, "value": 21.9}])
    await flow.caught_up()
    flow.go_to(DAY + timedelta(days=1))
    later = {**row, "published_on": (DAY + timedelta(days=1)).isoformat(), "value": 22.4}
    await flow.record(GAUGE, [later])
    await flow.caught_up()
    evaluations = await flow.evaluations(str(TRIGGER["code"]))
    assert [(evaluation["judged_on"], evaluation["outcome"]) for evaluation in evaluations] == [
        (ahead.isoformat(), "none"),
        (ahead.isoformat(), "proposed"),
    ]
    (opened,) = await flow.events("activation-opened")
    assert (opened["areas"], opened["observed_on"]) == (["11"], ahead.isoformat())

    document = (await flow.client.get(flow.client.base_url.join("/openapi.json"))).json()
    kinds = document["components"]["schemas"]["IndicatorIn"]["properties"]["kind"]
    assert kinds["enum"] == [*registry.indicator_kinds(), "water_level"]
    assert "`water_level`: metres at a gauge." in kinds["description"]
    assert "GaugeForecast" in document["components"]["schemas"]
