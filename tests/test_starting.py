"""A process that cannot start says in one line what is in the way and what to do; never a value."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from services.starting import CannotStart, settings_of
from tests.conftest import DatabaseServer

pytestmark = pytest.mark.long

_PATIENCE_SECONDS = 120
_SECRET = "never-to-be-told"


def words_of(*names: str) -> str:
    """The only line that processes say which do not come up."""
    done = subprocess.run(
        [sys.executable, "-m", "services", *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("part", ["api", "worker"])
def test_a_database_that_lets_nobody_in(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    url = make_url(environment["REGISTRY_DATABASE_URL"])
    unknown = url.set(username="nobody_here", password=_SECRET)
    monkeypatch.setenv("REGISTRY_DATABASE_URL", unknown.render_as_string(hide_password=False))
    said = words_of(f"registry-{part}")
    assert said.startswith("REGISTRY_DATABASE_URL: PostgreSQL at ")
    assert "does not let nobody_here in: correct the user or the password" in said
    assert _SECRET not in said


@pytest.mark.parametrize("part", ["api", "worker"])
def test_a_database_that_was_not_migrated(
    environment: dict[str, str],
    database_server: DatabaseServer,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    url = make_url(environment["PAYMENTS_DATABASE_URL"])
    empty = url.set(database=make_url(database_server.url_of("postgres")).database)
    monkeypatch.setenv("PAYMENTS_DATABASE_URL", empty.render_as_string(hide_password=False))
    said = words_of(f"payments-{part}")
    assert said == (
        "The database has no schema payments yet: run `python -m services migrate` first."
    )


async def test_an_app_that_fails_in_its_lifespan_says_with_what(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    await owner.execute("REVOKE ALL ON payments.provider FROM sangkroh_payments")
    said = words_of("payments-api")
    assert re.search(r"ProgrammingError at services/payments/providers/\w+\.py:\d+ ", said)
    assert "SQLSTATE 42501" in said


def test_a_busy_port(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        monkeypatch.setenv("REGISTRY_PORT", str(port))
        said = words_of("registry-api")
    assert f"port {port} (Address already in use)" in said
    assert "set REGISTRY_PORT to another" in said


def test_a_clock_that_is_not_there(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_FILE", "/nowhere/clock.json")
    assert "CLOCK_FILE names cannot be read (FileNotFoundError)" in words_of("registry-worker")


def test_a_token_for_everybody(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_HOST", "0.0.0.0")  # noqa: S104 - what is refused here
    assert "set DOCS=on" in words_of("registry-api")


@pytest.mark.parametrize(
    ("service", "variable", "value", "said"),
    [
        ("registry", "REGISTRY_DATABASE_URL", None, "REGISTRY_DATABASE_URL: Field required"),
        ("triggers", "AUTH_ISSUER", None, "AUTH_ISSUER: Field required"),
        ("registry", "REGISTRY_PORT", _SECRET, "REGISTRY_PORT: Input should be a valid integer"),
        ("registry", "PERSON_KEYS", _SECRET, "PERSON_KEYS: keys are JSON by version"),
        ("registry", "PERSON_KEYS", f'{{"{_SECRET}": 1}}', "PERSON_KEYS: keys are JSON by version"),
        ("registry", "PERSON_KEYS", f'{{"1": "{_SECRET}"}}', "a key is 32 bytes in base64"),
        ("registry", "BLIND_INDEX_KEY", _SECRET, "BLIND_INDEX_KEY: a key is 32 bytes in base64"),
        ("payments", "PAYMENTS_PROVIDERS", _SECRET, "PAYMENTS_PROVIDERS: not valid JSON"),
        (
            "payments",
            "PAYMENTS_PROVIDERS",
            json.dumps([{"code": _SECRET.upper()}]),
            "PAYMENTS_PROVIDERS.0.currency: Field required",
        ),
        (
            "payments",
            "PAYMENTS_PROVIDERS",
            json.dumps([{"code": "mekong", "name": "Mekong", "currency": "KHR"}]),
            "give base_url of a provider that is spoken to over HTTP, or bank_file",
        ),
        (
            "payments",
            "PAYMENTS_PROVIDERS",
            json.dumps([{"code": "mekong", "api_key": _SECRET}]),
            "take api_key out: keys are given by provider in PAYMENTS_PROVIDER_API_KEYS",
        ),
        ("payments", "PAYMENTS_PROVIDER_WEBHOOK_SECRETS", "{}", "has nothing for mekong, tonle"),
        (
            "payments",
            "PAYMENTS_PROVIDER_WEBHOOK_SECRETS",
            '{"mekong": ["whsec_"], "tonle": ["whsec_bmV2ZXI="]}',
            "WEBHOOK_SECRETS.mekong.0: a webhook secret holds 24 bytes or more",
        ),
        ("registry", "PERSON_KEYS", "{}", "PERSON_KEYS: give at least one key"),
    ],
)
def test_a_setting_that_is_missing_or_wrong(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    variable: str,
    value: str | None,
    said: str,
) -> None:
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    with pytest.raises(CannotStart) as refused:
        settings_of(f"{service}-api")
    told = str(refused.value)
    assert said in told
    assert _SECRET not in told.lower()
    assert "\n" not in told


@pytest.fixture
def running(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[str]]:
    """An API whose issuer does not answer."""
    monkeypatch.setenv("AUTH_JWKS_URL", f"http://{_SECRET}@127.0.0.1:1/jwks.json?key={_SECRET}")
    with subprocess.Popen(
        [sys.executable, "-m", "services", "registry-api"],
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.send_signal(signal.SIGTERM)


def test_an_issuer_that_does_not_answer_is_told_and_keeps_nobody_from_starting(
    running: subprocess.Popen[str],
) -> None:
    """Providers' callbacks need no token; and the issuer may come back."""
    assert running.stderr
    said: dict[str, dict[str, str]] = {}
    while said.keys() != {"api_started", "issuer_keys_unreadable"}:
        line = running.stderr.readline()
        assert _SECRET not in line
        entry = json.loads(line)
        said[entry["event"]] = entry
    warning = said["issuer_keys_unreadable"]
    assert warning["at"] == "http://127.0.0.1"
    assert "AUTH_JWKS_URL" in warning["detail"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prune registry --check", "--check says something to reindex and reseal alone"),
        ("reseal registry --dry-run", "--dry-run says something to prune alone"),
        ("migrate --head registry=x", "--head says something to audit alone"),
        ("migrate registry-api", "migrate: give it alone"),
        ("audit drift", "audit, drift: give it alone"),
        ("registry-api registry-wroker", "unknown: registry-wroker"),
    ],
)
def test_a_command_that_is_told_what_it_does_not_take_does_nothing(line: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", *line.split()],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
        # It would do nothing with this environment either, but say something else.
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LOG_LEVEL", "loud", "LOG_LEVEL is none of DEBUG, INFO"),
        ("REGISTRY_PORT", "80010", "REGISTRY_PORT: Input should be less than or equal to 65535"),
        ("PAYMENTS_URL", "payments", "PAYMENTS_URL: give a URL that begins with https://"),
        ("PAYMENTS_URL", "http://", "PAYMENTS_URL: give a URL that begins with https://"),
        ("PAYMENTS_URL", "http://[::1", "PAYMENTS_URL: give a URL that begins with https://"),
    ],
)
def test_a_setting_that_can_be_nothing(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert said in words_of("registry-worker")
