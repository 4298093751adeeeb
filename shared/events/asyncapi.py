"""What is sent to subscribers, as an AsyncAPI 3 document: made of the same types as the feed's."""

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from shared.contracts.catalogue import EXAMPLES
from shared.events.cloud_events import DESCRIBED, MEDIA_TYPE
from shared.events.log import Published
from shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_SECONDS
from shared.version import VERSION

PATH: Final = "/asyncapi.json"

_CHANNEL = "subscriber"
_SCHEMAS = "#/components/schemas/"
_EXAMPLE_ID = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
_EXAMPLE_TIME = "2020-10-12T02:00:05Z"

_DESCRIPTION = """
Events are posted to each address that two persons agreed on (POST /v1/subscriptions), as
CloudEvents 1.0 in JSON, signed by Standard Webhooks 1.0. Answer 2xx once an event is kept. Whatever
else is answered, or nothing within the time, and it is sent again, ten times over three days; 410
ends the subscription. The same event may come twice, under the same webhook-id, and later ones may
come before earlier ones. The same events are read in order at GET /v1/events. Types and fields are
added: leave what you do not know.
"""

_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER],
    "properties": {
        ID_HEADER: {
            "type": "string",
            "format": "uuid",
            "description": "The same whenever this event is sent to this subscription.",
        },
        TIMESTAMP_HEADER: {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When it was sent, in Unix seconds: refuse what is more than "
            f"{TOLERANCE_SECONDS} from your clock.",
        },
        SIGNATURE_HEADER: {
            "type": "string",
            "description": "Signatures with a space between, of which one is to be right: `v1,` "
            "and the HMAC-SHA256 of id, timestamp and body with points between, or `v1a,` and the "
            "Ed25519 signature of it, in base64.",
        },
    },
}


def asyncapi_document() -> dict[str, Any]:
    """The document, as it is served."""
    kinds = {fact.__name__: DESCRIBED[fact.type] for fact in EXAMPLES}
    _, described = models_json_schema(
        [(kind, "serialization") for kind in kinds.values()], ref_template=f"{_SCHEMAS}{{model}}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sangkroh events",
            "version": VERSION,
            "description": " ".join(_DESCRIPTION.split()),
            "license": {
                "name": "Apache License 2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            _CHANNEL: {
                "address": None,
                "title": "A subscriber",
                "description": "The address of the subscription: https, and public.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in kinds},
            }
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_CHANNEL}"},
                "summary": "Each event of the types and places that were subscribed to.",
                "bindings": {"http": {"method": "POST"}},
                "messages": [{"$ref": f"#/channels/{_CHANNEL}/messages/{name}"} for name in kinds],
            }
        },
        "components": {
            "messages": {fact.__name__: _message(fact) for fact in EXAMPLES},
            "schemas": {"Headers": _HEADERS, **described["$defs"]},
        },
    }


def _message(fact: type[Published]) -> dict[str, Any]:
    example = fact.model_validate(EXAMPLES[fact])
    told = DESCRIBED[fact.type].model_validate(
        {
            "id": _EXAMPLE_ID,
            "type": fact.type,
            "source": fact.source,
            "subject": example.subject,
            "time": _EXAMPLE_TIME,
            "data": example,
        }
    )
    return {
        "name": fact.type,
        "title": fact.__name__,
        "summary": " ".join((fact.__doc__ or "").split()),
        "contentType": MEDIA_TYPE,
        "headers": {"$ref": f"{_SCHEMAS}Headers"},
        "payload": {"$ref": f"{_SCHEMAS}{DESCRIBED[fact.type].__name__}"},
        "examples": [{"payload": told.model_dump(mode="json")}],
    }
