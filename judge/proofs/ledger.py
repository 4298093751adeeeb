"""The money by the double-entry ledger."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from judge.proofs.finding import Finding
from judge.records import (
    Account,
    BookLine,
    ChargedLine,
    Charges,
    Fund,
    Instruction,
    Line,
    Provider,
    Reversal,
)


def sums_to_zero(accounts: Sequence[Account], *, transfers: int) -> Finding:
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
        sums[account.book, account.currency] += account.balance_minor
    evidence += [
        f"the {book} book in {currency} sums to {total:,}"
        for (book, currency), total in sorted(sums.items())
        if total
    ]
    if not transfers:
        evidence.append("there is no transfer at all")
    books = " and ".join(sorted({f"the {book} book" for book, _ in sums}))
    return Finding(
        numbers=f"{transfers:,} transfers over {len(accounts)} accounts, {books} each sum to "
        f"{max(map(abs, sums.values()), default=0):,}",
        evidence=tuple(evidence),
    )


def commitments_add_up(funds: Sequence[Fund]) -> Finding:
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
    return Finding(
        numbers="; ".join(
            f"{fund.committed_minor:,} = {fund.spent_minor:,} + {fund.standing_minor:,} + "
            f"{fund.released_minor:,}"
            for fund in funds
        ),
        evidence=tuple(evidence),
    )


def money_with_providers_is_accounted_for(providers: Sequence[Provider]) -> Finding:
    """At each provider, in transit = what is in flight, and suspense = what is to be decided.

    That is those held, and what is gone by a statement and by no order of ours. What is owed for
    returns = those that came back and were not given back.
    """
    evidence = [
        f"{account} of {provider.code} is {by_ledger:,}, by the instructions it has to be "
        f"{by_instructions:,}"
        for provider in providers
        for account, by_ledger, by_instructions in (
            ("IN_TRANSIT", provider.in_transit_minor, provider.in_flight_minor),
            ("SUSPENSE", provider.suspense_minor, provider.held_minor),
            ("RETURNS_PAYABLE", provider.returns_payable_minor, provider.came_back_minor),
        )
        if by_ledger != by_instructions
    ]
    if not providers:
        evidence.append("there is no provider at all")
    return Finding(
        numbers="; ".join(
            f"{provider.code} {provider.in_transit_minor:,} in transit, "
            f"{provider.suspense_minor:,} in suspense"
            for provider in providers
        ),
        evidence=tuple(evidence),
    )


def lines_add_up(lines: Sequence[Line]) -> Finding:
    """On each budget line, committed = in flight, and spent = what was paid."""
    return Finding(
        numbers=f"{len(lines):,} budget lines",
        evidence=tuple(
            f"{what} on {line.code} is {by_ledger:,}, by the instructions it has to be "
            f"{by_instructions:,}"
            for line in lines
            for what, by_ledger, by_instructions in (
                ("committed", line.committed_minor, line.in_flight_minor),
                ("spent", line.spent_minor, line.paid_minor),
            )
            if by_ledger != by_instructions
        ),
    )


def reversals_undo(reversals: Sequence[Reversal]) -> Finding:
    """What was taken back is what was recorded, once and whole, and one person decided on it who
    had not proposed it."""
    evidence = []
    for reversal in reversals:
        if not reversal.recorded:
            evidence.append(f"reversal {reversal.id} takes back what was never recorded")
        elif list(reversal.recorded) != list(reversal.taken_back):
            evidence.append(
                f"reversal {reversal.id}: {', '.join(reversal.recorded)} was recorded, "
                f"{', '.join(reversal.taken_back) or 'nothing'} was taken back"
            )
        if None in (reversal.proposed_by, reversal.decided_by) or (
            reversal.proposed_by == reversal.decided_by
        ):
            evidence.append(f"reversal {reversal.id} is not of two persons")
    return Finding(numbers=f"{len(reversals):,} reversals", evidence=tuple(evidence))


def balances_follow_from_the_book(
    accounts: Iterable[Account],
    book: Sequence[BookLine],
    *,
    instructions: Mapping[UUID, Instruction],
    kept_minor: Mapping[str, int],
    deposited_minor: Mapping[str, int],
    prefunded_minor: Mapping[str, int],
    charges_taken_minor: Mapping[str, int],
    charges: Sequence[Charges] = (),
    charged: Sequence[ChargedLine] = (),
) -> Finding:
    """What each fund and each float holds at rest, worked out without the ledger.

    From what was paid in, what the providers booked and took for their services, what their
    statements showed as gone or come, what our instructions say came back, and what is kept for
    triggers that are ready.
    """
    balances = {(account.code, account.scope): account.balance_minor for account in accounts}
    unknown = sum(line.correlation_id not in instructions for line in book)
    expected = {
        **_of_funds(
            balances,
            book,
            instructions=instructions,
            kept_minor=kept_minor,
            deposited_minor=deposited_minor,
        ),
        **_of_providers(
            balances,
            book,
            instructions=instructions,
            prefunded_minor=prefunded_minor,
            gone_minor=_gone(charges_taken_minor, charges=charges, charged=charged),
        ),
    }
    evidence = [
        f"{code} of {scope} is {_told(balances.get((code, scope)))}, by the book and the deposits "
        f"it has to be {amount_minor:,}"
        for (code, scope), amount_minor in expected.items()
        if balances.get((code, scope)) != amount_minor
    ]
    if unknown:
        evidence.append(
            f"{unknown:,} payments in the book are for no fund, by the book and the deposits"
        )
    if not expected:
        evidence.append("there is neither a fund nor a provider")
    return Finding(
        numbers=f"{sum(deposited_minor.values()):,} deposited, "
        f"{sum(prefunded_minor.values()):,} prefunded, "
        f"{sum(line.amount_minor for line in book):,} booked: {len(expected)} balances",
        evidence=tuple(evidence),
    )


def _of_funds(
    balances: Collection[tuple[str, str]],
    book: Iterable[BookLine],
    *,
    instructions: Mapping[UUID, Instruction],
    kept_minor: Mapping[str, int],
    deposited_minor: Mapping[str, int],
) -> dict[tuple[str, str], int]:
    spent: Counter[str] = Counter()
    for line in book:
        instruction = instructions.get(line.correlation_id)
        if instruction is not None and (instruction.spent or not instruction.paid):
            spent[instruction.fund] += line.amount_minor
    funds = {scope for code, scope in balances if code == "BUDGET_SPENT"}
    expected = {}
    for fund in sorted(funds | deposited_minor.keys() | spent.keys()):
        deposited = deposited_minor.get(fund, 0)
        expected["FUNDS_RECEIVED", fund] = -deposited
        kept = kept_minor.get(fund, 0)
        expected["BUDGET_AVAILABLE", fund] = deposited - spent[fund] - kept
        if kept or ("RESERVED", fund) in balances:
            expected["RESERVED", fund] = kept
        expected["COMMITTED", fund] = 0
        expected["BUDGET_SPENT", fund] = spent[fund]
        expected["GRANTS_PAID", fund] = spent[fund]
    return expected


def _of_providers(
    balances: Iterable[tuple[str, str]],
    book: Iterable[BookLine],
    *,
    instructions: Mapping[UUID, Instruction],
    prefunded_minor: Mapping[str, int],
    gone_minor: Mapping[str, int],
) -> dict[tuple[str, str], int]:
    gone: Counter[str] = Counter(gone_minor)
    for line in book:
        gone[line.provider] += line.amount_minor
    for instruction in instructions.values():
        if instruction.status == "returned":
            gone[instruction.provider] -= instruction.amount_minor
    providers = {scope for code, scope in balances if code == "PROVIDER_FLOAT"}
    expected = {}
    for provider in sorted(providers | prefunded_minor.keys() | gone.keys()):
        expected["PROVIDER_FLOAT", provider] = prefunded_minor.get(provider, 0) - gone[provider]
        expected["IN_TRANSIT", provider] = 0
    return expected


def _gone(
    charges_taken_minor: Mapping[str, int],
    *,
    charges: Iterable[Charges],
    charged: Iterable[ChargedLine],
) -> Counter[str]:
    """What left the float of each provider otherwise than by a payment.

    What somebody knows of a provider's charges is heard instead of what its statements showed.
    """
    gone: Counter[str] = Counter(charges_taken_minor)
    for provider in charges:
        gone[provider.code] += provider.suspended_minor - provider.received_minor
    for line in charged:
        if line.provider not in charges_taken_minor:
            gone[line.provider] += line.statement_minor
    return gone


def _told(balance_minor: int | None) -> str:
    return "missing" if balance_minor is None else f"{balance_minor:,}"
