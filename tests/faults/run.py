"""One run: a country, a shock, a storm of kills, rest, and a verdict."""

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from deploy.local.environment import (
    NOT_KNOWN_UNTRUE,
    PROVIDERS,
    LocalSecrets,
    local_environment,
)
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from deploy.local.stack import Stack
from sandbox.options import SandboxOptions
from services.processes import DEFAULT_PORTS, PROCESSES
from tests.faults.judge import Outcome, at_rest, half_paid, is_raised_for, judged
from tests.faults.patience import Patience, wait_until
from tests.faults.providers import OF_EVERY_KIND, bank_of, of_every_kind, with_the_bank
from tests.faults.statements import reconciled
from tests.faults.storm import bring_up, everything, kills_of, rage
from tests.faults.world import BEGINNING, PREFUNDING_MINOR, NotAcknowledged, World

# Technical waits made short, so that what was lost is asked for within the run.
QUICK = {
    "PAYMENTS_DISPATCH_LEASE_SECONDS": "4",
    "PAYMENTS_PROVIDER_TIMEOUT_SECONDS": "2",
    "PAYMENTS_PROVIDER_PAUSE_SECONDS": "0.2",
    "PAYMENTS_PROVIDER_PAUSE_LONGEST_SECONDS": "1",
    "PAYMENTS_UNKNOWN_INQUIRY_SECONDS": "0.5",
    "PAYMENTS_PENDING_INQUIRY_SECONDS": "3",
    "PAYMENTS_INQUIRY_LONGEST_SECONDS": "3",
    NOT_KNOWN_UNTRUE: "3",
    "PAYMENTS_CHUNK_LEASE_SECONDS": "4",
    "PAYMENTS_CHUNK_RETRY_SECONDS": "0.3",
    # The registry hears of an open chunk before a case that stands still is judged.
    "PAYMENTS_PROGRESS_SECONDS": "4",
    "PAYMENTS_CHUNK_RETRY_LONGEST_SECONDS": "2",
    "PAYMENTS_WATCH_SECONDS": "0.3",
    # And the way through made long, so that the storm meets all of it.
    "PAYMENTS_DISPATCH_CONCURRENCY": "4",
    "PAYMENTS_DISPATCH_CLAIM_SIZE": "40",
    "REGISTRY_HOUSEHOLDS_PER_CHUNK": "150",
}

WORKER = "payments-worker"

_READY_SECONDS = 300
"""However busy the machine is: a stack that is not up yet proves nothing."""
_REST_SECONDS = 90
_LOOK_SECONDS = 0.5
_WATCHED_SECONDS = 2
_LONGEST_STORM_SECONDS = 40
_BEGUN_SECONDS = 30
_PAUSED_SECONDS = 9
"""Longer than a worker that has lost the database may still send what it claimed before."""
HELD_ABOVE_MINOR = 180_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is made of.

    ``commands`` replaces how a process is launched (planted bugs); ``{directory}`` is the run's.
    """

    seed: int
    scale: Fraction = Fraction(3, 1000)
    """Of the country's 678,440 households: 2,035 by default."""
    storm_seconds: float = 8
    """How long the storm goes on after the shock was reported, at least: until half is paid."""
    victims: tuple[str, ...] = ()
    """What is killed; nothing named: everything."""
    calms: float = 1
    """How many times as long as else there is peace before the next kill."""
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    postgres_configuration: str = ""
    misbehave: float = 1.0
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    """Options of the sandbox beyond these, such as ``hostile_share``."""
    provider: Mapping[str, object] = field(default_factory=dict)
    """What payments is told of each provider, where it is not an ordinary sandbox."""
    prefunding_minor: int = PREFUNDING_MINOR
    workers: int = 1
    """How many workers payments has."""
    of_every_kind: bool = False
    """Whether one provider takes batches and a bank takes files, and officers hold and pause."""
    rest_seconds: float = _REST_SECONDS


def run(plan: Plan, directory: Path) -> Outcome:
    """Carry the plan out in ``directory``, which keeps the logs."""
    world = world_of(plan, directory)
    with world.stack:
        # A cluster that flushes lazily may lose what it is told from here on, not its own roles.
        asyncio.run(_write_to_disk(world.stack))
        killed, trouble = _weather(plan, world.stack, world)
        rested = rest(world, seconds=plan.rest_seconds, holds=plan.of_every_kind)
        trouble += reconciled(world) if plan.of_every_kind else []
        verdict = judged(world)
        verdict.figures["kills"] = killed.total()
        verdict.faults[:0] = trouble
        if not rested:
            verdict.faults.insert(0, f"it did not come to rest within {plan.rest_seconds:.0f} s")
        return verdict


