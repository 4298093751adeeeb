"""The scheme documents that are shipped with the registry, to be posted through its API."""

import json
from importlib.resources import files
from typing import Any

SHIPPED_SCHEMES = ("flood-2022", "inflation-2022", "routine-top-up", "beyond-routine")


def shipped_document(code: str) -> dict[str, Any]:
    """One of ``SHIPPED_SCHEMES`` as JSON, ready for ``POST /schemes``."""
    source = files("services.registry.schemes") / "documents" / f"{code}.json"
    document: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return document
