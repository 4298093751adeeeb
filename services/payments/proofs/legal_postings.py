"""Which postings an instruction may have made in each state: walked from the table of moves."""

from services.payments.instructions.states import MOVES, OVERPAID, REVERSES, UNDERPAID, Status
from services.payments.ledger.accounts import Posting, TransferCode


def legal_postings() -> set[tuple[Status, frozenset[TransferCode]]]:
    """Every (state, codes posted on the way there), over all legal paths from ``ready``."""
    reached: set[tuple[Status, frozenset[TransferCode]]] = set()
    waiting: list[tuple[Status, frozenset[TransferCode]]] = [(Status.READY, frozenset())]
    while waiting:
        here = waiting.pop()
        if here in reached:
            continue
        reached.add(here)
        status, posted = here
        waiting += [
            (after, _after(posted, (*postings, *besides)))
            for (before, after), postings in MOVES.items()
            if before is status
            for besides in _besides(after)
        ]
    return reached


def _besides(after: Status) -> tuple[tuple[Posting, ...], ...]:
    """What a move may post beyond its own postings: the difference to what was really paid."""
    return ((), UNDERPAID, OVERPAID) if after is Status.SETTLED else ((),)


def _after(
    posted: frozenset[TransferCode], postings: tuple[Posting, ...]
) -> frozenset[TransferCode]:
    """What stands after further postings: what is undone, and what undid it, cancel out."""
    codes = {posting.code for posting in postings}
    return (posted | (codes - REVERSES.keys())) - {
        undone for code, undone in REVERSES.items() if code in codes
    }
