"""Sandboxes to ask: one that many tests share, and new ones for those that kill them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from sandbox.hostility import Hostility
from sandbox.options import Provider, SandboxOptions
from tests.sandbox.hostile import WHILE_SECONDS, Hostile
from tests.sandbox.running import CallbackReceiver, RunningSandbox

PROVIDERS = (
    Provider("mekong", "mekong-key", "whsec_bWVrb25nLXNlY3JldC1vZi10aGUtdGVzdHM="),
    Provider("tonle", "tonle-key", "whsec_dG9ubGUtc2VjcmV0LW9mLXRoZS10ZXN0cw=="),
)

StartSandbox = Callable[..., RunningSandbox]


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    receiver = CallbackReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def start_sandbox(tmp_path: Path, receiver: CallbackReceiver) -> Iterator[StartSandbox]:
    """``start_sandbox(seed=..., ...)`` starts one with options changed from the tests' own."""
    started: list[RunningSandbox] = []

    def start(**changes: object) -> RunningSandbox:
        options = SandboxOptions(
            port=free_port(),
            storage=tmp_path / f"book-{len(started)}.sqlite",
            providers=PROVIDERS,
            seed=7,
            completion_delay_ms=(0, 30),
        )
        sandbox = RunningSandbox(replace(options, **changes), receiver)  # type: ignore[arg-type]
        started.append(sandbox)
        sandbox.start()
        return sandbox

    yield start
    for sandbox in started:
        sandbox.close()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """One sandbox for the tests of a module, which must not count on an empty book."""
    receiver = CallbackReceiver()
    options = SandboxOptions(
        port=free_port(),
        storage=tmp_path_factory.mktemp("sandbox") / "book.sqlite",
        providers=PROVIDERS,
        seed=7,
        completion_delay_ms=(0, 30),
    )
    running = RunningSandbox(options, receiver)
    running.start()
    yield running
    running.close()
    receiver.close()


@pytest.fixture
def hostile(start_sandbox: StartSandbox) -> Hostile:
    """``hostile(kind)`` is a sandbox that meets every payment so."""

    def start(kind: Hostility) -> RunningSandbox:
        return start_sandbox(
            hostile=(kind,), hostile_seconds=WHILE_SECONDS, missing_account_share=0.0
        )

    return start
