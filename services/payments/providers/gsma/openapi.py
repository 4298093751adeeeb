"""What a wallet gets from us and sends to us, as an OpenAPI 3.1 document with callbacks.

It is for the provider's engineer: the paths are the provider's, the callbacks are ours. The names
are those of GSMA Mobile Money API 1.2; what we need of its objects is required here, and whatever
else they hold is let be.
"""

from typing import Any, Final

from services.payments.providers.gsma.messages import OUR_REFERENCE
from services.payments.providers.gsma.openapi_parts import parameters, schemas
from shared.version import VERSION

PATH: Final = "/provider-openapi.json"

_OURS = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
_BATCH = "0199c1de-7a00-7a54-8f62-0d6f0a6f5b14"
_SERVERS = "53616e67-6b72-8f68-8000-00000000002a"
_REFERENCE = "mekong-0000000042"
_BATCH_NAME = "mekong-batch-00000001"

_DESCRIPTION = """
What Sangkroh asks of a mobile-money provider: GSMA Mobile Money API 1.2, disbursements, one at a
time or in batches. Every request that moves money bears our id in X-CorrelationID, fixed before it
is sent first and the same whenever it is sent again: the same id is one payment. What cannot be
read, a timeout and a 5xx are no answer: we ask by our id what became of it. Only an error object
of the categories businessRule, validation or identification, with another code than
duplicateRequest, is a refusal. A provider takes either single payments or batches.
"""

_TRANSACTION: dict[str, Any] = {
    "transactionReference": _REFERENCE,
    "transactionStatus": "completed",
    "amount": "96000",
    "currency": "KHR",
    OUR_REFERENCE: _OURS,
}
_ERROR: dict[str, Any] = {
    "errorCategory": "businessRule",
    "errorCode": "incorrectState",
    "errorParameters": [{"key": OUR_REFERENCE, "value": _OURS}],
}
_STATE: dict[str, Any] = {"serverCorrelationId": _SERVERS, "status": "pending"}
_LINE: dict[str, Any] = {
    "amount": "96000",
    "currency": "KHR",
    "type": "disbursement",
    "creditParty": [{"key": "msisdn", "value": "+85510000001"}],
    "debitParty": [{"key": "organisationid", "value": "nspc"}],
    OUR_REFERENCE: _OURS,
    "descriptionText": "Emergency cash transfer",
}
_BATCH_OBJECT: dict[str, Any] = {"batchId": _BATCH_NAME, "batchStatus": "created"}


