"""Each proof holds on records that agree, and fails with evidence on doctored ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from judge.case import Case, Expected
from judge.records import (
    BookLine,
    Disagreement,
    Instruction,
    PaidTwice,
    Searched,
)
from judge.verdict import CLAIMS, Outcome, Proof, Verdict, judge, shown
from tests.judge.records import (
    ACCOUNTS,
    ANNOUNCED,
    BEGINNING,
    BOOK,
    CASE,
    CHARGED_LINE,
    CHARGES,
    CLOCK_BEHIND,
    ENDS,
    FUNDS,
    HOLD,
    INSTRUCTIONS,
    LINE,
    PAUSE,
    PROVIDERS,
    REACH,
    READ_BACK,
    RECORDS,
    REVERSAL,
    account,
    instruction,
)

SUMS = "The ledger sums to zero"
COMMITMENTS = "Committed = paid + in flight + released"
WITH_PROVIDERS = "Money with the providers is accounted for"
LINES = "Each budget line is what its payments come to"
REVERSED = "What was taken back was so whole, by two persons"
CHARGED = "What a provider charges is booked once"
PAUSED = "Nothing left while it was paused"
HELD = "Nothing that a rule holds was sent"
BALANCES = "Every balance follows from the book and the deposits"
BOOKED = "Our records equal the providers' book, line by line"
LISTED = "Every difference from the providers' book is on a list"
TWICE = "No entitlement was paid twice"
TOO_OFTEN = "No account was paid more often than it may be"
ENTITLEMENT_ENDS = "Every entitlement has an end"
RAISED = "Every announced entitlement was raised, or set aside with its reason"
PAYMENT_ENDS = "Every payment has an end"
LEFT_OUT = "Every eligible household was enrolled, once"
REGISTERED = "Every household that was imported is registered"
ENTITLED = "Every household that is owed something is entitled"
WAITING = "Nothing is parked, refused or unmatched"
ACKNOWLEDGED = "Whatever was acknowledged is there, as it was told"
CALLBACKS = "Every acknowledged callback is stored"
PERSONAL = "No personal data stands where none may be"

Doctor = Callable[[Case], Case]


def records(**changes: Any) -> Doctor:
    return lambda case: replace(case, records=replace(case.records, **changes))


def expected(**changes: Any) -> Doctor:
    return lambda case: replace(case, expected=replace(case.expected, **changes))


def booked(*lines: BookLine) -> Doctor:
    return lambda case: replace(case, book=lines)


def payments(*changed: Instruction) -> Doctor:
    return records(instructions={**INSTRUCTIONS, **{payment.id: payment for payment in changed}})


def fund(**changes: Any) -> Doctor:
    return records(funds=[replace(FUNDS[0], **changes)])


def provider(**changes: Any) -> Doctor:
    return records(providers=[replace(PROVIDERS[0], **changes), PROVIDERS[1]])


def reversed_(**changes: Any) -> Doctor:
    return records(reversals=[replace(REVERSAL, **changes)])


def charges(**changes: Any) -> Doctor:
    return records(charges=[replace(CHARGES, **changes)])


def charged_line(**changes: Any) -> Doctor:
    return records(charged_lines=[replace(CHARGED_LINE, **changes)])


def paused(**changes: Any) -> Doctor:
    return records(pauses=[replace(PAUSE, **changes)])


def held(**changes: Any) -> Doctor:
    return records(holds=[replace(HOLD, **changes)])


def sent_after(minutes: int) -> Doctor:
    """The first payments of the book came to the provider so long after the beginning."""
    at = BEGINNING + CLOCK_BEHIND + timedelta(minutes=minutes)
    return booked(*(replace(line, sent_at=at) for line in BOOK))


def ended(**changes: Any) -> Doctor:
    return records(ends=[replace(ENDS, **changes)])


def reached(**changes: Any) -> Doctor:
    return records(reaches=[replace(REACH, **changes)])


def proof_of(name: str, case: Case) -> Proof:
    (proof,) = [proof for proof in judge(case).proofs if proof.name == name]
    return proof


def test_where_everything_agrees_each_proof_holds() -> None:
    verdict = judge(CASE)
    assert verdict.evidence == []
    assert {proof.outcome for proof in verdict.proofs} == {Outcome.HOLDS}
    assert all(proof.numbers for proof in verdict.proofs)


@pytest.mark.parametrize(
    ("name", "doctor", "words"),
    [
        (
            SUMS,
            records(accounts=[replace(ACCOUNTS[0], debits_minor=1_001), *ACCOUNTS[1:]]),
            "TREASURY_CASH of KHR: running totals 1,001",
        ),
        (
            SUMS,
            records(accounts=[account("TREASURY_CASH", "KHR", debits=1_001), *ACCOUNTS[1:]]),
            "the cash book in KHR sums to",
        ),
        (
            SUMS,
            records(accounts=[replace(ACCOUNTS[0], transfers_debited_minor=999), *ACCOUNTS[1:]]),
            "by its transfers 999",
        ),
        (SUMS, records(transfers=0), "no transfer at all"),
        (COMMITMENTS, fund(committed_minor=383), "its parts come to 382"),
        (COMMITMENTS, fund(paid_minor=351), "352 paid by the ledger, 351 by the instructions"),
        (COMMITMENTS, fund(ended_unpaid_minor=0), "30 released by the ledger"),
        (COMMITMENTS, fund(in_flight_minor=1), "0 in flight by the ledger, 1 by"),
        (COMMITMENTS, records(funds=[]), "nothing was ever committed"),
        (WITH_PROVIDERS, provider(in_transit_minor=80), "IN_TRANSIT of mekong is 80"),
        (WITH_PROVIDERS, provider(in_flight_minor=80), "IN_TRANSIT of mekong is 0"),
        (WITH_PROVIDERS, provider(held_minor=80), "SUSPENSE of mekong is 0"),
        (WITH_PROVIDERS, provider(came_back_minor=80), "RETURNS_PAYABLE of mekong is 0"),
        (WITH_PROVIDERS, records(providers=[]), "no provider at all"),
        (LINES, records(lines=[replace(LINE, spent_minor=80)]), "spent on national-relief/floods"),
        (LINES, records(lines=[replace(LINE, committed_minor=80)]), "has to be 0"),
        (LINES, records(lines=[replace(LINE, in_flight_minor=80)]), "has to be 80"),
        (REVERSED, reversed_(recorded=[]), "what was never recorded"),
        (REVERSED, reversed_(taken_back=["90 from 2 to 1"]), "90 from 2 to 1 was taken back"),
        (REVERSED, reversed_(taken_back=[]), "nothing was taken back"),
        (REVERSED, reversed_(decided_by="officer@nspc"), "is not of two persons"),
        (REVERSED, reversed_(decided_by=None), "is not of two persons"),
        (BALANCES, expected(deposited_minor={"national-relief": 999}), "has to be 647"),
        (BALANCES, expected(prefunded_minor={"mekong": 600}), "PROVIDER_FLOAT of tonle is 188"),
        (
            BALANCES,
            expected(charges_taken_minor={"tonle": 8}),
            "PROVIDER_FLOAT of tonle is 188, by the book and the deposits it has to be 180",
        ),
        (BALANCES, booked(*BOOK[1:]), "BUDGET_SPENT of national-relief is 352"),
        (
            BALANCES,
            booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9))),
            "for no fund, by the book and the deposits",
        ),
        (
            BALANCES,
            records(accounts=[*ACCOUNTS, account("IN_TRANSIT", "mekong", debits=80)]),
            "IN_TRANSIT of mekong is 80, by the book and the deposits it has to be 0",
        ),
        (BALANCES, records(accounts=[]), "is missing"),
        (
            BALANCES,
            charges(suspended_minor=0),
            "PROVIDER_FLOAT of mekong is 354, by the book and the deposits it has to be 356",
        ),
        (BALANCES, charges(received_minor=0), "it has to be 353"),
        (BALANCES, charged_line(statement_minor=6), "it has to be 353"),
        (
            CHARGED,
            charges(charges_minor=12),
            "PROVIDER_CHARGES of mekong is 12, by payments and decisions it has to be 9",
        ),
        (CHARGED, charges(payable_minor=8), "CHARGES_PAYABLE of mekong is -8"),
        (CHARGED, charged_line(settled_minor=2), "5 charged on the statement, 2 settled and 2"),
        (
            CHARGED,
            charged_line(settled_minor=0, further_minor=5),
            "5 booked as charges, of which 3 were booked and owed before",
        ),
        (CHARGED, records(charges=[]), "no provider at all"),
        (
            PAUSED,
            paused(claimed=[(UUID(int=1), PAUSE.paused_at + timedelta(seconds=3))]),
            f"payment {UUID(int=1)} was claimed at 02:10:03, and was paused from 02:10:00 until",
        ),
        (
            PAUSED,
            paused(
                resumed_at=None, claimed=[(UUID(int=1), PAUSE.paused_at + timedelta(seconds=3))]
            ),
            "until now",
        ),
        (PAUSED, sent_after(15), f"payment {UUID(int=1)} came to mekong at 02:15:00"),
        (HELD, held(ended_at=None, claimed_at=None), "was paid by tonle, and held until now"),
        (HELD, held(ended_at=BEGINNING + timedelta(minutes=7)), "was claimed at 02:06:00"),
        (HELD, sent_after(4), "was paid by tonle, and held until 02:05:00"),
        (BOOKED, booked(*BOOK[1:]), "paid by our records, not in the book"),
        (
            BOOKED,
            booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9))),
            "in the book and not ours",
        ),
        (BOOKED, booked(*BOOK, BOOK[0]), "in the book twice"),
        (BOOKED, booked(replace(BOOK[0], amount_minor=1), *BOOK[1:]), "the book says"),
        (BOOKED, booked(replace(BOOK[0], provider="tonle"), *BOOK[1:]), "the book says"),
        (BOOKED, booked(replace(BOOK[0], currency="USD"), *BOOK[1:]), "the book says"),
        (
            BOOKED,
            payments(instruction(1, "mekong", 80, status="rejected")),
            "is rejected and its entitlement failed",
        ),
        (
            BOOKED,
            payments(replace(INSTRUCTIONS[UUID(int=1)], entitlement_status="failed")),
            "is settled and its entitlement failed",
        ),
        (
            BOOKED,
            payments(replace(INSTRUCTIONS[UUID(int=1)], entitlement_status=None, owed_minor=None)),
            "unknown to the registry",
        ),
        (
            BOOKED,
            payments(replace(INSTRUCTIONS[UUID(int=1)], owed_minor=79)),
            "the registry owed 79",
        ),
        (LISTED, booked(*BOOK[1:]), "is settled, and the book has nothing of it"),
        (LISTED, booked(*BOOK, BOOK[0]), "has 80 KHR at mekong, 80 KHR at mekong"),
        (LISTED, booked(replace(BOOK[0], amount_minor=1), *BOOK[1:]), "has 1 KHR at mekong"),
        (
            LISTED,
            payments(instruction(1, "mekong", 80, status="rejected")),
            "is rejected, and the book has 80 KHR at mekong",
        ),
        (
            LISTED,
            booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9))),
            "is not ours, and the book has 80 KHR at mekong",
        ),
        (
            LISTED,
            lambda case: booked()(records(instructions={})(case)),
            "no payment at all",
        ),
        (
            TWICE,
            payments(replace(INSTRUCTIONS[UUID(int=1)], entitlement_id=UUID(int=103))),
            "was paid 2 times",
        ),
        (
            TWICE,
            booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9))),
            "for no entitlement that we know",
        ),
        (
            TWICE,
            records(
                paid_twice=[
                    PaidTwice(household_id=UUID(int=7), scheme="flood-2022", round=1, times=2)
                ]
            ),
            "was paid 2 times in round 1 of flood-2022",
        ),
        (TWICE, booked(), "nobody was paid at all"),
        (
            TOO_OFTEN,
            booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9))),
            "an account at mekong was paid 2 times",
        ),
        (TOO_OFTEN, booked(), "nobody was paid at all"),
        (
            ENTITLEMENT_ENDS,
            ended(by_status={"paid": 3, "failed": 1, "ready": 1}),
            "1 entitlements have no end: ready",
        ),
        (
            ENTITLEMENT_ENDS,
            ended(by_status={"paid": 3, "failed": 1, "a-word-of-tomorrow": 1}),
            "have no end: a-word-of-tomorrow",
        ),
        (ENTITLEMENT_ENDS, expected(entitlement_ends=("paid", "failed")), "ended as none can"),
        (ENTITLEMENT_ENDS, ended(counted=6), "the chunks tell of 6"),
        (ENTITLEMENT_ENDS, ended(payments_live=1), "1 payments are under way"),
        (ENTITLEMENT_ENDS, ended(payments_paid_minor=351), "payments says 351"),
        (
            ENTITLEMENT_ENDS,
            records(
                disagreements=[
                    Disagreement(
                        entitlement_id=UUID(int=7),
                        status="failed",
                        amount_minor=80,
                        settled_minor=80,
                    )
                ]
            ),
            "is failed in the registry; payments settled 80",
        ),
        (ENTITLEMENT_ENDS, records(ends=[]), "no entitlement at all"),
        (
            RAISED,
            records(announced=[replace(ANNOUNCED, set_aside_count=0, set_aside_minor=0)]),
            "5 of 400 announced, 4 of 382 raised and 0 of 0 set aside",
        ),
        (RAISED, records(announced=[]), "no chunk at all"),
        (
            PAYMENT_ENDS,
            payments(instruction(4, "mekong", 30, status="unknown")),
            "under way: unknown",
        ),
        (PAYMENT_ENDS, expected(payment_ends=("settled",)), "none can here: rejected"),
        (PAYMENT_ENDS, records(instructions={}), "no payment at all"),
        (LEFT_OUT, reached(enrolled=4), "5 households are eligible where it reached, 4"),
        (LEFT_OUT, reached(enrolled=6), "5 households are eligible where it reached, 6"),
        (LEFT_OUT, reached(known_to_both=False), "do not both know of it"),
        (LEFT_OUT, records(reaches=[]), "reached anybody"),
        (REGISTERED, records(households=5), "6 households were imported, 5 are registered"),
        (ENTITLED, expected(entitlements=6), "6 households, but 5 entitlements"),
        (WAITING, records(waiting={"alarms": 2}), "2 alarms"),
        (WAITING, records(waiting={}), "nobody said"),
        (
            ACKNOWLEDGED,
            lambda case: replace(case, read_back=[replace(READ_BACK, status_code=404, found=None)]),
            "acknowledged, but not there: registry /schemes/flood-2022 (404)",
        ),
        (
            ACKNOWLEDGED,
            lambda case: replace(
                case, read_back=[replace(READ_BACK, found={"code": "flood-2022", "version": 2})]
            ),
            "acknowledged, but different: registry /schemes/flood-2022: version",
        ),
        (ACKNOWLEDGED, lambda case: replace(case, read_back=[]), "nothing was acknowledged"),
        (
            CALLBACKS,
            records(callbacks_stored=frozenset({UUID(int=4)})),
            "1 callbacks were acknowledged and are not there",
        ),
        (CALLBACKS, lambda case: replace(case, callbacks_delivered=[]), "ever delivered"),
        (
            PERSONAL,
            lambda case: replace(
                case,
                searched=[
                    Searched(writing="payments-worker.log", told={"account": 2}, first_line=7)
                ],
            ),
            "payments-worker.log tells 2 personal values, the first in line 7: 2 × account",
        ),
        (PERSONAL, lambda case: replace(case, searched=[]), "nothing was searched"),
    ],
)
def test_what_is_doctored_is_found(name: str, doctor: Doctor, words: str) -> None:
    proof = proof_of(name, doctor(CASE))
    assert proof.outcome is Outcome.FAILS
    assert any(words in line for line in proof.evidence), proof.evidence


def test_every_proof_is_seen_to_fail() -> None:
    (mark,) = test_what_is_doctored_is_found.pytestmark  # type: ignore[attr-defined]
    assert {name for name, _, _ in mark.args[1]} == {claim.name for claim in CLAIMS}


def test_the_order_of_the_book_does_not_matter() -> None:
    assert judge(booked(*reversed(BOOK))(CASE)).holds


def test_a_difference_that_a_person_is_shown_may_be() -> None:
    case = records(listed=frozenset({UUID(int=1)}))(booked(*BOOK[1:])(CASE))
    assert proof_of(BOOKED, case).outcome is Outcome.FAILS
    assert proof_of(LISTED, case).outcome is Outcome.HOLDS


def test_a_payment_that_came_back_is_no_second_one() -> None:
    """Paid, returned, and paid again under another id: twice in the book, once in hand."""
    settled = INSTRUCTIONS[UUID(int=1)]
    again = replace(settled, id=UUID(int=9))
    case = payments(replace(settled, status="returned"), again)(CASE)
    case = booked(*BOOK, replace(BOOK[0], correlation_id=UUID(int=9)))(case)
    for name in (BOOKED, TWICE, PAYMENT_ENDS):
        assert proof_of(name, case).outcome is Outcome.HOLDS


def test_money_that_came_back_is_in_the_float_again() -> None:
    settled = INSTRUCTIONS[UUID(int=1)]
    case = payments(replace(settled, status="returned"))(CASE)
    assert proof_of(BALANCES, case).outcome is Outcome.FAILS
    back = [
        replace(held, debits_minor=held.debits_minor + 80)
        if (held.code, held.scope) == ("PROVIDER_FLOAT", "mekong")
        else held
        for held in ACCOUNTS
    ]
    assert proof_of(BALANCES, records(accounts=back)(case)).outcome is Outcome.HOLDS


def test_a_charge_that_somebody_knows_and_a_statement_showed_is_gone_once() -> None:
    known = expected(charges_taken_minor={"mekong": CHARGED_LINE.statement_minor})
    assert proof_of(BALANCES, known(CASE)).outcome is Outcome.HOLDS


def test_a_proof_without_its_witness_is_left_out_and_says_so() -> None:
    verdict = judge(Case(records=RECORDS))
    assert proof_of(PAUSED, expected(clock_behind=None)(CASE)).missing == (
        "a clock that nobody set meanwhile"
    )
    assert {proof.name: proof.missing for proof in verdict.of(Outcome.LEFT_OUT)} == {
        BALANCES: "the providers' book",
        PAUSED: "the providers' book",
        HELD: "the providers' book",
        BOOKED: "the providers' book",
        LISTED: "the providers' book",
        TWICE: "the providers' book",
        TOO_OFTEN: "the providers' book",
        REGISTERED: "how many households were imported",
        ENTITLED: "how many households are owed something",
        ACKNOWLEDGED: "what callers were told",
        CALLBACKS: "the providers' own storage",
        PERSONAL: "the personal data to search for",
    }
    assert verdict.holds
    assert len(verdict.of(Outcome.HOLDS)) == len(CLAIMS) - 12


@pytest.mark.parametrize("minutes", [9, 21])
def test_what_left_before_a_pause_or_after_it_may_leave(minutes: int) -> None:
    assert proof_of(PAUSED, sent_after(minutes)(CASE)).outcome is Outcome.HOLDS


def test_a_book_alone_does_not_say_what_was_paid_in() -> None:
    case = Case(records=RECORDS, book=BOOK, expected=Expected(prefunded_minor={}))
    assert proof_of(BALANCES, case).missing == "what was deposited"


def test_one_failing_proof_is_enough() -> None:
    proofs = (Proof(name="a"), Proof(name="b", evidence=("x", "y")))
    verdict = Verdict(proofs=proofs)
    assert not verdict.holds
    assert verdict.evidence == ["x", "y"]


def test_long_evidence_is_cut_and_counted() -> None:
    lines: Sequence[str] = [str(number) for number in range(25)]
    assert shown(lines)[-1] == "… and 5 more"
    assert shown(lines[:20]) == lines[:20]


def test_a_line_of_the_book_does_not_print_the_account() -> None:
    assert "account" not in repr(BOOK[0])
