"""What an evaluation came to."""

from enum import StrEnum


class Outcome(StrEnum):
    """What was done about the stage that was reached."""

    NONE = "none"
    QUIET = "quiet"
    PROPOSED = "proposed"
    OPENED = "opened"
    """Of evaluations before activations had ceilings: whatever begins is proposed now."""
    WIDENED = "widened"
