"""An app served over HTTP by uvicorn inside the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from shared.server import protocol_of


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
        server.should_exit = True
        await task


async def eventually(condition: Callable[[], Awaitable[object]], *, seconds: float = 20) -> None:
    """Wait until ``await condition()`` is true; fail when it never is."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        if await condition():
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not come about in time"
        await asyncio.sleep(0.02)
