"""What every service is told by its environment."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretBytes, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.database_tls import DatabaseTls, TlsMode, is_local_socket, password_of
from shared.known_keys import KeyRing
from shared.production import Environment, Secret, https_fault
from shared.signatures import key_of

KEY_BYTES = 32
DEVELOPMENT_ISSUER = "https://issuer.development.invalid"


def _decode_key(text: Any) -> Any:
    if isinstance(text, (SecretBytes, bytes)):
        return text
    try:
        key = base64.b64decode(str(text), validate=True)
    except binascii.Error:
        raise ValueError("a key is 32 bytes in base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("a key is 32 bytes in base64")
    return key


def _decode_keys(text: Any) -> Any:
    try:
        versions = json.loads(text) if isinstance(text, str) else text
        keys = {int(version): key for version, key in dict(versions).items()}
    except (TypeError, ValueError):
        # Their own words quote what they could not read.
        raise ValueError(
            'keys are JSON by version, such as {"1": "<32 bytes in base64>"}'
        ) from None
    if not keys or min(keys) < 1:
        raise ValueError("give at least one key; versions count from 1")
    return {version: _decode_key(key) for version, key in keys.items()}


def _check_webhook_secret(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


def _check_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname)
        # Read where it is asked for; raises ValueError, with the text, of one that is none.
        is_one = is_one and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("give a URL that begins with https:// (or http://) and names a host")
    return url


Address = Annotated[str, AfterValidator(_check_address)]
"""Where something is asked over HTTP."""

Port = Annotated[int, Field(ge=1, le=65_535)]
"""Where a server listens."""

Key = Annotated[SecretBytes, BeforeValidator(_decode_key)]
"""One 32-byte key, in base64."""

KeyVersions = Annotated[dict[int, SecretBytes], NoDecode, BeforeValidator(_decode_keys)]
"""Keys by version, as JSON: ``{"1": "<base64 of 32 bytes>"}``. The highest version encrypts."""

WebhookSecret = Annotated[SecretStr, AfterValidator(_check_webhook_secret)]
"""A secret of Standard Webhooks: ``whsec_`` and base64 of 24 bytes or more. An empty or short one
is refused everywhere: whoever guesses it signs whatever they like."""


def secrets_of_keys(variable: str, keys: Mapping[int, SecretBytes]) -> Iterator[Secret]:
    """Keys by version, as secrets of the settings."""
    for version, key in keys.items():
        yield secret_of_key(f"{variable}.{version}", key)


def secret_of_key(variable: str, key: SecretBytes) -> Secret:
    """One key, as a secret of the settings."""
    plain = key.get_secret_value()
    return Secret.of_key(variable, plain, base64.b64encode(plain).decode())


class Documentation(StrEnum):
    """Whether an API serves pages that document it, and whether they come with a token."""

    ON = "on"
    OFF = "off"
    WITH_TOKEN = "with-token"


class EnvironmentSettings(BaseSettings):
    """What every program of the product reads, also those that are no service."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    @classmethod
    def variable_of(cls, field: str) -> str:
        """The environment variable that sets a field."""
        match cls.model_fields[field].validation_alias:
            case None:
                return f"{cls.model_config.get('env_prefix', '')}{field}".upper()
            case AliasChoices(choices=choices):
                return str(choices[0]).upper()
            case alias:
                return str(alias).upper()

    environment: Environment = Field(
        default=Environment.DEVELOPMENT,
        validation_alias=AliasChoices("ENVIRONMENT", "environment"),
    )
    database_url: str
    database_tls: TlsMode = Field(
        default=TlsMode.PREFER, validation_alias=AliasChoices("DATABASE_TLS", "database_tls")
    )
    database_tls_ca: Path | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_TLS_CA", "database_tls_ca")
    )
    """The certificates of who may vouch for PostgreSQL; unset: those that the machine trusts."""

    @property
    def tls(self) -> DatabaseTls:
        """How every connection to PostgreSQL is encrypted."""
        return DatabaseTls(self.database_tls, self.database_tls_ca)

    def secrets(self) -> Iterator[Secret]:
        """Every secret that the process is given, each under its variable's name."""
        if password := password_of(self.database_url):
            yield Secret.of_text(self.variable_of("database_url"), password, what="its password")

    def key_rings(self) -> Iterator[KeyRing]:
        """The keys that rows are sealed with, or found by."""
        yield from ()

    def unfit_for_production(self) -> Iterator[str]:
        """What a production process does not start with: the variable, and what to set instead."""
        if self.database_tls is not TlsMode.VERIFY_FULL and not is_local_socket(self.database_url):
            yield (
                f"DATABASE_TLS is {self.database_tls}: set it to {TlsMode.VERIFY_FULL}, and "
                "DATABASE_TLS_CA to the certificate of who vouches for PostgreSQL"
            )


