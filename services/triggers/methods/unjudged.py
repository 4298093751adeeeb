"""What a method answers when the data do not let it judge."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unjudged:
    """No judgement was possible. `reason` is a sentence for the person who reads the evidence."""

    reason: str
