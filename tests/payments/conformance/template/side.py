"""What plays the template's provider: all that the suite has to know of it."""

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
from tests.payments.conformance.template.adapter import PROTOCOL

_REASONS = {
    Saying.REJECTS: "account-closed",
    Saying.REJECTS_THEN_PAYS: "account-closed",
    Saying.NO_FLOAT: "float",
    Saying.DUPLICATE: "duplicate",
}


class TemplateSide(HttpSide):
    """Knows a payment from when it was posted, and says of it what it is to say."""

    def reply(self, method: str, path: str, request: web.Request, body: bytes) -> Reply:
        if method == "POST":
            said = orjson.loads(body)
            key, account = request.headers["Idempotency-Key"], said["account"]
            self.seen.append(Seen(key, (UUID(said["id"]),), (account,), body))
            if self.saying is Saying.BUSY:
                return Reply(429, {}, (("Retry-After", str(BUSY_SECONDS)),))
            return Reply(201, self._payment(said["id"], account))
        self.questions += 1
        name = path.rpartition("/")[2]
        known = [seen for seen in self.seen if seen.request_id == name]
        if not known:
            return Reply(404, {"id": name, "state": "unknown"})
        if self.saying is Saying.REJECTS_THEN_PAYS:
            return Reply(200, self._paid(name))
        return Reply(200, self._payment(name, known[0].accounts[0]))

    def callback(self, instruction_id: UUID) -> tuple[dict[str, str], bytes] | None:
        body = orjson.dumps(self._paid(str(instruction_id)))
        return signed(body), body

    def _payment(self, ours: str, account: str) -> dict[str, Any]:
        if self.saying is Saying.TAKES:
            return {"id": ours, "state": "taken"}
        reason = account if self.saying is Saying.ECHOES else _REASONS.get(self.saying)
        if reason is not None:
            return {"id": ours, "state": "refused", "reason": reason, "words": account}
        return self._paid(ours)

    def _paid(self, ours: str) -> dict[str, Any]:
        return {
            "id": str(new_id()) if self.saying is Saying.PAYS_ANOTHER else ours,
            "state": "paid",
            "amount_minor": 960_000 if self.saying is Saying.PAYS_MORE else 96_000,
            "currency": "KHR",
            "reference": f"of-{ours}",
        }


@asynccontextmanager
async def template_side(_: Path) -> AsyncIterator[OtherSide]:
    async with playing(PROTOCOL, TemplateSide) as side:
        yield side
