"""Where a request that somebody else named may go: out, and never inwards.

The address that a name means is judged when the connection is made, and that very address is
connected to: a name cannot mean one thing when it is looked at and another when it is used.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

_GIVEN_OUT = IPv6Network("2000::/3")
"""Of IPv6, what is given out to be used on the internet (RFC 4291, section 2.4, and IANA)."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a network without IPv4 writes them (RFC 6052)."""
_IPV4_BITS = 32

Judge = Callable[[str], bool]
"""Whether a request may go to an address."""


class LeadsInwards(OSError):
    """A name, or an address, that no request may go to."""


def is_public(address: str) -> bool:
    """Whether an address is of the public internet; whatever is no address is not."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        carried = _carried(parsed)
        if carried is None:
            return parsed in _GIVEN_OUT and parsed.is_global and not parsed.is_multicast
        parsed = carried
    return parsed is not None and parsed.is_global and not parsed.is_multicast


def is_public_or_loopback(address: str) -> bool:
    """Whether an address is of the public internet, or of this machine itself."""
    parsed = _parsed(address)
    return is_public(address) or (parsed is not None and parsed.is_loopback)


def require_outward(url: URL, judge: Judge) -> None:
    """Raises LeadsInwards for a host that is an address: no resolver is asked about it."""
    host = url.host or ""
    if _parsed(host) is not None and not judge(host):
        raise LeadsInwards


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(address.partition("%")[0])
    return None


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that one of IPv6 stands for, if it does."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) % 2**_IPV4_BITS)
    return address.ipv4_mapped or address.sixtofour


class JudgingResolver(AbstractResolver):
    """Looks a name up, and gives no address at all where one of them may not be gone to."""

    def __init__(self, judge: Judge, *, names: AbstractResolver | None = None) -> None:
        self._judge = judge
        self._names = names or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raises LeadsInwards."""
        found = await self._names.resolve(host, port, family)
        if not all(self._judge(answer["host"]) for answer in found):
            raise LeadsInwards
        return found

    async def close(self) -> None:
        await self._names.close()
