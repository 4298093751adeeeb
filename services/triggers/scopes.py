"""Who may call what: the service's scopes as types."""

from typing import Annotated

from shared.auth import Caller, require, require_any

OBSERVATIONS_PUBLISH = "observations:publish"
OBSERVATIONS_WRITE = "observations:write"

IndicatorsRead = Annotated[Caller, require("indicators:read")]
IndicatorsWrite = Annotated[Caller, require("indicators:write")]
ObservationsRead = Annotated[Caller, require("observations:read")]
ObservationsRecord = Annotated[Caller, require_any(OBSERVATIONS_PUBLISH, OBSERVATIONS_WRITE)]
"""A publisher's own client, or a person who posts by hand."""
TriggersRead = Annotated[Caller, require("triggers:read")]
TriggersWrite = Annotated[Caller, require("triggers:write")]
TriggersApprove = Annotated[Caller, require("triggers:approve")]
"""Decides what another person, or the evidence, proposed."""
ActivationsRead = Annotated[Caller, require("activations:read")]
ActivationsWrite = Annotated[Caller, require("activations:write")]
