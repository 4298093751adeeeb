"""What every format of a statement is read into: lines as PostgreSQL's COPY takes them, and totals.

Plain computation. Whatever a file says, reading returns, and what cannot be read is set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.payments.reconciliation.kinds import Direction
from shared.errors import Explained

MAXIMUM_FAULTS = 10_000
"""More lines that cannot be read are seldom the file that was meant."""
MAXIMUM_LINES = 2_000_000
MAXIMUM_MINOR = 10**15
_MAXIMUM_TURNOVER_MINOR = 10**18
NOTHING = "\\N"
"""Of COPY: no value."""


class StatementRefused(Explained):
    """A file that is not read on: it is not the statement that was meant. Says what is wrong."""


class Fault(Exception):
    """A value that cannot be read: of which field, and why. Never the value itself."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SetAside:
    """A line that cannot be read."""

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Totals:
    """What the lines that were read come to."""

    out_count: int = 0
    out_minor: int = 0
    in_count: int = 0
    in_minor: int = 0

    @property
    def count(self) -> int:
        return self.out_count + self.in_count

    @property
    def net_minor(self) -> int:
        """By how much the lines change the balance."""
        return self.in_minor - self.out_minor


@dataclass(slots=True)
class StatementRead:
    """A whole file, as far as it can be read."""

    seen: set[int] = field(default_factory=set)
    """Digests of the ids on its lines: two that are alike only have lines looked at once more."""

    blocks: list[bytes] = field(default_factory=list)
    """Lines for COPY, in text format, without the statement's number: line, direction, amount,
    balance, booked at, our id, reference."""
    faults: list[SetAside] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    opening_minor: int | None = None
    closing_minor: int | None = None
    about_day: str | None = None
    """The day that the file says it is about, as YYYY-MM-DD; None: it does not say."""
    names_each: bool = True
    """Whether each of its lines has an id, which may be one of ours."""
    may_repeat: bool = False
    """Whether two of its lines may be of one payment: looked for only then."""
    first_day: str | None = None
    last_day: str | None = None
    """Of its lines, as YYYY-MM-DD; None: they tell no time."""

    def set_aside(self, line: int, field: str, reason: str) -> None:
        """Keep why a line is not read; raises StatementRefused where these are too many."""
        if len(self.faults) >= MAXIMUM_FAULTS:
            raise StatementRefused(
                f"It was stopped at line {line}: more than {MAXIMUM_FAULTS:,} lines cannot be "
                f"read, the first of them line {self.faults[0].line} for its "
                f"{self.faults[0].field}: {self.faults[0].reason} Is it the provider's statement, "
                "and is its statement mapping right?"
            )
        self.faults.append(SetAside(line, field, reason))

    def keep(
        self,
        *,
        lines: Sequence[int],
        directions: Sequence[Direction],
        amounts: Sequence[int],
        balances: Sequence[str],
        times: Sequence[str],
        ids: Sequence[str],
        references: Sequence[str],
    ) -> None:
        """Keep lines, as columns of one length; raises StatementRefused where these are too many.

        Balances, times, ids and references are as COPY takes them.
        """
        if not lines:
            return
        if self.totals.count + len(lines) > MAXIMUM_LINES:
            raise StatementRefused(f"It has more than {MAXIMUM_LINES:,} lines.")
        rows = zip(
            map(str, lines),
            directions,
            map(str, amounts),
            balances,
            times,
            ids,
            references,
            strict=True,
        )
        self.names_each = self.names_each and NOTHING not in ids
        before = len(self.seen)
        self.seen.update(map(hash, ids))
        self.may_repeat = self.may_repeat or len(self.seen) < before + len(ids)
        self.blocks.append(("\n".join(map("\t".join, rows)) + "\n").encode())
        out_count = directions.count(Direction.OUT)
        out_minor = (
            sum(amounts)
            if out_count == len(lines)
            else sum(
                amount
                for amount, direction in zip(amounts, directions, strict=True)
                if direction is Direction.OUT
            )
        )
        self.totals.out_count += out_count
        self.totals.out_minor += out_minor
        self.totals.in_count += len(lines) - out_count
        self.totals.in_minor += sum(amounts) - out_minor
        if max(self.totals.out_minor, self.totals.in_minor) > _MAXIMUM_TURNOVER_MINOR:
            raise StatementRefused("Its lines come to more money than there is.")
        if NOTHING not in times:
            first, last = min(times)[:10], max(times)[:10]
            self.first_day = min(first, self.first_day or first)
            self.last_day = max(last, self.last_day or last)
