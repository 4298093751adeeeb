"""Who may call what: the scopes of the registry's routes, as types of the caller."""

from typing import Annotated

from shared.auth import Caller, require

AreasRead = Annotated[Caller, require("areas:read")]
AreasWrite = Annotated[Caller, require("areas:write")]

HouseholdsRead = Annotated[Caller, require("households:read")]
HouseholdsWrite = Annotated[Caller, require("households:write")]
READ_PERSONAL = "households:read-personal"
"""Shows persons and accounts to who may read households."""

SchemesRead = Annotated[Caller, require("schemes:read")]
SchemesWrite = Annotated[Caller, require("schemes:write")]

RegistryApprove = Annotated[Caller, require("registry:approve")]
"""Decides what another person proposed."""

EnrolmentsRead = Annotated[Caller, require("enrolments:read")]
RoundsRelease = Annotated[Caller, require("rounds:release")]
EntitlementsRead = Annotated[Caller, require("entitlements:read")]
ActivationsCheck = Annotated[Caller, require("activations:check")]
