"""docs/repair.md names each way in which a payment may stick, and calls that there are."""

import re
from pathlib import Path

import pytest

from services.payments.unresolved.kinds import WAYS, UnresolvedKind
from tests.checks.openapi import operations
from tests.checks.openapi_examples import SERVICES, application, environment

PAGE = (Path(__file__).parent.parent.parent / "docs" / "repair.md").read_text()
_CALL = re.compile(r"\b(GET|POST|PUT|DELETE) (/v1/[a-z{][a-z_/{}-]*)")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Each operation that a service has."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return {
        (operation.method.upper(), operation.path)
        for service in SERVICES
        for operation in operations(application(service).openapi())
    }


def test_each_kind_of_what_is_unresolved_has_its_way_out_on_the_page() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = {kind for row in rows for kind in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert named == set(UnresolvedKind)
    for row in rows:
        # Each row says who ends it, or that it needs nobody.
        assert row.count("|") >= 5, row


def test_each_call_on_the_page_and_in_the_ways_out_is_there(calls: set[tuple[str, str]]) -> None:
    said = "\n".join([PAGE, *(way.what_to_do for way in WAYS.values())])
    named = set(_CALL.findall(said))
    assert len(named) > 25
    assert named - calls == set()
