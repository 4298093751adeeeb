"""A production process refuses what is fit for a laptop only: all of it at once, and no value."""

import base64
import json
import os
from collections.abc import Mapping
from ipaddress import ip_address

import pytest

from services.owner import OwnerSettings
from services.processes import PROCESSES
from services.starting import CannotStart, read_settings, require_fit, settings_of
from shared.production import leads_astray
from tests.test_starting import words_of


def key(number: int) -> str:
    return base64.b64encode(bytes([number, *range(100, 131)])).decode()


FIT = {
    "ENVIRONMENT": "production",
    "DATABASE_TLS": "verify-full",
    "AUTH_ISSUER": "https://issuer.gov.kh",
    "AUTH_JWKS_URL": "https://issuer.gov.kh/jwks.json",
    "AUTH_TOKEN_URL": "https://issuer.gov.kh/token",
    "AUTH_CLIENT_ID": "sangkroh",
    "AUTH_CLIENT_SECRET": "a-secret-of-the-client",
    "REGISTRY_DATABASE_URL": "postgresql://r:password-of-registry@db.gov.kh/sangkroh",
    "TRIGGERS_DATABASE_URL": "postgresql://t:password-of-triggers@db.gov.kh/sangkroh",
    "PAYMENTS_DATABASE_URL": "postgresql://p:password-of-payments@db.gov.kh/sangkroh",
    "PERSON_KEYS": json.dumps({"1": key(1), "2": key(2)}),
    "ACCOUNT_KEYS": json.dumps({"1": key(3)}),
    "WEBHOOK_KEYS": json.dumps({"1": key(4)}),
    "BLIND_INDEX_KEY": key(5),
    "PAYMENTS_CALLBACK_BASE_URL": "https://payments.gov.kh",
    "PAYMENTS_PROVIDERS": json.dumps(
        [{"code": "p", "name": "P", "base_url": "https://10.20.0.7/v1.2", "currency": "KHR"}]
    ),
    "PAYMENTS_PROVIDER_API_KEYS": json.dumps({"p": "a-key-of-the-provider"}),
    "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": json.dumps({"p": [f"whsec_{key(6)}"]}),
}


