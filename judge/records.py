"""What the witnesses say, as plain records. Amounts are in minor units of their currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from judge.words import PAYMENT_PAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A ledger account: its running totals, and the same summed anew from the transfers."""

    book: str
    code: str
    scope: str
    currency: str
    debits_minor: int
    credits_minor: int
    transfers_debited_minor: int
    transfers_credited_minor: int

    @property
    def balance_minor(self) -> int:
        return self.debits_minor - self.credits_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """One fund, by the ledger and by the instructions.

    The ledger says what was ever committed, and what of it was spent, released, or stands.
    The instructions say what was paid, what ended unpaid, and what has no end yet.
    """

    code: str
    committed_minor: int
    spent_minor: int
    released_minor: int
    standing_minor: int
    paid_minor: int
    ended_unpaid_minor: int
    in_flight_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Our money that is on its way through one provider, by the ledger and by the instructions."""

    code: str
    in_transit_minor: int
    in_flight_minor: int
    suspense_minor: int
    held_minor: int
    """Of payments that are held, and of money that is gone by a statement and by nothing else."""
    returns_payable_minor: int
    came_back_minor: int
    """After it was paid, and not given back to its fund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is committed and spent on one budget line, by the ledger and by the instructions."""

    code: str
    committed_minor: int
    in_flight_minor: int
    spent_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A deposit or prefunding that was taken back.

    ``recorded`` are its transfers as accounts and amounts, ``taken_back`` those of the reversal
    read the other way round.
    """

    id: UUID
    proposed_by: str | None
    decided_by: str | None
    recorded: Sequence[str]
    taken_back: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One attempt to pay one entitlement, and what the registry says of that entitlement.

    ``spent``: its money left the fund; what came back only after it was settled did too, unless it
    was given back to the fund.
    ``entitlement_status`` and ``owed_minor`` are None where the registry knows no such entitlement.
    """

    id: UUID
    entitlement_id: UUID
    provider: str
    fund: str
    amount_minor: int
    currency: str
    status: str
    spent: bool
    entitlement_status: str | None
    owed_minor: int | None

    @property
    def paid(self) -> bool:
        return self.status in PAYMENT_PAID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """One line of a provider's book: a payment that reached an account.

    ``sent_at`` is when it came to the provider first, by the provider's clock, or when the file
    that ordered it was written; None: the book does not say.
    """

    provider: str
    correlation_id: UUID
    amount_minor: int
    currency: str
    account: str = field(repr=False)
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What was not to be sent for a while, by the programme's clock; ``resumed_at`` None: still.

    ``concerned`` are the payments that it names, ``claimed`` those of them that were about to be
    sent while it was in force, and when.
    """

    id: UUID
    paused_at: datetime
    resumed_at: datetime | None
    concerned: frozenset[UUID]
    claimed: Sequence[tuple[UUID, datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A payment that a rule held, until two persons decided; None: they have not.

    ``claimed_at`` is when it was first about to be sent.
    """

    instruction_id: UUID
    ended_at: datetime | None
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What one provider charges, by the ledger, and by payments and decisions of two persons.

    ``suspended_minor`` is gone by a statement and not decided on, ``received_minor`` came by one.
    """

    code: str
    charges_minor: int
    payable_minor: int
    worked_out_minor: int
    paid_minor: int
    suspended_minor: int
    received_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedLine:
    """A line of a statement that two persons found to be charged: how it was booked.

    ``owed_minor`` of it could have been settled: it was owed for charges for some time already.
    """

    number: int
    provider: str
    statement_minor: int
    settled_minor: int
    further_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How the entitlements of one activation's round ended.

    ``by_status`` counts the entitlements; ``counted`` is how many the registry's chunks tell of.
    """

    scheme: str
    opened_on: date
    round: int
    counted: int
    by_status: Mapping[str, int]
    payments_live: int
    registry_paid_minor: int
    payments_paid_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An entitlement of which registry and payments tell different ends or amounts."""

    entitlement_id: UUID
    status: str | None
    amount_minor: int | None
    settled_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidTwice:
    """A household with several settled payments in one round of one activation."""

    household_id: UUID
    scheme: str
    round: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A chunk that payments took: what was announced, and what became of its entitlements."""

    chunk_id: UUID
    announced_count: int
    announced_minor: int
    raised_count: int
    raised_minor: int
    set_aside_count: int
    set_aside_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The households of the areas that an activation reached: eligible ones and enrolled ones.

    Both are counted among households that did not change since; ``changed_since`` of the enrolled
    did. ``known_to_both``: triggers opened it, and the registry heard of it.
    """

    scheme: str
    opened_on: date
    known_to_both: bool
    eligible: int
    enrolled: int
    changed_since: int


@dataclass(frozen=True, kw_only=True)
class Records:
    """Everything that the database says, of one moment."""

    accounts: Sequence[Account]
    transfers: int
    funds: Sequence[Fund]
    kept_minor: Mapping[str, int]
    """By fund: what it keeps for triggers that are ready."""
    providers: Sequence[Provider]
    lines: Sequence[Line]
    """Budget lines of funds."""
    reversals: Sequence[Reversal]
    pauses: Sequence[Pause]
    holds: Sequence[Hold]
    charges: Sequence[Charges]
    charged_lines: Sequence[ChargedLine]
    instructions: Mapping[UUID, Instruction]
    paid_twice: Sequence[PaidTwice]
    announced: Sequence[Announced]
    ends: Sequence[Ends]
    disagreements: Sequence[Disagreement]
    reaches: Sequence[Reach]
    households: int
    callbacks_stored: frozenset[UUID]
    """The instructions that some stored callback speaks of."""
    waiting: Mapping[str, int]
    """How many things wait for a person, by what they are."""
    listed: frozenset[UUID]
    """The instructions that a person is shown: by an alarm, or as having no end."""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """What a service told a caller when it took an order, and the path to read it back."""

    service: str
    path: str
    told: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """An acknowledgement and what is there now; ``found`` is None unless the answer was 200."""

    acknowledgement: Acknowledgement
    status_code: int
    found: Mapping[str, object] | None


@dataclass(frozen=True, kw_only=True)
class Searched:
    """One writing (a dump, a log), and how many personal values of each kind it tells."""

    writing: str
    told: Mapping[str, int]
    first_line: int | None = None
