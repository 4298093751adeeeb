"""What providers charge, and what statements showed as gone or come."""

from collections.abc import Sequence

from judge.proofs.finding import Finding
from judge.records import ChargedLine, Charges


def charges_are_booked_once(charges: Sequence[Charges], charged: Sequence[ChargedLine]) -> Finding:
    """At each provider, what it costs and what is owed of it follow from payments and decisions.

    Its charges are what was worked out with the payments, and what two persons booked beyond that
    of lines of its statements; what is owed is what was worked out and was neither paid nor
    settled. A line is one or the other, to the last coin, and a further cost only where no more was
    owed.
    """
    evidence = [
        f"{account} of {provider.code} is {by_ledger:,}, by payments and decisions it has to be "
        f"{by_records:,}"
        for provider in charges
        for account, by_ledger, by_records in (
            (
                "PROVIDER_CHARGES",
                provider.charges_minor,
                provider.worked_out_minor
                + sum(line.further_minor for line in charged if line.provider == provider.code)
                - provider.received_minor,
            ),
            (
                "CHARGES_PAYABLE",
                -provider.payable_minor,
                provider.paid_minor
                + sum(line.settled_minor for line in charged if line.provider == provider.code)
                - provider.worked_out_minor,
            ),
        )
        if by_ledger != by_records
    ]
    for line in charged:
        if line.settled_minor + line.further_minor != line.statement_minor:
            evidence.append(
                f"difference {line.number} of {line.provider}: {line.statement_minor:,} charged on "
                f"the statement, {line.settled_minor:,} settled and {line.further_minor:,} booked"
            )
        if line.further_minor and line.settled_minor < line.owed_minor:
            evidence.append(
                f"difference {line.number} of {line.provider}: {line.further_minor:,} booked as "
                f"charges, of which {line.owed_minor:,} were booked and owed before"
            )
    return Finding(
        numbers=f"{sum(provider.charges_minor for provider in charges):,} charged, "
        f"{sum(provider.payable_minor for provider in charges):,} of it owed; "
        f"{len(charged):,} charges of statements",
        evidence=tuple(evidence) or (() if charges else ("there is no provider at all",)),
    )
