"""What has to hold when all is at rest, each as a judgement over plain records.

A proof that fails says what is wrong, with the records at fault: a person goes on from there.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

_EVIDENCE_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Proof:
    """``numbers``: what was compared. ``evidence``: everything that is against it."""

    name: str
    numbers: str
    evidence: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.evidence


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """One fund, by the ledger and by the instructions; amounts in minor units.

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


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, as we recorded it or as the provider booked it."""

    provider: str
    correlation_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How the entitlements of one scheme's round ended; ``open`` have no end."""

    scheme: str
    round: int
    entitlements: int
    by_status: Mapping[str, int]
    open: int
    payments_live: int
    registry_paid_minor: int
    payments_paid_minor: int


def ledger_sums_to_zero(accounts: Sequence[Account], *, transfers: int) -> Proof:
    """Each book of each currency is balanced, and each balance is the sum of its transfers."""
    evidence = [
        f"{account.code} of {account.scope}: running totals {account.debits_minor:,} and "
        f"{account.credits_minor:,}, by its transfers {account.transfers_debited_minor:,} and "
        f"{account.transfers_credited_minor:,}"
        for account in accounts
        if (account.debits_minor, account.credits_minor)
        != (account.transfers_debited_minor, account.transfers_credited_minor)
    ]
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for account in accounts:
        sums[account.book, account.currency] += account.debits_minor - account.credits_minor
    evidence += [
        f"the {book} book in {currency} sums to {total:,}"
        for (book, currency), total in sorted(sums.items())
        if total
    ]
    if not transfers:
        evidence.append("there is no transfer at all")
    books = " and ".join(sorted({f"the {book} book" for book, _ in sums}))
    return Proof(
        name="The ledger sums to zero",
        numbers=f"{transfers:,} transfers over {len(accounts)} accounts, {books} each sum to "
        f"{max(map(abs, sums.values()), default=0):,}",
        evidence=tuple(evidence),
    )


def commitments_add_up(funds: Sequence[Fund]) -> Proof:
    """Committed = paid + in flight + released, by the ledger and again by the instructions."""
    evidence = []
    for fund in funds:
        parts = fund.spent_minor + fund.standing_minor + fund.released_minor
        if fund.committed_minor != parts:
            evidence.append(
                f"{fund.code}: {fund.committed_minor:,} committed, its parts come to {parts:,}"
            )
        for what, by_ledger, by_instructions in (
            ("paid", fund.spent_minor, fund.paid_minor),
            ("in flight", fund.standing_minor, fund.in_flight_minor),
            ("released", fund.released_minor, fund.ended_unpaid_minor),
        ):
            if by_ledger != by_instructions:
                evidence.append(
                    f"{fund.code}: {by_ledger:,} {what} by the ledger, {by_instructions:,} by the "
                    "instructions"
                )
    if not any(fund.committed_minor for fund in funds):
        evidence.append("nothing was ever committed")
    return Proof(
        name="Committed = paid + in flight + released",
        numbers="; ".join(
            f"{fund.committed_minor:,} = {fund.spent_minor:,} + {fund.standing_minor:,} + "
            f"{fund.released_minor:,}"
            for fund in funds
        ),
        evidence=tuple(evidence),
    )


def records_equal_the_book(ours: Iterable[Payment], book: Iterable[Payment]) -> Proof:
    """What we recorded as paid is what the providers booked, line by line, both ways."""
    unmatched: dict[UUID, Payment] = {}
    evidence = []
    count = total_minor = 0
    for payment in ours:
        if payment.correlation_id in unmatched:
            evidence.append(f"we recorded {payment.correlation_id} twice")
        unmatched[payment.correlation_id] = payment
        count += 1
        total_minor += payment.amount_minor
    booked = booked_minor = 0
    for line in book:
        booked += 1
        booked_minor += line.amount_minor
        match unmatched.pop(line.correlation_id, None):
            case None:
                evidence.append(f"in the book, not paid by our records: {_told(line)}")
            case payment if payment != line:
                evidence.append(f"we recorded {_told(payment)}; the book says {_told(line)}")
    evidence += [
        f"paid by our records, not in the book: {_told(payment)}" for payment in unmatched.values()
    ]
    if not count and not booked:
        evidence.append("there is no payment at all")
    return Proof(
        name="Our records equal the providers' book, line by line",
        numbers=f"{count:,} payments of {total_minor:,} in our records, {booked:,} of "
        f"{booked_minor:,} in the book",
        evidence=tuple(evidence),
    )


