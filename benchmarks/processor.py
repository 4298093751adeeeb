"""How long the processors worked for a run, whoever else had them meanwhile."""

from collections.abc import Mapping

import psutil


def processor_seconds(process_ids: Mapping[str, int]) -> float:
    """User and system time so far of these processes and their children, together."""
    seconds = 0.0
    for process_id in process_ids.values():
        try:
            process = psutil.Process(process_id)
            family = [process, *process.children()]
        except psutil.NoSuchProcess:
            continue
        for process in family:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds += times.user + times.system
    return seconds