def at(base_url: str) -> str:
    return json.dumps([{"code": "p", "name": "P", "base_url": base_url, "currency": "KHR"}])


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up on a network."""
    monkeypatch.setattr("shared.production._resolved", lambda _: [])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in {*os.environ} - {"PATH", "HOME"}:
        if name.startswith(("AUTH_", "DATABASE_", "CLOCK", "DOCS")):
            monkeypatch.delenv(name)
    for name, value in FIT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(*names: str) -> str:
    with pytest.raises(CannotStart) as error:
        require_fit({name: settings_of(name) for name in names})
    return str(error.value)


@pytest.mark.parametrize("names", [*((name,) for name in PROCESSES), PROCESSES])
def test_what_is_fit_starts(told: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    require_fit({name: settings_of(name) for name in names})


@pytest.mark.parametrize(
    ("process", "changes", "said"),
    [
        ("triggers-worker", {"DATABASE_TLS": "require"}, "DATABASE_TLS is require: set it to ver"),
        (
            "triggers-worker",
            {"TRIGGERS_DATABASE_URL": "postgresql://t:short@db.gov.kh/s"},
            "TRIGGERS_DATABASE_URL: its password has fewer than 16 characters",
        ),
        (
            "registry-api",
            {"AUTH_ISSUER": "https://issuer.development.invalid"},
            "AUTH_ISSUER is the development issuer",
        ),
        ("registry-api", {"AUTH_ISSUER": "http://issuer.gov.kh"}, "AUTH_ISSUER is no https URL"),
        ("registry-api", {"AUTH_JWKS_URL": "file:///keys"}, "AUTH_JWKS_URL is no https URL"),
        ("registry-api", {"AUTH_JWKS_URL": "https://[::1]/k"}, "AUTH_JWKS_URL leads back to this"),
        (
            "registry-api",
            {"AUTH_JWKS_URL": "https://me:hidden-away@issuer.gov.kh/k"},
            "AUTH_JWKS_URL carries a name or a password",
        ),
        ("triggers-api", {"AUTH_TOKEN_URL": "http://i.gov.kh"}, "AUTH_TOKEN_URL is no https URL"),
        ("triggers-api", {"AUTH_CLIENT_SECRET": "hidden-away"}, "AUTH_CLIENT_SECRET: it has fewer"),
        ("registry-worker", {"AUTH_CLIENT_ID": None}, "AUTH_CLIENT_ID is not set"),
        ("registry-api", {"AUTH_DEVELOPMENT_KEY_FILE": "/k"}, "AUTH_DEVELOPMENT_KEY_FILE is set"),
        ("registry-api", {"CLOCK_FILE": "/clock"}, "CLOCK_FILE lets the clock be set"),
        ("registry-api", {"DOCS": "with-token"}, "DOCS=with-token hands tokens out"),
        (
            "registry-api",
            {"BLIND_INDEX_KEY": base64.b64encode(bytes(32)).decode()},
            "BLIND_INDEX_KEY: the same byte again and again",
        ),
        (
            "registry-api",
            {"ACCOUNT_KEYS": json.dumps({"1": key(2)})},
            "ACCOUNT_KEYS.1 is the same secret as PERSON_KEYS.2",
        ),
        (
            "registry-api",
            {"PERSON_KEYS": json.dumps({"1": key(1), "2": key(1)})},
            "PERSON_KEYS.2 is the same secret as PERSON_KEYS.1",
        ),
        (
            "payments-api",
            {"PAYMENTS_PROVIDER_WEBHOOK_SECRETS": json.dumps({"p": [f"whsec_{key(4)}"]})},
            "PAYMENTS_PROVIDER_WEBHOOK_SECRETS.p.0 is the same secret as WEBHOOK_KEYS.1",
        ),
        (
            "payments-api",
            {
                "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": json.dumps(
                    {"p": [f"whsec_{key(6)}"], "q": [f"whsec_{key(6)}"]}
                )
            },
            "PAYMENTS_PROVIDER_WEBHOOK_SECRETS.q.0 is the same secret as",
        ),
        (
            "payments-worker",
            {"PAYMENTS_PROVIDER_API_KEYS": json.dumps({"p": "a-secret-of-the-client"})},
            "PAYMENTS_PROVIDER_API_KEYS.p is the same secret as AUTH_CLIENT_SECRET",
        ),
        (
            "payments-worker",
            {"PAYMENTS_CALLBACK_BASE_URL": None},
            "PAYMENTS_CALLBACK_BASE_URL is no https URL",
        ),
        (
            "payments-worker",
            {"PAYMENTS_PROVIDERS": at("http://p.gov.kh")},
            "PAYMENTS_PROVIDERS.0.base_url (p) is no https URL",
        ),
        (
            "payments-worker",
            {"PAYMENTS_PROVIDERS": at("https://169.254.169.254/latest")},
            "base_url (p) leads to this machine's own network",
        ),
        (
            "payments-worker",
            {"PAYMENTS_PROVIDERS": at("https://key:hidden-away@p.gov.kh")},
            "base_url (p) carries a name or a password",
        ),
    ],
)
def test_what_is_fit_for_a_laptop_only_is_refused(
    told: pytest.MonkeyPatch, process: str, changes: Mapping[str, str | None], said: str
) -> None:
    for name, value in changes.items():
        told.delenv(name) if value is None else told.setenv(name, value)
    words = refused(process)
    assert said in words
    assert "hidden-away" not in words
    told.setenv("ENVIRONMENT", "development")
    require_fit({process: settings_of(process)})


def test_all_that_is_wrong_is_said_at_once(told: pytest.MonkeyPatch) -> None:
    told.setenv("CLOCK_FILE", "/clock")
    told.setenv("DATABASE_TLS", "prefer")
    told.setenv("AUTH_JWKS_URL", "http://issuer.gov.kh")
    words = refused("registry-api")
    assert all(name in words for name in ("CLOCK_FILE", "DATABASE_TLS", "AUTH_JWKS_URL"))


def test_processes_in_one_are_compared_with_one_another(told: pytest.MonkeyPatch) -> None:
    told.setenv("WEBHOOK_KEYS", json.dumps({"1": key(1)}))
    require_fit({name: settings_of(name) for name in ("registry-api",)})
    words = refused("registry-api", "payments-api")
    assert "WEBHOOK_KEYS.1 is the same secret as PERSON_KEYS.1" in words


def test_a_local_socket_needs_no_tls(told: pytest.MonkeyPatch) -> None:
    told.setenv("DATABASE_TLS", "prefer")
    told.setenv("TRIGGERS_DATABASE_URL", "postgresql://t@/sangkroh?host=/run/postgresql")
    require_fit({"triggers-worker": settings_of("triggers-worker")})


def test_migrations_give_each_role_a_password_of_its_own(told: pytest.MonkeyPatch) -> None:
    told.setenv("DATABASE_URL", "postgresql://owner:password-of-the-owner@db.gov.kh/sangkroh")
    told.setenv("REGISTRY_DATABASE_PASSWORD", "password-of-registry")
    told.setenv("PAYMENTS_DATABASE_PASSWORD", "password-of-the-owner")
    with pytest.raises(CannotStart, match="PAYMENTS_DATABASE_PASSWORD is the same secret as DATA"):
        require_fit({"migrate": read_settings(OwnerSettings, process="migrate")})


@pytest.mark.parametrize("command", ["registry-api", "migrate"])
def test_a_process_that_is_refused_has_opened_nothing(
    told: pytest.MonkeyPatch, command: str
) -> None:
    told.setenv("DATABASE_TLS", "prefer")
    told.setenv("DATABASE_URL", FIT["REGISTRY_DATABASE_URL"])
    words = words_of(command)
    assert words.startswith(f"{command} cannot start with ENVIRONMENT=production: DATABASE_TLS is")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "::1", "::ffff:127.0.0.1"),
        "0.0.0.0",  # noqa: S104 - what is refused here
        *("169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "::"),
        *("localhost", "LOCALHOST.", "issuer.example", "metadata.google.internal"),
    ],
)
def test_a_host_that_is_no_partner_is_told(host: str) -> None:
    assert leads_astray(host)


def test_a_name_is_looked_up_where_somebody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leads_astray("provider.gov.kh") is None
    assert leads_astray("10.20.0.7") is None
    monkeypatch.setattr("shared.production._resolved", lambda _: [ip_address("169.254.169.254")])
    assert leads_astray("provider.gov.kh")
