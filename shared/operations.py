"""Which operations an API has, by its own OpenAPI document: for callers who ask for another."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

_IMPLIED = {"GET": "HEAD"}
_MAXIMUM_PARAMETERS = 100
_TWICE = "It is given more than once. Give it once."
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

    def query_faults(self, method: str, path: str, query: str) -> dict[str, str]:
        """What is wrong with the names of the parameters, by name; empty: nothing is.

        Each is one that the operation takes, and is given once: no operation takes lists. Nothing
        is wrong where there is no such operation.
        """
        for pattern, known in self._known():
            if method in known and pattern.fullmatch(path):
                taken = known[method]
                if taken is None:
                    return {}
                try:
                    pairs = parse_qsl(
                        query, keep_blank_values=True, max_num_fields=_MAXIMUM_PARAMETERS
                    )
                except ValueError:
                    return {"": f"At most {_MAXIMUM_PARAMETERS} parameters are read."}
                given = Counter(name for name, _ in pairs)
                return {
                    name: _TWICE if name in taken else _unknown(taken)
                    for name, times in sorted(given.items())
                    if times > 1 or name not in taken
                }
        return {}

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


def _unknown(taken: frozenset[str]) -> str:
    takes = f"It takes {', '.join(sorted(taken))}." if taken else "It takes none."
    return f"There is no such parameter. {takes}"


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
