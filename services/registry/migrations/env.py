from alembic import context

from services.registry.tables import SCHEMA, metadata
from shared.migrations import run_migrations

run_migrations(context, metadata=metadata, schema=SCHEMA)
