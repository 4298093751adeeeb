"""Whoever holds many objects at once is not looked through for each few thousand of them."""

import gc
from collections.abc import Iterator

import pytest

from shared.garbage import AFTER_WHERE_CALLED, holding_many

_MANY = 20 * AFTER_WHERE_CALLED


@pytest.fixture(autouse=True)
def as_where_called() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(AFTER_WHERE_CALLED, *before[1:])
    yield
    gc.set_threshold(*before)


def looks_while_many_are_held() -> int:
    looks = 0

    def look(phase: str, _: dict[str, int]) -> None:
        nonlocal looks
        looks += phase == "start"

    gc.callbacks.append(look)
    try:
        held: list[list[int]] = [[] for _ in range(_MANY)]
        assert len(held) == _MANY
    finally:
        gc.callbacks.remove(look)
    return looks


def test_whoever_holds_many_is_looked_through_once_at_most() -> None:
    assert looks_while_many_are_held() >= 10
    with holding_many():
        assert looks_while_many_are_held() <= 1
    assert looks_while_many_are_held() >= 10


def test_it_is_as_before_once_the_last_of_several_is_done() -> None:
    first, second = holding_many(), holding_many()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert looks_while_many_are_held() <= 1
    second.__exit__(None, None, None)
    assert looks_while_many_are_held() >= 10


def test_a_failure_ends_it_too() -> None:
    with pytest.raises(ValueError), holding_many():
        raise ValueError
    assert looks_while_many_are_held() >= 10
