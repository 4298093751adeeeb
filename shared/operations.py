"""Which operations an API has, by its own OpenAPI document: for callers who ask for another."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

_IMPLIED = {"GET": "HEAD"}
_TEMPLATE = re.compile(r"\{[^}/]+\}")


class Operations:
    """The methods of each path, and the query parameters that each takes."""

    def __init__(self, document: Callable[[], dict[str, Any]]) -> None:
        self._document = document
        self._paths: list[tuple[re.Pattern[str], dict[str, frozenset[str] | None]]] | None = None

    def allowed(self, path: str) -> list[str]:
        """Every method that the path takes, with what follows from it; none: no such path."""
        methods = {
            method
            for pattern, known in self._known()
            if pattern.fullmatch(path)
            for method in known
        }
        methods |= {_IMPLIED[method] for method in methods & _IMPLIED.keys()}
        return sorted({*methods, "OPTIONS"}) if methods else []

    def unknown_query(
        self, method: str, path: str, query: str
    ) -> tuple[list[str], frozenset[str]] | None:
        """The parameters that the operation does not take, and those that it does.

        None where all are known, or where there is no such operation.
        """
        for pattern, known in self._known():
            if method in known and pattern.fullmatch(path):
                taken = known[method]
                if taken is None:
                    return None
                given = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
                unknown = sorted(given - taken)
                return (unknown, taken) if unknown else None
        return None

    def _known(self) -> list[tuple[re.Pattern[str], dict[str, frozenset[str] | None]]]:
        if self._paths is None:
            self._paths = [
                (_pattern(path), {name.upper(): _query(body) for name, body in methods.items()})
                # A path without parameters comes before one that would match it too.
                for path, methods in sorted(
                    self._document()["paths"].items(), key=lambda entry: entry[0].count("{")
                )
            ]
        return self._paths


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in _TEMPLATE.split(path)))


def _query(operation: dict[str, Any]) -> frozenset[str] | None:
    """The parameters that it takes; None where somebody else's system calls it, signed and not
    with a token: what a provider appends to its callback is no reason to lose what it says."""
    if operation.get("security") == []:
        return None
    return frozenset(
        parameter["name"]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    )
