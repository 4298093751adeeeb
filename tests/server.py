"""An app served over HTTP by uvicorn inside the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from socket import socket

import uvicorn
from fastapi import FastAPI

from shared.server import protocol_of

PATIENCE_SECONDS = 120.0
"""For what is certain to come: a machine that is busy with other tests is slow at anything."""
_LOOK_SECONDS = 0.001
_TICK_SECONDS = 0.1


class _Server(uvicorn.Server):
    """Ends as soon as it is told to. uvicorn looks ten times a second whether it is, and a fifth of
    a second for each test is minutes for all of them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told_to_end = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self._told_to_end.set()

    async def main_loop(self) -> None:
        ticks = 0
        while not self._told_to_end.is_set():
            await self.on_tick(ticks)
            ticks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._told_to_end.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(_LOOK_SECONDS)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[str]:
    """Serve ``app`` on a loopback port; yields its base URL."""
    settings = getattr(app.state, "settings", None)
    server = _Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            http=protocol_of(settings) if settings else "auto",
            log_config=None,
            access_log=False,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("The app did not start.")
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()
        await task


async def eventually(
    condition: Callable[[], Awaitable[object]], *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait until ``await condition()`` is true; fail when it never is."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        if await condition():
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not come about in time"
        await asyncio.sleep(0.02)
