"""What an evaluation came to."""

from enum import StrEnum


class Outcome(StrEnum):
    """What was done about the stage that was reached."""

    NONE = "none"
    QUIET = "quiet"
    PROPOSED = "proposed"
    OPENED = "opened"
    WIDENED = "widened"
