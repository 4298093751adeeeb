"""Whoever is woken finds each error that a process may log, with what to do about it."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
_LOGGED = re.compile(r"""log\.(?:error|exception|critical)\(\s*"([a-z_]+)\"""")


def test_each_error_that_is_logged_is_explained() -> None:
    logged = {
        event
        for part in ("services", "shared")
        for file in (ROOT / part).rglob("*.py")
        for event in _LOGGED.findall(file.read_text())
    }
    page = (ROOT / "docs" / "deployment.md").read_text()
    woken = page.partition("## When you are woken")[2].partition("\n## ")[0]
    assert len(logged) > 20
    assert logged <= set(re.findall(r"`([a-z_]+)`", woken))