def nobody_was_paid_twice(
    booked: Iterable[UUID],
    *,
    entitlement_of: Mapping[UUID, UUID],
    household_rounds_paid_twice: Collection[str],
) -> Proof:
    """The book holds one payment at most for an entitlement, and for a household in a round.

    ``booked`` are the book's correlation ids, ``entitlement_of`` says which entitlement each of
    our instructions, of whatever state, was for.
    """
    times = Counter(entitlement_of.get(correlation_id) for correlation_id in booked)
    unknown = times.pop(None, 0)
    evidence = [
        f"entitlement {entitlement} was paid {count} times"
        for entitlement, count in times.items()
        if count > 1
    ]
    if unknown:
        evidence.append(f"{unknown:,} payments in the book are for no entitlement that we know")
    evidence += [f"paid twice in one round: {told}" for told in household_rounds_paid_twice]
    if not times:
        evidence.append("the book is empty")
    return Proof(
        name="No entitlement was paid twice",
        numbers=f"{times.total():,} payments in the book, for {len(times):,} entitlements",
        evidence=tuple(evidence),
    )


def every_entitlement_has_an_end(ends: Sequence[Ends], disagreeing: Sequence[str] = ()) -> Proof:
    """No entitlement is open, no payment is live, and both services tell the same end.

    ``disagreeing`` are entitlements of which they tell different ends or amounts.
    """
    evidence = list(disagreeing)
    for one in ends:
        where = f"{one.scheme}, round {one.round}"
        if one.open:
            evidence.append(f"{where}: {one.open:,} entitlements have no end")
        if one.payments_live:
            evidence.append(f"{where}: {one.payments_live:,} payments are under way")
        if sum(one.by_status.values()) + one.open != one.entitlements:
            evidence.append(f"{where}: the ends do not add up to {one.entitlements:,}")
        if one.registry_paid_minor != one.payments_paid_minor:
            evidence.append(
                f"{where}: the registry says {one.registry_paid_minor:,} paid, payments says "
                f"{one.payments_paid_minor:,}"
            )
    total: Counter[str] = Counter()
    for one in ends:
        total.update(one.by_status)
    entitlements = sum(one.entitlements for one in ends)
    if not entitlements:
        evidence.append("there is no entitlement at all")
    told = ", ".join(f"{count:,} {status}" for status, count in total.most_common())
    return Proof(
        name="Every entitlement has an end",
        numbers=f"{entitlements:,} entitlements: {told}",
        evidence=tuple(evidence),
    )


def nobody_was_left_out(expected: Mapping[str, int], enrolled: Mapping[str, int]) -> Proof:
    """Every eligible household of the areas reached is enrolled; by activation."""
    evidence = tuple(
        f"{activation}: {expected.get(activation, 0):,} households are eligible where it reached, "
        f"{enrolled.get(activation, 0):,} are enrolled"
        for activation in sorted(expected.keys() | enrolled.keys())
        if expected.get(activation, 0) != enrolled.get(activation, 0)
    )
    return Proof(
        name="Every eligible household was enrolled, once",
        numbers=", ".join(
            f"{activation} {enrolled.get(activation, 0):,} of {count:,}"
            for activation, count in expected.items()
        ),
        evidence=evidence or (() if expected else ("no activation reached anybody",)),
    )


def nothing_waits_for_a_person(waiting: Mapping[str, int]) -> Proof:
    """No event is parked, no callback unmatched, no chunk refused, no round without money."""
    return Proof(
        name="Nothing is parked, refused or unmatched",
        numbers=", ".join(f"{count:,} {what}" for what, count in waiting.items()),
        evidence=tuple(f"{count:,} {what}" for what, count in waiting.items() if count),
    )


def shown(evidence: Sequence[str]) -> list[str]:
    """The first of the evidence, and how much more there is."""
    more = len(evidence) - _EVIDENCE_SHOWN
    return [*evidence[:_EVIDENCE_SHOWN], *([f"… and {more:,} more"] if more > 0 else [])]


def _told(payment: Payment) -> str:
    return (
        f"{payment.correlation_id} {payment.amount_minor:,} {payment.currency} "
        f"at {payment.provider}"
    )
