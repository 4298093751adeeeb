"""What a check found, and what it could not look at."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Lines for people: faults, what was held against what, and what no tool was there for."""

    faults: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
