"""The payments service with providers that take batches over HTTP, and the book that judges it."""

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.payments.announcing import Announced
from tests.payments.conftest import Sandbox, World, entitlements, providers_with

QUICK_BATCHES = {
    "PAYMENTS_BATCH_LEASE_SECONDS": "3",
    "PAYMENTS_BATCH_PAGE_SIZE": "17",
    "PAYMENTS_BATCH_RESULTS_SECONDS": "0.05",
    "PAYMENTS_BATCH_RESULTS_LONGEST_SECONDS": "0.2",
}
"""Every wait about a batch made short, and pages small."""


def set_for_batches(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, **of_provider: Any
) -> dict[str, str]:
    """The environment in which both providers take batches."""
    changed = {
        **environment,
        **QUICK_BATCHES,
        "PAYMENTS_PROVIDERS": providers_with(
            environment, protocol="gsma-mobile-money-1.2-batches", **of_provider
        ),
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


async def pay(world: World, count: int) -> Announced:
    """Have so many entitlements announced and paid, and wait until the chunk is settled."""
    await world.fund(count * 200_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(count))
        await world.until_chunk(announced, "settled")
    return announced


async def judge(world: World, sandbox: Sandbox) -> Counter[str]:
    """Whether the book says of each line what the service says; how many are in which state."""
    book = sandbox.book()
    rows = await world.owner.fetch(
        "SELECT id, status::text, amount_minor, transaction_reference FROM payments.instruction"
    )
    assert set(book) <= {str(row["id"]) for row in rows}
    for row in rows:
        paid = book.get(str(row["id"]))
        if row["status"] == "settled":
            assert paid is not None
            assert paid["transaction_reference"] == row["transaction_reference"]
            assert int(paid["amount"]) == row["amount_minor"]
        elif row["status"] == "rejected":
            assert paid is None
    assert summary(sandbox)["duplicate_references"] == 0
    await world.proofs()
    return Counter(row["status"] for row in rows)


def summary(sandbox: Sandbox) -> dict[str, Any]:
    """The sums of the sandbox's book."""
    found: dict[str, Any] = httpx.get(f"{sandbox.options.url}/book/summary").json()
    return found
