"""Every schema as Python declares it, for the check of drift."""

import importlib

import shared.events.tables
from services.processes import SERVICES
from shared.events.grants import GRANTS
from shared.migrations import role_of
from shared.schema.declaration import Declaration


def _declaration(service: str) -> Declaration:
    tables = importlib.import_module(f"services.{service}.tables")
    grants = importlib.import_module(f"services.{service}.grants")
    return Declaration(metadata=tables.metadata, roles=(role_of(service),), grants=grants.GRANTS)


DECLARATIONS = (
    Declaration(
        metadata=shared.events.tables.metadata,
        roles=tuple(role_of(service) for service in SERVICES),
        grants=GRANTS,
    ),
    *(_declaration(service) for service in SERVICES),
)
