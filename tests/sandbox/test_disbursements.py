"""What the provider answers, and what its book then says."""

import uuid
from typing import Any

import pytest

from sandbox.misbehaviour import AccountState
from tests.sandbox.running import RunningSandbox, eventually


def test_disbursement_is_accepted_completed_and_found_by_every_call(
    sandbox: RunningSandbox,
) -> None:
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id)
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    assert answer.json()["notificationMethod"] == "callback"
    state_path = f"/requeststates/{answer.json()['serverCorrelationId']}"
    eventually(lambda: sandbox.get(state_path).json()["status"] == "completed")
    reference = sandbox.get(state_path).json()["objectReference"]
    link = sandbox.get(f"/responses/{correlation_id}").json()["link"]
    assert link == f"/transactions/{reference}"
    transaction = sandbox.get(link).json()
    assert transaction["transactionStatus"] == "completed"
    assert transaction["requestingOrganisationTransactionReference"] == correlation_id
    (row,) = sandbox.booked(correlation_id)
    assert list(row) == [
        "provider",
        "correlation_id",
        "transaction_reference",
        "amount",
        "currency",
        "account",
        "booked_at",
        "requesting_reference",
    ]
    booked_at = row.pop("booked_at")
    assert booked_at.endswith("Z")
    assert list(row.values()) == [
        "mekong",
        correlation_id,
        reference,
        "96000",
        "KHR",
        "+85512000000",
        correlation_id,
    ]


def test_same_correlation_id_again_gets_the_same_answer_and_one_payment(
    sandbox: RunningSandbox,
) -> None:
    correlation_id = sandbox.new_id()
    first = sandbox.disburse(correlation_id)
    eventually(lambda: sandbox.state_of(correlation_id).get("transactionStatus") == "completed")
    again = sandbox.disburse(correlation_id.upper(), body=sandbox.request_body(correlation_id))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(sandbox.booked(correlation_id)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "96001"},
        {"currency": "USD"},
        {"creditParty": [{"key": "msisdn", "value": "+85512999999"}]},
        {"requestingOrganisationTransactionReference": "another"},
    ],
)
def test_same_correlation_id_for_another_payment_is_refused_as_a_duplicate(
    sandbox: RunningSandbox, changes: dict[str, Any]
) -> None:
    correlation_id = sandbox.new_id()
    sandbox.disburse(correlation_id)
    answer = sandbox.disburse(correlation_id, **changes)
    assert answer.status_code == 400
    assert answer.json()["errorCategory"] == "businessRule"
    assert answer.json()["errorCode"] == "duplicateRequest"
    (row,) = sandbox.booked(correlation_id)
    assert row["amount"] == "96000"


def test_book_is_honest_about_a_client_that_pays_twice(sandbox: RunningSandbox) -> None:
    reference = str(uuid.uuid4())
    before = sandbox.summary()["duplicate_references"]
    for provider in (0, 1, 0):
        answer = sandbox.disburse(
            sandbox.new_id(),
            provider=provider,
            requestingOrganisationTransactionReference=reference,
        )
        assert answer.status_code == 202
    rows = [row for row in sandbox.book() if row["requesting_reference"] == reference]
    assert [row["provider"] for row in rows] == ["mekong", "tonle", "mekong"]
    assert sandbox.summary()["duplicate_references"] == before + 1


def test_providers_do_not_know_of_each_other(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id, provider=1)
    assert sandbox.get(f"/responses/{correlation_id}").status_code == 404
    state_path = f"/requeststates/{answer.json()['serverCorrelationId']}"
    assert sandbox.get(state_path).status_code == 404
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 2


@pytest.mark.parametrize("state", [AccountState.UNKNOWN, AccountState.CLOSED])
def test_missing_account_is_rejected_at_once_and_never_booked(
    sandbox: RunningSandbox, state: AccountState
) -> None:
    correlation_id = sandbox.new_id()
    party = sandbox.missing_account(state, at_once=True)
    answer = sandbox.disburse(correlation_id, creditParty=party)
    expected = {
        AccountState.UNKNOWN: (404, "identification", "identifierError"),
        AccountState.CLOSED: (400, "businessRule", "incorrectState"),
    }[state]
    error = answer.json()
    assert (answer.status_code, error["errorCategory"], error["errorCode"]) == expected
    again = sandbox.disburse(correlation_id, creditParty=party)
    assert (again.status_code, again.content) == (answer.status_code, answer.content)
    assert sandbox.state_of(correlation_id)["status"] == "failed"
    assert sandbox.booked(correlation_id) == []


