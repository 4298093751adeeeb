"""Processes killed at random moments, by a seed: which, when, and for how long."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.stack import SANDBOX, Stack

POSTGRES = "postgres"

_SHORTEST_CALM_SECONDS = 0.2
_LONGEST_CALM_SECONDS = 1.4
_LONGEST_DOWN_SECONDS = 0.8
_TOGETHER_SHARE = 0.2
"""How often a second process goes down in the same moment."""


@dataclass(frozen=True)
class Kill:
    """After ``calm_seconds`` of peace, these go down at once, for ``down_seconds``."""

    calm_seconds: float
    victims: tuple[str, ...]
    down_seconds: float


def kills_of(seed: int, *, victims: Sequence[str], seconds: float) -> list[Kill]:
    """The kills of one seed, one after the other, for about so many seconds of calm and dark."""
    draw = random.Random(seed)
    kills: list[Kill] = []
    elapsed = 0.0
    while elapsed < seconds:
        count = 2 if draw.random() < _TOGETHER_SHARE else 1
        kill = Kill(
            calm_seconds=draw.uniform(_SHORTEST_CALM_SECONDS, _LONGEST_CALM_SECONDS),
            victims=tuple(draw.sample(list(victims), count)),
            down_seconds=draw.uniform(0, _LONGEST_DOWN_SECONDS),
        )
        kills.append(kill)
        elapsed += kill.calm_seconds + kill.down_seconds
    return kills


def rage(stack: Stack, kills: Sequence[Kill]) -> None:
    """Carry the kills out. Whatever is down at the end of one is started again."""
    for kill in kills:
        time.sleep(kill.calm_seconds)
        for name in kill.victims:
            if name == POSTGRES:
                stack.kill_postgres()
            elif stack.is_running(name):
                stack.kill(name)
        time.sleep(kill.down_seconds)
        calm(stack, (*kill.victims,))


def calm(stack: Stack, names: Sequence[str]) -> None:
    """Start whichever of these is down."""
    if POSTGRES in names:
        stack.start_postgres()
    for name in names:
        if name != POSTGRES and not stack.is_running(name):
            stack.restart(name)


def everything(stack: Stack) -> tuple[str, ...]:
    """The names of all that can be killed."""
    return (*stack.names, SANDBOX, POSTGRES)
