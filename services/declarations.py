"""Every schema as Python declares it, for the check of drift."""

import services.payments.tables
import services.registry.tables
import services.triggers.tables
import shared.events.tables
from services.payments.grants import GRANTS as PAYMENTS_GRANTS
from services.registry.grants import GRANTS as REGISTRY_GRANTS
from services.triggers.grants import GRANTS as TRIGGERS_GRANTS
from shared.events.grants import GRANTS as EVENTS_GRANTS
from shared.migrations import role_of
from shared.schema.declaration import Declaration

_REGISTRY, _TRIGGERS, _PAYMENTS = (
    role_of(service) for service in ("registry", "triggers", "payments")
)

DECLARATIONS = (
    Declaration(
        metadata=shared.events.tables.metadata,
        roles=(_REGISTRY, _TRIGGERS, _PAYMENTS),
        grants=EVENTS_GRANTS,
    ),
    Declaration(
        metadata=services.registry.tables.metadata, roles=(_REGISTRY,), grants=REGISTRY_GRANTS
    ),
    Declaration(
        metadata=services.triggers.tables.metadata, roles=(_TRIGGERS,), grants=TRIGGERS_GRANTS
    ),
    Declaration(
        metadata=services.payments.tables.metadata, roles=(_PAYMENTS,), grants=PAYMENTS_GRANTS
    ),
)
