"""Kill processes at random moments, over many seeds, and judge what is left; then the cases.

python -m tests.faults --seeds 20      so many storms (20, left out), with seeds 1, 2, …
python -m tests.faults --seed 7        one storm again, its logs kept
python -m tests.faults --cases         every case of trouble that is no storm
python -m tests.faults --case NAME     one case, its logs kept where it does not hold
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.stack import StackDidNotStart
from tests.faults.case import run_case
from tests.faults.cases import CASES
from tests.faults.judge import Outcome
from tests.faults.run import Plan, run

_DIRECTORY = Path(".local/faults")
_FAULTS_SHOWN = 20
_CASE_ROW = "{:<20} {:>8} {:>11} {:>7}  {}"
_ROW = "{:>5} {:>8} {:>6} {:>11} {:>7} {:>7}  {}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS", "20")))
    parser.add_argument("--case", choices=CASES, action="append", help="run this case alone")
    parser.add_argument("--cases", action="store_true", help="run every case, and no storm")
    arguments = parser.parse_args()
    try:
        with exclusively(_DIRECTORY, what="`make faults`"):
            if arguments.case or arguments.cases:
                _run_cases(arguments.case or list(CASES))
            else:
                _run(arguments)
    except FolderInUse as error:
        sys.exit(str(error))


def _run_cases(names: Sequence[str]) -> None:
    failed = []
    print(_CASE_ROW.format("case", "seconds", "households", "booked", "verdict"))
    for name in names:
        directory = _DIRECTORY / name
        shutil.rmtree(directory, ignore_errors=True)
        began = time.monotonic()
        try:
            verdict = run_case(CASES[name], directory)
        except StackDidNotStart as error:
            verdict = Outcome(faults=[str(error)])
        told = [f"{verdict.figures.get(figure, 0):,}" for figure in ("households", "booked")]
        judgement = "holds" if verdict.holds else "DOES NOT HOLD"
        seconds = f"{time.monotonic() - began:.1f}"
        print(_CASE_ROW.format(name, seconds, *told, judgement), flush=True)
        if verdict.holds:
            shutil.rmtree(directory, ignore_errors=True)
            continue
        failed.append(name)
        _tell(verdict, again=f"--case {name}", logs=directory / "logs")
    if failed:
        sys.exit(f"{len(failed)} of {len(names)} cases did not hold: {', '.join(failed)}.")
    print(f"All {len(names)} cases hold.")


def _tell(verdict: Outcome, *, again: str, logs: Path) -> None:
    for fault in verdict.faults[:_FAULTS_SHOWN]:
        print(f"        {fault}")
    more = len(verdict.faults) - _FAULTS_SHOWN
    if more > 0:
        print(f"        … and {more} more")
    print(f"        again: python -m tests.faults {again}; logs: {logs}")


def _run(arguments: argparse.Namespace) -> None:
    seeds = [arguments.seed] if arguments.seed else range(1, arguments.seeds + 1)
    failed = []
    print(_ROW.format("seed", "seconds", "kills", "households", "paid", "failed", "verdict"))
    for seed in seeds:
        directory = _DIRECTORY / f"seed-{seed}"
        shutil.rmtree(directory, ignore_errors=True)
        began = time.monotonic()
        verdict = run(Plan(seed=seed, of_every_kind=True), directory)
        told = [
            f"{verdict.figures.get(name, 0):,}"
            for name in ("kills", "households", "entitlements_paid", "entitlements_failed")
        ]
        judgement = "holds" if verdict.holds else "DOES NOT HOLD"
        print(_ROW.format(seed, f"{time.monotonic() - began:.1f}", *told, judgement), flush=True)
        if verdict.holds:
            shutil.rmtree(directory, ignore_errors=True)
            continue
        failed.append(seed)
        _tell(verdict, again=f"--seed {seed}", logs=directory / "logs")
    if failed:
        sys.exit(f"{len(failed)} of {len(seeds)} seeds did not hold: {failed}.")
    print(f"All {len(seeds)} seeds hold: nothing lost, nothing twice, the ledger equals the book.")


if __name__ == "__main__":
    main()
