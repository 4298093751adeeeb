"""The registry as it signs, with partners on this machine, and soon to try again."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.registry.spdci.partner import Receiver
from tests.server import eventually


@pytest.fixture(name="environment")
def signed_environment(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What the registry is told."""
    for name, value in {
        "SPDCI_SIGNING_KEY": base64.b64encode(
            Ed25519PrivateKey.generate().private_bytes_raw()
        ).decode(),
        "REGISTRY_PARTNERS_ON_LOOPBACK": "true",
        "REGISTRY_PARTNER_RETRY_SECONDS": "[0.05, 0.05]",
    }.items():
        environment[name] = value
        monkeypatch.setenv(name, value)
    return environment


async def took(receiver: Receiver, action: str, count: int) -> list[dict[str, Any]]:
    """The messages of an action, once there are so many."""

    def taken() -> list[dict[str, Any]]:
        return [body for path, body in receiver.received if path.endswith(f"/{action}")]

    async def are_there() -> bool:
        return len(taken()) >= count

    await eventually(are_there)
    return taken()