@pytest.mark.parametrize("state", [AccountState.UNKNOWN, AccountState.CLOSED])
def test_missing_account_is_rejected_later_by_a_failure_callback(
    sandbox: RunningSandbox, state: AccountState
) -> None:
    correlation_id = sandbox.new_id()
    party = sandbox.missing_account(state, at_once=False)
    assert sandbox.disburse(correlation_id, creditParty=party).status_code == 202
    eventually(lambda: sandbox.receiver.of(correlation_id))
    (callback,) = sandbox.receiver.of(correlation_id)
    assert callback.body["errorParameters"] == [
        {"key": "requestingOrganisationTransactionReference", "value": correlation_id}
    ]
    assert sandbox.state_of(correlation_id)["status"] == "failed"
    assert sandbox.state_of(correlation_id)["error"] == callback.body
    assert sandbox.booked(correlation_id) == []


@pytest.mark.parametrize(
    ("changes", "category", "code"),
    [
        ({"amount": None}, "validation", "mandatoryValueNotSupplied"),
        ({"amount": 96000}, "validation", "formatError"),
        ({"amount": "096"}, "validation", "formatError"),
        ({"amount": "9.5"}, "validation", "formatError"),
        ({"amount": "9.50", "currency": "USD"}, "validation", "formatError"),
        ({"amount": "9.555", "currency": "USD"}, "validation", "formatError"),
        ({"amount": "-5"}, "validation", "negativeValue"),
        ({"amount": "0"}, "businessRule", "lessThanTransactionMinValue"),
        ({"currency": "EUR"}, "validation", "currencyNotSupported"),
        ({"creditParty": None}, "validation", "mandatoryValueNotSupplied"),
        ({"creditParty": []}, "validation", "formatError"),
        ({"creditParty": [{"key": "msisdn"}]}, "validation", "formatError"),
        ({"creditParty": [{"key": "msisdn", "value": ""}]}, "validation", "lengthError"),
        ({"descriptionText": "x" * 161}, "validation", "lengthError"),
        ({"body": b"not json"}, "validation", "formatError"),
        ({"body": b"x" * 100_000}, "validation", "lengthError"),
        ({"callback_url": "ftp://here"}, "validation", "formatError"),
        ({"transaction_type": "transfer"}, "businessRule", "transactionTypeError"),
    ],
)
def test_malformed_disbursement_is_refused_and_not_kept(
    sandbox: RunningSandbox, changes: dict[str, Any], category: str, code: str
) -> None:
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id, **changes)
    error = answer.json()
    assert (answer.status_code, error["errorCategory"], error["errorCode"]) == (400, category, code)
    assert sandbox.get(f"/responses/{correlation_id}").status_code == 404


@pytest.mark.parametrize(
    ("correlation_id", "code"), [(None, "mandatoryValueNotSupplied"), ("seven", "formatError")]
)
def test_correlation_id_is_mandatory(
    sandbox: RunningSandbox, correlation_id: str | None, code: str
) -> None:
    answer = sandbox.disburse(correlation_id)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_wrong_api_key_is_refused_everywhere(sandbox: RunningSandbox) -> None:
    answers = [
        sandbox.disburse(sandbox.new_id(), api_key="tonle-key"),
        sandbox.get("/heartbeat", api_key=""),
        sandbox.get(f"/responses/{sandbox.new_id()}", api_key="guess"),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.json()["errorCategory"] == "authorisation"


def test_mistyped_address_does_not_look_like_a_rejection(sandbox: RunningSandbox) -> None:
    for path in ("/transaction/type/disbursement", "/nothing"):
        answer = sandbox.get(path)
        assert answer.status_code == 404
        assert answer.json()["errorCategory"] == "internal"


def test_without_a_callback_url_the_client_polls(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id, callback_url=None)
    assert answer.json()["notificationMethod"] == "polling"
    eventually(lambda: sandbox.state_of(correlation_id).get("transactionStatus") == "completed")
