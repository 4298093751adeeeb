"""Where a request that somebody else named may go: out, and never inwards.

The address that a name means is judged when the connection is made, and that very address is
connected to: a name cannot mean one thing when it is looked at and another when it is used.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_GIVEN_OUT = IPv6Network("2000::/3")
"""Of IPv6, what is given out to be used on the internet (RFC 4291, section 2.4, and IANA)."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a network without IPv4 writes them (RFC 6052)."""
_IPV4_BITS = 32

_LONGEST_WAIT_SECONDS = 24 * 3600
_LONGEST_SECONDS_DIGITS = 9

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


class Names(AbstractResolver):
    """Looks names up, as the machine does, on threads of its own.

    ``at_once`` names are looked up beside one another: nobody else on the machine's loop, and no
    other name up to that number, waits for one that nobody answers for.
    """

    def __init__(self, *, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raises OSError."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            partial(
                socket.getaddrinfo,
                host,
                port,
                family=family,
                type=socket.SOCK_STREAM,
                flags=socket.AI_ADDRCONFIG,
            ),
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=of_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of_family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class JudgingResolver(AbstractResolver):
    """Looks a name up, and gives no address at all where one of them may not be gone to."""

    def __init__(self, judge: Judge, *, names: AbstractResolver) -> None:
        self._judge = judge
        self._names = names

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


def again_after(text: str, *, now: datetime) -> float | None:
    """How long a ``Retry-After`` asks to wait, in seconds: a number, or an HTTP date.

    A day at most, and no time at all for what cannot be read or is over. Source: RFC 9110, 10.2.3.
    """
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_SECONDS_DIGITS:
        return float(min(int(text), _LONGEST_WAIT_SECONDS))
    try:
        until = parsedate_to_datetime(text)
        seconds = (until - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS) if seconds > 0 else None
