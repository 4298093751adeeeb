"""Every kind of connection to PostgreSQL is encrypted by one setting, and refuses a stranger."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from deploy.local.ports import free_port
from judge.witnesses.database import CANNOT_ASK, snapshot
from shared.database import Database, DatabaseUnusable, driver_connection, parse_url
from shared.database_tls import CertificatesUnreadable, DatabaseTls, TlsMode
from shared.migrations import connected

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # PostgreSQL's protocol, section 54.7
_ANSWER = "SELECT true"


@dataclass(frozen=True)
class Server:
    url: str
    ca: Path
    other_ca: Path


class Authority:
    """Who vouches for servers."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._made(self._name, self._key, is_authority=True)

    def vouch(self) -> tuple[bytes, bytes]:
        """A certificate for 127.0.0.1, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PostgreSQL")])
        made = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._made(subject, key, is_authority=False), made

    def _made(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> bytes:
        now = datetime.now(UTC)
        building = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if is_authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            building = building.add_extension(usage, critical=True)
        else:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            building = building.add_extension(names, critical=False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        building = building.add_extension(identifier, critical=False)
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        building = building.add_extension(by, critical=False)
        return building.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """PostgreSQL behind TLS, and both authorities' certificates.

    The embedded server is built without TLS: what stands before it takes nothing that is not
    encrypted, as `hostssl` would, and hands the rest on.
    """
    authority = Authority("ours")
    (tmp_path / "ours.pem").write_bytes(authority.certificate)
    (tmp_path / "other.pem").write_bytes(Authority("another's").certificate)
    for name, content in zip(("server.crt", "server.key"), authority.vouch(), strict=True):
        (tmp_path / name).write_bytes(content)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    real = make_url(database_url)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                await _handed_on(reader, writer, real)
        except (OSError, asyncio.IncompleteReadError):
            pass  # a client that turned away
        finally:
            writer.close()

    port = free_port()
    async with await asyncio.start_server(accepted, "localhost", port):
        url = real.set(host="127.0.0.1", port=port, query={})
        yield Server(
            url.render_as_string(hide_password=False),
            tmp_path / "ours.pem",
            tmp_path / "other.pem",
        )


async def _handed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, real: URL) -> None:
    folder = real.query.get("host")
    if isinstance(folder, str):
        there = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{real.port or 5432}")
    else:
        there = await asyncio.open_connection(real.host, real.port or 5432)

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await source.read(65_536):
                target.write(part)
                await target.drain()
        target.close()

    await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))


@asynccontextmanager
async def _database(server: Server, tls: DatabaseTls) -> AsyncIterator[Database]:
    database = Database(server.url, application_name="test", tls=tls)
    try:
        yield database
    finally:
        await database.dispose()


async def pooled(server: Server, tls: DatabaseTls) -> bool:
    async with _database(server, tls) as database, database.transaction() as session:
        return bool(await session.scalar(text(_ANSWER)))


async def listening(server: Server, tls: DatabaseTls) -> bool:
    async with _database(server, tls) as database, database.connection() as connection:
        await connection.add_listener("events", lambda *_: None)
        return bool(await connection.fetchval(_ANSWER))


async def copying(server: Server, tls: DatabaseTls) -> bool:
    copied = bytearray()

    async def collect(part: bytes) -> None:
        copied.extend(part)

    async with _database(server, tls) as database, database.transaction() as session:
        connection = await driver_connection(session)
        await connection.copy_from_query(_ANSWER, output=collect, format="csv")
    return copied == b"t\n"


async def migrating(server: Server, tls: DatabaseTls) -> bool:
    async with connected(parse_url(server.url), tls=tls) as connection:
        return bool(await connection.scalar(text(_ANSWER)))


async def judging(server: Server, tls: DatabaseTls) -> bool:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_TLS", tls.mode)
        if tls.ca is not None:
            environment.setenv("DATABASE_TLS_CA", str(tls.ca))
        async with snapshot(server.url) as connection:
            return bool(await connection.fetchval(_ANSWER))


@pytest.mark.parametrize("connect", [pooled, listening, copying, migrating, judging])
async def test_every_connection_is_encrypted_to_whom_we_trust_and_made_to_nobody_else(
    server: Server, connect: Callable[[Server, DatabaseTls], Awaitable[bool]]
) -> None:
    assert await connect(server, DatabaseTls(TlsMode.VERIFY_FULL, server.ca))
    with pytest.raises((DatabaseUnusable, *CANNOT_ASK)) as refused:
        await connect(server, DatabaseTls(TlsMode.VERIFY_FULL, server.other_ca))
    assert "certificate" in str(refused.value)
    elsewhere = Server(server.url.replace("127.0.0.1", "localhost"), server.ca, server.other_ca)
    with pytest.raises((DatabaseUnusable, *CANNOT_ASK)):
        await connect(elsewhere, DatabaseTls(TlsMode.VERIFY_FULL, server.ca))
    assert await connect(elsewhere, DatabaseTls(TlsMode.REQUIRE))


async def test_who_is_not_trusted_is_told_with_the_setting(server: Server) -> None:
    async with _database(server, DatabaseTls(TlsMode.VERIFY_FULL, server.other_ca)) as database:
        with pytest.raises(DatabaseUnusable, match="DATABASE_TLS_CA"):
            await database.check()


@pytest.mark.parametrize("query", ["ssl=require", "sslmode=verify-full"])
def test_a_url_that_speaks_of_tls_is_refused_for_half_of_the_connections_would_not_hear_it(
    query: str,
) -> None:
    with pytest.raises(DatabaseUnusable, match="set DATABASE_TLS"):
        parse_url(f"postgresql://u@h/d?{query}")


def test_certificates_that_are_none_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(CertificatesUnreadable, match="DATABASE_TLS_CA"):
            _ = DatabaseTls(TlsMode.VERIFY_FULL, path).arguments
