"""When Python looks for what is garbage though it is referred to: in cycles.

It looks once so many objects more live than when it looked last, however short they live, and walks
over each of them. At its own number that was more than a quarter of the time of a busy API.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

AFTER_WHERE_CALLED = 5_000
"""Objects. At 50,000 whoever called just then waited for thirty milliseconds, and now for three."""
AFTER_WHERE_MANY = 500_000
"""Objects, where work is done in sets and nobody waits for it. What a set consists of is gone with
the set: at 5,000 a worker walked over each payment again and again, a seventh of its work."""
_OLDER_AFTER = 20
"""Walks over the youngest, after which what outlived them is walked over as well."""

_holders = 0
_usual = gc.get_threshold()


def look_seldom(*, after: int) -> None:
    """Look after so many objects, and never again at what there is by now: what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(after, _OLDER_AFTER, _OLDER_AFTER)


@contextmanager
def holding_many() -> Iterator[None]:
    """Look as seldom as whoever works in sets, for as long as somebody in this process does."""
    global _holders, _usual
    if not _holders:
        _usual = gc.get_threshold()
        gc.set_threshold(max(AFTER_WHERE_MANY, _usual[0]), *_usual[1:])
    _holders += 1
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:
            gc.set_threshold(*_usual)
