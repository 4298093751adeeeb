from alembic import context

from shared.events.tables import SCHEMA
from shared.migrations import run_migrations

run_migrations(context, schema=SCHEMA)
