"""python -m deploy.check: one line for each fault; exit status 1 when there is one."""

import sys
from collections.abc import Callable
from pathlib import Path

from deploy.check import compose, image, kubernetes
from deploy.check.findings import Findings

ROOT = Path(__file__).resolve().parents[2]

CHECKS: tuple[Callable[[Path], Findings], ...] = (image.check, compose.check, kubernetes.check)


def main() -> None:
    findings = [check(ROOT) for check in CHECKS]
    for finding in findings:
        for line in finding.checked:
            print(f"checked: {line}")
    for finding in findings:
        for line in finding.not_checked:
            print(f"NOT checked: {line}")
    faults = [fault for finding in findings for fault in finding.faults]
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
