"""The feed documents that come with the product."""

import json
from pathlib import Path
from typing import Any

DOCUMENTS = Path(__file__).parent / "documents"


def shipped_document(code: str) -> dict[str, Any]:
    """A shipped document, ready to be posted."""
    document: dict[str, Any] = json.loads((DOCUMENTS / f"{code}.json").read_text())
    return document
