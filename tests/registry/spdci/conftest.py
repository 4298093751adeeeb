"""Partners are shown whoever was never asked, but where a test is about consent."""

import pytest


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the registry is told."""
    environment["REGISTRY_SHARE_UNASKED"] = "true"
    monkeypatch.setenv("REGISTRY_SHARE_UNASKED", "true")
    return environment
