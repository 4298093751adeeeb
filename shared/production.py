"""What a production process does not start with.

A laptop's conveniences are a thief's: a key file that makes tokens, a clock that can be set, an
address that leads back into the machine. With ``ENVIRONMENT=production`` whatever of that is set
is told, all at once and without a value, and the process ends before it has opened anything.
"""

import hashlib
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

LEAST_SECRET_CHARACTERS = 16

_RESOLVING_SECONDS = 3

# RFC 2606 and RFC 6761: names that can be nobody's.
_NOBODYS = ("invalid", "test", "example", "localhost")
# Where clouds tell a machine its own credentials, beside the link-local 169.254.169.254.
_METADATA_NAMES = ("metadata.google.internal", "instance-data")
_METADATA_ADDRESSES = {ip_address("100.100.100.200"), ip_address("fd00:ec2::254")}

Address = IPv4Address | IPv6Address


class Environment(StrEnum):
    """Where a process runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True)
class Secret:
    """A secret of the settings, by the variable that gives it; never the secret itself.

    ``fault`` says why it protects nothing, if so. Two secrets that share a digest are one.
    """

    where: str
    digests: frozenset[bytes]
    fault: str | None = None

    @classmethod
    def of_key(cls, where: str, key: bytes, text: str) -> "Secret":
        """A key as bytes, and as the text that it was given as."""
        uniform = len(set(key)) < 2
        fault = "the same byte again and again: make one with `openssl rand -base64 32`"
        return cls(where, _digests(key, text.encode()), fault if uniform else None)

    @classmethod
    def of_text(cls, where: str, text: str, *, what: str = "it") -> "Secret":
        """A password, or what a provider or an issuer gave."""
        fault = None
        if len(text) < LEAST_SECRET_CHARACTERS:
            fault = (
                f"{what} has fewer than {LEAST_SECRET_CHARACTERS} characters: set another, such as "
                "`openssl rand -hex 24` makes"
            )
        return cls(where, _digests(text.encode()), fault)


def _digests(*written: bytes) -> frozenset[bytes]:
    return frozenset(hashlib.sha256(part).digest() for part in written)


def weak_secrets(secrets: Iterable[Secret]) -> Iterator[str]:
    """Those that protect nothing, with the reason."""
    for secret in secrets:
        if secret.fault:
            yield f"{secret.where}: {secret.fault}"


def shared_secrets(secrets: Iterable[Secret]) -> Iterator[str]:
    """Those that are given for two purposes: whoever learns the one has the other."""
    first: dict[bytes, str] = {}
    told = set()
    for secret in secrets:
        for digest in secret.digests:
            other = first.setdefault(digest, secret.where)
            if other != secret.where and secret.where not in told:
                told.add(secret.where)
                yield f"{secret.where} is the same secret as {other}: make one for each"


def https_fault(variable: str, url: str) -> Iterator[str]:
    """What is wrong with an address that secrets go to, or that keys come from."""
    parts = _split(url)
    if parts is None or parts.scheme != "https" or not parts.hostname:
        yield f"{variable} is no https URL: what it gives or gets could be read and changed"
        return
    if parts.username is not None or parts.password is not None:
        yield f"{variable} carries a name or a password: take them out of the URL"
    if reason := leads_astray(parts.hostname):
        yield f"{variable} {reason}: set the address that it really has"


def leads_astray(host: str) -> str | None:
    """Where a host leads that no partner is at, or None. A name is looked up if that can be done.

    Private addresses are let through, as partners are reached through tunnels. What a name will
    mean tomorrow nobody knows today: the network's own rules have to keep a process from what it
    may not reach.
    """
    name = host.rstrip(".").lower()
    literal = _literal(name)
    if literal is not None:
        return _astray(literal)
    if name in _METADATA_NAMES:
        return "leads to where a cloud tells credentials"
    if name.rpartition(".")[2] in _NOBODYS:
        return "names a host that nobody can have"
    for address in _resolved(name):
        if reason := _astray(address):
            return reason
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _literal(host: str) -> Address | None:
    """An address as it is written, also in the ways that only a resolver reads (``127.1``)."""
    with suppress(ValueError):
        return ip_address(host.partition("%")[0])
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(host))
    return None


def _astray(address: Address) -> str | None:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = mapped or address
    if address.is_loopback:
        return "leads back to this machine"
    if address in _METADATA_ADDRESSES or address.is_link_local:
        return "leads to this machine's own network, where a cloud tells credentials"
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        return "leads to an address that no host has"
    return None


def _resolved(host: str) -> list[Address]:
    """What a name means just now; nothing where nobody answers in time."""
    looking = ThreadPoolExecutor(max_workers=1)
    try:
        found = looking.submit(socket.getaddrinfo, host, None).result(_RESOLVING_SECONDS)
    except (OSError, UnicodeError, TookTooLong):
        return []
    finally:
        looking.shutdown(wait=False)
    return [ip_address(str(answer[4][0]).partition("%")[0]) for answer in found]
