"""Which operations an API has, and what each takes, by its own OpenAPI document.

The edge asks it about each request before anything of the request is read.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

_IMPLIED = {"GET": "HEAD"}
_MAXIMUM_PARAMETERS = 100
_TWICE = "It is given more than once. Give it once."
_TEMPLATE = re.compile(r"\{[^}/]+\}")
_LIMITS = "x-limits"
_AREAS = "x-areas"


class Reach(StrEnum):
    """What a caller who is bound to areas is told by an operation."""

    NARROWED = "narrowed"
    """What lies in their areas, and nothing else."""
    PUBLIC = "public"
    """The same as everybody: it tells nothing of households, nor counts them."""
    COUNTRY = "country"
    """Nothing: it is refused to them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    template: str
    """The path as the document has it: ``/v1/funds/{fund_code}``."""
    query: frozenset[str] | None
    """The query parameters that it takes; None where somebody else's system calls it, signed and
    not with a token: what a provider appends to its callback is no reason to lose what it says."""
    scopes: tuple[str, ...] | None
    """What a token has to allow; None where it needs no token."""
    maximum_bytes: int | None
    """Its own limit to a body; None: the one that all have."""
    rate: str | None
    """Its own class of rate limits; None: the one that all have."""
    is_streamed: bool
    """Whether its body is worked as it comes in, and bounded by what it holds."""
    reach: Reach
    """What it tells a caller who is bound to areas; nothing, unless its route says otherwise."""

    def query_faults(self, query: str) -> dict[str, str]:
        """What is wrong with the names of the parameters, by name; empty: nothing is.

        Each is one that the operation takes, and is given once: no operation takes lists.
        """
        taken = self.query
        if taken is None:
            return {}
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAXIMUM_PARAMETERS)
        except ValueError:
            return {"": f"At most {_MAXIMUM_PARAMETERS} parameters are read."}
        given = Counter(name for name, _ in pairs)
        return {
            name: _TWICE if name in taken else _unknown(taken)
            for name, times in sorted(given.items())
            if times > 1 or name not in taken
        }


def limited(
    *, maximum_bytes: int | None = None, rate: str | None = None, is_streamed: bool = False
) -> dict[str, Any]:
    """What a route puts in ``openapi_extra`` where its limits differ from those of all others.

    ``rate`` is a class of ``shared.rates``. The document shows them to whoever calls.
    """
    given = {"maximum_bytes": maximum_bytes, "rate": rate, "is_streamed": is_streamed or None}
    return {_LIMITS: {name: value for name, value in given.items() if value is not None}}


def narrowed() -> dict[str, Any]:
    """What a route puts in ``openapi_extra`` that tells a caller what lies in their areas alone."""
    return {_AREAS: Reach.NARROWED.value}


def public() -> dict[str, Any]:
    """What a route puts in ``openapi_extra`` that tells nothing of households."""
    return {_AREAS: Reach.PUBLIC.value}


class Operations:
    """The operations of an API, found by method and path."""

    def __init__(self, document: Callable[[], dict[str, Any]]) -> None:
        self._document = document
        self._fixed: dict[str, dict[str, Operation]] = {}
        self._templates: dict[int, list[tuple[re.Pattern[str], dict[str, Operation]]]] = {}
        self._is_read = False

    def allowed(self, path: str) -> list[str]:
        """Every method that the path takes, with what follows from it; none: no such path."""
        methods = {method for known in self._of(path) for method in known}
        methods |= {_IMPLIED[method] for method in methods & _IMPLIED.keys()}
        return sorted({*methods, "OPTIONS"}) if methods else []

    def find(self, method: str, path: str) -> Operation | None:
        """The operation, or None where there is no such."""
        for known in self._of(path):
            if method in known:
                return known[method]
        return None

    def template(self, method: str, path: str) -> str:
        """The path as the document has it; raises LookupError."""
        operation = self.find(method, path)
        if operation is None:
            raise LookupError(f"The document has no {method} {path}.")
        return operation.template

    def _of(self, path: str) -> list[dict[str, Operation]]:
        """What the path may mean. One without parameters comes before what would match it too."""
        if not self._is_read:
            self._read()
        fixed = self._fixed.get(path)
        return ([fixed] if fixed else []) + [
            known
            for pattern, known in self._templates.get(path.count("/"), ())
            if pattern.fullmatch(path)
        ]

    def _read(self) -> None:
        paths = self._document()["paths"]
        for path in sorted(paths, key=lambda path: path.count("{")):
            known = {method.upper(): _operation(path, body) for method, body in paths[path].items()}
            if "{" in path:
                self._templates.setdefault(path.count("/"), []).append((_pattern(path), known))
            else:
                self._fixed[path] = known
        self._is_read = True


def _unknown(taken: frozenset[str]) -> str:
    takes = f"It takes {', '.join(sorted(taken))}." if taken else "It takes none."
    return f"There is no such parameter. {takes}"


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in _TEMPLATE.split(path)))


def _operation(path: str, body: dict[str, Any]) -> Operation:
    security = body.get("security")
    limits = body.get(_LIMITS, {})
    return Operation(
        template=path,
        query=None if security == [] else _query(body),
        scopes=tuple(sorted(_scopes(security))) if security else None,
        maximum_bytes=limits.get("maximum_bytes"),
        rate=limits.get("rate"),
        is_streamed=limits.get("is_streamed", False),
        reach=Reach(body.get(_AREAS, Reach.COUNTRY)),
    )


def _query(body: dict[str, Any]) -> frozenset[str]:
    return frozenset(
        parameter["name"] for parameter in body.get("parameters", []) if parameter["in"] == "query"
    )


def _scopes(security: list[dict[str, list[str]]]) -> set[str]:
    # One scheme is used, so each entry of the list asks for more of the same token.
    return {scope for needed in security for scopes in needed.values() for scope in scopes}
