"""What the results of a GSMA batch say of its lines."""

import orjson
import pytest

from services.payments.answers.repository import Heard
from services.payments.batches.results import heard_of, plain_and_odd
from services.payments.providers.answers import AnswerKind
from services.payments.providers.batches import LineResult, ResultKind, ResultsPage
from services.payments.providers.gsma.batches import results_page
from services.payments.providers.gsma.messages import OUR_REFERENCE

REFERENCE = "018f4e66-0d7e-7d5f-b0a5-6f3c1a2b9d10"


def page_of(reason: object) -> ResultsPage:
    body = orjson.dumps([{OUR_REFERENCE: REFERENCE, "rejectionReason": reason}])
    page = results_page(ResultKind.REJECTIONS, 200, body, limit=10)
    assert page is not None
    return page


def heard(result: LineResult) -> Heard:
    return heard_of(result, provider_number=1)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("incorrectState", "incorrectState"),
        ("incorrectState: the account is closed", "incorrectState"),
        ("The account is closed", "rejected_without_reason"),
        (None, "rejected_without_reason"),
        ({"code": "incorrectState"}, "rejected_without_reason"),
    ],
)
def test_a_rejection_keeps_its_code_and_no_words(reason: object, code: str) -> None:
    [result] = page_of(reason).results
    assert result.reason == code
    assert heard(result).answer.kind is AnswerKind.REJECTED


@pytest.mark.parametrize("reason", ["duplicateRequest", "duplicateRequest: paid yesterday"])
def test_a_line_that_was_paid_before_is_not_rejected(reason: str) -> None:
    page = page_of(reason)
    [result] = page.results
    assert plain_and_odd(page) == ([], [result])
    assert heard(result).answer.kind is AnswerKind.NO_ANSWER


def test_a_page_that_cannot_be_read_whole_says_nothing() -> None:
    body = orjson.dumps([{OUR_REFERENCE: REFERENCE}] * 3)
    for kind in ResultKind:
        assert results_page(kind, 200, body[:-1], limit=10) is None
        assert results_page(kind, 200, body, limit=2) is None
        assert results_page(kind, 503, body, limit=10) is None
        assert results_page(kind, 200, b'{"transactions": []}', limit=10) is None
