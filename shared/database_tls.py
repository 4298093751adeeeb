"""TLS to PostgreSQL: one setting for every connection, the pool's, LISTEN's and COPY's alike."""

import ssl
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import Explained


class CertificatesUnreadable(Explained):
    """DATABASE_TLS_CA names no file of certificates."""


class TlsMode(StrEnum):
    """How a connection to PostgreSQL is encrypted. One through a local socket never is."""

    PREFER = "prefer"
    """If the server offers it, whoever the server is."""
    REQUIRE = "require"
    """Or there is no connection; whoever the server is."""
    VERIFY_FULL = "verify-full"
    """Or there is no connection; and the server's certificate is for its name, by whom we trust."""


@dataclass(frozen=True)
class DatabaseTls:
    """How to encrypt: what every connection is made with."""

    mode: TlsMode = TlsMode.PREFER
    ca: Path | None = None

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """What asyncpg is given, also by SQLAlchemy; raises CertificatesUnreadable."""
        if self.mode is TlsMode.PREFER:
            return {}
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise CertificatesUnreadable(
                f"The certificates that DATABASE_TLS_CA names cannot be read "
                f"({type(error).__name__}): give a file in PEM, or leave the variable out where "
                "the machine trusts who vouches for PostgreSQL."
            ) from None
        if self.mode is TlsMode.REQUIRE:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}


def is_local_socket(url: str) -> bool:
    """Whether a database is reached through a socket of this machine, which is no network."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return False
    host = parsed.query.get("host") or parsed.host
    return isinstance(host, str) and host.startswith("/")


def password_of(url: str) -> str | None:
    """The password in a database's URL, if there is one."""
    try:
        return make_url(url).password
    except ArgumentError:
        return None
