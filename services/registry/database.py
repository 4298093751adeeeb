"""The registry's tables hang on one metadata: schema ``registry``, constraints by name."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared.database import NAMING_CONVENTION
from shared.events.tables import consumer_tables
from shared.idempotency import idempotency_table

SCHEMA = "registry"


class Base(DeclarativeBase):
    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)


idempotency_table(Base.metadata)
consumer_tables(Base.metadata)
