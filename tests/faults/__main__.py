"""Kill processes at random moments, over many seeds, and judge what is left.

python -m tests.faults                 SEEDS (20) runs, with seeds 1, 2, …
python -m tests.faults --seed 7        one run again, its logs kept
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from deploy.local.exclusive import FolderInUse, exclusively
from tests.faults.run import Plan, run

_DIRECTORY = Path(".local/faults")
_ROW = "{:>5} {:>8} {:>6} {:>11} {:>7} {:>7}  {}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS", "20")))
    arguments = parser.parse_args()
    try:
        with exclusively(_DIRECTORY, what="`make faults`"):
            _run(arguments)
    except FolderInUse as error:
        sys.exit(str(error))


def _run(arguments: argparse.Namespace) -> None:
    seeds = [arguments.seed] if arguments.seed else range(1, arguments.seeds + 1)
    failed = []
    print(_ROW.format("seed", "seconds", "kills", "households", "paid", "failed", "verdict"))
    for seed in seeds:
        directory = _DIRECTORY / f"seed-{seed}"
        shutil.rmtree(directory, ignore_errors=True)
        began = time.monotonic()
        verdict = run(Plan(seed=seed), directory)
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
        for fault in verdict.faults[:20]:
            print(f"        {fault}")
        print(f"        again: python -m tests.faults --seed {seed}; logs: {directory / 'logs'}")
    if failed:
        sys.exit(f"{len(failed)} of {len(seeds)} seeds did not hold: {failed}.")
    print(f"All {len(seeds)} seeds hold: nothing lost, nothing twice, the ledger equals the book.")


if __name__ == "__main__":
    main()
