"""Whatever a provider sends is read within bounds: it says something, or it says nothing."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma import messages
from services.payments.providers.gsma.callbacks import read_callback
from shared.money import MAXIMUM_AMOUNT_MINOR

ID = UUID("0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10")
LONGEST_SECONDS = 0.2

TRANSACTION = {
    "transactionReference": "mekong-0000000042",
    "transactionStatus": "completed",
    "amount": "96000",
    "currency": "KHR",
    messages.OUR_REFERENCE: str(ID),
}


def answers_to(body: bytes) -> list[Answer]:
    """What the adapter makes of a body, wherever it may meet one."""
    heard = [
        messages.answer_to_disbursement(status, body) for status in (200, 201, 202, 400, 404, 500)
    ]
    content = messages.read_object(body)
    messages.is_not_known(404, content)
    if content is not None:
        messages.linked_resource(content)
        messages.completed_reference(content)
        heard += [messages.transaction(content), messages.request_state(content)]
        heard += [error for error in [messages.error_object(content)] if error is not None]
    told = read_callback(body)
    return heard if told is None else [*heard, told.answer]


def quickly(ask: Callable[[], Any]) -> Any:
    began = time.process_time()
    said = ask()
    assert time.process_time() - began < LONGEST_SECONDS
    return said


def can_be_stored(answer: Answer) -> bool:
    """PostgreSQL takes its texts and its numbers."""
    texts = [answer.reason, answer.currency, answer.transaction_reference]
    for text in texts:
        if text is not None:
            assert "\x00" not in text
            assert len(text.encode()) <= 1_024
    return answer.amount_minor is None or -1 <= answer.amount_minor <= MAXIMUM_AMOUNT_MINOR


@pytest.mark.parametrize(
    "amount",
    [
        "1e9999999",
        "1E+999999",
        "1e-9999999",
        "-96000",
        "+96000",
        "96_000",
        " 96000",
        "96000\n",
        "٩٦٠٠٠",
        "៩៦០០០",
        "096000",
        "9" * 19,
        "9" * 18,
        "1.00001",
        "." * 200_000,
        "Infinity",
        "sNaN",
        "",
        "\x00",
        96000,
        96000.0,
        True,
        ["96000"],
        {"96000": 1},
        None,
    ],
)
def test_an_amount_beyond_the_schemas_digits_is_no_amount(amount: object) -> None:
    for currency in ("KHR", "USD"):
        content = {**TRANSACTION, "amount": amount, "currency": currency}
        answer = quickly(partial(messages.transaction, content))
        assert (answer.kind, answer.amount_minor) == (AnswerKind.SETTLED, -1)
        assert can_be_stored(answer)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("96000", "KHR", 96_000), ("96000.00", "KHR", 96_000), ("25.5", "USD", 2_550)],
)
def test_zeros_at_the_end_of_a_fraction_change_no_amount(
    amount: str, currency: str, minor: int
) -> None:
    content = {**TRANSACTION, "amount": amount, "currency": currency}
    assert messages.transaction(content).amount_minor == minor


UNREADABLE = {
    "lists in lists": b"[" * 100_000,
    "a list in each list": b"[" * 100_000 + b"]" * 100_000,
    "objects in objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a field": b'{"transactionStatus": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an integer of ten thousand digits": b'{"amount": ' + b"9" * 10_000 + b"}",
    "half a pair": b'{"transactionReference": "\\ud800"}',
    "no UTF-8": b'{"transactionReference": "\xed\xa0\x80"}',
    "not a number": b'{"amount": NaN}',
    "nothing": b"",
    "a BOM": b"\xef\xbb\xbf{}",
    "zeros": b"\x00" * 1_000,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_no_parser_should_follow_says_nothing(body: bytes) -> None:
    heard = quickly(lambda: answers_to(body))
    assert {answer.kind for answer in heard} == {AnswerKind.NO_ANSWER}
    assert read_callback(body) is None


@pytest.mark.parametrize(
    "reference", ["a\x00b", "", "x" * 257, "a\nb", "\u202e", 42, None, ["a"], "\udfff"]
)
def test_a_reference_that_could_not_be_stored_is_none(reference: object) -> None:
    content = {**TRANSACTION, "transactionReference": reference, "objectReference": reference}
    assert messages.transaction(content).transaction_reference is None
    assert messages.completed_reference({**content, "status": "completed"}) is None


@pytest.mark.parametrize(
    "reference",
    [
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID.hex,
        "٠" * 32,
        str(ID) + "\n",
        "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a1g",
        "-" * 200_000,
        int(ID),
    ],
)
def test_our_reference_is_ours_in_our_spelling_alone(reference: object) -> None:
    content = {**TRANSACTION, messages.OUR_REFERENCE: reference}
    assert quickly(lambda: messages.transaction(content)).our_reference is None
    assert read_callback(json.dumps(content).encode()) is None


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("awaitingApproval", "transaction_awaitingapproval"),
        ("on-hold", "transaction_on-hold"),
        ("pending", None),
        ("paid to +85512345678", "transaction_in_no_readable_state"),
        ("x" * 65, "transaction_in_no_readable_state"),
        (None, "transaction_in_no_readable_state"),
        ({}, "transaction_in_no_readable_state"),
    ],
)
def test_a_status_that_is_not_known_is_pending_and_kept_as_a_code(
    word: object, code: str | None
) -> None:
    answer = messages.transaction({**TRANSACTION, "transactionStatus": word})
    assert (answer.kind, answer.reason) == (AnswerKind.PENDING, code)


def test_a_request_that_is_completed_without_its_transaction_is_not_settled() -> None:
    for reference in (None, "", 7, "a\x00"):
        content = {
            "status": "completed",
            "serverCorrelationId": str(ID),
            "objectReference": reference,
        }
        assert messages.completed_reference(content) is None
        answer = messages.request_state(content)
        assert (answer.kind, answer.reason) == (AnswerKind.PENDING, "completed_without_transaction")
    odd = messages.request_state({"status": "queued", "serverCorrelationId": str(ID)})
    assert (odd.kind, odd.reason) == (AnswerKind.NO_ANSWER, "request_queued")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=40)
    | st.from_regex(r"-?[0-9]{0,25}(\.[0-9]{0,8})?([eE][+-]?[0-9]{0,8})?", fullmatch=True)
    | st.sampled_from(
        ["completed", "failed", "pending", "KHR", "USD", "validation", "a\x00b", str(ID)]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *TRANSACTION,
        "status",
        "serverCorrelationId",
        "objectReference",
        "link",
        "error",
        "errorCategory",
        "errorCode",
        "errorParameters",
    ]
)


@given(st.dictionaries(FIELDS, JSON, max_size=9) | JSON)
@settings(max_examples=400, deadline=1_000 * LONGEST_SECONDS)
def test_no_json_breaks_the_reader(content: object) -> None:
    for answer in answers_to(json.dumps(content).encode()):
        assert can_be_stored(answer)


@given(st.binary(max_size=2_000))
@settings(max_examples=300, deadline=1_000 * LONGEST_SECONDS)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    for answer in answers_to(body):
        assert can_be_stored(answer)
