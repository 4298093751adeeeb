"""What every service is told by its environment."""

import base64
import binascii
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field, SecretBytes, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

KEY_BYTES = 32


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
    return {version: _decode_key(key) for version, key in keys.items()}


Key = Annotated[SecretBytes, BeforeValidator(_decode_key)]
"""One 32-byte key, in base64."""

KeyVersions = Annotated[dict[int, SecretBytes], NoDecode, BeforeValidator(_decode_keys)]
"""Keys by version, as JSON: ``{"1": "<base64 of 32 bytes>"}``. The highest version encrypts."""


class Documentation(StrEnum):
    """Whether an API serves pages that document it, and whether they come with a token."""

    ON = "on"
    OFF = "off"
    WITH_TOKEN = "with-token"


class ServiceSettings(BaseSettings):
    """Settings that all services share; a service adds its own, under its own prefix."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    service: ClassVar[str]

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

    database_url: str
    database_pool_size: int = Field(default=10, ge=1)
    database_pool_wait_seconds: float = Field(default=5, gt=0)
    """How long a request waits for a connection before it is answered 503."""
    host: str = "127.0.0.1"
    port: int

    auth_issuer: str = Field(validation_alias=AliasChoices("AUTH_ISSUER", "auth_issuer"))
    auth_audience: str = Field(
        default="sangkroh", validation_alias=AliasChoices("AUTH_AUDIENCE", "auth_audience")
    )
    auth_jwks_url: str = Field(validation_alias=AliasChoices("AUTH_JWKS_URL", "auth_jwks_url"))
    auth_token_url: str | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_TOKEN_URL", "auth_token_url")
    )
    auth_client_id: str | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_CLIENT_ID", "auth_client_id")
    )
    auth_client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_CLIENT_SECRET", "auth_client_secret")
    )
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
