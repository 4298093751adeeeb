"""What a provider's answers about batches mean, and what we say to it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.batches.results import plain_and_odd
from services.payments.providers.batches import BatchAnswer, BatchAnswerKind, ResultKind
from services.payments.providers.gsma import batches
from services.payments.providers.gsma.amounts import amount_text
from services.payments.providers.gsma.batch_client import approval_id
from services.payments.providers.gsma.messages import OUR_REFERENCE
from services.payments.providers.lines import Reply
from services.payments.providers.protocol import Order
from shared.money import Money

ID = UUID("0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10")
SERVER = UUID("53616e67-6b72-8f68-8001-00000000002a")
BATCH = {"batchId": "mekong-batch-00000042", "batchStatus": "approved"}

Meaning = Callable[[Reply], BatchAnswer]
MEANINGS: tuple[Meaning, ...] = (
    batches.answer_to_batch,
    batches.answer_to_approval,
    batches.answer_about_batch,
)


def said(status: int, content: Any, rest_seconds: float | None = None) -> Reply:
    return Reply(status, json.dumps(content).encode(), rest_seconds)


def error(category: str, code: str) -> dict[str, str]:
    return {"errorCategory": category, "errorCode": code}


@pytest.mark.parametrize(("approved", "status"), [(True, "approved"), (False, "created")])
def test_a_batch_carries_its_lines_under_their_own_ids(approved: bool, status: str) -> None:
    order = Order(ID, ID, Money(2550, "USD"), b"")
    body = json.loads(
        batches.batch(
            [(order, "+85512345678")], debit_party="nspc", description="Cash", approved=approved
        )
    )
    assert body["batchStatus"] == status
    [line] = body["transactions"]
    assert (line["amount"], line["type"]) == ("25.5", "disbursement")
    assert line["creditParty"] == [{"key": "msisdn", "value": "+85512345678"}]
    assert line[OUR_REFERENCE] == str(ID)


@given(
    lines=st.lists(
        st.tuples(
            st.uuids(), st.integers(1, 10**15), st.text(st.characters(exclude_categories=["Cs"]))
        )
    ),
    currency=st.sampled_from(["KHR", "USD"]),
    payer=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_batch_says_what_it_is_given_whatever_characters_that_has(
    lines: list[tuple[UUID, int, str]], currency: str, payer: str
) -> None:
    orders = [
        (Order(line_id, ID, Money(minor, currency), b""), account)
        for line_id, minor, account in lines
    ]
    body = json.loads(batches.batch(orders, debit_party=payer, description='"', approved=False))
    assert body == {
        "batchStatus": "created",
        "transactions": [
            {
                "amount": amount_text(order.money),
                "currency": currency,
                "type": "disbursement",
                "creditParty": [{"key": "msisdn", "value": account}],
                "debitParty": [{"key": "organisationid", "value": payer}],
                OUR_REFERENCE: str(order.instruction_id),
                "descriptionText": '"',
            }
            for order, account in orders
        ],
    }


def test_an_approval_is_a_request_of_its_own_and_the_same_one_again() -> None:
    assert approval_id(ID) == approval_id(UUID(str(ID)))
    assert approval_id(ID) != ID


def test_a_batch_that_is_taken_is_asked_for_by_what_the_provider_calls_it() -> None:
    state = {"serverCorrelationId": str(SERVER), "status": "pending"}
    answer = batches.answer_to_batch(said(202, state))
    assert (answer.kind, answer.server_correlation_id) == (BatchAnswerKind.PENDING, SERVER)
    answer = batches.answer_about_batch(said(200, BATCH))
    assert (answer.kind, answer.provider_batch_id) == (BatchAnswerKind.UNDER_WAY, BATCH["batchId"])


def test_a_provider_that_asks_for_less_has_not_taken_the_batch() -> None:
    refused = said(429, error("serviceUnavailable", "rateLimitError"), 7.0)
    answer = batches.answer_to_batch(refused)
    assert (answer.kind, answer.rest_seconds) == (BatchAnswerKind.NOT_TAKEN, 7.0)
    assert answer.provider_unwell
    # Whoever says so in other words may have taken it.
    assert batches.answer_to_batch(said(429, {})).kind is BatchAnswerKind.NO_ANSWER
    # Of an approval, and of a question, it says nothing.
    assert batches.answer_to_approval(refused).kind is BatchAnswerKind.NO_ANSWER
    assert batches.answer_about_batch(refused).kind is BatchAnswerKind.NO_ANSWER


@pytest.mark.parametrize(
    ("code", "passes"),
    [("insufficientFunds", True), ("dailyValueLimitExceeded", True), ("formatError", False)],
)
def test_a_definite_error_refuses_a_batch(code: str, passes: bool) -> None:
    answer = batches.answer_to_batch(said(400, error("businessRule", code)))
    assert (answer.kind, answer.reason) == (BatchAnswerKind.REFUSED, code)
    assert answer.passes is passes


@pytest.mark.parametrize(
    "reply",
    [
        said(400, error("businessRule", "incorrectState")),
        said(400, error("businessRule", "duplicateRequest")),
        said(404, error("identification", "identifierError")),
        said(503, error("serviceUnavailable", "genericError")),
        said(200, {}),
    ],
    ids=lambda reply: str(reply.status),
)
def test_an_approval_that_is_refused_says_nothing_of_the_batch(reply: Reply) -> None:
    """It may be approved already: taken for a refusal, its lines would be paid in another."""
    assert batches.answer_to_approval(reply).kind is BatchAnswerKind.NO_ANSWER


def test_an_approval_is_given_once_it_is_taken() -> None:
    assert batches.answer_to_approval(Reply(204, b"")).kind is BatchAnswerKind.UNDER_WAY
    state = {"serverCorrelationId": str(SERVER), "status": "pending"}
    answer = batches.answer_to_approval(said(202, state))
    # The id is the approval's, by which nobody finds the batch.
    assert (answer.kind, answer.server_correlation_id) == (BatchAnswerKind.PENDING, None)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("identifierError: no such account", "identifierError"),
        ("incorrectState", "incorrectState"),
        ("no such account as +85512345678", "rejected_without_reason"),
        ("+85512345678: not known", "rejected_without_reason"),
        ("", "rejected_without_reason"),
        (None, "rejected_without_reason"),
        (["incorrectState"], "rejected_without_reason"),
    ],
)
def test_a_rejections_reason_is_the_code_before_its_words(told: Any, reason: str) -> None:
    page = batches.results_page(
        ResultKind.REJECTIONS,
        200,
        json.dumps([{OUR_REFERENCE: str(ID), "rejectionReason": told}]).encode(),
        limit=10,
    )
    assert page is not None
    [result] = page.results
    assert (result.our_reference, result.reason, result.is_decided) == (ID, reason, True)


def test_a_duplicate_is_not_decided_and_goes_by_itself() -> None:
    row = {
        OUR_REFERENCE: str(ID),
        "rejectionReason": "duplicateRequest: paid before",
        "transactionReference": "MK-1",
    }
    page = batches.results_page(ResultKind.REJECTIONS, 200, json.dumps([row]).encode(), limit=10)
    assert page is not None
    plain, odd = plain_and_odd(page)
    assert plain == []
    assert [(result.reason, result.is_decided) for result in odd] == [("duplicateRequest", False)]
    # By that it is asked about; of a line that was rejected it says nothing.
    assert [result.transaction_reference for result in odd] == ["MK-1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "batchId",
                    "batchStatus",
                    "status",
                    "error",
                    "errorCode",
                    "errorCategory",
                    "link",
                    OUR_REFERENCE,
                    "rejectionReason",
                    "transactionReference",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.integers(100, 599), JSON.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_whatever_is_said_is_read_or_says_nothing(status: int, body: bytes) -> None:
    reply = Reply(status, body)
    for meaning in MEANINGS:
        assert isinstance(meaning(reply), BatchAnswer)
    for kind in ResultKind:
        page = batches.results_page(kind, status, body, limit=10)
        assert page is None or len(page.results) <= page.count
