"""What every operation in a service's OpenAPI document owes its reader."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Document = dict[str, Any]

PROBLEM = "application/problem+json"
JSON = "application/json"
PROBES = {"/live", "/ready"}
SIGNED = {"/v1/providers/{provider_code}/callbacks"}
"""Signed by the provider instead of a token (Standard Webhooks)."""
_LEAST_SENTENCE_CHARACTERS = 20


class NoExample(Exception):
    """A schema from which no example can be told; says where."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    path: str
    method: str
    body: Document

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def scopes(self) -> list[frozenset[str]]:
        """What a token needs: one of these, whole. Empty: it needs no token."""
        return [
            frozenset(scopes) for way in self.body.get("security", []) for scopes in way.values()
        ]

    def opens_to(self, scopes: Set[str]) -> bool:
        """Whether a token with ``scopes`` may call it."""
        return not self.scopes or any(needed <= scopes for needed in self.scopes)


def operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, body in methods.items():
            yield Operation(path, method, body)


def resolve(document: Document, schema: Document) -> Document:
    """The schema itself, behind its local reference."""
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: schema[key] for key in schema if key != "$ref"}}
    return schema


def example_of(document: Document, schema: Document, *, where: str) -> Any:
    """The example that the docs show: the schema's own, or put together from its parts'."""
    schema = resolve(document, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if "example" in schema:
        return schema["example"]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example_of(document, schema[word][0], where=f"{where}/{word}")
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {
                name: example_of(document, part, where=f"{where}/{name}")
                for name, part in schema["properties"].items()
            }
        case "object" | None:
            return {}
        case "array":
            return [example_of(document, schema.get("items", {}), where=f"{where}/0")]
        case "boolean":
            return True
        case "null":
            return None
        case "string":
            formats = {
                "uuid": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
                "date": "2020-10-12",
                "date-time": "2020-10-12T02:00:00Z",
            }
            if schema.get("format") in formats:
                return formats[schema["format"]]
        case "integer" if "minimum" in schema:
            return schema["minimum"]
    raise NoExample(where)


def faults_of(document: Document, *, public: set[str]) -> list[str]:
    """Everything that some operation lacks, one line each. ``public`` paths need no token."""
    faults: list[str] = []
    for operation in operations(document):
        faults += [f"{operation}: {fault}" for fault in _faults(document, operation, public)]
    return faults


def _faults(document: Document, operation: Operation, public: set[str]) -> Iterator[str]:
    body = operation.body
    if not body.get("summary"):
        yield "has no summary"
    if len(body.get("description", "")) < _LEAST_SENTENCE_CHARACTERS:
        yield "has no sentence that says what it is for"
    if operation.path not in public and not body.get("security"):
        yield "asks for no token"
    if operation.path not in public and not {"401", "403"} <= set(body["responses"]):
        yield "does not say that it may answer 401 and 403"
    if operation.method == "post" and "201" in body["responses"]:
        names = {parameter["name"] for parameter in body.get("parameters", [])}
        if "Idempotency-Key" not in names:
            yield "creates, and takes no Idempotency-Key"
    for media_type, content in body.get("requestBody", {}).get("content", {}).items():
        if media_type == JSON:
            yield from _example_faults(document, content, "request")
    for status, response in body["responses"].items():
        for media_type, content in response.get("content", {}).items():
            if status[0] in "45" and media_type != PROBLEM:
                yield f"{status} is {media_type}, not a problem document"
            if media_type in {JSON, PROBLEM}:
                yield from _example_faults(document, content, f"{status} answer")


def _example_faults(document: Document, content: Document, what: str) -> Iterator[str]:
    schema = content.get("schema", {})
    given = [
        example["value"] for example in content.get("examples", {}).values() if "value" in example
    ]
    if "example" in content:
        given.append(content["example"])
    try:
        examples = given or [example_of(document, schema, where=what)]
    except NoExample as error:
        yield f"has no example for {error}"
        return
    validator = Draft202012Validator({**schema, "components": document["components"]})
    for example in examples:
        fault = best_match(validator.iter_errors(_with_nulls(document, schema, example)))
        if fault is not None:
            yield f"the example of its {what} is not valid at {fault.json_path}: {fault.message}"


def _with_nulls(document: Document, schema: Document, example: Any) -> Any:
    """The example with the nulls that FastAPI leaves out of its OpenAPI document put back."""
    schema = resolve(document, _beside_null(schema))
    if isinstance(example, list):
        return [_with_nulls(document, schema.get("items", {}), item) for item in example]
    if not isinstance(example, dict) or "properties" not in schema:
        return example
    properties = schema["properties"]
    whole = {
        name: _with_nulls(document, properties.get(name, {}), value)
        for name, value in example.items()
    }
    nulls = {name: None for name, part in properties.items() if _may_be_null(part)}
    return {**{name: nulls[name] for name in nulls if name not in whole}, **whole}


def _beside_null(schema: Document) -> Document:
    """What a value is where it is not null; the schema itself where it may be several things."""
    parts = [part for part in schema.get("anyOf", []) if part.get("type") != "null"]
    return parts[0] if len(parts) == 1 else schema


def _may_be_null(schema: Document) -> bool:
    return any(part.get("type") == "null" for part in schema.get("anyOf", []))
