"""Every Alembic history of the product, in the order in which they are migrated."""

from pathlib import Path

from services.processes import SERVICES
from shared.migrations import EVENTS_SCHEMA, History

_ROOT = Path(__file__).parent

HISTORIES = (
    History(schema=EVENTS_SCHEMA, location=_ROOT.parent / "shared" / "events" / "migrations"),
    *(History(schema=service, location=_ROOT / service / "migrations") for service in SERVICES),
)
