"""Cases in which a provider takes batches and a bank takes files, beside one that pays singly."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from functools import partial
from time import sleep

from judge.witnesses.database import CANNOT_ASK
from judge.witnesses.statements import WAITING
from sandbox.batch_faults import BatchFault
from sandbox.hostility import Hostility
from tests.faults import cutting
from tests.faults.case import LEFT_TO_PERSONS, FaultCase, asked, counted
from tests.faults.judge import at_rest, half_paid
from tests.faults.patience import Patience, wait_until
from tests.faults.run import HELD_ABOVE_MINOR, WORKER, Plan
from tests.faults.statements import reconciled
from tests.faults.world import BEGINNING, World

_SMALL = Fraction(1, 1000)
"""678 households."""
_SEED = 1
_UNTIL_KNOWN_SECONDS = 90
_FORGETS_SECONDS = 6.0
_FROZEN_SECONDS = 60
_STOPPED_SECONDS = 8.0
"""Longer than the lease of a batch."""
_LOOK_SECONDS = 0.2
_TO_AND_FRO = (
    timedelta(days=3),
    timedelta(hours=-30),
    timedelta(days=5),
    timedelta(seconds=-90),
    timedelta(hours=2),
)
"""Where the clock is set to, from the beginning on; the next round is due after a month."""
_OPEN_BATCHES = """
    SELECT count(*) FROM payments.batch WHERE status::text NOT IN ('closed', 'refused', 'unsent')
"""
_OTHER_ALARMS = """
    SELECT count(*) FROM payments.alarm
    WHERE cleared_at IS NULL OR kind::text NOT IN ('unknown_too_long', 'pending_too_long')
"""


def _restart_whoever_dies(world: World) -> list[str]:
    """Start the worker again as often as it dies, until it has died everywhere."""
    cuts = world.stack.directory / CUTS
    cuts.mkdir()
    patience = Patience(_LONGEST_CUTTING_SECONDS)
    while not patience.is_over and (cutting.uncut(cuts) or not world.stack.is_running(WORKER)):
        if not world.stack.is_running(WORKER):
            world.stack.restart(WORKER)
        if at_rest(world):
            break
        sleep(_LOOK_SECONDS)
    missed = cutting.uncut(cuts)
    cutting.spare(cuts)
    if not world.stack.is_running(WORKER):
        world.stack.restart(WORKER)
    return [f"nothing died {point}: the case proves less" for point in missed]


def _stop_and_wake_workers(world: World) -> list[str]:
    """Each worker in turn is stopped for longer than a batch's lease, while batches are open."""
    names = [name for name in world.stack.names if name.startswith(WORKER)]
    seen = wait_until(lambda: _open_batches(world) > 0, seconds=60)
    for _ in range(2):
        for name in names:
            process = world.stack.process_ids()[name]
            os.kill(process, signal.SIGSTOP)
            sleep(_STOPPED_SECONDS)
            os.kill(process, signal.SIGCONT)
            sleep(1)
    return [] if seen else ["no batch was ever open: the case proves nothing"]


def _freeze_postgres(world: World) -> list[str]:
    """In the midst of it all, the database says nothing for a minute, and then goes on."""
    assert world.stack.postgres is not None
    seen = wait_until(lambda: _open_batches(world) > 0, seconds=60)
    world.stack.postgres.freeze()
    try:
        sleep(_FROZEN_SECONDS)
    finally:
        world.stack.postgres.thaw()
    return [] if seen else ["no batch was ever open: the case proves nothing"]


def _set_the_clock(world: World) -> list[str]:
    """The programme's clock is set to and fro while payments are made."""
    for offset in _TO_AND_FRO:
        world.set_clock(BEGINNING + offset)
        sleep(2)
    return [] if wait_until(lambda: half_paid(world), seconds=90) else ["half was never paid"]


def _alarmed_by_the_clock_alone(world: World) -> list[str]:
    """What is left waiting, but for alarms of what took too long by a clock that was set forth:
    these have to be cleared, as what they were about has come to its end."""
    found = []
    for what, query in {**WAITING, "alarms that the clock does not explain": _OTHER_ALARMS}.items():
        ((count,),) = asyncio.run(asked(world, query))
        if count and what != "alarms":
            found.append(f"{count} {what}")
    return found


def _pause_everybody(world: World) -> list[str]:
    """Each provider is paused while its payments are under way, and resumed."""
    world.pauses_heard_within = _HEARD_WITHIN
    for provider in world.providers:
        wait_until(partial(_is_sending, world, provider), seconds=60)
        pause = world.pause(provider)
        sleep(_PAUSED_SECONDS)
        world.resume(pause)
    return []


def _hold_some(world: World) -> list[str]:
    world.hold_above(HELD_ABOVE_MINOR)
    return []


