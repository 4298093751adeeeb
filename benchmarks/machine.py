"""On what the figures were taken."""

import os
import platform
from pathlib import Path

import asyncpg

_SETTINGS = (
    "shared_buffers",
    "work_mem",
    "max_wal_size",
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "wal_compression",
)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gibibytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


async def describe(connection: asyncpg.Connection) -> str:
    """Processor, cores, how busy others kept them, memory, Python, PostgreSQL: in one line."""
    version = await connection.fetchval("SHOW server_version")
    settings = [f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in _SETTINGS]
    return (
        f"{os.cpu_count()} cores of {_processor()} (load average {os.getloadavg()[0]:.1f} when the "
        f"run began), {_memory_gibibytes():.0f} GB of memory, "
        f"{platform.system()}, Python {platform.python_version()}, PostgreSQL {version} "
        f"({', '.join(settings)})"
    )
