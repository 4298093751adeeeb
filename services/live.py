"""Whether this container's workers are alive, by their heartbeats: for a liveness probe.

python -m services.live                       each that has left a heartbeat here
python -m services.live payments-worker …     these

The exit status is 0 if they are, and 1 if not, with a line for each that is not. It is a program
of its own because ``python -m services`` loads everything that a service needs.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.liveness import LATE_AFTER_SECONDS, heartbeat_file, last_heard_seconds

VARIABLE = "HEARTBEAT_DIRECTORY"


def faults(directory: Path, names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the processes of these names; of no names, with any that is there."""
    files = [heartbeat_file(directory, name) for name in names] or sorted(
        directory.glob(heartbeat_file(directory, "*").name)
    )
    if not files:
        yield f"No worker has left a heartbeat in {directory}: none has started."
    for file in files:
        heard = last_heard_seconds(file)
        if heard is None:
            yield f"{file.stem} has left no heartbeat in {directory}: it has not started."
        elif heard > LATE_AFTER_SECONDS:
            yield (
                f"{file.stem} was last heard of {heard:.0f} s ago: it hangs, or has ended. Its log "
                "names the loop that hangs; restart it."
            )


def main() -> None:
    directory = os.environ.get(VARIABLE)
    if not directory:
        sys.exit(f"{VARIABLE} is not set: give the folder that the workers were started with.")
    if found := list(faults(Path(directory), sys.argv[1:])):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
