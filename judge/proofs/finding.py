"""What a proof finds."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``numbers``: what was compared. ``evidence``: everything that is against the claim.

    The evidence names the records at fault: a person goes on from there.
    """

    numbers: str
    evidence: tuple[str, ...] = ()
