"""A sandbox process and a place for its callbacks, as the tests use them."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson

from sandbox.misbehaviour import AccountState, Misbehaviour
from sandbox.options import SandboxOptions

START_SECONDS = 120
CUT_OFF = (httpx.RemoteProtocolError, httpx.ReadError)
"""The connection is closed before the answer; it is reset where not all of the call was read."""


def eventually(holds: Callable[[], object], *, seconds: float = 120) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


@dataclass(frozen=True)
class Callback:
    path: str
    headers: Mapping[str, str]
    raw: bytes
    at: float

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


class CallbackReceiver:
    """An endpoint for callbacks; `status` is what it answers from now on."""

    def __init__(self) -> None:
        self.status = 204
        self.callbacks: list[Callback] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.callbacks.append(Callback(self.path, headers, body, time.monotonic()))
                self.send_response(receiver.status)
                if receiver.status != 204:
                    self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                # A killed sandbox resets its connections, which is no fault of this endpoint.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/providers/mekong/callbacks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, correlation_id: str) -> list[Callback]:
        return [
            each for each in self.callbacks if each.headers["x-correlationid"] == correlation_id
        ]


class RunningSandbox:
    """The real program in its own process, and a client of its first provider."""

    def __init__(self, options: SandboxOptions, receiver: CallbackReceiver) -> None:
        self.options = options
        self.receiver = receiver
        self.temperament = options.temperament
        self.provider = options.providers[0]
        self.client = httpx.Client(timeout=5)
        self._process: subprocess.Popen[bytes] | None = None
        self._accounts = 0

    def start(self) -> None:
        process = subprocess.Popen(
            self.options.command(python=sys.executable),
            env={**os.environ, **self.options.environment()},
            stdout=subprocess.PIPE,
        )
        self._process = process
        assert process.stdout is not None
        assert b"the book in" in process.stdout.readline()
        eventually(self._answers, seconds=START_SECONDS)

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        self.client.close()

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        os.kill(self._process.pid, how)
        status = self._process.wait(timeout=10)
        self._process.stdout.close()
        self._process = None
        return status

    def _answers(self) -> bool:
        try:
            return self.get("/heartbeat").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str, *, api_key: str | None = None) -> httpx.Response:
        headers = {"X-API-Key": self.provider.api_key if api_key is None else api_key}
        return self.client.get(self.options.base_url(self.provider.code) + path, headers=headers)

    def disburse(
        self,
        correlation_id: str | None,
        *,
        body: Mapping[str, object] | bytes | None = None,
        provider: int = 0,
        api_key: str | None = None,
        transaction_type: str = "disbursement",
        callback_url: str | None = "",
        **changes: object,
    ) -> httpx.Response:
        """Ask for a disbursement; `changes` replace fields of a right body, None removes one."""
        chosen = self.options.providers[provider]
        headers = {"X-API-Key": chosen.api_key if api_key is None else api_key}
        if correlation_id is not None:
            headers["X-CorrelationID"] = correlation_id
        if callback_url is not None:
            headers["X-Callback-URL"] = callback_url or self.receiver.url
        if body is None:
            body = self.request_body(str(correlation_id), **changes)
        return self.client.post(
            f"{self.options.base_url(chosen.code)}/transactions/type/{transaction_type}",
            headers=headers,
            content=body if isinstance(body, bytes) else orjson.dumps(body),
        )

    def request_body(self, reference: str, **changes: object) -> dict[str, object]:
        body: dict[str, object] = {
            "amount": "96000",
            "currency": "KHR",
            "creditParty": [{"key": "msisdn", "value": "+85512000000"}],
            "debitParty": [{"key": "organisationid", "value": "nspc"}],
            "requestingOrganisationTransactionReference": reference,
            "descriptionText": "Flood relief, round 1",
        }
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def new_id(self, misbehaviour: Misbehaviour | None = None) -> str:
        """A correlation id that this sandbox treats so."""
        while True:
            candidate = str(uuid.uuid4())
            if self.temperament.conduct(candidate).misbehaviour is misbehaviour:
                return candidate

    def missing_account(self, state: AccountState, *, at_once: bool) -> list[dict[str, str]]:
        """A credit party whose account cannot be paid."""
        while True:
            self._accounts += 1
            account = f"+85597{self._accounts:07d}"
            conduct = self.temperament.account(account)
            if conduct.state is state and conduct.rejected_at_once == at_once:
                return [{"key": "msisdn", "value": account}]

    def state_of(self, correlation_id: str) -> Any:
        """The state of a request, found the way a client finds it that got no answer."""
        link = self.get(f"/responses/{correlation_id}").json()["link"]
        return self.get(link).json()

    def summary(self) -> Any:
        return self.client.get(f"{self.options.url}/book/summary").json()

    def book(self) -> list[dict[str, str]]:
        text = self.client.get(f"{self.options.url}/book").text
        return list(csv.DictReader(io.StringIO(text)))

    def booked(self, correlation_id: str) -> list[dict[str, str]]:
        return [row for row in self.book() if row["correlation_id"] == correlation_id]

    def wait_until_at_rest(self) -> Any:
        eventually(lambda: not (self.summary()["pending"] or self.summary()["callbacks_due"]))
        return self.summary()
