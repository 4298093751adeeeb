"""Every Alembic history of the product, in the order in which they are migrated."""

import importlib
from pathlib import Path

import shared.events.tables
from services.processes import SERVICES
from shared.migrations import History

_ROOT = Path(__file__).parent


def _history(service: str) -> History:
    tables = importlib.import_module(f"services.{service}.tables")
    return History(
        schema=service, location=_ROOT / service / "migrations", metadata=tables.metadata
    )


HISTORIES = (
    History(
        schema=shared.events.tables.SCHEMA,
        location=_ROOT.parent / "shared" / "events" / "migrations",
        metadata=shared.events.tables.metadata,
    ),
    *(_history(service) for service in SERVICES),
)
