"""Who may call what: the scopes of the registry's routes, as types of the caller."""

from typing import Annotated

from shared.auth import Caller, require

AreasRead = Annotated[Caller, require("areas:read")]
AreasWrite = Annotated[Caller, require("areas:write")]

HouseholdsRead = Annotated[Caller, require("households:read")]
HouseholdsSearch = Annotated[Caller, require("households:search")]
"""Finds a household by a person's number. Whoever may search and read, but not see persons, could
still read the poverty status of whose number they know: give one of the two."""
HouseholdsWrite = Annotated[Caller, require("households:write")]
READ_PERSONAL = "households:read-personal"
"""Shows persons, their health and accounts to who may read, or search, households."""
PersonsRead = Annotated[Caller, require(READ_PERSONAL)]
"""Shows the members of a household, who are persons through and through."""

PayeesRead = Annotated[Caller, require("payees:read")]
"""Shows the names for a list of payments, and nothing else of persons."""

SchemesRead = Annotated[Caller, require("schemes:read")]
SchemesWrite = Annotated[Caller, require("schemes:write")]

RegistryApprove = Annotated[Caller, require("registry:approve")]
"""Decides what another person proposed."""

PartnersRead = Annotated[Caller, require("partners:read")]
PartnersWrite = Annotated[Caller, require("partners:write")]
"""Proposes systems that speak SPDCI with the registry, and ends them."""
SPDCI_SOCIAL = "spdci:social"
"""Asks who is registered, as SPDCI has it; persons are shown with `households:read-personal`."""

SPDCI_BENEFICIARIES = "spdci:beneficiaries"
"""Asks who is enrolled in what, as SPDCI has it, and tells who is in a routine programme."""

EnrolmentsRead = Annotated[Caller, require("enrolments:read")]
RoundsRelease = Annotated[Caller, require("rounds:release")]
EntitlementsRead = Annotated[Caller, require("entitlements:read")]
AppealsWrite = Annotated[Caller, require("appeals:write")]
"""Opens appeals for households, and adds what was found; decides none."""
HoldersCheckers = Annotated[Caller, require("account-holders:check")]
"""Compares a name with a household's. Whoever may could guess names: it is payments' alone."""
ActivationsCheck = Annotated[Caller, require("activations:check")]
