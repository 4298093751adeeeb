"""The payments service's own schema: nothing here is read by another service."""

from sqlalchemy import MetaData

from shared.database import NAMING_CONVENTION
from shared.events.tables import consumer_tables
from shared.idempotency import idempotency_table

SCHEMA = "payments"
EVENT_SOURCE = "/payments"

metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)

event_cursor_table, dead_letter_table = consumer_tables(metadata)
idempotency_key_table = idempotency_table(metadata)
