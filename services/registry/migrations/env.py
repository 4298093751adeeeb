from alembic import context

from services.registry.database import SCHEMA
from shared.migrations import run_migrations

run_migrations(context, schema=SCHEMA)
