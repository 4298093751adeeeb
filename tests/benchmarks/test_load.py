"""The load generator counts every answer, against a server that answers as ours do."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from benchmarks.clients.load import read_requests, write_requests

_LIVE = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" + b'{"status":"alive"}'
_STORED = b"HTTP/1.1 204 No Content\r\nx-request-id: 1\r\n\r\n"


def _request(method: str, body: bytes) -> bytes:
    return f"{method} / HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def test_requests_survive_their_file(tmp_path: Path) -> None:
    requests = [_request("PUT", b"x" * size) for size in (0, 1, 5_000)]
    write_requests(tmp_path / "requests", requests)

    assert read_requests(tmp_path / "requests") == requests


async def test_every_request_is_sent_once_and_every_answer_counted(tmp_path: Path) -> None:
    received = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.split(b"content-length: ")[1].split()[0])
                received.append(await reader.readexactly(size))
                # In two pieces: an answer may arrive so.
                reply = _STORED if head.startswith(b"PUT") else _LIVE
                writer.write(reply[:20])
                await asyncio.sleep(0)
                writer.write(reply[20:])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sent = [str(number).encode() for number in range(60)]
    write_requests(
        tmp_path / "requests",
        [_request("PUT" if number % 3 else "GET", body) for number, body in enumerate(sent)],
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.clients.load"),
        *("127.0.0.1", str(port), "4", str(tmp_path / "requests")),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    server.close()

    assert json.loads(said)["statuses"] == {"204": 40, "200": 20}
    assert sorted(received) == sorted(sent)
