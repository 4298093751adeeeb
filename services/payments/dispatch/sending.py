"""Sending ready instructions to one provider, over connections that are kept busy.

Claim and commit in sets, send each, record in sets, all at once: while one set is on its way the
next is claimed and the answers of the one before are recorded. Nothing leaves before the commit
that says that it is about to. Whoever dies here leaves instructions in ``sending`` with a lease.
"""

from services.payments.dispatch.lane import Lane
from services.payments.settings import Settings

ACTOR = "dispatch"


class Sending:
    """The sending side of one provider."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._most = settings.dispatch_claim_size

    async def step(self) -> int:
        """Claim a set and have it sent; returns how many that were."""
        lane = self._lane
        size = await lane.room(lane.sends)
        if not size:
            return 0
        claimed = await lane.claim(size=min(size, self._most), actor=ACTOR)
        lane.send_all(claimed)
        return len(claimed)
