"""What every service's schema is declared with: its metadata, its enum types, its own tables."""

from enum import StrEnum

from sqlalchemy import Enum, MetaData

from shared.audit.tables import audit_tables
from shared.database import NAMING_CONVENTION
from shared.events.tables import consumer_tables
from shared.idempotency import idempotency_table


def service_metadata(schema: str) -> MetaData:
    """A service's metadata, with the tables that every service keeps."""
    metadata = MetaData(schema=schema, naming_convention=NAMING_CONVENTION)
    idempotency_table(metadata)
    consumer_tables(metadata)
    audit_tables(metadata)
    return metadata


def enum_column(choices: type[StrEnum], name: str, schema: str) -> Enum:
    """The type of a column that holds one of ``choices``: the enum type ``name`` of the schema.

    Rows give the member back. A value is added by a migration and never removed.
    """
    return Enum(
        choices,
        name=name,
        schema=schema,
        values_callable=lambda members: [member.value for member in members],
    )
