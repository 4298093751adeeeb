"""Whether every operation is described, guarded, and exemplified by what its schema allows.

python -m tests.checks.openapi_examples
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path

from fastapi import FastAPI

from deploy.local.environment import LocalSecrets, local_environment
from services.processes import DEFAULT_PORTS
from tests.checks.openapi import PROBES, SIGNED, faults_of, operations

SERVICES = ("registry", "triggers", "payments")


def environment(directory: Path) -> dict[str, str]:
    """What the services need to be made with nothing behind them; secrets lie in ``directory``."""
    return local_environment(
        LocalSecrets.kept_in(directory / "secrets.json"),
        owner_url="postgresql+asyncpg://owner@localhost/sangkroh",
        ports=DEFAULT_PORTS,
        sandbox_port=8010,
        key_file=directory / "issuer" / "key.pem",
        clock_file=None,
    )


def application(service: str) -> FastAPI:
    """A service's app, by the environment."""
    app: FastAPI = importlib.import_module(f"services.{service}.app").create_app()
    return app


def applications(directory: Path) -> dict[str, FastAPI]:
    """The application of each service, with made-up settings: to be read, not to be served."""
    os.environ.update(environment(directory))
    return {service: application(service) for service in SERVICES}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sangkroh-openapi-") as directory:
        described = {
            service: app.openapi() for service, app in applications(Path(directory)).items()
        }
    faults = [
        f"{service}: {fault}"
        for service, document in described.items()
        for fault in faults_of(document, public=PROBES | SIGNED)
    ]
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(f"{len(faults)} faults in the OpenAPI documents, listed above: mend the routes.")
    count = sum(len(list(operations(document))) for document in described.values())
    print(f"{count} operations are described, guarded, and their examples are valid.")


if __name__ == "__main__":
    main()
