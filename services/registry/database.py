"""The registry's tables hang on one metadata: schema ``registry``, constraints by name."""

from sqlalchemy.orm import DeclarativeBase

from shared.tables import service_metadata

SCHEMA = "registry"


class Base(DeclarativeBase):
    metadata = service_metadata(SCHEMA)
