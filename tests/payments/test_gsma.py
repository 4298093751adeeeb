"""What a provider's answers mean, and what we say to it."""

import json
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma import messages
from services.payments.providers.gsma.amounts import amount_text
from services.payments.providers.gsma.callbacks import read_callback
from services.payments.providers.protocol import Told
from shared.money import Money

ID = UUID("0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10")
SERVER = "53616e67-6b72-8f68-8000-00000000002a"
AMOUNT = re.compile(r"([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?")

TRANSACTION = {
    "transactionReference": "mekong-0000000042",
    "transactionStatus": "completed",
    "amount": "96000",
    "currency": "KHR",
    messages.OUR_REFERENCE: str(ID),
}


def error(category: str, code: str, **more: Any) -> dict[str, Any]:
    return {"errorCategory": category, "errorCode": code, **more}


@given(st.integers(min_value=1, max_value=10**15), st.sampled_from(["KHR", "USD"]))
def test_an_amount_is_written_as_the_standard_wants_it(minor: int, currency: str) -> None:
    text = amount_text(Money(minor, currency))
    assert AMOUNT.fullmatch(text)
    assert Money.from_decimal(Decimal(text), currency) == Money(minor, currency)


def test_a_disbursement_carries_its_fixed_id_and_the_account() -> None:
    body = json.loads(
        messages.disbursement(
            instruction_id=ID,
            money=Money(2550, "USD"),
            account="+85512345678",
            debit_party="nspc",
            description="Emergency cash transfer",
        )
    )
    assert body["amount"] == "25.5"
    assert body["creditParty"] == [{"key": "msisdn", "value": "+85512345678"}]
    assert body[messages.OUR_REFERENCE] == str(ID)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (400, error("businessRule", "incorrectState")),
        (400, error("validation", "formatError")),
        (404, error("identification", "identifierError")),
    ],
)
def test_a_definite_error_is_a_rejection(status: int, content: dict[str, Any]) -> None:
    answer = messages.answer_to_disbursement(status, json.dumps(content).encode())
    assert (answer.kind, answer.reason) == (AnswerKind.REJECTED, content["errorCode"])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, json.dumps(error("businessRule", "duplicateRequest")).encode()),
        (400, json.dumps(error("authorisation", "requestDeclined")).encode()),
        (400, json.dumps(error("businessRule", "+85512345678")).encode()),
        (400, b"{}"),
        (400, b"<html>bad gateway</html>"),
        (404, json.dumps(error("internal", "genericError")).encode()),
        (401, json.dumps(error("authorisation", "clientAuthorisationError")).encode()),
        (429, json.dumps(error("businessRule", "rateLimitError")).encode()),
        (500, json.dumps(error("businessRule", "incorrectState")).encode()),
        (503, b""),
        (200, json.dumps(TRANSACTION).encode()),
        (202, b"[]"),
        (201, b"\xff"),
    ],
)
def test_anything_else_is_no_answer(status: int, body: bytes) -> None:
    assert messages.answer_to_disbursement(status, body).kind is AnswerKind.NO_ANSWER


def test_202_is_pending_and_tells_the_providers_id() -> None:
    content = {"serverCorrelationId": SERVER, "status": "pending", "notificationMethod": "callback"}
    answer = messages.answer_to_disbursement(202, json.dumps(content).encode())
    assert answer == Answer(AnswerKind.PENDING, server_correlation_id=UUID(SERVER))


def test_201_is_settled_with_what_was_paid() -> None:
    answer = messages.answer_to_disbursement(201, json.dumps(TRANSACTION).encode())
    assert answer.kind is AnswerKind.SETTLED
    assert (answer.amount_minor, answer.currency, answer.our_reference) == (96_000, "KHR", ID)


def test_a_reference_that_cannot_be_stored_is_left_out() -> None:
    assert (
        messages.transaction(
            {**TRANSACTION, "transactionReference": "a\x00b"}
        ).transaction_reference
        is None
    )


@pytest.mark.parametrize("amount", [None, 96000, "96000.5", "NaN", "many"])
def test_an_amount_that_cannot_be_read_equals_none_of_ours(amount: object) -> None:
    assert messages.transaction({**TRANSACTION, "amount": amount}).amount_minor == -1


def test_a_transaction_in_an_unknown_state_is_pending() -> None:
    assert (
        messages.transaction({**TRANSACTION, "transactionStatus": "odd"}).kind is AnswerKind.PENDING
    )


def test_a_failed_request_state_is_the_end_of_it() -> None:
    content = {"status": "failed", "error": error("internal", "genericError")}
    assert messages.request_state(content).kind is AnswerKind.REJECTED


def test_a_completed_request_state_alone_settles_nothing() -> None:
    content = {"serverCorrelationId": SERVER, "status": "completed"}
    assert messages.request_state(content).kind is AnswerKind.PENDING


@pytest.mark.parametrize(
    ("link", "resource"),
    [
        ("/transactions/mekong-0000000042", ("transactions", "mekong-0000000042")),
        (f"https://host/v1.2/requeststates/{SERVER}", ("requeststates", SERVER)),
        ("/accounts/1", None),
        ("/transactions/..%2f..", None),
        ("", None),
        (7, None),
    ],
)
def test_a_link_leads_to_a_resource_of_theirs_only(
    link: object, resource: tuple[str, str] | None
) -> None:
    assert messages.linked_resource({"link": link}) == resource


def test_a_callback_names_its_instruction() -> None:
    parameters = [{"key": messages.OUR_REFERENCE, "value": str(ID)}]
    failure = error("businessRule", "incorrectState", errorParameters=parameters)
    assert read_callback(json.dumps(failure).encode()) == Told(
        ID, Answer(AnswerKind.REJECTED, reason="incorrectState")
    )
    success = read_callback(json.dumps(TRANSACTION).encode())
    assert success is not None
    assert success.instruction_id == ID
    assert success.answer.kind is AnswerKind.SETTLED


def test_an_undecided_error_callback_asks_for_an_inquiry() -> None:
    parameters = [{"key": messages.OUR_REFERENCE, "value": str(ID)}]
    told = read_callback(
        json.dumps(error("internal", "genericError", errorParameters=parameters)).encode()
    )
    assert told is not None
    assert told.answer.kind is AnswerKind.NO_ANSWER


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda v: json.dumps(v).encode(),
        st.dictionaries(
            st.sampled_from(
                ["errorCategory", "errorCode", "transactionStatus", messages.OUR_REFERENCE]
            ),
            st.none() | st.integers() | st.text(max_size=10) | st.lists(st.integers(), max_size=2),
        ),
    )
)
def test_no_callback_breaks_the_reader(body: bytes) -> None:
    read_callback(body)
    for status in (201, 202, 400, 404, 500):
        messages.answer_to_disbursement(status, body)
