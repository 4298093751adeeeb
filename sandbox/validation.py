"""Is this a disbursement that the provider understands? GSMA Mobile Money API 1.2."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,3}[1-9])?")
DECIMALS = {"KHR": 0, "USD": 2}
LONGEST_TEXT = 256
LONGEST_DESCRIPTION = 160
LONGEST_CALLBACK_URL = 2_048
MOST_PARTIES = 10


class InvalidRequest(Exception):
    """A request refused for what it says, with the GSMA category and code of the error object."""

    def __init__(self, code: str, description: str, *, category: str = "validation") -> None:
        super().__init__(description)
        self.category = category
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Disbursement:
    """What the client asks for. The parties are JSON as they are echoed."""

    provider: str
    correlation_id: str
    callback_url: str | None
    requesting_reference: str | None
    amount: str
    currency: str
    account: str
    credit_party: str
    debit_party: str
    description: str | None


def read_disbursement(
    body: bytes, *, provider: str, correlation_id: str | None, callback_url: str | None
) -> Disbursement:
    """Check headers and body of a disbursement; raise InvalidRequest for the first fault."""
    identity = read_correlation_id(correlation_id)
    check_callback_url(callback_url)
    document = read_document(body)
    amount, currency = read_money(document)
    credit_party = read_parties(document, "creditParty", required=True)
    debit_party = read_parties(document, "debitParty", required=False)
    return Disbursement(
        provider=provider,
        correlation_id=identity,
        callback_url=callback_url,
        requesting_reference=read_text(
            document, "requestingOrganisationTransactionReference", longest=LONGEST_TEXT
        ),
        amount=amount,
        currency=currency,
        account=credit_party[0]["value"],
        credit_party=orjson.dumps(credit_party).decode(),
        debit_party=orjson.dumps(debit_party).decode(),
        description=read_text(document, "descriptionText", longest=LONGEST_DESCRIPTION),
    )


def read_correlation_id(value: str | None) -> str:
    """X-CorrelationID in small letters."""
    if value is None:
        raise InvalidRequest("mandatoryValueNotSupplied", "X-CorrelationID is missing")
    if not UUID.fullmatch(value):
        raise InvalidRequest("formatError", "X-CorrelationID is not a UUID")
    return value.lower()


def check_callback_url(url: str | None) -> None:
    """Whether X-Callback-URL, where there is one, can be called."""
    if url is None:
        return
    if not url.startswith(("http://", "https://")):
        raise InvalidRequest("formatError", "X-Callback-URL is not an http or https URL")
    if len(url) > LONGEST_CALLBACK_URL:
        raise InvalidRequest("lengthError", "X-Callback-URL is too long")


def read_document(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRequest("formatError", "the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("formatError", "the body is not a JSON object")
    return document


def read_money(document: dict[str, Any]) -> tuple[str, str]:
    """Amount and currency of a transaction."""
    amount, currency = document.get("amount"), document.get("currency")
    if amount is None or currency is None:
        raise InvalidRequest("mandatoryValueNotSupplied", "amount and currency are mandatory")
    if not isinstance(currency, str) or currency not in DECIMALS:
        raise InvalidRequest("currencyNotSupported", "currency must be KHR or USD")
    if not isinstance(amount, str):
        raise InvalidRequest("formatError", "amount must be a string")
    if amount.startswith("-"):
        raise InvalidRequest("negativeValue", "amount must not be negative")
    if not AMOUNT.fullmatch(amount):
        raise InvalidRequest("formatError", "amount must be digits, without zeros at either end")
    if len(amount.partition(".")[2]) > DECIMALS[currency]:
        raise InvalidRequest("formatError", f"{currency} has {DECIMALS[currency]} decimals")
    if amount == "0":
        raise InvalidRequest(
            "lessThanTransactionMinValue", "amount must be more than 0", category="businessRule"
        )
    return amount, currency


def read_parties(document: dict[str, Any], name: str, *, required: bool) -> list[dict[str, str]]:
    """One of the parties of a transaction."""
    parties = document.get(name)
    if parties is None:
        if required:
            raise InvalidRequest("mandatoryValueNotSupplied", f"{name} is mandatory")
        # A disbursement may leave the payer out, yet every transaction object must name one.
        return [{"key": "organisationid", "value": "unnamed"}]
    if not isinstance(parties, list) or not 1 <= len(parties) <= MOST_PARTIES:
        raise InvalidRequest("formatError", f"{name} must be a list of 1 to {MOST_PARTIES}")
    return [_party(party, name) for party in parties]


def _party(party: object, name: str) -> dict[str, str]:
    if not isinstance(party, dict):
        raise InvalidRequest("formatError", f"{name} must hold objects with key and value")
    key, value = party.get("key"), party.get("value")
    if not (isinstance(key, str) and isinstance(value, str)):
        raise InvalidRequest("formatError", f"{name} must hold objects with key and value")
    if not (1 <= len(key) <= LONGEST_TEXT and 1 <= len(value) <= LONGEST_TEXT):
        raise InvalidRequest("lengthError", f"{name} has an empty or too long key or value")
    return {"key": key, "value": value}


def read_text(document: dict[str, Any], name: str, *, longest: int) -> str | None:
    """A text that may be left out."""
    text = document.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidRequest("formatError", f"{name} must be a string")
    if len(text) > longest:
        raise InvalidRequest("lengthError", f"{name} is longer than {longest} characters")
    return text