class ServiceSettings(EnvironmentSettings):
    """Settings that all services share; a service adds its own, under its own prefix.

    Each process of a service has a class of its own: it reads no secret that it does not use.
    """

    service: ClassVar[str]

    database_pool_size: int = Field(default=10, ge=1)
    database_pool_wait_seconds: float = Field(default=5, gt=0)
    """How long a request waits for a connection before it is answered 503."""

    metrics_kept_seconds: float = Field(default=10, ge=0)
    """How long what was measured in the database for who watches is told again."""
    metrics_longest_seconds: float = Field(default=10, gt=0)
    """How long PostgreSQL may take for one subject of it."""

    # How long rows are kept that nothing refers to: `python -m services prune` removes the others.
    idempotency_days: int = Field(default=30, ge=7)
    """For how long a repeat of a POST gets the first answer. No client may retry for longer."""
    dead_letter_days: int = Field(default=365, ge=30)
    """Failed events, from when a person discarded them on."""

    host: str = "127.0.0.1"
    port: Port

    auth_issuer: str = Field(validation_alias=AliasChoices("AUTH_ISSUER", "auth_issuer"))
    auth_audience: str = Field(
        default="sangkroh", validation_alias=AliasChoices("AUTH_AUDIENCE", "auth_audience")
    )
    auth_jwks_url: str = Field(validation_alias=AliasChoices("AUTH_JWKS_URL", "auth_jwks_url"))
    auth_development_key_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("AUTH_DEVELOPMENT_KEY_FILE", "auth_development_key_file"),
    )
    auth_token_maximum_seconds: int = Field(
        default=24 * 3600,
        ge=60,
        validation_alias=AliasChoices("AUTH_TOKEN_MAXIMUM_SECONDS", "auth_token_maximum_seconds"),
    )
    """A token that its issuer made to live longer is refused."""
    clock_file: Path | None = Field(
        default=None, validation_alias=AliasChoices("CLOCK_FILE", "clock_file")
    )
    heartbeat_directory: Path | None = Field(
        default=None, validation_alias=AliasChoices("HEARTBEAT_DIRECTORY", "heartbeat_directory")
    )
    """Where a worker leaves its heartbeat for `python -m services.live`; unset: nowhere."""
    docs: Documentation = Field(
        default=Documentation.ON, validation_alias=AliasChoices("DOCS", "docs")
    )
    approval_wait_days: int = Field(default=7, ge=1, le=90)
    """How long a step that needs two persons waits for the second."""
    # What one caller may ask of an API, so that the others are served too.
    connections_maximum: int = Field(default=2_000, ge=1)
    """Open connections of one process; a further one is turned away."""
    idle_seconds: int = Field(default=5, ge=1)
    """How long a connection is kept on which nothing is asked."""
    headers_maximum_count: int = Field(default=100, ge=1)
    headers_maximum_bytes: int = Field(default=32 * 1024, ge=1_024)
    headers_seconds: float = Field(default=10, gt=0)
    """How long a caller has to send them."""
    body_maximum_bytes: int = Field(default=512 * 1024, ge=1)
    """Of an ordinary operation; one that takes more says so in the OpenAPI document."""
    body_maximum_values: int = Field(default=50_000, ge=1)
    """Numbers, texts and so on in a body: reading them stops everybody else meanwhile."""
    body_seconds: float = Field(default=30, gt=0)
    streamed_body_seconds: float = Field(default=2 * 3600, gt=0)
    """For a body that is worked as it comes in: the time that is spent waiting for it."""
    minimum_bytes_per_second: int = Field(default=4_096, ge=1)
    """Of a body that is sent, and of an answer that is read."""
    grace_seconds: float = Field(default=10, gt=0)
    """How long either may be slower than that."""
    rate_ordinary_per_minute: int = Field(default=12_000, ge=1)
    rate_service_per_minute: int = Field(default=120_000, ge=1)
    """What is allowed to a caller that is no person."""
    rate_search_per_minute: int = Field(default=30, ge=1)
    rate_refused_per_minute: int = Field(default=300, ge=1)
    """How many tokens of one address are refused with a reason; afterwards without."""
    log_level: str = Field(default="INFO", validation_alias=AliasChoices("LOG_LEVEL", "log_level"))

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        if self.auth_issuer == DEVELOPMENT_ISSUER:
            yield "AUTH_ISSUER is the development issuer: set it to your OIDC issuer"
        else:
            yield from https_fault("AUTH_ISSUER", self.auth_issuer)
        yield from https_fault("AUTH_JWKS_URL", self.auth_jwks_url)
        if self.auth_development_key_file is not None:
            yield (
                "AUTH_DEVELOPMENT_KEY_FILE is set, and makes tokens for anyone who reads it: take "
                "it out, and set AUTH_TOKEN_URL, AUTH_CLIENT_ID and AUTH_CLIENT_SECRET where a "
                "process calls another"
            )
        if self.clock_file is not None:
            yield "CLOCK_FILE lets the clock be set: take it out"
        if self.docs is Documentation.WITH_TOKEN:
            yield f"DOCS={self.docs} hands tokens out: set it to {Documentation.ON} or leave it out"


class CallingSettings(EnvironmentSettings):
    """What a process reads beside its service's settings that calls another service."""

    auth_token_url: Address | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_TOKEN_URL", "auth_token_url")
    )
    auth_client_id: str | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_CLIENT_ID", "auth_client_id")
    )
    auth_client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_CLIENT_SECRET", "auth_client_secret")
    )

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        if self.auth_client_secret is not None:
            yield Secret.of_text("AUTH_CLIENT_SECRET", self.auth_client_secret.get_secret_value())

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        for name in ("auth_token_url", "auth_client_id", "auth_client_secret"):
            if getattr(self, name) is None:
                yield f"{self.variable_of(name)} is not set: set it as the issuer says"
        if self.auth_token_url is not None:
            yield from https_fault("AUTH_TOKEN_URL", self.auth_token_url)
