"""Statements as a provider writes them, for tests to send."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.payments.providers.protocol import Order
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

DAY = "2026-01-05"
"""The day in Phnom Penh on which tests begin."""
TREASURER = "treasurer@nspc.example"
HEADING = "Time,Transaction ID,Correlation ID,Type,Amount,Currency,Balance"
MAPPING = {
    "code": "mekong",
    "columns": {
        "our_id": "Correlation ID",
        "reference": "Transaction ID",
        "amount": "Amount",
        "currency": "Currency",
        "direction": "Type",
        "booked_at": "Time",
        "balance": "Balance",
    },
    "out_values": ["disbursement", "charge"],
    "in_values": ["deposit", "reversal"],
}


@dataclass(frozen=True)
class Line:
    """One line as the provider means it."""

    payment_id: UUID | None
    amount_minor: int = 96_000
    reference: str | None = None
    kind: str = "disbursement"
    currency: str = "KHR"
    at: datetime = NOON

    @property
    def net_minor(self) -> int:
        sign = -1 if self.kind in MAPPING["out_values"] else 1
        return sign * self.amount_minor

    def cells(self, balance_minor: int) -> list[str]:
        reference = self.reference or f"reference-of-{self.payment_id}"
        payment = self.payment_id.hex if self.payment_id else ""
        return [
            self.at.isoformat(),
            reference,
            payment,
            self.kind,
            str(self.amount_minor),
            self.currency,
            str(balance_minor),
        ]


def written(lines: Iterable[Line], *, opening_minor: int = 0) -> str:
    """The file of a day with these lines, and the balance after each."""
    balance, rows = opening_minor, [HEADING]
    for line in lines:
        balance += line.net_minor
        rows.append(",".join(line.cells(balance)))
    return "\n".join(rows) + "\n"


def lines_of(orders: Sequence[Order]) -> list[Line]:
    """What the provider books of payments that it made as ordered."""
    return [Line(order.instruction_id, order.money.amount_minor) for order in orders]


async def mapped(world: World, provider: str = "mekong") -> None:
    """Say how the provider's CSV is read, by two persons."""
    await world.post("/statement-mappings", {**MAPPING, "code": provider})


async def send(
    world: World,
    content: str | bytes,
    *,
    day: str = DAY,
    provider: str = "mekong",
    media_type: str = "text/csv",
    status: int = 201,
    by: str = TREASURER,
    key: str | None = None,
) -> Any:
    """Send a statement, as the treasurer does."""
    async with world.service.client(subject=by) as client:
        answer = await client.post(
            "/statements",
            params={"provider": provider, "day": day},
            content=content,
            headers={"Content-Type": media_type, "Idempotency-Key": key or str(new_id())},
        )
    assert answer.status_code == status, answer.text
    return answer.json()


async def ordered(world: World, steps: Steps, count: int, **common: Any) -> list[Order]:
    """Payments that are about to be sent to the provider."""
    await world.registry.announce(entitlements(count, **{"provider": "mekong", **common}))
    await steps.raise_announced()
    return await steps.claim()


async def open_differences(world: World, **by: Any) -> list[Any]:
    page = await world.get("/differences", status="open", limit=500, **by)
    return list(page["items"])
