"""What the provider's engineer reads is so: our requests, and what we take, are as it says."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from services.payments.providers.answers import AnswerKind
from services.payments.providers.batches import BatchAnswerKind
from services.payments.providers.gsma import batches, messages
from services.payments.providers.gsma.callbacks import read_batch_callback
from services.payments.providers.gsma.openapi import PATH, provider_document
from services.payments.providers.lines import Reply
from services.payments.providers.protocol import Told, ToldOfBatch
from tests.payments.conformance.driving import driven, order
from tests.payments.conformance.http_side import HttpSide, Request
from tests.payments.conformance.sides import Saying
from tests.payments.conformance.spoken import REGISTERED
from tests.payments.conftest import World

DOCUMENT = provider_document()
GUIDE = Path(__file__).parent.parent.parent / "docs" / "providers.md"
CALLBACK = "{$request.header.X-Callback-URL}"


def conforms(value: Any, schema: dict[str, Any]) -> None:
    """Raises ValidationError unless a value is as a schema of the document has it."""
    whole = {"allOf": [schema], "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def operation_of(request: Request) -> dict[str, Any]:
    """The document's operation that a request is; raises KeyError where there is none."""
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, request.path):
            found: dict[str, Any] = operations[request.method.lower()]
            return found
    raise KeyError(request.path)


def parameters_of(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in operation["parameters"]:
        name = parameter.get("$ref", "").rpartition("/")[2]
        yield DOCUMENT["components"]["parameters"][name] if name else parameter


def hold(request: Request) -> None:
    """Hold a request against the document."""
    operation = operation_of(request)
    for parameter in parameters_of(operation):
        match parameter["in"]:
            case "header":
                conforms(request.headers[parameter["name"].lower()], parameter["schema"])
            case "query":
                conforms(int(request.query[parameter["name"]]), parameter["schema"])
    assert request.headers["x-api-key"]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        conforms(orjson.loads(request.body), content["schema"])
    else:
        assert request.body == b""


async def requests_of(number: int) -> list[Request]:
    """Everything that an adapter asks, whatever its provider says."""
    asked: list[Request] = []
    for saying in Saying:
        if saying in (Saying.KEEPS_SILENT, Saying.BABBLES):
            continue
        with tempfile.TemporaryDirectory() as made:
            async with driven(REGISTERED[number], Path(made)) as driving:
                assert isinstance(driving.side, HttpSide)
                driving.side.saying = saying
                payments = [order(), order()]
                await driving.send(payments)
                await driving.ask(payments)
                asked += driving.side.requests
    return asked


def test_it_is_an_openapi_document() -> None:
    OPENAPI_31_VALIDATOR.validate(DOCUMENT)
    with pytest.raises(Exception, match=r"3 is not|openapi"):
        OPENAPI_31_VALIDATOR.validate({**DOCUMENT, "openapi": 3})


@pytest.mark.parametrize("number", [0, 1], ids=["single", "batches"])
async def test_every_request_is_one_that_it_describes(number: int) -> None:
    for request in await requests_of(number):
        hold(request)


async def test_every_operation_that_it_describes_is_asked() -> None:
    described = {
        (method, template)
        for template, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    asked = set()
    for request in [*await requests_of(0), *await requests_of(1)]:
        operation = operation_of(request)
        asked |= {
            (method, template)
            for template, operations in DOCUMENT["paths"].items()
            for method, known in operations.items()
            if known is operation
        }
    assert asked == described


async def test_a_request_that_is_otherwise_is_told() -> None:
    [first, *_] = await requests_of(0)
    hold(first)
    body = {**orjson.loads(first.body), "amount": 96_000}
    with pytest.raises(ValidationError):
        hold(Request(**{**vars_of(first), "body": orjson.dumps(body)}))
    with pytest.raises(KeyError):
        hold(Request(**{**vars_of(first), "headers": {}}))
    with pytest.raises(KeyError):
        hold(Request(**{**vars_of(first), "path": "/elsewhere"}))


def vars_of(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__dataclass_fields__}


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every described content of an operation and of its callbacks."""
    if "requestBody" in operation:
        yield operation["requestBody"]["content"]["application/json"]
    for response in operation["responses"].values():
        if "content" in response:
            yield response["content"]["application/json"]
    for callback in operation.get("callbacks", {}).values():
        yield from contents(callback[CALLBACK]["put"])


def test_every_example_is_as_its_schema_has_it() -> None:
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for content in contents(operation):
                several = content.get("examples", {"": {"value": content.get("example")}})
                for example in several.values():
                    conforms(example["value"], content["schema"])


def test_every_example_means_what_the_document_says() -> None:
    single = DOCUMENT["paths"]["/transactions/type/disbursement"]["post"]
    many = DOCUMENT["paths"]["/batchtransactions"]["post"]

    def example(operation: dict[str, Any], status: str) -> bytes:
        content = operation["responses"][status]["content"]["application/json"]
        return orjson.dumps(content["example"])

    kinds = {
        status: messages.answer_to_disbursement(int(status), example(single, status)).kind
        for status in ("201", "202", "400", "429")
    }
    assert kinds == {
        "201": AnswerKind.SETTLED,
        "202": AnswerKind.PENDING,
        "400": AnswerKind.REJECTED,
        "429": AnswerKind.NO_ANSWER,
    }
    of_batch = {
        status: batches.answer_to_batch(Reply(int(status), example(many, status))).kind
        for status in ("201", "202", "400", "429")
    }
    assert of_batch == {
        "201": BatchAnswerKind.CREATED,
        "202": BatchAnswerKind.PENDING,
        "400": BatchAnswerKind.REFUSED,
        "429": BatchAnswerKind.NOT_TAKEN,
    }
    told = {
        name: read_batch_callback(orjson.dumps(example["value"]))
        for operation in (single, many)
        for content in contents(operation["callbacks"]["outcome"][CALLBACK]["put"])
        for name, example in content["examples"].items()
    }
    assert isinstance(told["batch"], ToldOfBatch)
    for name, kind in (("paid", AnswerKind.SETTLED), ("refused", AnswerKind.REJECTED)):
        said = told[name]
        assert isinstance(said, Told)
        assert said.answer.kind is kind


async def test_it_is_served_to_everybody_and_the_guide_leads_to_it(world: World) -> None:
    async with httpx.AsyncClient() as anybody:
        answer = await anybody.get(str(world.client.base_url.join(PATH)))
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT
    assert f"GET {PATH}" in GUIDE.read_text()
