"""The triggers schema: the base of its tables, and the tables that every service keeps."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared.database import NAMING_CONVENTION
from shared.events.tables import consumer_tables
from shared.idempotency import idempotency_table

SCHEMA = "triggers"


class Base(DeclarativeBase):
    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)


idempotency_table(Base.metadata)
consumer_tables(Base.metadata)
