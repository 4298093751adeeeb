"""The triggers schema: the base of its tables, and the tables that every service keeps."""

from sqlalchemy.orm import DeclarativeBase

from shared.tables import service_metadata

SCHEMA = "triggers"


class Base(DeclarativeBase):
    metadata = service_metadata(SCHEMA)
