"""Processes killed at random moments, by a seed: which, when, and for how long."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deploy.local.stack import BANK, SANDBOX, Stack, StackDidNotStart
from tests.faults.patience import Patience, busyness

POSTGRES = "postgres"

_SHORTEST_CALM_SECONDS = 0.2
_LONGEST_CALM_SECONDS = 1.4
_LONGEST_DOWN_SECONDS = 0.8
_OWN_BUSYNESS = 3.0
"""How busy a storm by itself keeps a machine."""
_STARTING_SHARE = 0.2
_UP_SECONDS = 90
_LOOK_SECONDS = 0.2
_TOGETHER_SHARE = 0.2
"""How often a second process goes down in the same moment."""


@dataclass(frozen=True)
class Kill:
    """After ``calm_seconds`` of peace, these go down at once, for ``down_seconds``."""

    calm_seconds: float
    victims: tuple[str, ...]
    down_seconds: float
    even_starting: bool
    """Kill one that is only coming up, too. Always so, and on a slow machine nothing ever would."""


def kills_of(seed: int, *, victims: Sequence[str], calms: float = 1) -> Iterator[Kill]:
    """The kills of one seed, without end; the calms between them are so many times as long."""
    draw = random.Random(seed)
    while True:
        count = 2 if draw.random() < _TOGETHER_SHARE else 1
        yield Kill(
            calm_seconds=calms * draw.uniform(_SHORTEST_CALM_SECONDS, _LONGEST_CALM_SECONDS),
            victims=tuple(draw.sample(list(victims), min(count, len(victims)))),
            down_seconds=draw.uniform(0, _LONGEST_DOWN_SECONDS),
            even_starting=draw.random() < _STARTING_SHARE,
        )


def rage(stack: Stack, kills: Iterable[Kill], *, until: threading.Event) -> Counter[str]:
    """Kill, and start again what is down, until the event is set; how often each was killed.

    On a machine that others keep busy everything takes longer, and so do the calms between kills:
    else nothing would ever come up there.
    """
    killed: Counter[str] = Counter()
    for kill in kills:
        if until.wait(kill.calm_seconds * max(1.0, busyness() / _OWN_BUSYNESS)):
            break
        for name in kill.victims:
            if name == POSTGRES:
                stack.kill_postgres()
            elif stack.is_ready(name) or (kill.even_starting and stack.is_running(name)):
                stack.kill(name)
            else:
                continue
            killed[name] += 1
        time.sleep(kill.down_seconds)
        calm(stack, kill.victims)
    return killed


def calm(stack: Stack, names: Sequence[str]) -> None:
    """Start whichever of these is down."""
    if POSTGRES in names:
        stack.start_postgres()
    for name in names:
        if name != POSTGRES and not stack.is_running(name):
            stack.restart(name)


def bring_up(stack: Stack) -> None:
    """Start everything until it is ready, as a supervisor would.

    Whatever came up while PostgreSQL was down has ended again, or is about to.
    """
    names = everything(stack)
    patience = Patience(_UP_SECONDS)
    while not all(stack.is_ready(name) for name in names if name != POSTGRES):
        if patience.is_over:
            raise StackDidNotStart(f"Not everything is ready {_UP_SECONDS} s after the storm.")
        calm(stack, names)
        time.sleep(_LOOK_SECONDS)


def everything(stack: Stack) -> tuple[str, ...]:
    """The names of all that can be killed."""
    return (*stack.names, SANDBOX, *([BANK] if stack.bank else []), POSTGRES)
