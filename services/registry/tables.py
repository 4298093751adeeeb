"""Every table of the service, in one ``metadata``: for migrations and for the check of drift."""

from services.registry.accounts import tables as accounts
from services.registry.activations import tables as activations
from services.registry.acts import tables as acts
from services.registry.appeals import tables as appeals
from services.registry.approvals import tables as approvals
from services.registry.areas import tables as areas
from services.registry.changes import tables as changes
from services.registry.chunks import tables as chunks
from services.registry.consents import tables as consents
from services.registry.corrections import tables as corrections
from services.registry.database import SCHEMA, Base
from services.registry.duplicates import tables as duplicates
from services.registry.editions import tables as editions
from services.registry.enrolments import tables as enrolments
from services.registry.erasures import tables as erasures
from services.registry.funds import tables as funds
from services.registry.household_keys import tables as household_keys
from services.registry.households import tables as households
from services.registry.imports import tables as imports
from services.registry.members import tables as members
from services.registry.partners import tables as partners
from services.registry.preparations import tables as preparations
from services.registry.providers import tables as providers
from services.registry.repairs import tables as repairs
from services.registry.schemes import tables as schemes
from services.registry.spdci.later import tables as spdci
from services.registry.spdci.subscriptions import tables as subscriptions

metadata = Base.metadata

__all__ = [
    "SCHEMA",
    "accounts",
    "activations",
    "acts",
    "appeals",
    "approvals",
    "areas",
    "changes",
    "chunks",
    "consents",
    "corrections",
    "duplicates",
    "editions",
    "enrolments",
    "erasures",
    "funds",
    "household_keys",
    "households",
    "imports",
    "members",
    "metadata",
    "partners",
    "preparations",
    "providers",
    "repairs",
    "schemes",
    "spdci",
    "subscriptions",
]
