"""`make run` and `make clean`, as somebody at a terminal uses them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest

from deploy.check.__main__ import ROOT
from deploy.local.clean import remove_data
from deploy.local.exclusive import FolderInUse
from deploy.local.ports import free_port
from sandbox.options import PROVIDERS_VARIABLE
from shared.auth import development
from shared.clock import COUNTRY_ZONE
from shared.ids import new_id

pytestmark = pytest.mark.long

_UP_SECONDS = 120
_PROCESSES = 8


@dataclass
class Terminal:
    """A folder in which `make run` runs, and what it said there."""

    folder: Path
    running: subprocess.Popen[str]
    said: list[str]
    ports: dict[str, int]

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=environment(self.ports),
            capture_output=True,
            text=True,
            check=False,
            timeout=_UP_SECONDS,
        )

    def url(self, listener: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}"


def environment(ports: dict[str, int]) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    variables = {f"{listener.upper()}_PORT": str(port) for listener, port in ports.items()}
    return {**given, **variables, "PYTHONPATH": str(ROOT), "CLOCK": "2020-10-12"}


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    ports = {name: free_port() for name in ("registry", "triggers", "payments", "sandbox")}
    # Not pytest's own folder: PostgreSQL, as another user, could not enter it.
    with TemporaryDirectory(prefix="sangkroh-run-") as folder:
        running = subprocess.Popen(
            [sys.executable, "-m", "deploy.local"],
            cwd=folder,
            env=environment(ports),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        terminal = Terminal(Path(folder), running, [], ports)
        assert running.stdout
        try:
            for line in running.stdout:
                terminal.said.append(line)
                if "Ctrl-C stops it all" in line:
                    break
            else:
                pytest.fail("".join(terminal.said))
            yield terminal
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(_UP_SECONDS) == 0
            assert "Stopped; the data stays" in running.stdout.read()
            running.stdout.close()


def family(terminal: Terminal) -> list[psutil.Process]:
    """The processes of the product and of the sandbox."""
    children = psutil.Process(terminal.running.pid).children(recursive=True)
    return [child for child in children if "-m" in child.cmdline()]


def test_it_says_where_everything_is(terminal: Terminal) -> None:
    said = "".join(terminal.said)
    for service in ("registry", "triggers", "payments"):
        assert f"{terminal.url(service)}/docs" in said
    assert f"{terminal.url('sandbox')}/book" in said
    assert f"single requests  {terminal.url('sandbox')}/mekong/v1.2" in said
    assert f"batches          {terminal.url('sandbox')}/tonle/v1.2" in said
    assert "files            .local/bank/outgoing, .local/bank/incoming" in said
    assert "make token" in said
    # The clock goes on while the rest is starting.
    assert re.search(r"Its clock says 2020-10-12 08:\d\d \(Asia/Phnom_Penh\)", said)
    assert httpx.get(f"{terminal.url('sandbox')}/book/summary").json()["count"] == 0


def test_no_command_line_shows_a_secret(terminal: Terminal) -> None:
    """Every user of the machine may read them."""
    kept = json.loads((terminal.folder / ".local" / "secrets.json").read_text())
    secrets = [
        secret
        for value in kept.values()
        for secret in (value.values() if isinstance(value, dict) else [value])
    ]
    assert len(secrets) == 14
    processes = family(terminal)
    assert len(processes) == _PROCESSES
    for process in processes:
        shown = Path(f"/proc/{process.pid}/cmdline").read_text()
        assert [secret for secret in secrets if secret in shown] == [], process.pid


def test_a_command_is_told_what_the_services_are(terminal: Terminal) -> None:
    """As `make command` does, by a file that its owner alone reads."""
    assert (terminal.folder / ".local" / "environment").stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'set -aeu; . .local/environment; "{sys.executable}" -m services duplicates',
        ],
        cwd=terminal.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=_UP_SECONDS,
    )
    assert done.returncode == 0, done.stderr


def test_the_sandbox_is_told_none_of_the_keys(terminal: Terminal) -> None:
    (sandbox,) = (process for process in family(terminal) if "sandbox" in process.cmdline())
    told = sandbox.environ()
    assert PROVIDERS_VARIABLE in told
    assert told.keys() & {"PERSON_KEYS", "ACCOUNT_KEYS", "REGISTRY_DATABASE_URL"} == set()


def test_the_documentation_can_be_tried_at_once(terminal: Terminal) -> None:
    page = httpx.get(f"{terminal.url('payments')}/docs").text
    token = re.search('data-token="([^"]+)"', page)
    assert token
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert httpx.get(f"{terminal.url('payments')}/v1/funds", headers=headers).status_code == 200


def test_the_clock_is_moved_on_while_it_runs_and_never_back(terminal: Terminal) -> None:
    token = development.mint(
        terminal.folder / development.KEY_FILE,
        subject="officer@test",
        scopes=development.EVERY_SCOPE,
        seconds=600,
    )

    def day_of_a_new_import() -> str:
        answer = httpx.post(
            f"{terminal.url('registry')}/v1/imports",
            json={"source": "IDPoor round 2020"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())},
        )
        created = datetime.fromisoformat(answer.json()["created_at"])
        return created.astimezone(COUNTRY_ZONE).date().isoformat()

    assert day_of_a_new_import() == "2020-10-12"
    moved = terminal.run("shared.clock", "2020-11-12")
    assert moved.stdout == "2020-11-12 08:00 (Asia/Phnom_Penh)\n"
    assert day_of_a_new_import() == "2020-11-12"
    back = terminal.run("shared.clock", "2020-10-13")
    assert back.returncode == 1
    assert "only goes on" in back.stderr
    wrong = terminal.run("shared.clock", "tomorrow")
    assert wrong.returncode == 1
    assert "give a day such as 2020-10-12" in wrong.stderr


def test_neither_a_second_run_nor_a_cleaning_disturbs_it(terminal: Terminal) -> None:
    for module in ("deploy.local", "deploy.local.clean"):
        refused = terminal.run(module)
        assert refused.returncode == 1
        assert f"`make run`, process {terminal.running.pid}, runs in .local" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert (terminal.folder / ".local" / "postgres" / "PG_VERSION").exists()
    assert len(family(terminal)) == _PROCESSES


def test_a_cleaning_leaves_what_another_folder_below_uses(tmp_path: Path) -> None:
    """Each of `make demo`, `make bench` and `make faults` has a folder of its own below."""
    holding = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "demo")], stdout=subprocess.PIPE, cwd=ROOT
    )
    with holding:
        assert holding.stdout
        holding.stdout.readline()
        with pytest.raises(FolderInUse, match="`make demo`, process"):
            remove_data(tmp_path)
        assert (tmp_path / "demo").exists()
        holding.kill()
    remove_data(tmp_path)
    assert not tmp_path.exists()


_HOLD = """
import sys, time
from pathlib import Path
from deploy.local.exclusive import exclusively
with exclusively(Path(sys.argv[1]), what="`make demo`"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_cleaning_leaves_a_postgres_that_was_left_behind(tmp_path: Path) -> None:
    command = ["bash", "-c", "exec -a postgres sleep 600"]
    with subprocess.Popen(command) as postgres:
        (tmp_path / "postgres").mkdir()
        pid_file = tmp_path / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{postgres.pid}\n{tmp_path}\n")
        while b"postgres" not in Path(f"/proc/{postgres.pid}/cmdline").read_bytes():
            time.sleep(0.01)
        with pytest.raises(FolderInUse, match=f"kill -INT {postgres.pid}"):
            remove_data(tmp_path)
        assert pid_file.exists()
        postgres.kill()
    remove_data(tmp_path)
    assert not tmp_path.exists()
