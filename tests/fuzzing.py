"""Calls that nobody would make by hand, made up from a service's own OpenAPI document.

Schemathesis makes them: good ones, bad ones, and good ones with one value spoilt; and sequences, in
which a call is about what an earlier one answered. Each goes to the unmodified app over HTTP with a
token of every scope, and each answer is held against the document: no server error, and a status,
content type and body that the document knows.
"""

import asyncio
import copy
import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from random import getrandbits
from typing import Any, NamedTuple, TypeAlias

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup, ServerError
from schemathesis.core.result import Ok
from schemathesis.openapi.checks import UndefinedStatusCode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.checks.openapi import example_of
from tests.conftest import RunningService

Operation: TypeAlias = "APIOperation[Any, Any, Any, Any]"
AnyCase: TypeAlias = "Case[Operation]"

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

EXAMPLES = 10
"""For each operation in `make long`; `make fuzz` says its own number."""
_SEQUENCES_OF_A_RUN = 5
_STEPS = 20
"""Calls of one sequence, at most."""
_PATIENCE_SECONDS = 60
"""A call that takes longer hangs, on however busy a machine."""
_PERSONS = ("officer@test", "checker@test")
"""They call in turn: what the first proposes is for the second to decide."""

_STANDS_FOR_SURROGATE = "\ue000"
"""No UTF-8 says a lone surrogate, but an escape of JSON does: put there at the last moment."""

SPOILT_TEXT = (
    "a\0b",
    _STANDS_FOR_SURROGATE,
    "\u202eesrever",
    "\r\nX-Injected: 1",
    "' OR 1=1 --",
    "../../etc/passwd",
    "%00",
    "１２",
    "NaN",
    "1e999",
    "9" * 400,
    "x" * 20_000,
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "00000000-0000-0000-0000-000000000000",
    "",
)
SPOILT_NUMBERS = (-1, 0, 2**15, 2**31, 2**63, 2**64, 10**40, 1e308, 0.1, True)


class Fault(NamedTuple):
    """An answer that the document does not allow, and the call that brought it about."""

    operation: str
    title: str
    call: str
    answer: str


@dataclass(frozen=True)
class Stage:
    """A service with something in it: values of path parameters, and bodies, that really exist."""

    service: RunningService
    values: Mapping[str, Sequence[object]]
    bodies: Mapping[str, str] = field(default_factory=dict)


async def hold_against_document(stage: Stage) -> None:
    """Fail for every answer that the service's document does not allow."""
    wanted = os.environ.get("EXAMPLES")
    faults = [
        fault
        for look in (faults_in, faults_in_sequences)
        for fault in await asyncio.to_thread(
            look, stage, examples=int(wanted or EXAMPLES), derandomize=wanted is None
        )
    ]
    told = "\n\n".join("\n".join(fault) for fault in faults)
    assert not faults, f"{len(faults)} sorts of answers are not as the document says:\n{told}"


def faults_in(stage: Stage, *, examples: int, derandomize: bool) -> list[Fault]:
    """What ``examples`` calls of each operation find, one fault of each sort."""
    found: dict[tuple[str, str], Fault] = {}
    with _session(stage) as session:
        for operation in _operations(stage):

            @_of(examples, derandomize=derandomize)
            @given(case=_cases(operation, stage))
            def call(case: AnyCase) -> None:
                response = case.call(session=session)
                for fault in _faults(case, response):
                    found.setdefault((fault.operation, fault.title), fault)

            call()
    return list(found.values())