def world_of(plan: Plan, directory: Path) -> World:
    """The plan's country, and its stack, which is not started yet."""
    port = free_port()
    more = [f"{WORKER}-{number}" for number in range(2, plan.workers + 1)]
    commands = {
        name: [word.format(directory=directory.resolve()) for word in words]
        for name, words in plan.commands.items()
    }
    launched = commands.get(WORKER, [sys.executable, "-m", "services", WORKER])
    kept = LocalSecrets.kept_in(directory / "secrets.json")
    providers = _providers(directory, kept, port, plan.provider)
    sandbox = SandboxOptions(
        port=port,
        storage=directory / "sandbox.sqlite",
        providers=(),
        seed=plan.seed,
        misbehave=plan.misbehave,
        **plan.sandbox,
    )
    stack = Stack(
        directory,
        sandbox=sandbox,
        bank=bank_of(directory, kept, like=sandbox) if plan.of_every_kind else None,
        environment={
            **QUICK,
            **(
                of_every_kind(providers, directory, kept)
                if plan.of_every_kind
                else {"PAYMENTS_PROVIDERS": providers}
            ),
            **plan.environment,
        },
        processes=(*PROCESSES, *more),
        commands={**commands, **dict.fromkeys(more, launched)},
        postgres=LocalPostgres(directory / "postgres", configuration=plan.postgres_configuration),
        clock=BEGINNING,
        ready_seconds=_READY_SECONDS,
    )
    return World(
        stack,
        scale=plan.scale,
        seed=plan.seed,
        prefunding_minor=plan.prefunding_minor,
        providers=OF_EVERY_KIND if plan.of_every_kind else tuple(PROVIDERS),
        spoil=with_the_bank if plan.of_every_kind else bytes,
    )


def _providers(
    directory: Path, kept: LocalSecrets, sandbox_port: int, told: Mapping[str, object]
) -> str:
    """``PAYMENTS_PROVIDERS`` of this stack, with what payments is told of each beyond that."""
    environment = local_environment(
        kept,
        owner_url="postgresql://",
        ports=DEFAULT_PORTS,
        sandbox_port=sandbox_port,
        key_file=directory / "issuer" / "key.pem",
        clock_file=None,
        not_known_untrue_seconds=int(QUICK[NOT_KNOWN_UNTRUE]),
    )
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    return json.dumps([{**provider, **told} for provider in providers])


async def _write_to_disk(stack: Stack) -> None:
    url = make_url(stack.database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _weather(plan: Plan, stack: Stack, world: World) -> tuple[Counter[str], list[str]]:
    """Orders under a storm, which goes on for a while: how often each was killed, and trouble."""
    trouble: list[str] = []
    over = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        kills = kills_of(plan.seed, victims=plan.victims or everything(stack), calms=plan.calms)
        raging = pool.submit(rage, stack, kills, until=over)
        try:
            world.prepare()
            if plan.of_every_kind:
                world.hold_above(HELD_ABOVE_MINOR)
            world.strike()
            began = time.monotonic()
            if plan.of_every_kind:
                _pause_a_provider(world)
            world.goes_on(
                seconds=plan.storm_seconds - (time.monotonic() - began),
                at_most_seconds=_LONGEST_STORM_SECONDS,
                until=lambda: half_paid(world),
            )
        except NotAcknowledged as error:
            trouble.append(str(error))
        finally:
            over.set()
        killed = raging.result()
    bring_up(stack)
    return killed, trouble


def _pause_a_provider(world: World) -> None:
    """Whatever dies meanwhile, nothing leaves through a provider that is paused."""
    provider = world.providers[world.seed % len(world.providers)]
    wait_until(lambda: is_raised_for(world, provider), seconds=_BEGUN_SECONDS)
    pause = world.pause(provider)
    time.sleep(_PAUSED_SECONDS)
    world.resume(pause)


def rest(world: World, *, seconds: float, holds: bool = False) -> bool:
    """Wait until nothing is under way; whether that came in time.

    With ``holds``, officers decide meanwhile about what a rule holds.
    """
    patience = Patience(seconds)
    while not patience.is_over:
        if holds:
            world.end_holds()
        if at_rest(world):
            # An alarm whose cause is gone is cleared by who watches, a moment later.
            time.sleep(_WATCHED_SECONDS)
            return True
        time.sleep(_LOOK_SECONDS)
    return False
