"""Every Alembic history of the product, in the order in which they are migrated."""

from pathlib import Path

import services.payments.tables
import services.registry.tables
import services.triggers.tables
import shared.events.tables
from shared.migrations import History

_ROOT = Path(__file__).parent

HISTORIES = (
    History(
        schema=shared.events.tables.SCHEMA,
        location=_ROOT.parent / "shared" / "events" / "migrations",
        metadata=shared.events.tables.metadata,
    ),
    History(
        schema="registry",
        location=_ROOT / "registry" / "migrations",
        metadata=services.registry.tables.metadata,
    ),
    History(
        schema="triggers",
        location=_ROOT / "triggers" / "migrations",
        metadata=services.triggers.tables.metadata,
    ),
    History(
        schema="payments",
        location=_ROOT / "payments" / "migrations",
        metadata=services.payments.tables.metadata,
    ),
)
