"""The payments service's own schema: nothing here is read by another service."""

from sqlalchemy.orm import DeclarativeBase

from shared.known_keys import known_key_table
from shared.tables import service_metadata

SCHEMA = "payments"


class Base(DeclarativeBase):
    metadata = service_metadata(SCHEMA)


known_key_table(Base.metadata)
