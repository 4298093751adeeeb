"""How entitlements end: as payments says, whenever it says so, and said again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.contracts.events import ChunkRefused, PaymentsSettled
from shared.contracts.outcomes import MEDIA_TYPE
from shared.ids import new_id
from tests.registry.flow import BATTAMBANG, Flow, rows
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


@pytest.fixture
async def payments(environment: dict[str, str]) -> AsyncIterator[Payments]:
    stand_in = Payments()
    async with stand_in.running(environment["PAYMENTS_URL"]):
        yield stand_in


@dataclass
class Announced:
    """A chunk of three entitlements that was announced."""

    flow: Flow
    activation_id: UUID
    chunk_id: str
    entitlements: list[str]

    async def settle(self, payments: Payments, *outcomes: str) -> None:
        payments.outcomes[self.chunk_id] = "".join(
            f"{entitlement},{outcome},{PAID_AT}\n"
            for entitlement, outcome in zip(self.entitlements, outcomes, strict=True)
        )
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

    async def chunk(self) -> dict[str, Any]:
        (chunk,) = await self.flow.chunks(self.activation_id)
        return chunk

    async def reaches(self, **wanted: object) -> None:
        async def there() -> bool:
            chunk = await self.chunk()
            return all(chunk[name] == value for name, value in wanted.items())

        await eventually(there)


@pytest.fixture
async def announced(working: Flow) -> Announced:
    await working.register(rows(3))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    (chunk,) = await working.chunks(activation_id)
    fetched = await working.chunk_rows(chunk["id"])
    return Announced(working, activation_id, chunk["id"], [row[0] for row in fetched])


async def test_outcomes_are_fetched_and_end_the_entitlements(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)
    entitlement = await announced.flow.get(f"/entitlements/{announced.entitlements[1]}")
    assert (entitlement["status"], entitlement["reason"]) == ("failed", "accountNotFound")
    paid = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
    assert (paid["status"], paid["reason"]) == ("paid", None)
    assert paid["finished_at"] == "2026-01-05T06:00:00Z"
    activation = await announced.flow.get(f"/activations/{announced.activation_id}")
    progress = activation["progress"]
    assert (progress["paid_minor"], progress["failed_minor"]) == (320_000, 160_000)
    assert (progress["waiting_count"], progress["first_paid_at"]) == (0, "2026-01-05T06:00:00Z")
    summary = await announced.flow.get(f"/activations/{announced.activation_id}/summary")
    assert summary["reasons"] == {"accountNotFound": 1}
    assert summary["provinces"][0]["paid_count"] == 2
    (first, *_) = await announced.flow.get(f"/activations/{announced.activation_id}/rounds")
    assert first["status"] == "finished"


async def test_a_chunk_settled_again_takes_the_correction(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled")
    await announced.settle(payments, "failed,returned", "paid,", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)

    async def corrected() -> bool:
        owed = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
        return (owed["status"], owed["reason"]) == ("failed", "returned")

    await eventually(corrected)
    other = await announced.flow.get(f"/entitlements/{announced.entitlements[1]}")
    assert (other["status"], other["reason"]) == ("paid", None)


async def test_a_settlement_told_twice_is_applied_as_once(
    announced: Announced, payments: Payments
) -> None:
    for _ in range(2):
        await announced.settle(payments, "paid,", "paid,", "paid,")
    await announced.reaches(status="settled", paid_count=3)
    assert 1 <= payments.fetched <= 2


async def test_payments_that_does_not_answer_is_asked_again(
    announced: Announced, payments: Payments
) -> None:
    payments.status = 503
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def put_off() -> bool:
        return bool((await announced.chunk())["attempts"])

    await eventually(put_off)
    chunk = await announced.chunk()
    assert chunk["status"] == "settling"
    assert "HTTPStatusError" in chunk["last_error"]
    payments.status = 200
    await announced.reaches(status="settled", paid_count=3, attempts=0)


@pytest.mark.parametrize(
    "spoil", ["leave-one-out", "too-long", "no-csv", "one-twice", "unknown-outcome"]
)
async def test_outcomes_that_cannot_be_used_change_nothing(
    announced: Announced, payments: Payments, spoil: str
) -> None:
    good = f"{announced.entitlements[0]},paid,,{PAID_AT}\n"
    twice = good * 2 + f"{announced.entitlements[1]},paid,,{PAID_AT}\n"
    bodies = {
        "leave-one-out": good,
        "too-long": good * 200,
        "no-csv": "<html>",
        "one-twice": twice,
        "unknown-outcome": good.replace("paid", "perhaps"),
    }
    await announced.settle(payments, "paid,", "paid,", "paid,")
    payments.outcomes[announced.chunk_id] = bodies[spoil]

    await announced.reaches(attempts=1)
    chunk = await announced.chunk()
    assert (chunk["status"], chunk["paid_count"]) == ("settling", 0)


async def test_outcomes_of_another_chunk_end_nothing(
    announced: Announced, payments: Payments
) -> None:
    announced.entitlements = [str(new_id()) for _ in range(3)]
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def put_off() -> bool:
        return bool((await announced.chunk())["attempts"])

    await eventually(put_off)
    assert (await announced.chunk())["paid_count"] == 0


async def test_a_refused_chunk_and_its_entitlements_say_so(
    announced: Announced, payments: Payments
) -> None:
    await announced.flow.from_payments(
        ChunkRefused(
            chunk_id=UUID(announced.chunk_id),
            activation_id=announced.activation_id,
            reason="count differs",
        )
    )
    await announced.reaches(status="refused", refusal="count differs")
    entitlement = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
    assert (entitlement["status"], entitlement["reason"]) == ("refused", "count differs")
    activation = await announced.flow.get(f"/activations/{announced.activation_id}")
    assert activation["progress"]["refused_count"] == 3
    assert activation["progress"]["waiting_count"] == 0


async def test_payments_speaking_of_an_unknown_chunk_is_parked(
    announced: Announced, payments: Payments, run_worker: Callable[[str], Any]
) -> None:
    announced.chunk_id = str(new_id())
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def parked() -> bool:
        return bool((await announced.flow.get("/dead-letters"))["items"])

    await eventually(parked)
    (letter,) = (await announced.flow.get("/dead-letters"))["items"]
    assert letter["error"].startswith(f"Payments says that chunk {announced.chunk_id} is settled,")
    assert letter["error"].endswith("replay this event.")
