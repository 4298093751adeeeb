"""Partners are shown whoever was never asked, but where a test is about consent."""

from collections.abc import AsyncIterator

import pytest

from tests.registry.spdci.partner import Receiver


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the registry is told."""
    environment["REGISTRY_SHARE_UNASKED"] = "true"
    monkeypatch.setenv("REGISTRY_SHARE_UNASKED", "true")
    return environment


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """Where a partner is told, and its address."""
    receiver = Receiver()
    async with receiver.running() as url:
        yield receiver, url
