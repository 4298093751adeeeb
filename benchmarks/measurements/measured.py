"""What every measurement starts from and hands back."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.figures import Figure, Reach
from benchmarks.world import World


@dataclass(frozen=True)
class Setting:
    """The running system, the largest number of households, and the machine in words."""

    world: World
    households: int
    machine: str

    def figure(
        self,
        name: str,
        *,
        path: str,
        limit: str,
        value: float,
        unit: str,
        reach: Reach,
        measured: str,
        bare: str,
        details: Sequence[str],
    ) -> Figure:
        """A figure that was taken here and now; the details' line breaks mean nothing."""
        return Figure(
            name=name,
            path=path,
            limit=limit,
            value=value,
            unit=unit,
            reach=reach,
            measured=measured,
            bare=bare,
            details=[" ".join(detail.split()) for detail in details],
            machine=self.machine,
            taken_on=datetime.now(UTC).date().isoformat(),
        )


def run_client(module: str, *arguments: str) -> dict[str, Any]:
    """Run one of ``benchmarks.clients`` to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.clients.{module}", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"benchmarks.clients.{module} failed: {words[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
