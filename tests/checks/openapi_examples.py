"""Whether every operation is described, guarded, and exemplified by what its schema allows.

python -m tests.checks.openapi_examples
"""

import os
import sys
import tempfile
from pathlib import Path

from deploy.local.environment import LocalSecrets, local_environment
from services.processes import DEFAULT_PORTS
from tests.checks.openapi import PROBES, faults_of, operations

# Signed by the provider instead (Standard Webhooks).
_SIGNED = {"/v1/providers/{provider_code}/callbacks"}


def documents(directory: Path) -> dict[str, dict[str, object]]:
    """The OpenAPI document of each service, as it serves it."""
    os.environ.update(
        local_environment(
            LocalSecrets.kept_in(directory / "secrets.json"),
            owner_url="postgresql+asyncpg://owner@localhost/sangkroh",
            ports=DEFAULT_PORTS,
            sandbox_port=8010,
            key_file=directory / "issuer" / "key.pem",
            clock_file=None,
        )
    )
    import services.payments.app
    import services.registry.app
    import services.triggers.app

    return {
        "registry": services.registry.app.create_app().openapi(),
        "triggers": services.triggers.app.create_app().openapi(),
        "payments": services.payments.app.create_app().openapi(),
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sangkroh-openapi-") as directory:
        described = documents(Path(directory))
    faults = [
        f"{service}: {fault}"
        for service, document in described.items()
        for fault in faults_of(document, public=PROBES | _SIGNED)
    ]
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(f"{len(faults)} faults in the OpenAPI documents, listed above: mend the routes.")
    count = sum(len(list(operations(document))) for document in described.values())
    print(f"{count} operations are described, guarded, and their examples are valid.")


if __name__ == "__main__":
    main()
