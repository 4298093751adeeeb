"""Providers as ledger and instructions know them. Addresses and secrets stay in the settings."""

from sqlalchemy import Column, Identity, SmallInteger, Table, Text

from services.payments.database import metadata

provider_table = Table(
    "provider",
    metadata,
    Column("number", SmallInteger, Identity(always=True), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    comment="Mobile-money providers, taken from the settings when a process starts.",
)
