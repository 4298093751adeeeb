"""Why another provider pays than the one that an account names."""

from enum import StrEnum


class RouteCause(StrEnum):
    ALWAYS = "always"
    """Whatever is raised for it goes the other way."""
    DISABLED = "disabled"
    """The settings do not name it any more."""
    PAUSED = "paused"
    """All that goes through it is paused."""
    DOWN = "down"
    """It has failed for as long as the rule says, and told nothing since."""
    REJECTED = "rejected"
    """It rejected an earlier attempt, for a reason that the rule names."""
    FOUND_THERE = "found_there"
    """The database had lost by whom it went; asked, the other provider knew it."""


BEFORE_SENDING = (RouteCause.ALWAYS, RouteCause.DISABLED, RouteCause.PAUSED, RouteCause.DOWN)
"""In this order: the first that holds is the reason."""
