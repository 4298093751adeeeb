"""The alerts: each can be read, asks for what the services tell, and names calls that there are."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from services.processes import SERVICES
from tests.conftest import RunningService, ServeService

FOLDER = Path("deploy/prometheus")
ADDED = {"up": {"job": {"sangkroh"}}}
"""What Prometheus tells by itself."""
_CALL = re.compile(r"\b(GET|POST|PUT) (/[^\s;:,?]*[^\s;:,?.])")
_BRACES = re.compile(r"\{\{[^}]*\}\}")
_NAMES = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)

Told = Mapping[str, Mapping[str, set[str]]]
"""By the name of a series: its labels, and which values each has in a system with nothing in it."""


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def selectors(expression: str) -> list[Any]:
    """Every selector of series in an expression."""
    found: list[Any] = []

    def look(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


@pytest.fixture
async def services(serve: ServeService) -> list[RunningService]:
    return [await serve(service) for service in SERVICES]


@pytest.fixture
async def told(services: list[RunningService]) -> Told:
    known: dict[str, dict[str, set[str]]] = {name: dict(of) for name, of in ADDED.items()}
    for service in services:
        async with service.client() as client:
            # Counted from the second on: an answer is counted when it begins.
            bodies = [(await client.get("/metrics")).text for _ in range(2)]
        for name, kind in _NAMES.findall(bodies[-1]):
            known.setdefault(name.removesuffix("_total") + "_total" * (kind == "counter"), {})
        for family in text_string_to_metric_families(bodies[-1]):
            for sample in family.samples:
                labels = known.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
    return known


async def test_every_alert_asks_for_series_and_values_that_the_services_tell(told: Told) -> None:
    assert len(rules()) > 10
    for rule in rules():
        asked = selectors(rule["expr"])
        assert asked, rule["alert"]
        for selector in asked:
            assert selector.name in told, (rule["alert"], selector.name)
            labels = told[selector.name]
            for matcher in selector.matchers.matchers:
                if not labels and selector.name.startswith("sangkroh_"):
                    continue
                assert matcher.name in labels, (rule["alert"], matcher.name)
                if matcher.name == "status" and "5" in matcher.value:
                    continue
                for value in matcher.value.split("|"):
                    assert value in labels[matcher.name], (rule["alert"], value)


async def test_every_alert_says_what_to_do_by_calls_that_there_are(
    services: list[RunningService],
) -> None:
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "what_to_do"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        told = _BRACES.sub("x", rule["annotations"]["what_to_do"])
        for method, path in _CALL.findall(told):
            known = [service.app.state.operations.find(method, path) for service in services]
            assert any(known), (rule["alert"], method, path)


def test_prometheus_asks_each_process_of_an_api_with_the_scope_that_the_route_takes() -> None:
    document = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    assert document["rule_files"] == ["alerts.yaml"]
    [job] = document["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("sangkroh", "/v1/metrics")
    assert job["oauth2"]["scopes"] == ["metrics:read"]
