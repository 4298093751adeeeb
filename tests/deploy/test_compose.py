"""The compose file starts what the product is, and the check sees it when it does not."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.check import compose, folders
from deploy.check.__main__ import ROOT
from deploy.local.environment import LocalSecrets
from sandbox.bank.options import KEY_VARIABLE, parse_options
from services.processes import SERVICES
from services.starting import settings_of
from tests.deploy.conftest import Spoil

FILE = compose.FILE

_OF_THE_BANK = """
    network_mode: none
    volumes:
      - ${BANK_OUTGOING:-bank-outgoing}:/bank/outgoing"""


def test_the_committed_file_has_no_fault() -> None:
    assert compose.check(ROOT).faults == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (FILE, "command: [triggers-worker]", "command: [trigger-worker]", "is no process"),
        (FILE, "command: [triggers-worker]", "command: [triggers-api]", "2 containers run"),
        (FILE, "command: [duplicates]", "command: [duplicate]", "0 containers run duplicates"),
        (
            FILE,
            "      PERSON_KEYS: ${PERSON_KEYS}\n",
            "      PERSON_KEYS: ${PERSON_KEYS}\n      SPDCI_SIGNING_KEY:\n",
            "SPDCI_SIGNING_KEY is given, and is no secret of duplicates",
        ),
        (FILE, "  BLIND_INDEX_KEY:", "  BLIND_INDEX_KEYS:", "BLIND_INDEX_KEY is not set"),
        (FILE, "  BLIND_INDEX_KEY:", "  BLIND_INDEX_KEYS:", "does not read it"),
        (FILE, "  AUTH_TOKEN_URL:\n", "", "AUTH_TOKEN_URL is not used"),
        (
            FILE,
            "      PAYMENTS_URL: http",
            "      PERSON_KEYS:\n      PAYMENTS_URL: http",
            "PERSON_KEYS is given, and is no secret of registry-worker",
        ),
        (FILE, '"127.0.0.1:8002:8002"', '"127.0.0.1:8002:8001"', "listens on 8002"),
        (FILE, '"127.0.0.1:8002:8002"', '"8002:8002"', "on 127.0.0.1 only"),
        (FILE, "http://127.0.0.1:8003/ready", "http://127.0.0.1:8001/ready", "no health check"),
        (FILE, "services.live, triggers-worker", "services.live", "no health check by"),
        (FILE, "  HEARTBEAT_DIRECTORY: /tmp\n", "", "nothing can ask if it is alive"),
        (FILE, "http://registry-api:8001", "http://registry:8001", "where no API is"),
        (FILE, "  PAYMENTS_HOST: 0.0.0.0\n", "", "set PAYMENTS_HOST"),
        (FILE, "service_completed_successfully", "service_started", "should wait for migrate"),
        (FILE, ":/var/lib/postgresql", ":/var/lib/postgresql/data", "would not be kept"),
        (FILE, "postgres:18", "postgres:17", "postgres:18 is needed"),
        (FILE, "bank-state:/bank/state", "bank-state:/state", "no volume at /bank/state"),
        (
            FILE,
            _OF_THE_BANK,
            _OF_THE_BANK.replace("bank-outgoing}", "other}"),
            "sandbox-bank has another volume at /bank/outgoing",
        ),
        (FILE, "sandbox-bank:/var/tmp", "bank-state:/var/tmp", "sandbox-bank reaches /bank/state"),
        (FILE, "read_only: true", "read_only: false", "sandbox-bank may write to its root"),
        (FILE, "cap_drop: [ALL]", "cap_drop: [CHOWN]", "payments-worker keeps capabilities"),
        (FILE, "no-new-privileges:true", "no-new-privileges:false", "may escalate"),
        (FILE, "shm_size: 256m", "shm_sise: 256m", "does not fit the Compose specification"),
        (compose.EXAMPLE, "PERSON_KEYS=", "PEOPLE_KEYS=", "PERSON_KEYS is missing"),
        (compose.EXAMPLE, "WEBHOOK_KEYS=", "WEBHOOK_KEYS=abc", "a secret is for the operator"),
    ],
)
def test_a_spoilt_file_is_caught(
    deployment: Path, spoil: Spoil, file: str, old: str, new: str, fault: str
) -> None:
    spoil(file, old, new)
    assert fault in "\n".join(compose.check(deployment).faults)


def test_without_any_way_to_a_token_the_callers_are_named(deployment: Path, spoil: Spoil) -> None:
    spoil(FILE, "  AUTH_TOKEN_URL:\n", "")
    spoil(FILE, "  AUTH_DEVELOPMENT_KEY_FILE:\n", "")
    faults = [fault for fault in compose.check(deployment).faults if "no way to a token" in fault]
    callers = {fault.split(": ")[1] for fault in faults}
    assert callers == {
        "registry-api",
        "registry-worker",
        "triggers-api",
        "triggers-worker",
        "payments-worker",
    }


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", ["api", "worker"])
def test_filled_in_the_environment_satisfies_the_settings(
    service: str, part: str, local_secrets: LocalSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = {
        "code": "mekong",
        "name": "Mekong Pay",
        "base_url": "http://sandbox:8004/mekong/v1.2",
        "currency": "KHR",
    }
    filled_in = {
        "AUTH_ISSUER": "https://issuer.development.invalid",
        "AUTH_JWKS_URL": "file:///var/tmp/jwks.json",
        "POSTGRES_PASSWORD": "owner",
        "PERSON_KEYS": json.dumps({"1": local_secrets.person_key}),
        "ACCOUNT_KEYS": json.dumps({"1": local_secrets.account_key}),
        "WEBHOOK_KEYS": json.dumps({"1": local_secrets.webhook_key}),
        "BLIND_INDEX_KEY": local_secrets.blind_index_key,
        "PAYMENTS_PROVIDERS": json.dumps([provider]),
        "PAYMENTS_PROVIDER_API_KEYS": json.dumps(local_secrets.provider_api_keys),
        "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": json.dumps(
            {"mekong": [local_secrets.provider_webhook_secrets["mekong"]]}
        ),
        **{f"{service.upper()}_DATABASE_PASSWORD": f"{service}pw" for service in SERVICES},
    }

    def value_of(match: re.Match[str]) -> str:
        name, kind, otherwise = match["name"], match["kind"], match["otherwise"]
        assert kind != ":?" or name in filled_in
        return filled_in.get(name, otherwise if kind == ":-" else "")

    interpolated = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:[?-])?(?P<otherwise>[^}]*)\}")
    container = yaml.safe_load((ROOT / FILE).read_text())["services"][f"{service}-{part}"]
    for name, value in container["environment"].items():
        if value is not None:
            monkeypatch.setenv(name, interpolated.sub(value_of, value))

    settings = settings_of(f"{service}-{part}")

    assert settings.host == "0.0.0.0"  # noqa: S104
    assert settings.database_url == (
        f"postgresql+asyncpg://sangkroh_{service}:{service}pw@postgres:5432/sangkroh"
    )


def test_the_bank_takes_its_command_line_and_meets_the_worker(
    local_secrets: LocalSecrets, tmp_path: Path
) -> None:
    container = yaml.safe_load((ROOT / FILE).read_text())["services"]["sandbox-bank"]
    assert set(container["environment"]) == {KEY_VARIABLE}
    for folder in folders.MET_IN:
        (tmp_path / folder.lstrip("/")).mkdir(parents=True)
    command = [
        word.replace("${SANDBOX_BANK_PUBLIC_KEY:-}", local_secrets.file_key).replace(
            "/bank/", f"{tmp_path}/bank/"
        )
        for word in container["command"]
    ]

    options = parse_options(command, {KEY_VARIABLE: local_secrets.bank_key})

    assert options.fetch == tmp_path / folders.OUTGOING.lstrip("/")
    assert options.tell == tmp_path / folders.INCOMING.lstrip("/")
    assert options.storage.is_relative_to("/var/tmp")  # noqa: S108
