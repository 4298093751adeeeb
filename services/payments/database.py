"""The payments service's own schema: nothing here is read by another service."""

from sqlalchemy.orm import DeclarativeBase

from shared.tables import service_metadata

SCHEMA = "payments"


class Base(DeclarativeBase):
    metadata = service_metadata(SCHEMA)