def faults_in_sequences(stage: Stage, *, examples: int, derandomize: bool) -> list[Fault]:
    """What sequences of calls find, one fault of each sort: one for every two ``examples``.

    Which answers hold what another operation takes is inferred from the names in the document.
    """
    found: dict[tuple[str, str], Fault] = {}
    schema = _schema(stage)
    any_machine: Any = schema.as_state_machine()
    calls = count()
    with ExitStack() as sessions:
        persons = cycle(
            [sessions.enter_context(_session(stage, subject=person)) for person in _PERSONS]
        )

        class Sequence(any_machine):  # type: ignore[misc]
            def before_call(self, case: AnyCase) -> None:
                number = next(calls)
                if "Idempotency-Key" in case.headers:
                    case.headers["Idempotency-Key"] = f"call-{number}"
                if number % 2 and case.body is not NOT_SET:
                    case.body = _body_that_is_taken(case, stage, number)

            def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:
                return {"session": next(persons)}

            def validate_response(self, response: Response, case: AnyCase, **_: Any) -> None:
                for fault in _faults(case, response):
                    found.setdefault((fault.operation, fault.title), fault)

        for number in range(examples // (2 * _SEQUENCES_OF_A_RUN) or 1):
            run = settings(
                _of(_SEQUENCES_OF_A_RUN, derandomize=derandomize), stateful_step_count=_STEPS
            )
            # A sequence that begins like another need not go on like it: the service has moved on.
            with suppress(Flaky):
                seed(number if derandomize else getrandbits(32))(Sequence).run(settings=run)
    return list(found.values())


def _body_that_is_taken(case: AnyCase, stage: Stage, number: int) -> Any:
    """The document's example, which most often is; with a code that nothing has yet."""
    if _name(case) in stage.bodies:
        return stage.bodies[_name(case)]
    document: dict[str, Any] = case.operation.schema.raw_schema
    described = document["paths"][case.operation.path][case.operation.method]["requestBody"]
    content = described["content"].get("application/json")
    if content is None:
        return case.body
    body = copy.deepcopy(example_of(document, content["schema"], where=_name(case)))
    if "code" in body:
        body["code"] = case.path_parameters.get("code", f"new-{number}")
    return body


def _schema(stage: Stage) -> Any:
    schema = schemathesis.openapi.from_url(f"{stage.service.url}/openapi.json")
    schema.config.request_timeout = _PATIENCE_SECONDS
    return schema


def _operations(stage: Stage) -> Iterator[Operation]:
    for result in _schema(stage).get_all_operations():
        assert isinstance(result, Ok)
        yield result.ok()


def _session(stage: Stage, *, subject: str = _PERSONS[0]) -> requests.Session:
    token = stage.service.token(subject=subject)

    def prepare(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        if isinstance(request.body, bytes):
            request.body = request.body.replace(b"\\ue000", b"\\ud800")
        return request

    session = requests.Session()
    session.auth = prepare
    return session


def _of(examples: int, *, derandomize: bool) -> settings:
    return settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def _cases(operation: Operation, stage: Stage) -> st.SearchStrategy[AnyCase]:
    good = operation.as_strategy(GenerationMode.POSITIVE)
    bad = operation.as_strategy(GenerationMode.NEGATIVE)

    @st.composite
    def cases(draw: st.DrawFn) -> AnyCase:
        way = draw(st.sampled_from(["good", "bad", "spoilt", "spoilt"]))
        case = draw(bad if way == "bad" else good)
        _use_what_exists(draw, case, stage)
        if way == "spoilt":
            _spoil(draw, case)
        return case

    return cases()


def _use_what_exists(draw: st.DrawFn, case: AnyCase, stage: Stage) -> None:
    for name in case.path_parameters:
        if name in stage.values and draw(st.integers(0, 3)):
            case.path_parameters[name] = draw(st.sampled_from(list(stage.values[name])))
    if "Idempotency-Key" in case.headers and draw(st.integers(0, 7)):
        case.headers["Idempotency-Key"] = draw(st.uuids().map(str))
    body = stage.bodies.get(_name(case))
    if body is not None and draw(st.integers(0, 3)):
        case.body = body


def _spoil(draw: st.DrawFn, case: AnyCase) -> None:
    case.body = copy.deepcopy(case.body)
    if isinstance(case.body, str):
        cells = case.body.split(",")
        cells[draw(st.integers(0, len(cells) - 1))] = draw(_spoilt_text(in_body=False))
        case.body = ",".join(cells)
        return
    places = _all_places(case)
    if not places:
        return
    holder, key = draw(st.sampled_from(places))
    in_body = not any(holder is other for other in (case.query, case.path_parameters))
    if isinstance(holder[key], str) or not in_body:
        holder[key] = draw(_spoilt_text(in_body=in_body))
    else:
        holder[key] = draw(st.sampled_from(SPOILT_NUMBERS))


def _spoilt_text(*, in_body: bool) -> st.SearchStrategy[str]:
    # A URL has no escapes for surrogates; an empty segment or one that climbs is another path.
    sayable = [
        text for text in SPOILT_TEXT if in_body or (text and text.isascii() and "/" not in text)
    ]
    return st.sampled_from(sayable)


def _all_places(case: AnyCase) -> list[tuple[Any, Any]]:
    return [*_places(case.body), *_places(case.query), *_places(case.path_parameters)]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each text or number within, as its holder and its key there."""
    if isinstance(value, MutableMapping):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return
    for key, inner in items:
        if isinstance(inner, str | int | float):
            yield value, key
        else:
            yield from _places(inner)


def _faults(case: AnyCase, response: Response) -> Iterator[Fault]:
    try:
        case.validate_response(response, checks=list(CHECKS))
    except (Failure, FailureGroup) as error:
        failures = error.exceptions if isinstance(error, FailureGroup) else (error,)
        is_broken = any(isinstance(failure, ServerError) for failure in failures)
        for failure in failures:
            assert isinstance(failure, Failure)
            # That a document does not announce a server error is no news.
            if not (is_broken and isinstance(failure, UndefinedStatusCode)):
                answer = f"{response.status_code} {response.text[:600]} {failure.message[:600]}"
                yield Fault(_name(case), failure.title, _told(response), answer)


def _name(case: AnyCase) -> str:
    return f"{case.operation.method.upper()} {case.operation.path}"


def _told(response: Response) -> str:
    request = response.request
    kept = {
        name: value
        for name, value in request.headers.items()
        if name in ("Idempotency-Key", "Content-Type", "If-Match")
    }
    return f"{request.method} {request.url} {kept} {request.body!r}"[:1500]
