"""Whoever sends what does not look as it has to is told how it has to look, in words."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from shared.errors import detail_of
from shared.patterns import IN_WORDS
from tests.checks.openapi_examples import SERVICES, application, environment

_TOLD_BY_ITSELF = "^[^"
"""What no text may hold: ``shared.values`` says it."""
_EXAMPLES = re.compile(r"such as (.+?)(?:: |$)")


def _patterns(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(pattern := node.get("pattern"), str):
            yield pattern
        for each in node.values():
            yield from _patterns(each)
    elif isinstance(node, list):
        for each in node:
            yield from _patterns(each)


@pytest.fixture
def asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every pattern in the documents of the three services."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return {
        pattern
        for service in SERVICES
        for pattern in _patterns(application(service).openapi())
        if not pattern.startswith(_TOLD_BY_ITSELF)
    }


def test_every_pattern_of_the_documents_is_told_in_words_and_none_that_is_gone(
    asked_for: set[str],
) -> None:
    assert asked_for == set(IN_WORDS)


@pytest.mark.parametrize("pattern", IN_WORDS)
def test_the_words_say_what_the_pattern_does(pattern: str) -> None:
    for told in _EXAMPLES.findall(IN_WORDS[pattern]):
        for example in told.split(" or "):
            assert re.fullmatch(pattern, example), example


def test_what_does_not_look_so_is_answered_in_words_without_the_value() -> None:
    adapter = TypeAdapter(Annotated[str, Field(pattern="^[0-9]{6}$")])
    with pytest.raises(ValidationError) as refusal:
        adapter.validate_python("Sok Dara")
    assert detail_of(refusal.value.errors()[0]) == (
        "Write a commune's code: 6 digits, such as 010203."
    )
