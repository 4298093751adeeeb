"""What an evaluation came to."""

from enum import StrEnum


class Outcome(StrEnum):
    """What was done about the stage that was reached."""

    NONE = "none"
    UNJUDGED = "unjudged"
    """The figures did not let it be judged, which is no calm."""
    QUIET = "quiet"
    PROPOSED = "proposed"
    OPENED = "opened"
    """Of evaluations before activations had ceilings: whatever begins is proposed now."""
    WIDENED = "widened"
    RAISED = "raised"
    """The severity of an activation rose, and nothing was added to it."""
