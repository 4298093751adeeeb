"""Is this a batch that the provider understands? GSMA Mobile Money API 1.2, `/batchtransactions`.

What cannot be shown again as one of a batch's results refuses the batch; whatever else is wrong
with a line rejects that line.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.validation import (
    LONGEST_DESCRIPTION,
    LONGEST_TEXT,
    InvalidRequest,
    check_callback_url,
    read_correlation_id,
    read_document,
    read_money,
    read_parties,
    read_text,
)

LARGEST_BATCH_BODY = 64 * 1024 * 1024
MOST_LINES = 100_000
MOST_CHANGES = 10
LONGEST_NUMBER = 9
DEFAULT_LIMIT = 50
GREATEST_LIMIT = 1_000

OUR_REFERENCE = "requestingOrganisationTransactionReference"


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction of a batch. The parties are JSON as they are echoed.

    `fault` is why it cannot be paid whatever its account is, as `code: words`; where it is set,
    amount and currency may be empty.
    """

    requesting_reference: str | None
    amount: str
    currency: str
    account: str
    credit_party: str
    debit_party: str
    description: str | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What the client asks for; `approved`: it is to be paid without another word."""

    provider: str
    correlation_id: str
    callback_url: str | None
    title: str | None
    approved: bool
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    offset: int
    limit: int


def read_batch(
    body: bytes, *, provider: str, correlation_id: str | None, callback_url: str | None
) -> BatchRequest:
    """Check headers and body of a batch; raise InvalidRequest for the first fault of all of it."""
    identity = read_correlation_id(correlation_id)
    check_callback_url(callback_url)
    document = read_document(body)
    status = document.get("batchStatus", "created")
    if status not in ("created", "approved"):
        raise InvalidRequest("formatError", "batchStatus must be created or approved")
    transactions = document.get("transactions")
    if transactions is None:
        raise InvalidRequest("mandatoryValueNotSupplied", "transactions are mandatory")
    if not isinstance(transactions, list) or not 1 <= len(transactions) <= MOST_LINES:
        raise InvalidRequest("lengthError", f"transactions must be a list of 1 to {MOST_LINES}")
    return BatchRequest(
        provider=provider,
        correlation_id=identity,
        callback_url=callback_url,
        title=read_text(document, "batchTitle", longest=LONGEST_TEXT),
        approved=status == "approved",
        lines=[_line(position, line) for position, line in enumerate(transactions)],
    )


def read_approval(body: bytes) -> None:
    """Check a change of a batch: to approve it is the only one; raise InvalidRequest."""
    try:
        changes = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("formatError", "the body is not JSON") from None
    if not isinstance(changes, list) or not 1 <= len(changes) <= MOST_CHANGES:
        raise InvalidRequest("formatError", f"the body must be a list of 1 to {MOST_CHANGES}")
    for change in changes:
        if not isinstance(change, dict) or change.get("op") not in ("replace", "add"):
            raise InvalidRequest("formatError", "op must be replace or add")
        if change.get("path") != "/batchStatus" or change.get("value") != "approved":
            raise InvalidRequest("formatError", "only /batchStatus changes, and to approved")


def read_page(query: bytes) -> Page:
    """`offset` and `limit` of a query; raise InvalidRequest. No more than 1,000 are given."""
    given = dict(part.partition("=")[::2] for part in query.decode("latin-1").split("&") if part)
    offset, limit = given.get("offset", "0"), given.get("limit", str(DEFAULT_LIMIT))
    if not _is_number(offset):
        raise InvalidRequest("invalidOffset", "offset must be a number from 0 on")
    if not _is_number(limit) or not int(limit):
        raise InvalidRequest("formatError", "limit must be a number from 1 on")
    return Page(offset=int(offset), limit=min(int(limit), GREATEST_LIMIT))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER


def _line(position: int, line: Any) -> Line:
    if not isinstance(line, dict):
        raise InvalidRequest("formatError", f"transactions[{position}] must be an object")
    try:
        credit_party = read_parties(line, "creditParty", required=True)
        debit_party = read_parties(line, "debitParty", required=True)
        reference = read_text(line, OUR_REFERENCE, longest=LONGEST_TEXT)
        description = read_text(line, "descriptionText", longest=LONGEST_DESCRIPTION)
    except InvalidRequest as fault:
        words = f"transactions[{position}]: {fault.description}"
        raise InvalidRequest(fault.code, words, category=fault.category) from None
    amount, currency, why = "", "", None
    try:
        amount, currency = read_money(line)
        if line.get("type") != "disbursement":
            why = "transactionTypeError: only disbursements"
        elif reference is not None and not reference.isprintable():
            why = f"formatError: {OUR_REFERENCE} must be printable"
    except InvalidRequest as fault:
        why = f"{fault.code}: {fault.description}"
    return Line(
        requesting_reference=reference,
        amount=amount,
        currency=currency,
        account=credit_party[0]["value"],
        credit_party=orjson.dumps(credit_party).decode(),
        debit_party=orjson.dumps(debit_party).decode(),
        description=description,
        fault=why,
    )
