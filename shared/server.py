"""How an API is served: uvicorn, with bounds on what a connection may cost before and after a
request. The application's own edge bounds what is between: the body, and how often one calls.

uvicorn bounds none of it but the time between two requests. Refused are too many connections;
headers that are too many, too large or too slow; a body that goes on after its answer; and an
answer that is not read.
"""

import asyncio
import json
from typing import ClassVar

from fastapi import FastAPI
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import (
    MEDIA_TYPE,
    BadRequest,
    Busy,
    HeadersTooLarge,
    Problem,
    TooSlow,
    document_of,
)
from shared.ids import new_id
from shared.settings import ServiceSettings

_SHUTDOWN_SECONDS = 10
_LINGER_SECONDS = 2.0
"""How long a sender who was answered early may go on: closed at once, it might not read why."""
_LINGER_BYTES = 14 * 1024 * 1024
_OF_A_HEADER_LINE = len(": \r\n")


def server_configuration(app: FastAPI, settings: ServiceSettings) -> Config:
    """How uvicorn serves a service's API on a socket that listens already."""
    return Config(
        app,
        http=protocol_of(settings),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def protocol_of(limits: ServiceSettings) -> type["BoundedProtocol"]:
    """The protocol of connections that keep to these limits."""
    return type("Protocol", (BoundedProtocol,), {"limits": limits})


class BoundedProtocol(HttpToolsProtocol):
    """A connection that one caller cannot make expensive."""

    limits: ClassVar[ServiceSettings]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_in_headers = True
        self._header_bytes = 0
        self._is_refused = False
        self._lingered_bytes = 0
        self._unread_bytes = 0
        self._waiting_for_headers: asyncio.TimerHandle | None = None
        self._waiting_for_reader: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections_maximum:
            self._refuse(Busy("Too many connections are open. Send the request again."))
        else:
            self._await_headers()

    def shutdown(self) -> None:
        # An answer that follows what happens has no end of its own.
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.ending.set()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._waiting_for_headers, self._waiting_for_reader, self._ending):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._linger(len(data))
            return
        if self._is_in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._is_in_headers and self._header_bytes and not self._is_refused:
            # What is here of them is not parsed as headers before they are whole.
            if self._header_bytes > self.limits.headers_maximum_bytes:
                self._refuse(_headers_too_large(self.limits))
            elif self._waiting_for_headers is None:
                self._await_headers()

    # What the parser finds.

    def on_headers_complete(self) -> None:
        if self._is_refused:
            return
        self._is_in_headers = False
        if self._waiting_for_headers is not None:
            self._waiting_for_headers.cancel()
            self._waiting_for_headers = None
        lines = self.headers
        size = len(self.url) + sum(
            len(name) + len(value) + _OF_A_HEADER_LINE for name, value in lines
        )
        limits = self.limits
        if len(lines) > limits.headers_maximum_count or size > limits.headers_maximum_bytes:
            self._refuse(_headers_too_large(limits))
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._is_refused:
            return
        super().on_body(body)
        if self.cycle.response_complete:
            self._linger(len(body))

    def on_message_complete(self) -> None:
        self._is_in_headers = True
        self._header_bytes = 0
        if self._is_refused:
            return
        if self._ending is not None:
            # The rest of a body that was answered early has come: the connection can be used on.
            self._ending.cancel()
            self._ending = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest("This is no request of HTTP/1.1. Correct it and send it again."))

    # What becomes of an answer.

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._end_within(self.limits.grace_seconds)
        elif not self._is_in_headers:
            self._lingered_bytes = 0
            self._end_within(_LINGER_SECONDS)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_within(self.limits.grace_seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._waiting_for_reader is not None:
            self._waiting_for_reader.cancel()
            self._waiting_for_reader = None

    # Waiting, with an end.

    def _await_headers(self) -> None:
        self._waiting_for_headers = self.loop.call_later(
            self.limits.headers_seconds, self._on_late_headers
        )

    def _on_late_headers(self) -> None:
        self._waiting_for_headers = None
        if self._is_answering:
            # The next request's headers, sent ahead: there is time until this one is answered.
            self._await_headers()
        elif self._header_bytes:
            self._refuse(
                TooSlow(
                    f"The headers have {self.limits.headers_seconds:.0f} seconds. Send the "
                    "request again."
                )
            )
        else:
            self.transport.close()

    def _await_reader(self) -> None:
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._waiting_for_reader = self.loop.call_later(
            self.limits.grace_seconds, self._look_at_reader
        )

    def _look_at_reader(self) -> None:
        read = self._unread_bytes - self.transport.get_write_buffer_size()
        if read < self.limits.grace_seconds * self.limits.minimum_bytes_per_second:
            self.transport.abort()
        else:
            self._await_reader()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and end the connection."""
        self._is_refused = True
        if self._is_answering:
            # Words now would be read as part of the answer that is under way.
            self.transport.abort()
            return
        content = json.dumps(document_of(problem, instance=f"urn:uuid:{new_id()}")).encode()
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **(problem.headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[problem.status] + f"{lines}\r\n".encode() + content)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._end_within(_LINGER_SECONDS)

    def _linger(self, size: int) -> None:
        self._lingered_bytes += size
        if self._lingered_bytes > _LINGER_BYTES:
            self.transport.abort()

    def _end_within(self, seconds: float) -> None:
        if self._ending is None:
            self._ending = self.loop.call_later(seconds, self.transport.abort)


def _headers_too_large(limits: ServiceSettings) -> HeadersTooLarge:
    return HeadersTooLarge(
        f"The headers and the address have {limits.headers_maximum_bytes} bytes at most, in "
        f"{limits.headers_maximum_count} lines. Send fewer or shorter ones."
    )
