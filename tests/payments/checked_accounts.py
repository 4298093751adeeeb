"""Accounts that are checked before they are paid, for tests of that."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sandbox.accounts import holder
from tests.payments.announcing import Announced, Entitlement
from tests.payments.conftest import World
from tests.payments.steps import Steps

CHECKED: dict[str, Any] = {
    "account_checks": ["status", "name"],
    "account_checks_retry_seconds": 0.05,
}


def called_rightly(world: World, owed: Sequence[Entitlement]) -> None:
    """The registry calls households as the provider calls the holders of their accounts."""
    for entitlement in owed:
        world.registry.names[entitlement.household_id] = holder(entitlement.account)["nativeName"]


async def checked(steps: Steps) -> None:
    """Ask about all accounts about which something is to be asked now."""
    while sum([await steps.step(f"check-accounts-{code}") for code in ("mekong", "tonle")]):
        pass


async def raised(
    world: World, steps: Steps, owed: Sequence[Entitlement], *, activation_id: UUID | None = None
) -> Announced:
    """Announce them, and raise and release them as far as they can be."""
    announced = await world.registry.announce(owed, activation_id=activation_id)
    chunk = None
    while chunk is None or chunk["status"] == "announced":
        await steps.raise_announced()
        answer = await world.client.get(f"/chunks/{announced.chunk_id}")
        chunk = answer.json() if answer.status_code == 200 else None
    return announced


async def checks(world: World) -> list[dict[str, Any]]:
    """What is known of accounts."""
    rows = await world.owner.fetch(
        "SELECT *, outcome::text AS outcome FROM payments.account_check ORDER BY household_id"
    )
    return [dict(row) for row in rows]
