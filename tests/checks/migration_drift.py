"""Whether the migrations make what Python declares: migrates an empty database and compares.

python -m tests.checks.migration_drift
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.postgres import LocalPostgres
from services.histories import HISTORIES


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sangkroh-drift-") as directory:
        server = LocalPostgres(Path(directory) / "postgres", configuration="fsync = off\n")
        server.start()
        try:
            environment = {**os.environ, "DATABASE_URL": server.url("postgres")}
            for command in ("migrate", "drift"):
                done = subprocess.run(
                    [sys.executable, "-m", "services", command], env=environment, check=False
                )
                if done.returncode:
                    sys.exit(done.returncode)
        finally:
            server.stop()
    schemas = ", ".join(history.schema for history in HISTORIES)
    print(f"No drift: the migrations of {schemas} make what Python declares, and nothing else.")


if __name__ == "__main__":
    main()
