"""Each proof holds on records that agree, and fails with evidence on doctored ones."""

from dataclasses import replace
from uuid import UUID

import pytest

from demo import proofs
from demo.proofs import Account, Ends, Fund, Payment

PAID = [
    Payment("mekong", UUID(int=1), 96_000, "KHR"),
    Payment("tonle", UUID(int=2), 112_000, "KHR"),
    Payment("mekong", UUID(int=3), 160_000, "KHR"),
]
ENTITLEMENTS = {payment.correlation_id: UUID(int=100 + n) for n, payment in enumerate(PAID)}


def account(code: str, *, debits: int, credits: int) -> Account:
    return Account(
        book="cash",
        code=code,
        scope="KHR",
        currency="KHR",
        debits_minor=debits,
        credits_minor=credits,
        transfers_debited_minor=debits,
        transfers_credited_minor=credits,
    )


LEDGER = [
    account("TREASURY_CASH", debits=500, credits=300),
    account("PROVIDER_FLOAT", debits=300, credits=0),
    account("FUNDS_RECEIVED", debits=0, credits=500),
]
FUND = Fund(
    code="national-relief",
    committed_minor=1_000,
    spent_minor=700,
    released_minor=200,
    standing_minor=100,
    paid_minor=700,
    ended_unpaid_minor=200,
    in_flight_minor=100,
)
ENDS = Ends(
    scheme="flood-2022",
    round=1,
    entitlements=10,
    by_status={"paid": 8, "failed": 1, "unpayable": 1},
    open=0,
    payments_live=0,
    registry_paid_minor=800,
    payments_paid_minor=800,
)


def test_a_balanced_ledger_sums_to_zero() -> None:
    assert proofs.ledger_sums_to_zero(LEDGER, transfers=3).holds


def test_a_riel_added_to_a_balance_is_found() -> None:
    doctored = [replace(LEDGER[0], debits_minor=501), *LEDGER[1:]]
    proof = proofs.ledger_sums_to_zero(doctored, transfers=3)
    assert "TREASURY_CASH" in proof.evidence[0]
    assert "sums to 1" in proof.evidence[1]


def test_a_missing_transfer_is_found_even_when_the_balances_agree() -> None:
    doctored = [replace(LEDGER[0], transfers_debited_minor=499), *LEDGER[1:]]
    assert not proofs.ledger_sums_to_zero(doctored, transfers=3).holds


def test_committed_money_is_paid_in_flight_or_released() -> None:
    assert proofs.commitments_add_up([FUND]).holds


@pytest.mark.parametrize(
    "doctored",
    [
        replace(FUND, committed_minor=1_001),
        replace(FUND, paid_minor=699),
        replace(FUND, ended_unpaid_minor=0),
        replace(FUND, in_flight_minor=0),
    ],
)
def test_a_commitment_that_does_not_add_up_is_found(doctored: Fund) -> None:
    assert not proofs.commitments_add_up([doctored]).holds


def test_records_that_equal_the_book_hold_in_any_order() -> None:
    assert proofs.records_equal_the_book(PAID, reversed(PAID)).holds


@pytest.mark.parametrize(
    ("ours", "book", "words"),
    [
        (PAID[:2], PAID, "in the book, not paid by our records"),
        (PAID, PAID[:2], "paid by our records, not in the book"),
        (PAID, [*PAID[:2], replace(PAID[2], amount_minor=1)], "the book says"),
        (PAID, [*PAID[:2], replace(PAID[2], provider="tonle")], "the book says"),
        (PAID, [*PAID, PAID[0]], "in the book, not paid by our records"),
        ([*PAID, PAID[0]], PAID, "twice"),
        ([], [], "no payment at all"),
    ],
)
def test_a_line_that_differs_from_the_book_is_listed(
    ours: list[Payment], book: list[Payment], words: str
) -> None:
    proof = proofs.records_equal_the_book(ours, book)
    assert not proof.holds
    assert words in proof.evidence[0]


def booked_twice(correlation_ids: list[UUID], entitlements: dict[UUID, UUID]) -> proofs.Proof:
    return proofs.nobody_was_paid_twice(
        correlation_ids, entitlement_of=entitlements, household_rounds_paid_twice=()
    )


def test_one_payment_for_each_entitlement_holds() -> None:
    assert booked_twice(list(ENTITLEMENTS), ENTITLEMENTS).holds


def test_two_payments_for_one_entitlement_are_found() -> None:
    again = UUID(int=9)
    entitlements = {**ENTITLEMENTS, again: ENTITLEMENTS[UUID(int=1)]}
    assert "paid 2 times" in booked_twice([*ENTITLEMENTS, again], entitlements).evidence[0]


def test_a_payment_for_nothing_that_we_owe_is_found() -> None:
    assert not booked_twice([*ENTITLEMENTS, UUID(int=9)], ENTITLEMENTS).holds


def test_a_household_paid_by_two_entitlements_of_a_round_is_found() -> None:
    proof = proofs.nobody_was_paid_twice(
        list(ENTITLEMENTS),
        entitlement_of=ENTITLEMENTS,
        household_rounds_paid_twice=["household 7 in round 1"],
    )
    assert "household 7" in proof.evidence[0]


def test_entitlements_that_all_ended_hold() -> None:
    assert proofs.every_entitlement_has_an_end([ENDS]).holds


@pytest.mark.parametrize(
    "doctored",
    [
        replace(ENDS, open=1, entitlements=11),
        replace(ENDS, payments_live=1),
        replace(ENDS, entitlements=11),
        replace(ENDS, payments_paid_minor=799),
    ],
)
def test_an_entitlement_without_an_end_is_found(doctored: Ends) -> None:
    assert not proofs.every_entitlement_has_an_end([doctored]).holds


def test_a_household_that_was_left_out_is_found() -> None:
    assert proofs.nobody_was_left_out({"flood-2022": 10}, {"flood-2022": 10}).holds
    assert not proofs.nobody_was_left_out({"flood-2022": 10}, {"flood-2022": 9}).holds
    assert not proofs.nobody_was_left_out({"flood-2022": 10}, {}).holds
    assert not proofs.nobody_was_left_out({}, {}).holds


def test_what_waits_for_a_person_is_named() -> None:
    assert proofs.nothing_waits_for_a_person({"dead letters": 0}).holds
    assert proofs.nothing_waits_for_a_person({"dead letters": 2}).evidence == ("2 dead letters",)