def provider_document() -> dict[str, Any]:
    """The document, as it is served."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "What Sangkroh asks of a provider",
            "version": VERSION,
            "description": " ".join(_DESCRIPTION.split()),
            "license": {
                "name": "Apache License 2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "servers": [
            {
                "url": "https://{provider}",
                "description": "The base_url of the provider's settings.",
                "variables": {"provider": {"default": "provider.example/v1.2"}},
            }
        ],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
            "parameters": parameters(),
            "schemas": schemas(),
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/transactions/type/disbursement": {"post": _disbursement()},
        "/batchtransactions": {"post": _batch()},
        "/batchtransactions/{batchId}": {
            "get": _asked("Tell what became of a batch.", "batchId", "Batch", _BATCH_OBJECT),
            "patch": _approval(),
        },
        "/batchtransactions/{batchId}/completions": {
            "get": _page(
                "Tell which payments of a batch were made.",
                "Completions",
                [{"transactionReference": _REFERENCE, OUR_REFERENCE: _OURS}],
            )
        },
        "/batchtransactions/{batchId}/rejections": {
            "get": _page(
                "Tell which payments of a batch were not made.",
                "Rejections",
                [{"rejectionReason": "identifierError", OUR_REFERENCE: _OURS}],
            )
        },
        "/responses/{clientCorrelationId}": {
            "get": _asked(
                "Tell, by our id, where the outcome of a request is found. 404 with an error "
                "object of the category identification says that the request never came.",
                "clientCorrelationId",
                "Response",
                {"link": f"/transactions/{_REFERENCE}"},
            )
        },
        "/requeststates/{serverCorrelationId}": {
            "get": _asked(
                "Tell what became of a request that was answered 202.",
                "serverCorrelationId",
                "RequestState",
                {**_STATE, "status": "completed", "objectReference": _REFERENCE},
            )
        },
        "/transactions/{transactionReference}": {
            "get": _asked(
                "Tell what became of a payment.",
                "transactionReference",
                "Transaction",
                _TRANSACTION,
            )
        },
    }


def _disbursement() -> dict[str, Any]:
    return {
        "operationId": "disburse",
        "summary": "Pay one household.",
        "description": "Once for each payment; again, under the same X-CorrelationID, only where "
        "no answer came and you said that you do not know it.",
        "parameters": _headers(with_callback=True),
        "requestBody": _body("Disbursement", {k: v for k, v in _LINE.items() if k != "type"}),
        "responses": {
            "201": _reply("It is made.", "Transaction", _TRANSACTION),
            "202": _reply("It was taken, and is not decided.", "RequestState", _STATE),
            **_refusals(),
        },
        "callbacks": {
            "outcome": _callback(
                "What became of the payment: the transaction, or an error object that names it "
                "by our reference among its parameters.",
                {"anyOf": [_of("Transaction"), _of("Error")]},
                {"paid": _TRANSACTION, "refused": _ERROR},
            )
        },
    }


def _batch() -> dict[str, Any]:
    return {
        "operationId": "disburseMany",
        "summary": "Take a batch of payments.",
        "description": "With batchStatus created it waits for our approval; with approved it is "
        "paid without another word.",
        "parameters": _headers(with_callback=True),
        "requestBody": _body("BatchOrder", {"batchStatus": "created", "transactions": [_LINE]}),
        "responses": {
            "201": _reply("You have it.", "Batch", _BATCH_OBJECT),
            "202": _reply("It was taken, and is no batch yet.", "RequestState", _STATE),
            **_refusals(),
        },
        "callbacks": {
            "outcome": _callback(
                "That something became of the batch: it is then asked for, and its results are "
                "read. A callback about one of its payments is understood as well.",
                {"anyOf": [_of("Batch"), _of("Transaction"), _of("Error")]},
                {"batch": {**_BATCH_OBJECT, "batchStatus": "completed"}},
            )
        },
    }


def _approval() -> dict[str, Any]:
    approval = [{"op": "replace", "path": "/batchStatus", "value": "approved"}]
    return {
        "operationId": "approveBatch",
        "summary": "Pay a batch that you have.",
        "description": "Under an id of its own, which follows from the batch's.",
        "parameters": [_path("batchId"), *_headers(with_callback=False)],
        "requestBody": _body("Approval", approval),
        "responses": {
            "200": _reply("It is paid.", "Batch", {**_BATCH_OBJECT, "batchStatus": "approved"}),
            "202": _reply("It will be.", "RequestState", _STATE),
            "204": {"description": "It is paid."},
            **_refusals(),
        },
    }


def _asked(summary: str, name: str, schema: str, example: Any) -> dict[str, Any]:
    return {
        "operationId": f"ask{schema}",
        "summary": summary,
        "parameters": [_path(name), _parameter("date")],
        "responses": {
            "200": _reply("As it is now.", schema, example),
            "404": _reply(
                "There is no such thing.",
                "Error",
                {"errorCategory": "identification", "errorCode": "identifierError"},
            ),
        },
    }


def _page(summary: str, schema: str, example: Any) -> dict[str, Any]:
    return {
        "operationId": f"list{schema}",
        "summary": summary,
        "description": "In an order that stays, so that what comes later stands behind.",
        "parameters": [
            _path("batchId"),
            _parameter("offset"),
            _parameter("limit"),
            _parameter("date"),
        ],
        "responses": {"200": _reply("So many at most.", schema, example)},
    }


def _callback(description: str, schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    return {
        "{$request.header.X-Callback-URL}": {
            "put": {
                "summary": "Tell us by yourself, and again until you are answered 204.",
                "description": description,
                "security": [],
                "parameters": [_parameter(name) for name in ("id", "timestamp", "signature")],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": schema,
                            "examples": {
                                name: {"value": example} for name, example in examples.items()
                            },
                        }
                    },
                },
                "responses": {
                    "204": {"description": "It is stored: do not come again."},
                    "401": {"description": "The signature does not hold; the answer says why."},
                    "413": {"description": "It is too long."},
                    "503": {"description": "It was not stored: come again."},
                },
            }
        }
    }


def _headers(*, with_callback: bool) -> list[dict[str, Any]]:
    names = ["correlation", "date", *(["callback"] if with_callback else [])]
    return [_parameter(name) for name in names]


def _refusals() -> dict[str, Any]:
    busy = {"errorCategory": "serviceUnavailable", "errorCode": "rateLimitError"}
    return {
        "400": _reply("It is refused, and nothing is paid.", "Error", _ERROR),
        "429": {
            **_reply("There are too many: nothing was looked at.", "Error", busy),
            "headers": {
                "Retry-After": {
                    "description": "For how many seconds to leave you alone.",
                    "schema": {"type": "integer", "minimum": 0},
                }
            },
        },
        "503": {"description": "You are closed. Whether it is paid is asked for later."},
    }


def _of(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _parameter(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/{name}"}


def _body(schema: str, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": _of(schema), "example": example}}
    return {"required": True, "content": content}


def _reply(description: str, schema: str, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": _of(schema), "example": example}}
    return {"description": description, "content": content}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
