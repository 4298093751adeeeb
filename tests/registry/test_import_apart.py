"""Long files, whose blocks are sealed by a process of their own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import asyncpg
import psutil
import pytest

from services.registry.imports import apart, gathering, running
from services.registry.imports.apart import Apart
from services.registry.imports.sealing import ToSeal
from tests.registry.flow import Flow
from tests.registry.test_import_members import HEADINGS, imported, member, members_counted
from tests.registry.test_import_runs import counted
from tests.server import eventually

_HOUSEHOLDS = 12
_ROWS = [member(household, number) for household in range(1, 13) for number in range(1, 4)]
TABLE = [HEADINGS, *_ROWS]

_DIES = """
import os, signal
from services.registry.households.persons import personal_data_from
from services.registry.imports.apart import Apart
from services.registry.settings import ApiSettings

if __name__ == "__main__":
    settings = ApiSettings()
    apart = Apart(settings, personal_data_from(settings))
    apart.begin()
    apart._begun.result()
    (process,) = apart._pool._processes
    print(process, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Begun(Apart):
    """Has begun before the first block, and computes in no thread."""

    made: ClassVar[list["Begun"]] = []

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.made[:] = [self]

    def begin(self) -> None:
        super().begin()
        assert self._begun is not None
        self._begun.result()

    async def here(self, function: Callable[..., Any], block: ToSeal) -> Any:
        raise AssertionError("The block was sealed by a thread.")


class Dying(Begun):
    """Dies when it is given the second block."""

    blocks = 0

    async def there(self, function: Callable[..., Any], block: ToSeal) -> Any:
        self.blocks += 1
        if self.blocks == 2:
            (process,) = processes_of(self)
            os.kill(process, signal.SIGKILL)
        return await super().there(function, block)

    async def here(self, function: Callable[..., Any], block: ToSeal) -> Any:
        return await Apart.here(self, function, block)


def processes_of(started: Apart) -> list[int]:
    assert started._pool is not None
    return list(started._pool._processes)


@pytest.fixture
def long_files(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Every file is a long one, of several blocks, and its process is of that kind."""
    monkeypatch.setattr(running, "Apart", request.param)
    monkeypatch.setattr(running, "LONG_FILE_PIECES", 1)
    monkeypatch.setattr(gathering, "BLOCK_ROWS", 7)


async def stored(owner: asyncpg.Connection) -> list[Any]:
    rows: list[Any] = await owner.fetch(
        "SELECT household.id, household.registration_index, household.content_index, "
        "household.name_tokens, members, "
        "members_listed, account_index, changed_by, member.id AS member_id, member_number, "
        "member.content_index AS member_content, member.name_tokens AS member_tokens "
        "FROM registry.household JOIN registry.member ON member.household_id = household.id "
        "JOIN registry.payee_account ON payee_account.household_id = household.id ORDER BY 1, 10"
    )
    return rows


@pytest.mark.parametrize("long_files", [Begun], indirect=True)
@pytest.mark.usefixtures("long_files")
async def test_a_process_of_its_own_seals_what_a_thread_does(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it back finds the same of all; and the file again changes nothing."""
    _, run = await imported(flow, TABLE)
    assert (run["status"], run["households_added"]) == ("completed", _HOUSEHOLDS)
    assert members_counted(run) == (len(_ROWS), 0, 0, 0)
    found = await stored(flow.owner)
    assert [row["member_number"] for row in found] == [1, 2, 3] * _HOUSEHOLDS
    page = await flow.get("/households", limit=1)
    household_id = page["items"][0]["id"]
    shown = await flow.get(f"/households/{household_id}/members")
    assert [each["name"] for each in shown["items"]] == ["សុខ 1", "សុខ 2", "សុខ 3"]
    # By a thread: nothing is new, so the two computed the same ids and the same contents.
    monkeypatch.setattr(running, "LONG_FILE_PIECES", 1_000)
    monkeypatch.setattr(Begun, "here", Apart.here)
    _, again = await imported(flow, TABLE)
    assert counted(again)[2:] == (0, 0, _HOUSEHOLDS)
    assert members_counted(again) == (0, 0, len(_ROWS), 0)
    assert await stored(flow.owner) == found
    # And what is changed by a process is found changed.
    monkeypatch.setattr(running, "LONG_FILE_PIECES", 1)
    changed = [HEADINGS, member(3, 1), member(3, 2, name="ចាន់ 2"), member(3, 3)]
    _, run = await imported(flow, changed)
    assert counted(run)[2:] == (0, 1, 0)
    assert members_counted(run) == (0, 1, 2, 0)
    # Where no file needs it, it goes.
    (process,) = processes_of(Begun.made[0])
    monkeypatch.setattr(apart, "_KEPT_SECONDS", 0)

    async def has_gone() -> bool:
        return not psutil.pid_exists(process)

    await eventually(has_gone)


@pytest.mark.parametrize("long_files", [Dying], indirect=True)
@pytest.mark.usefixtures("long_files")
async def test_where_the_process_dies_the_file_is_read_to_its_end(flow: Flow) -> None:
    _, run = await imported(flow, TABLE)
    assert (run["status"], run["households_added"]) == ("completed", _HOUSEHOLDS)
    assert members_counted(run) == (len(_ROWS), 0, 0, 0)
    (died,) = Dying.made
    assert isinstance(died, Dying)
    assert died.blocks > 2
    assert died._pool is None
    assert len(await stored(flow.owner)) == len(_ROWS)


@pytest.mark.usefixtures("environment")
async def test_the_process_ends_with_whoever_started_it_whatever_way_that_dies() -> None:
    died = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _DIES],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    process = int(died.stdout)

    async def has_gone() -> bool:
        return not psutil.pid_exists(process) or (
            psutil.Process(process).status() == psutil.STATUS_ZOMBIE
        )

    await eventually(has_gone)
