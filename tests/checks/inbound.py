"""Whether everything that a caller can send is of a type that refuses what is not meant.

Each parameter and each field of each body of an app is found by its annotations, and tried: the
values below are refused by every text, number, day, and yes or no, and each says how much it
takes. A plain ``str`` is not of such a type; ``shared/values.py`` has those that are.
"""

import inspect
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from fastapi import FastAPI, Response
from fastapi.params import Depends
from fastapi.routing import iter_route_contexts
from fastapi.security import SecurityScopes
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import HTTPConnection

from shared.values import Text
from shared.version import API_PREFIX

MAXIMUM_TEXT_CHARACTERS = 4_000
_KHMER = "\N{KHMER LETTER KA}"
_OTHER_DIGIT = "\N{ARABIC-INDIC DIGIT ONE}"

_REFUSED: dict[type, list[Any]] = {
    str: ["a\0b", "a\ud800b", "a\u202eb", "a\u2066b", "a\x1bb", "a\ufeffb", "a\u2028b", 1],
    int: [_OTHER_DIGIT, "\uff11", "1_0", " 1", "1.0", "+1", "1e3", 10**40, -(10**40), 0.5],
    float: [_OTHER_DIGIT, "1_0", " 1", "1e3", "NaN", "inf", float("nan"), float("inf"), 1e308],
    Decimal: [_OTHER_DIGIT, "1_0", " 1", "1e400", "NaN", float("nan"), float("inf"), "1" * 5_000],
    date: [0, "0", 20201012, "2020-10-12T00:00:00", "\uff12020-10-12"],
    datetime: [0, "0", "2020-10-12"],
    bool: [2, "maybe", None],
}
_REFUSED_IN_BODIES: dict[type, list[Any]] = {
    int: [True],
    float: [True],
    Decimal: [True],
    bool: [1, "yes", "on", "true"],
}
_BOUNDED = {str: ["maxLength"], int: ["minimum", "maximum"], float: ["minimum", "maximum"]}


_NOT_SENT = (HTTPConnection, Response, SecurityScopes)
"""What FastAPI gives a function that no caller sends."""


def faults_of(app: FastAPI) -> list[str]:
    """What a caller may send that is not bounded or refused, a line each."""
    return [
        f"{'|'.join(sorted(context.methods or ()))} {context.path} {fault}"
        for context in iter_route_contexts(app.routes)
        if context.endpoint is not None and str(context.path).startswith(API_PREFIX)
        for fault in _of_callable(context.endpoint)
    ]


def _of_callable(endpoint: Callable[..., Any]) -> Iterator[str]:
    """Of what FastAPI reads for a function, or for the making of an object."""
    if inspect.isclass(endpoint):
        called: Any = endpoint.__init__
    else:
        called = endpoint if inspect.isroutine(endpoint) else type(endpoint).__call__
    hints = get_type_hints(called, include_extras=True)
    for name, hint in hints.items():
        if name == "return":
            continue
        kind, *metadata = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        dependencies = [given for given in metadata if isinstance(given, Depends)]
        if dependencies:
            yield from _of_callable(dependencies[0].dependency or kind)
        elif not (
            inspect.isclass(kind) and issubclass(kind, HTTPConnection | Response | SecurityScopes)
        ):
            is_body = inspect.isclass(kind) and issubclass(kind, BaseModel)
            yield from _of_type(kind, metadata, where=name, in_body=is_body)


def _of_type(kind: Any, metadata: list[Any], *, where: str, in_body: bool) -> Iterator[str]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        inner, *own = arguments
        yield from _of_type(inner, [*own, *metadata], where=where, in_body=in_body)
    elif origin in (Union, UnionType):
        arms = [arm for arm in arguments if arm is not NoneType]
        for arm in arms:
            # What is said of a union is said of what it holds, where that is one thing.
            said = metadata if len(arms) == 1 else []
            yield from _of_type(arm, said, where=where, in_body=in_body)
    elif origin in (list, dict):
        size = {list: "maxItems", dict: "maxProperties"}[origin]
        if size not in _adapter(kind, metadata).json_schema():
            yield f"{where}: has no bound to how many it holds"
        for inner in arguments:
            yield from _of_type(inner, [], where=f"{where}[]", in_body=in_body)
    elif origin is Literal or kind is NoneType:
        return
    elif inspect.isclass(kind) and issubclass(kind, BaseModel):
        if kind.model_config.get("extra") != "forbid":
            yield f"{where}: takes fields that nobody reads"
        for name, field in kind.model_fields.items():
            yield from _of_type(
                field.annotation, field.metadata, where=f"{where}.{name}", in_body=in_body
            )
    elif kind in _REFUSED:
        yield from _of_value(kind, metadata, where=where, in_body=in_body)
    elif not (inspect.isclass(kind) and issubclass(kind, Enum | UUID)):
        yield f"{where}: takes anything ({kind})"


def _of_value(kind: type, metadata: list[Any], *, where: str, in_body: bool) -> Iterator[str]:
    adapter = _adapter(kind, metadata)
    schema = adapter.json_schema()
    refused = _REFUSED[kind] + (_REFUSED_IN_BODIES.get(kind, []) if in_body else [])
    for bound in _BOUNDED.get(kind, []):
        if bound not in schema:
            yield f"{where}: says no {bound}"
    if kind is str and (longest := schema.get("maxLength")):
        if longest > MAXIMUM_TEXT_CHARACTERS:
            yield f"{where}: takes {longest} characters"
        least = schema.get("minLength", 1)
        refused = [*refused, "1" * (longest + 1), "a" * (longest + 1)]
        if not any(isinstance(said, Text) for said in metadata):
            # A code, and no words of a person: its letters and digits are those of ASCII.
            refused += [_KHMER * least, _OTHER_DIGIT * least, f"1{_OTHER_DIGIT}"]
    for value in refused:
        if _takes(adapter, value):
            yield f"{where}: takes {ascii(value)[:40]}"


def _adapter(kind: Any, metadata: list[Any]) -> TypeAdapter[Any]:
    described: Any = Annotated[kind, *metadata] if metadata else kind
    return TypeAdapter(described)


def _takes(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
