"""The registry's tables hang on one metadata: schema ``registry``, constraints by name."""

from sqlalchemy.orm import DeclarativeBase

from shared.known_keys import known_key_table
from shared.tables import service_metadata

SCHEMA = "registry"


class Base(DeclarativeBase):
    metadata = service_metadata(SCHEMA)


known_key_table(Base.metadata)
