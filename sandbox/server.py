"""Runs one sandbox until it is told to end."""

import asyncio
import socket
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.application import Application
from sandbox.batch_book import BatchBook
from sandbox.batch_desk import BatchDesk
from sandbox.book import Book, CannotOpenBook
from sandbox.clerk import Clerk
from sandbox.clock import CLOCK
from sandbox.courier import Courier
from sandbox.faulty_desk import FaultyBatchDesk
from sandbox.hostile import HostileApplication
from sandbox.options import SandboxOptions
from sandbox.postman import Postman
from sandbox.rumours import Rumours
from sandbox.teller import Teller
from sandbox.treasury import Treasury

BACKLOG = 2_048
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 5


class CannotStart(Exception):
    """The sandbox cannot serve; the message says what to change."""


class _Connection(HttpToolsProtocol):
    """Lets the application close a connection without an answer, which ASGI has no word for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {"transport": transport}


class _Server(uvicorn.Server):
    """uvicorn ends by raising the signal again; a clean end is exit status 0 here."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.should_exit = True


def serve(options: SandboxOptions) -> None:
    """Serve until SIGTERM or SIGINT; CannotStart if the port or the storage is not usable."""
    CLOCK.follow(options.clock_file)
    listener = _listen(options)
    try:
        book = Book(options.storage)
    except CannotOpenBook as error:
        raise CannotStart(f"cannot keep the book in {error}") from error
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options, listener=listener, book=book))
    book.close()


def _listen(options: SandboxOptions) -> socket.socket:
    try:
        return socket.create_server((options.host, options.port), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {options.host}:{options.port}: {error.strerror};"
            " end what uses it or choose another --port"
        ) from error


async def _serve(options: SandboxOptions, *, listener: socket.socket, book: Book) -> None:
    temperament = options.temperament
    teller = Teller(
        book=book,
        temperament=temperament,
        nature=options.nature,
        synchronous=options.synchronous,
    )
    postman = Postman(options.providers)
    courier = Courier(book=book, temperament=temperament, postman=postman)
    batches = BatchBook(book)
    clerk = Clerk(
        book=book,
        batches=batches,
        temperament=temperament,
        nature=options.batch_nature,
        postman=postman,
    )
    desk = (
        FaultyBatchDesk(options=options, book=book, batches=batches, clerk=clerk)
        if options.batch_faults
        else BatchDesk(options=options, book=book, batches=batches, clerk=clerk)
    )
    treasury = Treasury(book)
    rumours = Rumours(options.providers)
    application = (
        HostileApplication(
            options=options,
            book=book,
            teller=teller,
            courier=courier,
            desk=desk,
            treasury=treasury,
            rumours=rumours,
        )
        if options.hostile
        else Application(
            options=options,
            book=book,
            teller=teller,
            courier=courier,
            desk=desk,
            treasury=treasury,
        )
    )
    server = _Server(
        uvicorn.Config(
            application,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )

    def end_with_errands(_: asyncio.Task[None]) -> None:
        server.should_exit = True

    stop = asyncio.Event()
    errands = asyncio.create_task(_run_errands(courier, clerk, stop))
    errands.add_done_callback(end_with_errands)
    codes = ", ".join(provider.code for provider in options.providers)
    print(f"sandbox: {codes} at {options.url}, the book in {options.storage}", flush=True)
    await server.serve(sockets=[listener])
    stop.set()
    rumours.close()
    try:
        await asyncio.wait_for(errands, timeout=SHUTDOWN_SECONDS)
    except TimeoutError:
        return
    finally:
        postman.close()


async def _run_errands(courier: Courier, clerk: Clerk, stop: asyncio.Event) -> None:
    """What is done beside answering; a fault in either ends both."""
    async with asyncio.TaskGroup() as errands:
        errands.create_task(courier.run(stop))
        errands.create_task(clerk.run(stop))
