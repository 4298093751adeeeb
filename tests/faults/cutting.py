"""A worker that dies at each point of a batch's way, once at each, by SIGKILL to itself.

    python -m tests.faults.cutting DIRECTORY PROCESS     run one process of the services like that

Each point is just before or just after something that cannot be taken back: a commit, a request, a
file. ``DIRECTORY`` remembers where it has died, for whoever starts it again; before it is there,
nothing dies.
"""

import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any

import services.__main__
from services.payments.batches.claiming import BatchClaims
from services.payments.batches.outcomes import BatchOutcomes
from services.payments.batches.reading import Reading
from services.payments.providers.bankfile import inbox, outbox
from services.payments.providers.bankfile.client import BankFileAdapter
from services.payments.providers.gsma.batch_client import GsmaBatchAdapter

_STEPS: tuple[tuple[Any, str], ...] = (
    (BatchClaims, "make"),
    (BatchOutcomes, "move"),
    (Reading, "read_kind"),
    (GsmaBatchAdapter, "send_batch"),
    (GsmaBatchAdapter, "approve_batch"),
    (GsmaBatchAdapter, "ask_batch"),
    (GsmaBatchAdapter, "read_results"),
    (BankFileAdapter, "send_batch"),
    (BankFileAdapter, "take_files"),
    (BankFileAdapter, "end_file"),
)
_FILES: tuple[tuple[Any, str], ...] = ((outbox, "put"), (inbox, "put"))


def uncut(directory: Path) -> list[str]:
    """The points at which nothing has died yet."""
    return [
        point
        for step in (*_STEPS, *_FILES)
        for point in _points(step)
        if not (directory / point).exists()
    ]


def spare(directory: Path) -> None:
    """Let nothing die any more."""
    for point in uncut(directory):
        (directory / point).touch()


def _points(step: tuple[Any, str]) -> tuple[str, str]:
    holder, name = step
    told = f"{holder.__name__.rpartition('.')[2]}.{name}"
    return f"before-{told}", f"after-{told}"


def _die(directory: Path, point: str) -> None:
    """End without a word, unless that happened at this point before, or is not to happen yet."""
    try:
        (directory / point).touch(exist_ok=False)
    except (FileExistsError, FileNotFoundError):
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _cut(directory: Path, step: tuple[Any, str]) -> None:
    holder, name = step
    do = getattr(holder, name)
    before, after = _points(step)

    @functools.wraps(do)
    async def cut_short(*arguments: Any, **options: Any) -> Any:
        _die(directory, before)
        done = await do(*arguments, **options)
        _die(directory, after)
        return done

    @functools.wraps(do)
    def cut_file_short(*arguments: Any, **options: Any) -> Any:
        _die(directory, before)
        done = do(*arguments, **options)
        _die(directory, after)
        return done

    setattr(holder, name, cut_file_short if step in _FILES else cut_short)


def cut_everywhere(directory: Path) -> None:
    """Have this process die at each point at which none has died yet."""
    for step in (*_STEPS, *_FILES):
        _cut(directory, step)


def main() -> None:
    directory, process = sys.argv[1:]
    cut_everywhere(Path(directory))
    sys.argv = ["services", process]
    services.__main__.main()


if __name__ == "__main__":
    main()
