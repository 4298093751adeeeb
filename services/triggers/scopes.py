"""Who may call what: the service's scopes as types."""

from typing import Annotated

from shared.auth import Caller, require

IndicatorsRead = Annotated[Caller, require("indicators:read")]
IndicatorsWrite = Annotated[Caller, require("indicators:write")]
ObservationsRead = Annotated[Caller, require("observations:read")]
ObservationsWrite = Annotated[Caller, require("observations:write")]
PUBLISH = "observations:publish"
"""What a program posts that has it, too, counts at once."""
FeedsRead = Annotated[Caller, require("feeds:read")]
FeedsWrite = Annotated[Caller, require("feeds:write")]
ObservationsRelease = Annotated[Caller, require("observations:release")]
"""Decides what is doubtful: whether a figure counts, and which place a name means."""
TriggersRead = Annotated[Caller, require("triggers:read")]
TriggersWrite = Annotated[Caller, require("triggers:write")]
TriggersApprove = Annotated[Caller, require("triggers:approve")]
"""Decides what another person, or the evidence, proposed."""
ActivationsRead = Annotated[Caller, require("activations:read")]
ActivationsWrite = Annotated[Caller, require("activations:write")]
