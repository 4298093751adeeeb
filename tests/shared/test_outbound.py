"""Where a request may go that somebody else named."""

import asyncio
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis.strategies import ip_addresses, text
from yarl import URL

from shared.outbound import (
    JudgingResolver,
    LeadsInwards,
    Names,
    again_after,
    is_public,
    is_public_or_loopback,
    require_outward,
)

WITHIN = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.1.1",
    "172.16.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::7f00:1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", WITHIN)
def test_what_lies_within_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_lies_outside_is_public(address: str) -> None:
    assert is_public(address)


@given(ip_addresses())
def test_an_address_that_stands_for_another_is_judged_by_that(
    address: IPv4Address | IPv6Address,
) -> None:
    if isinstance(address, IPv4Address):
        for written in (f"::ffff:{address}", str(IPv6Address(int(address) + (0x64FF9B << 96)))):
            assert is_public(written) is is_public(str(address))
    elif is_public(str(address)):
        assert not address.is_private
        assert not address.is_loopback
        assert not address.is_link_local


@given(text())
def test_what_is_no_address_is_not_public(written: str) -> None:
    with suppress(ValueError):
        ip_address(written.partition("%")[0])
        return
    assert not is_public(written)
    assert not is_public_or_loopback(written)


def test_loopback_is_let_through_where_it_is_asked_for_and_nothing_else_is() -> None:
    assert [address for address in WITHIN if is_public_or_loopback(address)] == ["127.0.0.1", "::1"]
    assert is_public_or_loopback("8.8.8.8")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1"])
def test_an_address_in_place_of_a_name_is_judged_as_well(host: str) -> None:
    with pytest.raises(LeadsInwards):
        require_outward(URL(f"https://{host}/"), is_public)
    require_outward(URL("https://ministry.example/"), is_public)


class Rebinding(AbstractResolver):
    """A name server that means a public address at first, and this machine afterwards."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host="8.8.8.8" if self.asked == 1 else "127.0.0.1",
                port=port,
                family=2,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_means_another_address_later_leads_nowhere() -> None:
    """What is judged is what is connected to: one look, for each connection."""
    names = Rebinding()
    resolver = JudgingResolver(is_public, names=names)
    assert [answer["host"] for answer in await resolver.resolve("a.example", 443)] == ["8.8.8.8"]
    reached: list[str] = []

    async def within(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append("within")
        writer.close()

    server = await asyncio.start_server(within, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
    async with server, aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await session.get(f"http://a.example:{port}/")
        await asyncio.sleep(0)

    assert isinstance(refused.value.os_error, LeadsInwards)
    assert names.asked == 2
    assert reached == []


async def test_a_name_with_a_single_address_within_leads_nowhere() -> None:
    names = Names(at_once=1)
    with pytest.raises(LeadsInwards):
        await JudgingResolver(is_public, names=names).resolve("localhost", 443)
    assert await JudgingResolver(is_public_or_loopback, names=names).resolve("localhost", 443)
    await names.close()


async def test_a_name_that_nobody_answers_for_holds_no_other_name_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    look_up = socket.getaddrinfo

    def slow(host: str, *given: Any, **more: Any) -> Any:
        if host == "hangs.example":
            answered.wait(30)
            raise socket.gaierror
        return look_up(host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    names = Names(at_once=100)
    hanging = [asyncio.create_task(names.resolve("hangs.example")) for _ in range(99)]
    try:
        found = await names.resolve("localhost", 443)
        assert {answer["port"] for answer in found} == {443}
        assert not any(task.done() for task in hanging)
    finally:
        answered.set()
        assert all(
            isinstance(end, OSError)
            for end in await asyncio.gather(*hanging, return_exceptions=True)
        )
        await names.close()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999", 24 * 3600),
        ("9" * 400, None),
        ("-5", None),
        ("١٢٠", None),
        ("soon", None),
        ("", None),
        ("Mon, 05 Jan 2026 05:02:00 GMT", 120),
        ("Mon, 05 Jan 2026 04:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
        ("Mon, 05 Jan 2026 05:02:00", None),
    ],
)
def test_who_is_asked_says_when_to_come_again(text: str, seconds: float | None) -> None:
    now = datetime(2026, 1, 5, 5, tzinfo=UTC)
    assert again_after(text, now=now) == seconds
