"""The headers, and the objects, of the document for the provider's engineer."""

from typing import Any

from services.payments.providers.gsma.messages import OUR_REFERENCE
from shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_SECONDS

_AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?$"


def parameters() -> dict[str, Any]:
    def header(name: str, description: str, **schema: Any) -> dict[str, Any]:
        return {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": {"type": "string", **schema},
        }

    def query(name: str, description: str) -> dict[str, Any]:
        schema = {"type": "integer", "minimum": 0}
        return {
            "name": name,
            "in": "query",
            "required": True,
            "description": description,
            "schema": schema,
        }

    return {
        "correlation": header(
            "X-CorrelationID", "Our id: the same whenever the same is sent again.", format="uuid"
        ),
        "date": header("X-Date", "When the request leaves.", format="date-time"),
        "callback": header("X-Callback-URL", "Where to tell us what became of it.", format="uri"),
        "offset": query("offset", "How many to leave out."),
        "limit": query("limit", "How many to tell, at most."),
        "id": header(ID_HEADER, "The same whenever you send the same again; another for another."),
        "timestamp": header(
            TIMESTAMP_HEADER,
            f"In Unix seconds; {TOLERANCE_SECONDS} from our clock at most.",
            pattern="^[0-9]+$",
        ),
        "signature": header(
            SIGNATURE_HEADER,
            "Standard Webhooks 1.0: `v1,` and the HMAC-SHA256 of id, timestamp and body with "
            "points between, in base64. Several, with a space between, while a secret is rotated.",
        ),
    }


def schemas() -> dict[str, Any]:
    text, identifier = {"type": "string"}, {"type": "string", "format": "uuid"}
    amount = {"type": "string", "pattern": _AMOUNT_PATTERN, "description": "In major units."}
    currency = {"type": "string", "enum": ["KHR", "USD"]}
    party = {
        "type": "array",
        "minItems": 1,
        "items": _object({"key": text, "value": text}, required=["key", "value"]),
    }
    line = {
        "amount": amount,
        "currency": currency,
        "creditParty": party,
        "debitParty": party,
        OUR_REFERENCE: {**identifier, "description": "Give it back in all that you say of it."},
        "descriptionText": text,
    }
    batch_line = {**line, "type": {"const": "disbursement"}}
    reference = {"type": "string", "minLength": 1, "maxLength": 256}
    return {
        "Disbursement": _object(line, required=list(line)),
        "BatchOrder": _object(
            {
                "batchStatus": {"enum": ["created", "approved"]},
                "transactions": {
                    "type": "array",
                    "minItems": 1,
                    "items": _object(batch_line, required=list(batch_line)),
                },
            },
            required=["batchStatus", "transactions"],
        ),
        "Approval": {
            "type": "array",
            "items": _object(
                {"op": {"const": "replace"}, "path": text, "value": text},
                required=["op", "path", "value"],
            ),
        },
        "Transaction": _object(
            {
                "transactionReference": reference,
                "transactionStatus": {
                    "type": "string",
                    "description": "completed: paid. rejected, failed, declined, cancelled: not "
                    "paid. Any other is not decided.",
                },
                "amount": amount,
                "currency": currency,
                OUR_REFERENCE: identifier,
            },
            required=["transactionStatus"],
        ),
        "RequestState": _object(
            {
                "serverCorrelationId": identifier,
                "status": {"enum": ["pending", "completed", "failed"]},
                "objectReference": {**reference, "description": "Of what came of it."},
                "error": {"$ref": "#/components/schemas/Error"},
            },
            required=["serverCorrelationId", "status"],
        ),
        "Response": _object(
            {
                "link": {
                    **text,
                    "description": "To `/transactions/…`, `/requeststates/…` or "
                    "`/batchtransactions/…`.",
                }
            },
            required=["link"],
        ),
        "Batch": _object(
            {"batchId": reference, "batchStatus": {"enum": ["created", "approved", "completed"]}},
            required=["batchId", "batchStatus"],
        ),
        "Completions": {
            "type": "array",
            "items": _object(
                {"transactionReference": reference, OUR_REFERENCE: identifier},
                required=[OUR_REFERENCE],
            ),
        },
        "Rejections": {
            "type": "array",
            "items": _object(
                {
                    "rejectionReason": {**text, "description": "A code, and words behind a colon."},
                    OUR_REFERENCE: identifier,
                },
                required=[OUR_REFERENCE],
            ),
        },
        "Error": _object(
            {
                "errorCategory": text,
                "errorCode": text,
                "errorParameters": {
                    "type": "array",
                    "items": _object({"key": text, "value": text}, required=[]),
                },
            },
            required=["errorCategory", "errorCode"],
        ),
    }


def _object(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}
