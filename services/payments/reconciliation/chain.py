"""What a statement begins and ends with, by the balance after each line. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import add, eq


class Chain:
    """The changes of a file's lines and the balance after each, in the order of the file."""

    def __init__(self) -> None:
        self._changes = array("q")
        self._balances = array("q")

    def extend(self, changes: Iterable[int], balances: Iterable[int]) -> None:
        """The next lines, in minor units."""
        self._changes.extend(changes)
        self._balances.extend(balances)

    def ends(self) -> tuple[int, int] | None:
        """The opening and the closing balance; None: there is no line.

        Lines may be in the order of time or against it, or in none: then the opening balance is
        the one that no line leads to, and the closing balance the one that no line comes after.
        Where lines are missing between, there are several such; the file's own order decides.
        """
        changes, balances = self._changes, self._balances
        if not changes:
            return None
        if _leads(balances, islice(balances, 1, None), islice(changes, 1, None)):
            return balances[0] - changes[0], balances[-1]
        if _leads(islice(balances, 1, None), balances, changes):
            return balances[-1] - changes[-1], balances[0]
        before = [balance - change for balance, change in zip(balances, changes, strict=True)]
        begins = _only(before, balances)
        ends = _only(balances, before)
        if len(begins) == len(ends) == 1:
            return begins[0], ends[0]
        return before[0], balances[-1]


def _leads(before: Iterable[int], after: Iterable[int], changes: Iterable[int]) -> bool:
    """Whether each balance and its line's change come to the balance after."""
    return all(map(eq, map(add, before, changes), after))


def _only(these: Sequence[int], those: Sequence[int]) -> list[int]:
    """What is among these more often than among those."""
    return list((Counter(these) - Counter(those)).elements())
