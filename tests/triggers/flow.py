"""How the tests drive the service: over HTTP, with the clock set and the worker caught up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson

from services.triggers.definitions.shipped import shipped_document
from shared.clock import FileClock, set_clock
from shared.ids import new_id
from tests.server import eventually
from tests.two_persons import CHECKER, approved

PUBLISHER = "feed:wfp@test"
REASON = {"reason": "Confirmed with the provincial committees."}


def batch(indicator: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Observations as they are posted."""
    return {"indicator": indicator["code"], "unit": indicator["unit"], "observations": rows}


@dataclass
class Flow:
    """One running service, its worker if there is one, and the database behind them."""

    client: httpx.AsyncClient
    client_of: Callable[[str], httpx.AsyncClient]
    owner: asyncpg.Connection
    clock_file: Path
    _publishing: str = ""

    def go_to(self, day: date) -> None:
        """Set the clock to noon UTC of a day."""
        set_clock(self.clock_file, datetime.combine(day, time(12), tzinfo=UTC))

    async def post(self, path: str, body: Any, *, key: str | None = None) -> httpx.Response:
        return await self.client.post(
            path, json=body, headers={"Idempotency-Key": key or str(new_id())}
        )

    async def created(self, path: str, body: Any) -> Any:
        """Send it; where that needs two persons, what came of it once the second approved."""
        answer = await self.post(path, body)
        if answer.status_code == 202 and "proposed_by" in answer.json():
            return await approved(self.client_of(CHECKER), answer.json())
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def got(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def publish(self, body: dict[str, Any]) -> httpx.Response:
        """Send observations as a publisher's own client does."""
        if not self._publishing:
            async with self.client_of(PUBLISHER) as publisher:
                self._publishing = publisher.headers["Authorization"]
        headers = {"Idempotency-Key": str(new_id()), "Authorization": self._publishing}
        return await self.client.post("/observations", json=body, headers=headers)

    async def record(self, indicator: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Record published figures."""
        answer = await self.publish(batch(indicator, rows))
        assert answer.status_code == 201, answer.text
        recorded: dict[str, Any] = answer.json()
        return recorded

    async def proposals(self, kind: str | None = None, **query: Any) -> list[dict[str, Any]]:
        """What waits for a second person, oldest first, unless another status is asked for."""
        kinds = {"kind": kind} if kind else {}
        found: list[dict[str, Any]] = (await self.got("/approvals", **kinds, **query))["items"]
        return found

    async def decide(
        self, proposal: dict[str, Any] | str, decision: str = "approval", *, by: str = CHECKER
    ) -> httpx.Response:
        """Approve, or decline (``refusal``), as somebody."""
        approval_id = proposal if isinstance(proposal, str) else proposal["id"]
        async with self.client_of(by) as client:
            return await client.post(f"/approvals/{approval_id}/{decision}", json=REASON)

    async def set_up(
        self, indicator: dict[str, Any], trigger: str, **changes: Any
    ) -> dict[str, Any]:
        """Register an indicator and post a shipped trigger, with parts of it changed."""
        await self.created("/indicators", indicator)
        posted: dict[str, Any] = await self.created(
            "/triggers", {**shipped_document(trigger), **changes}
        )
        return posted

    async def caught_up(self) -> None:
        """Wait until the worker has judged what is due, and weighed what came of it."""
        clock = FileClock(self.clock_file)

        async def done() -> bool:
            return bool(
                await self.owner.fetchval(
                    """
                    SELECT NOT EXISTS (SELECT FROM triggers.indicator WHERE judge_at <= $1)
                       AND NOT EXISTS (
                           SELECT FROM triggers.activation WHERE weigh_at IS NOT NULL
                       )
                    """,
                    clock.now(),
                )
            )

        await eventually(done)

    async def events(self, name: str) -> list[dict[str, Any]]:
        """The data of all events of one type, in order."""
        rows = await self.owner.fetch(
            "SELECT data FROM events.event WHERE type = $1 ORDER BY sequence",
            f"org.sangkroh.{name}.v1",
        )
        return [orjson.loads(row["data"]) for row in rows]

    async def evaluations(self, trigger: str) -> list[dict[str, Any]]:
        """All evaluations, oldest first."""
        page = await self.got(f"/triggers/{trigger}/evaluations", limit=500)
        assert page["next_cursor"] is None
        return list(reversed(page["items"]))

    async def activations(self) -> list[dict[str, Any]]:
        """All activations with areas and moves, oldest first."""
        page = await self.got("/activations", limit=500)
        return [
            await self.got(f"/activations/{activation['id']}")
            for activation in reversed(page["items"])
        ]
