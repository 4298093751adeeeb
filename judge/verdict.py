"""The one list of proofs, and a verdict: each of them over one case.

A proof that needs a witness who was not heard is left out, and the verdict says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from judge.case import Case, NotHeard, heard
from judge.proofs import charges, households, ledger, payments, promises, stopping
from judge.proofs.finding import Finding

_BOOK = "the providers' book"
_ONE_CLOCK = "a clock that nobody set meanwhile"
_EVIDENCE_SHOWN = 20


class Outcome(StrEnum):
    HOLDS = "holds"
    FAILS = "FAILS"
    LEFT_OUT = "left out"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was to be proved, and how that went.

    ``numbers``: what was compared. ``evidence``: everything that is against it. ``missing``: the
    witness for lack of whom it was left out.
    """

    name: str
    numbers: str = ""
    evidence: tuple[str, ...] = ()
    missing: str = ""

    @property
    def outcome(self) -> Outcome:
        if self.missing:
            return Outcome.LEFT_OUT
        return Outcome.FAILS if self.evidence else Outcome.HOLDS


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that has to hold when all is at rest; ``prove`` raises NotHeard."""

    name: str
    prove: Callable[[Case], Finding]

    def judged(self, case: Case) -> Proof:
        try:
            finding = self.prove(case)
        except NotHeard as error:
            return Proof(name=self.name, missing=str(error))
        return Proof(name=self.name, numbers=finding.numbers, evidence=finding.evidence)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    proofs: tuple[Proof, ...]

    @property
    def holds(self) -> bool:
        """Whether no proof fails. What was left out is neither proved nor disproved."""
        return not self.of(Outcome.FAILS)

    def of(self, outcome: Outcome) -> list[Proof]:
        return [proof for proof in self.proofs if proof.outcome is outcome]

    @property
    def evidence(self) -> list[str]:
        """All that is against any of the proofs."""
        return [line for proof in self.proofs for line in proof.evidence]


CLAIMS = (
    Claim(
        name="The ledger sums to zero",
        prove=lambda case: ledger.sums_to_zero(
            case.records.accounts, transfers=case.records.transfers
        ),
    ),
    Claim(
        name="Committed = paid + in flight + released",
        prove=lambda case: ledger.commitments_add_up(case.records.funds),
    ),
    Claim(
        name="Money with the providers is accounted for",
        prove=lambda case: ledger.money_with_providers_is_accounted_for(case.records.providers),
    ),
    Claim(
        name="Each budget line is what its payments come to",
        prove=lambda case: ledger.lines_add_up(case.records.lines),
    ),
    Claim(
        name="What was taken back was so whole, by two persons",
        prove=lambda case: ledger.reversals_undo(case.records.reversals),
    ),
    Claim(
        name="Every balance follows from the book and the deposits",
        prove=lambda case: ledger.balances_follow_from_the_book(
            case.records.accounts,
            heard(case.book, _BOOK),
            instructions=case.records.instructions,
            kept_minor=case.records.kept_minor,
            deposited_minor=heard(case.expected.deposited_minor, "what was deposited"),
            prefunded_minor=heard(case.expected.prefunded_minor, "what was prefunded"),
            charges_taken_minor=case.expected.charges_taken_minor,
            charges=case.records.charges,
            charged=case.records.charged_lines,
        ),
    ),
    Claim(
        name="What a provider charges is booked once",
        prove=lambda case: charges.charges_are_booked_once(
            case.records.charges, case.records.charged_lines
        ),
    ),
    Claim(
        name="Nothing left while it was paused",
        prove=lambda case: stopping.nothing_left_while_paused(
            case.records.pauses,
            heard(case.book, _BOOK),
            clock_behind=heard(case.expected.clock_behind, _ONE_CLOCK),
            heard_within=case.expected.heard_within,
        ),
    ),
    Claim(
        name="Nothing that a rule holds was sent",
        prove=lambda case: stopping.nothing_held_was_sent(
            case.records.holds,
            heard(case.book, _BOOK),
            clock_behind=heard(case.expected.clock_behind, _ONE_CLOCK),
        ),
    ),
    Claim(
        name="Our records equal the providers' book, line by line",
        prove=lambda case: payments.records_equal_the_book(
            case.records.instructions, heard(case.book, _BOOK)
        ),
    ),
    Claim(
        name="Every difference from the providers' book is on a list",
        prove=lambda case: payments.differences_are_listed(
            case.records.instructions,
            heard(case.book, _BOOK),
            listed=case.records.listed,
        ),
    ),
    Claim(
        name="No entitlement was paid twice",
        prove=lambda case: payments.no_entitlement_was_paid_twice(
            heard(case.book, _BOOK),
            instructions=case.records.instructions,
            paid_twice=case.records.paid_twice,
        ),
    ),
    Claim(
        name="No account was paid more often than it may be",
        prove=lambda case: payments.no_account_was_paid_too_often(
            heard(case.book, _BOOK),
            at_most=heard(
                case.expected.payments_for_an_account, "how many payments an account may get"
            ),
        ),
    ),
    Claim(
        name="Every entitlement has an end",
        prove=lambda case: households.every_entitlement_has_an_end(
            case.records.ends,
            possible=case.expected.entitlement_ends,
            disagreements=case.records.disagreements,
        ),
    ),
    Claim(
        name="Every announced entitlement was raised, or set aside with its reason",
        prove=lambda case: households.nobody_is_lost_on_the_way(case.records.announced),
    ),
    Claim(
        name="Every payment has an end",
        prove=lambda case: payments.every_payment_has_an_end(
            case.records.instructions, possible=case.expected.payment_ends
        ),
    ),
    Claim(
        name="Every eligible household was enrolled, once",
        prove=lambda case: households.nobody_was_left_out(case.records.reaches),
    ),
    Claim(
        name="Every household that was imported is registered",
        prove=lambda case: households.everybody_is_registered(
            heard(case.expected.households, "how many households were imported"),
            registered=case.records.households,
        ),
    ),
    Claim(
        name="Every household that is owed something is entitled",
        prove=lambda case: households.everybody_is_entitled(
            heard(case.expected.entitlements, "how many households are owed something"),
            ends=case.records.ends,
        ),
    ),
    Claim(
        name="Nothing is parked, refused or unmatched",
        prove=lambda case: promises.nothing_waits_for_a_person(case.records.waiting),
    ),
    Claim(
        name="Whatever was acknowledged is there, as it was told",
        prove=lambda case: promises.acknowledgements_stand(
            heard(case.read_back, "what callers were told")
        ),
    ),
    Claim(
        name="Every acknowledged callback is stored",
        prove=lambda case: promises.callbacks_are_stored(
            heard(case.callbacks_delivered, "the providers' own storage"),
            stored=case.records.callbacks_stored,
        ),
    ),
    Claim(
        name="No personal data stands where none may be",
        prove=lambda case: promises.nothing_personal_is_told(
            heard(case.searched, "the personal data to search for")
        ),
    ),
)


def judge(case: Case) -> Verdict:
    """Every proof over one case."""
    return Verdict(proofs=tuple(claim.judged(case) for claim in CLAIMS))


def shown(evidence: Sequence[str]) -> list[str]:
    """The first of the evidence, and how much more there is."""
    more = len(evidence) - _EVIDENCE_SHOWN
    return [*evidence[:_EVIDENCE_SHOWN], *([f"… and {more:,} more"] if more > 0 else [])]
