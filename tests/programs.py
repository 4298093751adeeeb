"""Programs with a book of their own that a test starts beside itself, and that end with it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.bank.options import BankOptions
from sandbox.options import SandboxOptions

StartProgram = Callable[[BankOptions | SandboxOptions], subprocess.Popen[bytes]]


@contextmanager
def programs() -> Iterator[StartProgram]:
    """``start(options)`` starts one, and returns once it is there."""
    started: list[subprocess.Popen[bytes]] = []

    def start(options: BankOptions | SandboxOptions) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            options.command(), env={**os.environ, **options.environment()}, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert b"the book in" in process.stdout.readline()
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
