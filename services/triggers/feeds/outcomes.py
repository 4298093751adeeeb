"""What became of a pull, and what is wrong with a feed."""

from enum import StrEnum


class Outcome(StrEnum):
    """What came of asking for a feed once."""

    READ = "read"
    """It answered, and what could be read of it is recorded."""
    UNCHANGED = "unchanged"
    """It answered with what it had answered before."""
    UNREADABLE = "unreadable"
    """It answered with something else than its document says."""
    FAILED = "failed"
    """It did not answer, or not with success, or with too much."""

    @property
    def is_well(self) -> bool:
        return self in (Outcome.READ, Outcome.UNCHANGED)


class Alarm(StrEnum):
    """Why a person has to look at a feed."""

    FAILING = "failing"
    """Several pulls in a row brought nothing that could be read."""
    SILENT = "silent"
    """It has been silent for longer than its document says."""
