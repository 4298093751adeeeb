"""The environment of a local deployment: keys and passwords made once, ports, and addresses."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from sandbox.options import Provider
from services.processes import SERVICES
from shared.auth import development

SANDBOX_PORT = 8004
NOT_KNOWN_UNTRUE = "SANDBOX_NOT_KNOWN_UNTRUE_SECONDS"
"""For how long the services believe that the sandbox does not know what it was just sent."""

_RECOGNISES_REPEATS_SECONDS = 86_400
"""The sandbox keeps its book, and recognises an id for good. A day is enough."""
_NOT_KNOWN_UNTRUE_SECONDS = 60
PROVIDERS = {"mekong": "Mekong Pay (sandbox)", "tonle": "Tonle Wallet (sandbox)"}
CURRENCY = "KHR"


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass
class LocalSecrets:
    """Keys, passwords and tokens of one local deployment, kept in a file for its owner alone."""

    person_key: str = field(default_factory=_key)
    account_key: str = field(default_factory=_key)
    webhook_key: str = field(default_factory=_key)
    blind_index_key: str = field(default_factory=_key)
    spdci_signing_key: str = field(default_factory=_key)
    database_passwords: dict[str, str] = field(
        default_factory=lambda: {service: secrets.token_hex(16) for service in SERVICES}
    )
    provider_api_keys: dict[str, str] = field(
        default_factory=lambda: {code: secrets.token_hex(16) for code in PROVIDERS}
    )
    provider_webhook_secrets: dict[str, str] = field(
        default_factory=lambda: {code: f"whsec_{_key()}" for code in PROVIDERS}
    )
    file_key: str = field(default_factory=_key)
    """Signs the files that a bank fetches."""
    bank_key: str = field(default_factory=_key)
    """The bank's own, which signs its reports."""

    @classmethod
    def kept_in(cls, path: Path) -> "LocalSecrets":
        """The secrets in ``path``, made there the first time."""
        found = json.loads(path.read_text()) if path.exists() else {}
        made = cls(**found)
        if found.keys() == vars(made).keys():
            return made
        # It is new, or of a version that knew fewer secrets.
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(vars(made), file, indent=2)
        return made

    def providers(self) -> tuple[Provider, ...]:
        """The providers as the sandbox is told of them."""
        return tuple(
            Provider(
                code=code,
                api_key=self.provider_api_keys[code],
                webhook_secret=self.provider_webhook_secrets[code],
            )
            for code in PROVIDERS
        )


def local_environment(
    kept: LocalSecrets,
    *,
    owner_url: str,
    ports: Mapping[str, int],
    sandbox_port: int,
    key_file: Path,
    clock_file: Path | None,
    not_known_untrue_seconds: int = _NOT_KNOWN_UNTRUE_SECONDS,
) -> dict[str, str]:
    """Every variable that the services read, for processes on this machine."""
    jwks_file = development.ensure_issuer(key_file)
    urls = {service: f"http://127.0.0.1:{ports[service]}" for service in SERVICES}
    environment = {
        "DATABASE_URL": owner_url,
        "AUTH_ISSUER": development.ISSUER,
        "AUTH_AUDIENCE": development.AUDIENCE,
        "AUTH_JWKS_URL": jwks_file.resolve().as_uri(),
        "AUTH_DEVELOPMENT_KEY_FILE": str(key_file.resolve()),
        "DOCS": "with-token",
        "PERSON_KEYS": json.dumps({"1": kept.person_key}),
        "ACCOUNT_KEYS": json.dumps({"1": kept.account_key}),
        "WEBHOOK_KEYS": json.dumps({"1": kept.webhook_key}),
        "BLIND_INDEX_KEY": kept.blind_index_key,
        "SPDCI_SIGNING_KEY": kept.spdci_signing_key,
        "REGISTRY_URL": urls["registry"],
        "PAYMENTS_URL": urls["payments"],
        "PAYMENTS_CALLBACK_BASE_URL": urls["payments"],
        "PAYMENTS_PROVIDERS": json.dumps(
            [
                {
                    "code": code,
                    "name": name,
                    "base_url": f"http://127.0.0.1:{sandbox_port}/{code}/v1.2",
                    "currency": CURRENCY,
                    "recognises_repeats_seconds": _RECOGNISES_REPEATS_SECONDS,
                    "not_known_untrue_seconds": not_known_untrue_seconds,
                    "returns_our_reference": True,
                }
                for code, name in PROVIDERS.items()
            ]
        ),
    }
    environment["PAYMENTS_PROVIDER_API_KEYS"] = json.dumps(kept.provider_api_keys)
    environment["PAYMENTS_PROVIDER_WEBHOOK_SECRETS"] = json.dumps(
        {code: [secret] for code, secret in kept.provider_webhook_secrets.items()}
    )
    if clock_file is not None:
        environment["CLOCK_FILE"] = str(clock_file.resolve())
    for service in SERVICES:
        prefix = service.upper()
        password = kept.database_passwords[service]
        url = make_url(owner_url).set(username=f"sangkroh_{service}", password=password)
        environment[f"{prefix}_DATABASE_URL"] = url.render_as_string(hide_password=False)
        environment[f"{prefix}_DATABASE_PASSWORD"] = password
        environment[f"{prefix}_PORT"] = str(ports[service])
    return environment
