"""Funds: money set aside for a purpose. Their balances are ledger accounts."""

from sqlalchemy import Column, DateTime, Table, Text

from services.payments.database import metadata

fund_table = Table(
    "fund",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    comment="Money set aside. The code is the scope of its ledger accounts.",
)
