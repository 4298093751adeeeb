from alembic import context

from services.payments.database import SCHEMA
from shared.migrations import run_migrations

run_migrations(context, schema=SCHEMA)
