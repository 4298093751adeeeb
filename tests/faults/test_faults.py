"""The short form of `make faults`, and the proof that its judge has teeth.

The short form is part of `make long`; the planted bugs take a minute each, and are part of
`make faults`.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.case import run_case
from tests.faults.cases import CASES
from tests.faults.judge import Outcome
from tests.faults.planted import BUGS, CONTROLS, Bug
from tests.faults.run import Plan, run

_SMALL = Fraction(1, 1000)
_SHORT_STORM_SECONDS = 6
_LONG_STORM_SECONDS = 15
_IMPATIENT_SECONDS = 45


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's own: each session of pytest closes that to others, PostgreSQL among them.
    with TemporaryDirectory(prefix="sangkroh-faults-") as path:
        yield Path(path)


def planted(name: str, bug: Bug, *, seed: int) -> Plan:
    return Plan(
        seed=seed,
        scale=_SMALL,
        storm_seconds=_LONG_STORM_SECONDS,
        commands=bug.commands(name),
        postgres_configuration=bug.postgres_configuration,
        misbehave=bug.misbehave,
        victims=bug.victims,
        calms=bug.calms,
        rest_seconds=_IMPATIENT_SECONDS,
    )


def carried_out(name: str, bug: Bug, directory: Path) -> Outcome:
    """The bug's own case with the bug in it, or a storm."""
    if bug.case is None:
        return run(planted(name, bug, seed=2), directory)
    case = CASES[bug.case]
    plan = replace(case.plan, commands=bug.commands(name), **bug.changes)
    return run_case(case, directory, plan=plan)


@pytest.mark.long
def test_whatever_dies_nothing_is_lost_and_nothing_is_paid_twice(directory: Path) -> None:
    plan = Plan(seed=1, scale=_SMALL, storm_seconds=_SHORT_STORM_SECONDS, of_every_kind=True)
    verdict = run(plan, directory)

    assert verdict.faults == []
    assert verdict.figures["entitlements"] == verdict.figures["households"] > 600


@pytest.mark.faults
def test_slow_commits_alone_lose_nothing(directory: Path) -> None:
    """The control of the bug with the sequence: bad luck without the bug."""
    verdict = run(planted("slow-commits", CONTROLS["slow-commits"], seed=2), directory)

    assert verdict.faults == []


@pytest.mark.faults
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str, directory: Path) -> None:
    verdict = carried_out(name, BUGS[name], directory)

    noticed = [fault for fault in verdict.faults if re.search(BUGS[name].symptom, fault)]
    assert noticed, f"{name} went unnoticed: {verdict}"
