"""What tests of batches share: bodies, calls, and waiting for the end."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import orjson

from tests.sandbox.running import RunningSandbox, eventually

APPROVAL = [{"op": "replace", "path": "/batchStatus", "value": "approved"}]


def a_line(reference: str | None = None, **changes: object) -> dict[str, object]:
    """A right line of a batch; `changes` replace its fields, None removes one."""
    line: dict[str, object] = {
        "amount": "96000",
        "currency": "KHR",
        "type": "disbursement",
        "creditParty": [{"key": "msisdn", "value": "+85512000000"}],
        "debitParty": [{"key": "organisationid", "value": "nspc"}],
        "requestingOrganisationTransactionReference": reference or str(uuid.uuid4()),
        "descriptionText": "Flood relief, round 1",
    }
    line.update(changes)
    return {name: value for name, value in line.items() if value is not None}


def references(lines: Iterable[Mapping[str, object]]) -> list[str]:
    """The client's references of lines or of results."""
    return [str(line["requestingOrganisationTransactionReference"]) for line in lines]


class Batches:
    """A client of a sandbox's first provider, as far as batches go."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox

    def post(
        self,
        correlation_id: str | None,
        lines: object,
        *,
        callback_url: str | None = "",
        **changes: object,
    ) -> httpx.Response:
        """Ask for a batch; `changes` are fields of its body."""
        headers = self._headers(correlation_id)
        if callback_url is not None:
            headers["X-Callback-URL"] = callback_url or self.sandbox.receiver.url
        body = orjson.dumps({"transactions": lines, **changes})
        return self._send("POST", "/batchtransactions", body, headers)

    def take(self, lines: object, **changes: Any) -> str:
        """Ask for a batch under a new id, and wait until there is one; its name."""
        correlation_id = str(uuid.uuid4())
        answer = self.post(correlation_id, lines, **changes)
        assert answer.status_code == 202, answer.text
        return self.named(correlation_id)

    def named(self, correlation_id: str) -> str:
        """What the provider calls a batch, once there is one."""
        eventually(lambda: "/batchtransactions/" in self._link(correlation_id))
        return self._link(correlation_id).removeprefix("/batchtransactions/")

    def approve(
        self, batch_id: str, correlation_id: str | None = None, *, body: object = APPROVAL
    ) -> httpx.Response:
        headers = self._headers(correlation_id)
        return self._send("PATCH", f"/batchtransactions/{batch_id}", orjson.dumps(body), headers)

    def get(self, batch_id: str) -> Any:
        answer = self.sandbox.get(f"/batchtransactions/{batch_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def completed(self, batch_id: str) -> Any:
        """The batch, once each of its lines has its outcome."""
        eventually(lambda: self.get(batch_id)["batchStatus"] == "completed")
        return self.get(batch_id)

    def page(self, batch_id: str, kind: str, query: str = "") -> httpx.Response:
        return self.sandbox.get(f"/batchtransactions/{batch_id}/{kind}{query}")

    def results(self, batch_id: str, kind: str, *, limit: int = 1_000) -> list[Any]:
        """All of a kind, read by the page until there is none."""
        rows: list[Any] = []
        while page := self.page(batch_id, kind, f"?offset={len(rows)}&limit={limit}").json():
            rows += page
        return rows

    def _link(self, correlation_id: str) -> str:
        answer = self.sandbox.get(f"/responses/{correlation_id}")
        return str(answer.json().get("link", ""))

    def _headers(self, correlation_id: str | None) -> dict[str, str]:
        headers = {"X-API-Key": self.sandbox.provider.api_key}
        if correlation_id is not None:
            headers["X-CorrelationID"] = correlation_id
        return headers

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        url = self.sandbox.options.base_url(self.sandbox.provider.code) + path
        return self.sandbox.client.request(method, url, content=body, headers=headers)
