"""Our payments against what the providers say they paid."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from judge.proofs.finding import Finding
from judge.records import BookLine, Instruction, PaidTwice
from judge.words import PAYMENT_ENDS

Paid = tuple[str, int, str]
"""A provider, minor units, and their currency."""


def records_equal_the_book(
    instructions: Mapping[UUID, Instruction], book: Iterable[BookLine]
) -> Finding:
    """What we recorded as paid is what the providers booked, line by line, both ways.

    And of the amount that the registry owed, to an entitlement that it says is paid.
    """
    evidence = []
    lines: dict[UUID, BookLine] = {}
    count = booked_minor = 0
    for line in book:
        count += 1
        booked_minor += line.amount_minor
        if line.correlation_id in lines:
            evidence.append(f"in the book twice: {_told(line)}")
            continue
        lines[line.correlation_id] = line
        if against := _against(line, instructions.get(line.correlation_id)):
            evidence.append(against)
    paid = paid_minor = 0
    for instruction in instructions.values():
        if instruction.paid:
            paid += 1
            paid_minor += instruction.amount_minor
            if instruction.id not in lines:
                evidence.append(f"paid by our records, not in the book: {_told(instruction)}")
    if not paid and not count:
        evidence.append("there is no payment at all")
    return Finding(
        numbers=f"{paid:,} payments of {paid_minor:,} in our records, {count:,} of "
        f"{booked_minor:,} in the book",
        evidence=tuple(evidence),
    )


def _against(line: BookLine, ours: Instruction | None) -> str | None:
    """What is against one line of the book, if anything is."""
    if ours is None:
        return f"in the book and not ours: {_told(line)}"
    if not ours.paid or (ours.status == "settled" and ours.entitlement_status != "paid"):
        return (
            f"in the book, but instruction {ours.id} is {ours.status} and its entitlement "
            f"{ours.entitlement_status or 'unknown to the registry'}"
        )
    recorded = (ours.provider, ours.amount_minor, ours.currency)
    if recorded != (line.provider, line.amount_minor, line.currency):
        return f"we recorded {_told(ours)}; the book says {_told(line)}"
    if ours.owed_minor != line.amount_minor:
        owed = "nothing" if ours.owed_minor is None else f"{ours.owed_minor:,}"
        return f"the book says {_told(line)}; the registry owed {owed}"
    return None


def differences_are_listed(
    instructions: Mapping[UUID, Instruction], book: Iterable[BookLine], *, listed: Collection[UUID]
) -> Finding:
    """Whatever the book says otherwise than we do, payment by payment, a person is shown.

    Weaker than being equal: a provider that says what is not true leaves differences that only a
    person can end. What is compared is everything that was booked under an id with what we recorded
    as paid under it.
    """
    booked: defaultdict[UUID, list[Paid]] = defaultdict(list)
    for line in book:
        booked[line.correlation_id].append((line.provider, line.amount_minor, line.currency))
    evidence, differences = [], 0
    for identity in booked.keys() | instructions.keys():
        ours = instructions.get(identity)
        recorded = [(ours.provider, ours.amount_minor, ours.currency)] if ours and ours.paid else []
        if booked.get(identity, []) == recorded:
            continue
        differences += 1
        if identity not in listed:
            evidence.append(
                f"not on any list: {identity} is {ours.status if ours else 'not ours'}, and the "
                f"book has {_lines_told(booked.get(identity, []))}"
            )
    if not booked and not instructions:
        evidence.append("there is no payment at all")
    return Finding(
        numbers=f"{len(booked):,} payments in the book, {differences:,} of which we record "
        f"otherwise, {differences - len(evidence):,} of them on a list",
        evidence=tuple(evidence),
    )


def _lines_told(paid: Sequence[Paid]) -> str:
    return (
        ", ".join(f"{minor:,} {currency} at {provider}" for provider, minor, currency in paid)
        or "nothing of it"
    )


def no_entitlement_was_paid_twice(
    book: Iterable[BookLine],
    *,
    instructions: Mapping[UUID, Instruction],
    paid_twice: Sequence[PaidTwice],
) -> Finding:
    """The book holds one payment at most for an entitlement, and for a household in a round.

    One that came back is not counted. ``paid_twice`` are households, by our own records.
    """
    times: Counter[UUID] = Counter()
    unknown = 0
    for line in book:
        instruction = instructions.get(line.correlation_id)
        if instruction is None:
            unknown += 1
        elif instruction.status != "returned":
            times[instruction.entitlement_id] += 1
    evidence = [
        f"entitlement {entitlement} was paid {count} times"
        for entitlement, count in times.items()
        if count > 1
    ]
    if unknown:
        evidence.append(f"{unknown:,} payments in the book are for no entitlement that we know")
    evidence += [
        f"household {twice.household_id} was paid {twice.times} times in round {twice.round} of "
        f"{twice.scheme}"
        for twice in paid_twice
    ]
    if not times:
        evidence.append("the book is empty: nobody was paid at all")
    return Finding(
        numbers=f"{times.total():,} payments in the book, for {len(times):,} entitlements",
        evidence=tuple(evidence),
    )


def no_account_was_paid_too_often(book: Iterable[BookLine], *, at_most: int) -> Finding:
    """The book, by account: under whatever ids, nobody got more payments than can be owed."""
    times = Counter((line.provider, line.account) for line in book)
    evidence = [
        f"an account at {provider} was paid {count} times"
        for (provider, _), count in times.items()
        if count > at_most
    ]
    if not times:
        evidence.append("the book is empty: nobody was paid at all")
    return Finding(
        numbers=f"{len(times):,} accounts, paid {max(times.values(), default=0)} times at most, "
        f"where {at_most} can be",
        evidence=tuple(evidence),
    )


def every_payment_has_an_end(
    instructions: Mapping[UUID, Instruction], *, possible: Collection[str]
) -> Finding:
    """No payment is under way, and each ended as it can end."""
    by_status = Counter(instruction.status for instruction in instructions.values())
    evidence = [
        f"{count:,} payments are under way: {status}"
        if status not in PAYMENT_ENDS
        else f"{count:,} payments ended as none can here: {status}"
        for status, count in by_status.items()
        if status not in PAYMENT_ENDS or status not in possible
    ]
    if not by_status:
        evidence.append("there is no payment at all")
    return Finding(
        numbers=f"{by_status.total():,} payments: "
        + ", ".join(f"{count:,} {status}" for status, count in by_status.most_common()),
        evidence=tuple(evidence),
    )


def _told(payment: BookLine | Instruction) -> str:
    identity = payment.correlation_id if isinstance(payment, BookLine) else payment.id
    return f"{identity} {payment.amount_minor:,} {payment.currency} at {payment.provider}"