def _decide_when_others_are_paid(world: World) -> list[str]:
    """What a rule holds stays until two persons decide, whatever else is sent."""
    seen = wait_until(lambda: half_paid(world), seconds=90)
    patience = Patience(_DECIDING_SECONDS)
    while not patience.is_over and not at_rest(world):
        world.end_holds()
        sleep(_LOOK_SECONDS)
    return [] if seen else ["half was never paid"]


def _is_sending(world: World, provider: str) -> bool:
    return counted(world, "provider.code = $1 AND status::text <> 'ready'", provider) > 0


def _open_batches(world: World) -> int:
    try:
        ((count,),) = asyncio.run(asked(world, _OPEN_BATCHES))
    except CANNOT_ASK:
        return 0
    return int(str(count))


CUTS = "cuts"
_LONGEST_CUTTING_SECONDS = 300
_PAUSED_SECONDS = 6.0
_DECIDING_SECONDS = 60
_HEARD_WITHIN = timedelta(seconds=2)
"""Where nobody loses the database; the documentation says one second."""
_PLAN = Plan(seed=_SEED, scale=_SMALL, of_every_kind=True)
_LOST = (BatchFault.LOST_BEFORE, BatchFault.LOST_AFTER, BatchFault.NOT_KNOWN_AT_FIRST)

CASES = {
    "cut-batches": FaultCase(
        says="The worker dies before and after each step of a batch: each line is paid once.",
        plan=replace(
            _PLAN,
            commands={
                WORKER: [
                    *(sys.executable, "-m", "tests.faults.cutting"),
                    *(f"{{directory}}/{CUTS}", WORKER),
                ]
            },
        ),
        meanwhile=_restart_whoever_dies,
        after=reconciled,
    ),
    "stopped-batch-workers": FaultCase(
        says="Workers are stopped past the lease of their batches and woken.",
        plan=replace(
            _PLAN,
            workers=2,
            environment={"PAYMENTS_BATCH_LEASE_SECONDS": "3"},
        ),
        meanwhile=_stop_and_wake_workers,
        after=reconciled,
    ),
    "unrecognised-batches": FaultCase(
        says="A provider recognises no repeat and loses batches: none of it is sent twice.",
        plan=replace(
            _PLAN,
            sandbox={
                "batch_faults": _LOST,
                "batch_fault_share": 0.5,
                "batch_fault_seconds": _FORGETS_SECONDS,
            },
            provider={"recognises_repeats_seconds": 0, "not_known_untrue_seconds": 10},
        ),
        # What was lost before it came is nowhere, and nobody but a person may send it again.
        unknown_because={"batch_not_known_to_provider", "repeats_not_recognised"},
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=3 * _FORGETS_SECONDS,
    ),
    "known-after-90-seconds": FaultCase(
        says="What was taken is not known for 90 seconds: all is paid, once, after waiting.",
        plan=replace(
            _PLAN,
            misbehave=0,
            sandbox={
                "batch_faults": (BatchFault.NOT_KNOWN_AT_FIRST,),
                "batch_fault_share": 0.5,
                "batch_fault_seconds": float(_UNTIL_KNOWN_SECONDS),
                "hostile": (Hostility.NOT_KNOWN_AT_FIRST,),
                "hostile_share": 0.3,
                "hostile_seconds": float(_UNTIL_KNOWN_SECONDS),
            },
            provider={"not_known_untrue_seconds": _UNTIL_KNOWN_SECONDS + 10},
            rest_seconds=240,
        ),
        after=reconciled,
        least_seconds=float(_UNTIL_KNOWN_SECONDS + 20),
    ),
    "frozen-postgres": FaultCase(
        says="PostgreSQL says nothing for a minute while batches, files and payments are out.",
        plan=replace(_PLAN, rest_seconds=180),
        meanwhile=_freeze_postgres,
        after=reconciled,
    ),
    "clock-to-and-fro": FaultCase(
        says="The clock is set forth and back while payments are made: no end is lost.",
        plan=_PLAN,
        meanwhile=_set_the_clock,
        after=_alarmed_by_the_clock_alone,
        # What came before what, by a clock that was set back, nobody can say; and what was under
        # way when it was set forth has been so for days.
        but={
            "Nothing is parked, refused or unmatched",
            "Every eligible household was enrolled, once",
            "Nothing left while it was paused",
            "Nothing that a rule holds was sent",
        },
    ),
    "held-payments": FaultCase(
        says="A rule holds some payments, and two persons decide when the others are paid.",
        plan=_PLAN,
        before=_hold_some,
        meanwhile=_decide_when_others_are_paid,
        after=reconciled,
    ),
    "paused-providers": FaultCase(
        says="Each provider is paused amid its payments and resumed: nothing leaves meanwhile.",
        # So slowly that something is left to be claimed once it is paused.
        plan=replace(_PLAN, provider={"requests_per_second": 20, "requests_burst": 5}),
        meanwhile=_pause_everybody,
        after=reconciled,
    ),
}
