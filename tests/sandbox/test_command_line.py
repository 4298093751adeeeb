"""How the sandbox is started, and what it says when it cannot start."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.options import PROVIDERS_VARIABLE, SandboxOptions, parse_options
from tests.sandbox.conftest import PROVIDERS
from tests.sandbox.running import RunningSandbox

OPTIONS = SandboxOptions(port=8010, storage=Path("book.sqlite"), providers=PROVIDERS)


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, seed=3, misbehave=0.0, missing_account_share=0.5, synchronous=True),
        replace(OPTIONS, host="127.0.0.2", completion_delay_ms=(5, 5), misbehave=25.0),
        replace(OPTIONS, clock_file=Path("clock.json")),
        replace(OPTIONS, answer_delay_ms=20, rest_after=7, rest_seconds=1.5),
    ],
)
def test_command_and_environment_say_what_the_options_say(options: SandboxOptions) -> None:
    assert parse_options(options.command()[3:], options.environment()) == options


def test_a_running_sandbox_shows_no_secret_on_its_command_line(sandbox: RunningSandbox) -> None:
    shown = Path(f"/proc/{sandbox.process_id}/cmdline").read_text()
    assert "--storage" in shown
    for provider in PROVIDERS:
        assert provider.api_key not in shown
        assert provider.webhook_secret not in shown


def fails(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        env={**os.environ, **OPTIONS.environment()},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("sandbox: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--port", "none", "is not a port"),
        ("--misbehave", "-1", "is not from 0 to 25"),
        ("--missing-account-share", "2", "is not from 0 to 1"),
        ("--completion-delay-ms", "300..0", "must rise"),
    ],
)
def test_wrong_argument_is_one_line(
    capsys: pytest.CaptureFixture[str], option: str, value: str, says: str
) -> None:
    with pytest.raises(SystemExit) as exit_status:
        parse_options([*OPTIONS.command()[3:], option, value], OPTIONS.environment())
    assert exit_status.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("providers", "says"),
    [
        ("", "SANDBOX_PROVIDERS in the environment is not a JSON list"),
        ("[]", "names no provider"),
        ("{", "is not a JSON list"),
        ('[{"code": "mekong"}]', "code, api_key and webhook_secret"),
        ('[{"code": "mekong", "api_key": "", "webhook_secret": "s3cret"}]', "no api_key"),
        (
            '[{"code": "mekong", "api_key": "k3y", "webhook_secret": "s3cret"}]',
            "is not whsec_ and base64",
        ),
    ],
)
def test_wrong_providers_are_one_line_without_their_secrets(
    capsys: pytest.CaptureFixture[str], providers: str, says: str
) -> None:
    with pytest.raises(SystemExit) as exit_status:
        parse_options(OPTIONS.command()[3:], {PROVIDERS_VARIABLE: providers})
    assert exit_status.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert "k3y" not in error
    assert "s3cret" not in error


def test_missing_argument_is_one_line() -> None:
    assert "--storage" in fails("--port", "8010")


def test_busy_port_is_one_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    busy = replace(sandbox.options, storage=tmp_path / "book.sqlite")
    assert f":{busy.port}: Address already in use" in fails(*busy.command()[3:])


def test_unusable_storage_is_one_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    not_a_book = tmp_path / "book.sqlite"
    not_a_book.write_text("not a book, and long enough to be looked at as one")
    options = replace(sandbox.options, host="127.0.0.2", storage=not_a_book)
    assert "file is not a database" in fails(*options.command()[3:])
    options = replace(options, storage=tmp_path / "nowhere" / "book.sqlite")
    assert "unable to open database file" in fails(*options.command()[3:])
