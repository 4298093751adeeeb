"""A subscriber's server that misbehaves by its path, as a program of its own.

python -m tests.payments.receiver PORT

Whatever is posted to it is kept; ``GET /heard`` tells it. ``POST`` to ``/ok`` answers 204;
``/status/503`` that status; ``/flaky/2`` 500 twice for each message and then 204; ``/busy/600`` 503
and to come again after so many seconds; ``/redirect`` leads to ``/ok``; ``/never`` takes the
request and says nothing; ``/drip`` sends its headers a byte at a time; ``/giant`` and
``/giant-failing`` send a body without end; ``/cut`` closes the connection; ``/garbage`` is no HTTP;
``/headers`` sends headers without end.
"""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import free_port

_ROOT = Path(__file__).parent.parent.parent
_READY = b"listening\n"


class Receiver:
    """What it was sent, and how often each message."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.times: Counter[tuple[str, str]] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if method == "GET":
            await _say(writer, 200, json.dumps(self.heard).encode())
            return
        self.heard.append(
            {"path": path, "headers": headers, "body": base64.b64encode(body).decode()}
        )
        self.times[path, headers.get("webhook-id", "")] += 1
        await self._misbehave(path, self.times[path, headers.get("webhook-id", "")], writer)

    async def _misbehave(self, path: str, times: int, writer: asyncio.StreamWriter) -> None:
        match path.strip("/").split("/"):
            case ["status", status]:
                await _say(writer, int(status))
            case ["flaky", failures]:
                await _say(writer, 500 if times <= int(failures) else 204)
            case ["busy", seconds]:
                await _say(writer, 503, more=f"Retry-After: {seconds}\r\n")
            case ["redirect"]:
                await _say(writer, 307, more="Location: /ok\r\n")
            case ["never"]:
                await asyncio.sleep(60)
            case ["drip"]:
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1_000:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.2)
            case ["giant"]:
                await _without_end(writer, b"HTTP/1.1 200 OK\r\n\r\n")
            case ["giant-failing"]:
                await _without_end(writer, b"HTTP/1.1 500 Oh\r\n\r\n")
            case ["headers"]:
                await _without_end(writer, b"HTTP/1.1 200 OK\r\nX-Long: ")
            case ["garbage"]:
                writer.write(b"\x00\xffnothing that anybody knows\r\n\r\n")
            case ["cut"]:
                pass
            case _:
                await _say(writer, 204)


async def _say(
    writer: asyncio.StreamWriter, status: int, body: bytes = b"", *, more: str = ""
) -> None:
    writer.write(
        f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        f"{more}\r\n".encode()
        + body
    )
    await writer.drain()


async def _without_end(writer: asyncio.StreamWriter, beginning: bytes) -> None:
    writer.write(beginning)
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _main(port: int) -> None:
    server = await asyncio.start_server(Receiver().serve, "127.0.0.1", port)
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


@dataclass(frozen=True)
class Message:
    """A request as the receiver got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class RunningReceiver:
    """The program, and what it was sent."""

    url: str

    async def heard(self, path: str | None = None) -> list[Message]:
        """What was sent, to a path or to all of them, in order."""
        async with httpx.AsyncClient() as http:
            messages = (await http.get(f"{self.url}/heard")).json()
        return [
            Message(message["path"], message["headers"], base64.b64decode(message["body"]))
            for message in messages
            if path in (None, message["path"])
        ]


@contextlib.contextmanager
def receiving() -> Iterator[RunningReceiver]:
    """The program, until the end of the test."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.payments.receiver", str(port)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == _READY
        yield RunningReceiver(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
