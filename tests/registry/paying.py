"""Payments as the registry hears it: outcomes to fetch, and a chunk for it to end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.contracts.events import ChunkRefused, PaymentsProgressed, PaymentsSettled
from shared.contracts.outcomes import MEDIA_TYPE
from tests.registry.flow import Flow
from tests.server import eventually, serving

PAID_AT = "2026-01-05T06:00:00+00:00"


@dataclass
class Payments:
    """Stands for the payments service: serves outcomes as they are set."""

    outcomes: dict[str, str] = field(default_factory=dict)
    status: int = 200
    fetched: int = 0

    async def serve_outcomes(self, request: Request) -> Response:
        self.fetched += 1
        assert request.headers["authorization"].startswith("Bearer ")
        body = self.outcomes[str(request.path_params["chunk_id"])]
        return Response(body, status_code=self.status, media_type=MEDIA_TYPE)

    @asynccontextmanager
    async def running(self, url: str) -> AsyncIterator[None]:
        route = Route("/v1/chunks/{chunk_id:uuid}/outcomes", self.serve_outcomes)
        async with serving(Starlette(routes=[route]), int(url.rsplit(":", 1)[1])):  # type: ignore[arg-type]
            yield


@dataclass
class Announced:
    """A chunk that was announced, and its entitlements in the order in which they are fetched."""

    flow: Flow
    activation_id: UUID
    chunk_id: str
    entitlements: list[str]

    @classmethod
    async def of(cls, flow: Flow, activation_id: UUID, chunk_id: str) -> "Announced":
        fetched = await flow.chunk_rows(chunk_id)
        return cls(flow, activation_id, chunk_id, [row[0] for row in fetched])

    async def settle(self, payments: Payments, *outcomes: str) -> None:
        """Payments says that the chunk is settled: so each of it ended, in their order."""
        self._serve(payments, *outcomes)
        await self.flow.from_payments(
            PaymentsSettled(
                chunk_id=UUID(self.chunk_id),
                activation_id=self.activation_id,
                scheme="flood-2022",
                round=1,
                paid_count=0,
                paid_minor=0,
                failed_count=0,
                failed_minor=0,
            )
        )

    async def progress(self, payments: Payments, *outcomes: str) -> None:
        """Payments says how some of the chunk ended; empty: that one is still open."""
        self._serve(payments, *outcomes)
        await self.flow.from_payments(
            PaymentsProgressed(
                chunk_id=UUID(self.chunk_id),
                activation_id=self.activation_id,
                scheme="flood-2022",
                round=1,
                open_count=sum(not outcome for outcome in outcomes),
                paid_count=0,
                paid_minor=0,
                failed_count=0,
                failed_minor=0,
                unpayable_count=0,
                unpayable_minor=0,
            )
        )

    def _serve(self, payments: Payments, *outcomes: str) -> None:
        payments.outcomes[self.chunk_id] = "".join(
            f"{entitlement},{outcome},{PAID_AT}\n"
            for entitlement, outcome in zip(self.entitlements, outcomes, strict=True)
            if outcome
        )

    async def refuse(self, reason: str = "count differs") -> None:
        """Payments refuses the chunk."""
        await self.flow.from_payments(
            ChunkRefused(
                chunk_id=UUID(self.chunk_id), activation_id=self.activation_id, reason=reason
            )
        )

    async def chunk(self) -> dict[str, Any]:
        chunks = await self.flow.chunks(self.activation_id)
        return next(chunk for chunk in chunks if chunk["id"] == self.chunk_id)

    async def reaches(self, **wanted: object) -> None:
        """Wait until the chunk shows this."""

        async def there() -> bool:
            chunk = await self.chunk()
            return all(chunk[name] == value for name, value in wanted.items())

        await eventually(there)

    async def entitlement(self, position: int) -> dict[str, Any]:
        """One of its entitlements, explained."""
        owed: dict[str, Any] = await self.flow.get(f"/entitlements/{self.entitlements[position]}")
        return owed
