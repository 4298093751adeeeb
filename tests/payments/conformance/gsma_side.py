"""A wallet of the GSMA Mobile Money API, one at a time and many at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from shared.ids import new_id
from tests.payments.conformance.http_side import BUSY_SECONDS, HttpSide, Reply, playing, signed
from tests.payments.conformance.sides import OtherSide, Saying, Seen

_OURS = "requestingOrganisationTransactionReference"
_NOT_KNOWN = Reply(404, {"errorCategory": "identification", "errorCode": "identifierError"})


def _error(category: str, code: str, **more: Any) -> dict[str, Any]:
    return {"errorCategory": category, "errorCode": code, **more}


_BUSY = Reply(
    429,
    _error("serviceUnavailable", "rateLimitError"),
    (("Retry-After", str(BUSY_SECONDS)),),
)
_REFUSED = frozenset({Saying.REJECTS, Saying.NO_FLOAT, Saying.ECHOES})
_PAID_WHEN_ASKED = frozenset(
    {Saying.PAYS, Saying.PAYS_ANOTHER, Saying.PAYS_MORE, Saying.REJECTS_THEN_PAYS}
)


class Wallet(HttpSide):
    """Takes disbursements one at a time."""

    def reply(self, method: str, path: str, request: web.Request, body: bytes) -> Reply:
        if method == "POST":
            order = orjson.loads(body)
            account = order["creditParty"][0]["value"]
            self.seen.append(
                Seen(
                    request.headers["X-CorrelationID"],
                    (UUID(order[_OURS]),),
                    (account,),
                    body,
                )
            )
            return self._said_of_order(order, account)
        self.questions += 1
        return self._said_when_asked(path)

    def callback(self, instruction_id: UUID) -> tuple[dict[str, str], bytes] | None:
        body = orjson.dumps(_transaction(self, str(instruction_id)))
        return signed(body), body

    def _said_of_order(self, order: dict[str, Any], account: str) -> Reply:
        match self.saying:
            case Saying.TAKES:
                return Reply(202, {"serverCorrelationId": str(new_id()), "status": "pending"})
            case Saying.BUSY:
                return _BUSY
            case Saying.REJECTS_THEN_PAYS | Saying.DUPLICATE | Saying.REJECTS:
                return Reply(400, _refusal(self.saying, account))
            case Saying.NO_FLOAT | Saying.ECHOES:
                return Reply(400, _refusal(self.saying, account))
            case _:
                return Reply(201, _transaction(self, order[_OURS]))

    def _said_when_asked(self, path: str) -> Reply:
        resource, _, name = path.strip("/").partition("/")
        if resource == "responses":
            known = any(name == seen.request_id for seen in self.seen)
            if not known:
                return _NOT_KNOWN
            paid = self.saying in _PAID_WHEN_ASKED
            return Reply(
                200, {"link": f"/{'transactions/of-' if paid else 'requeststates/'}{name}"}
            )
        if resource == "transactions":
            return Reply(200, _transaction(self, name.removeprefix("of-")))
        state: dict[str, Any] = {"serverCorrelationId": name, "status": "pending"}
        if self.saying in _REFUSED:
            state |= {"status": "failed", "error": _refusal(self.saying, self.seen[-1].accounts[0])}
        return Reply(200, state)


class BatchWallet(HttpSide):
    """Takes batches of two steps."""

    def reply(self, method: str, path: str, request: web.Request, body: bytes) -> Reply:
        if method == "POST":
            lines = orjson.loads(body)["transactions"]
            self.seen.append(
                Seen(
                    request.headers["X-CorrelationID"],
                    tuple(UUID(line[_OURS]) for line in lines),
                    tuple(line["creditParty"][0]["value"] for line in lines),
                    body,
                )
            )
            return self._said_of_batch(lines)
        if method == "PATCH":
            return Reply(204)
        self.questions += 1
        return self._said_when_asked(path)

    def callback(self, instruction_id: UUID) -> tuple[dict[str, str], bytes] | None:
        body = orjson.dumps(_transaction(self, str(instruction_id)))
        return signed(body), body

    def _said_of_batch(self, lines: list[dict[str, Any]]) -> Reply:
        match self.saying:
            case Saying.BUSY:
                return _BUSY
            case Saying.NO_FLOAT | Saying.DUPLICATE | Saying.ECHOES:
                account = lines[0]["creditParty"][0]["value"]
                return Reply(400, _refusal(self.saying, account))
            case _:
                return Reply(201, self._batch("created"))

    def _said_when_asked(self, path: str) -> Reply:
        parts = path.strip("/").split("/")
        if parts[0] == "responses":
            known = any(parts[1] == seen.request_id for seen in self.seen)
            return Reply(200, {"link": "/batchtransactions/batch-1"}) if known else _NOT_KNOWN
        undecided = self.saying in (Saying.TAKES, Saying.DUPLICATE)
        match parts[2:]:
            case ["completions"]:
                return Reply(200, [] if undecided else self._completions())
            case ["rejections"]:
                return Reply(200, [] if undecided else self._rejections())
            case _:
                return Reply(200, self._batch("approved" if undecided else "completed"))

    def _batch(self, status: str) -> dict[str, Any]:
        return {"batchId": "batch-1", "batchStatus": status}

    def _completions(self) -> list[dict[str, Any]]:
        # What was rejected turns out to be paid from the second look on.
        late = self.saying is Saying.REJECTS_THEN_PAYS and self.questions > 4
        if self.saying in (Saying.REJECTS, Saying.REJECTS_THEN_PAYS) and not late:
            return []
        return [
            {
                "transactionReference": f"of-{line}",
                _OURS: str(new_id() if self.saying is Saying.PAYS_ANOTHER else line),
            }
            for line in self.seen[-1].lines
        ]

    def _rejections(self) -> list[dict[str, Any]]:
        if self.saying not in (Saying.REJECTS, Saying.REJECTS_THEN_PAYS):
            return []
        return [
            {"rejectionReason": f"incorrectState: {account} is closed", _OURS: str(line)}
            for line, account in zip(self.seen[-1].lines, self.seen[-1].accounts, strict=True)
        ]


@asynccontextmanager
async def wallet(_: Path) -> AsyncIterator[OtherSide]:
    async with playing("gsma-mobile-money-1.2", Wallet) as side:
        yield side


@asynccontextmanager
async def batch_wallet(_: Path) -> AsyncIterator[OtherSide]:
    async with playing("gsma-mobile-money-1.2-batches", BatchWallet) as side:
        yield side


def _transaction(side: OtherSide, ours: str) -> dict[str, Any]:
    return {
        "transactionReference": f"of-{ours}",
        "transactionStatus": "completed",
        "amount": "960000" if side.saying is Saying.PAYS_MORE else "96000",
        "currency": "KHR",
        _OURS: str(new_id()) if side.saying is Saying.PAYS_ANOTHER else ours,
    }


def _refusal(saying: Saying, account: str) -> dict[str, Any]:
    """An error object. Whatever it is about, the words beside the code name the account."""
    codes = {Saying.NO_FLOAT: "insufficientFunds", Saying.DUPLICATE: "duplicateRequest"}
    code = account if saying is Saying.ECHOES else codes.get(saying, "incorrectState")
    return _error(
        "businessRule",
        code,
        errorDescription=f"{account}: {code}",
        errorParameters=[{"key": "account", "value": account}],
    )
