"""The schemas of the standard: everything that is sent is held against them."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_FOLDER = Path(__file__).parent / "standard"
_FILES = {
    "social": "spdci-social-registry-1.0.0.yaml",
    "ibr": "spdci-integrated-beneficiary-registry-1.0.0.yaml",
    "jwks": "spdci-jwks-1.0.0.yaml",
}
# The document refers to what lies behind a reference, which leads nowhere.
_LEADS_NOWHERE = (
    "#/paths/~1registry~1search/post/requestBody/content/application~1json/schema/properties/"
    "message/oneOf/0/"
)
_LEADS_THERE = "#/components/schemas/SearchRequest/"
_ACKNOWLEDGED = "/components/responses/Response/content/application~1json/schema"
_REFUSED = "/components/responses/HttpErrorResponse/content/application~1json/schema"
# The default answer of these is said to be a schema, where a response has to stand: it is the
# message of the answer.
_ONLY_MESSAGE = {
    "/registry/sync/enrolled": "/components/schemas/EnrolledResponse",
    "/registry/sync/enrollment/updates": "/components/schemas/EnrollmentUpdatesResponse",
}


@cache
def _known() -> Registry[Any]:
    known: Registry[Any] = Registry()
    for name, file in _FILES.items():
        written = (_FOLDER / file).read_text().replace(_LEADS_NOWHERE, _LEADS_THERE)
        document = DRAFT202012.create_resource(yaml.safe_load(written))
        known = known.with_resource(f"urn:{name}", document)
    return known


@cache
def validator(register: str, pointer: str) -> Draft202012Validator:
    """What holds a value against one place of a document."""
    return Draft202012Validator(
        {"$ref": f"urn:{register}#{pointer}"}, registry=_known(), format_checker=FormatChecker()
    )


def _told(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")


def hold_request(register: str, path: str, body: Any) -> None:
    """A message that is sent to an address."""
    pointer = f"/paths/{_told(path)}/post/requestBody/content/application~1json/schema"
    validator(register, pointer).validate(body)


def hold_answer(register: str, path: str, status: int, body: Any) -> None:
    """What an address answers."""
    if status != 200:
        assert set(body) == {"errors"}
        validator(register, _REFUSED).validate(body)
    elif path in _ONLY_MESSAGE:
        header = "/components/schemas/MsgCallbackHeader_V1.0.0"
        validator(register, header).validate(body["header"])
        if "message" in body:
            validator(register, _ONLY_MESSAGE[path]).validate(body["message"])
    elif "/sync/" not in path:
        validator(register, _ACKNOWLEDGED).validate(body)
    else:
        pointer = f"/paths/{_told(path)}/post/responses/default/content/application~1json/schema"
        validator(register, pointer).validate(body)
