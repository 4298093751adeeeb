"""Git's hooks run what `make check` runs, in its order, and nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


def hooks() -> list[dict[str, Any]]:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in configuration["repos"]] == ["local"]
    found: list[dict[str, Any]] = configuration["repos"][0]["hooks"]
    return found


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found
    return [line.removeprefix("\t@") for line in found[1].splitlines()]


def test_the_hooks_are_the_checks() -> None:
    entries = [hook["entry"].replace(".venv/bin/", "$(BIN)/") for hook in hooks()]
    assert entries == recipe("check")


def test_a_push_is_checked_by_all_of_them() -> None:
    for hook in hooks():
        assert "pre-push" in hook.get("stages", ["pre-push"]), hook["id"]
        assert hook["pass_filenames"] is False
        assert hook["language"] == "system"
