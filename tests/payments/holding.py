"""Rules that hold payments, and what they hold."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.clock import set_clock
from tests.conftest import NOON
from tests.payments.announcing import Announced, Entitlement
from tests.payments.checked_accounts import raised
from tests.payments.conftest import World
from tests.payments.steps import Steps

ACCOUNT = {"same_account": {"households": 1, "window_days": 30}}
CAP = {"above_cap": {"amount_minor": 200_000, "currency": "KHR", "window_days": 30}}
NO_TIME = timedelta(0)
DUPLICATE = {"suspected_duplicate": {"window_days": 30}}


async def rule(world: World, **rules: Any) -> None:
    """Have the scheme's payments looked at by these rules, and by no others."""
    body = {"scheme": "flood", "reason": "After the review.", **rules}
    proposal = await world.propose("/hold-rules", body)
    await world.approve(proposal["id"])


async def released(
    world: World, steps: Steps, *owed: Entitlement, activation_id: UUID | None = None
) -> Announced:
    return await raised(world, steps, owed, activation_id=activation_id)


async def forget_sending(world: World, steps: Steps) -> None:
    """The database lost whether what is ready was sent: nobody knows, and it is asked about."""
    await world.owner.execute("UPDATE payments.chunk SET epoch = epoch - 1")
    while await steps.step("ask-first-mekong"):
        pass


async def after_an_hour(world: World) -> None:
    """What was sent was sent an hour ago, and is due."""
    await world.owner.execute(
        "UPDATE payments.instruction SET next_action_at = clock_timestamp(), "
        "sent_at = sent_at - interval '1 hour', "
        "first_sent_at = clock_timestamp() - interval '1 hour'"
    )


async def held(world: World, **filters: Any) -> list[tuple[str, str]]:
    """Which payments are held, by entitlement's instruction, and by which rule."""
    return [
        (hold["instruction_id"], hold["rule"])
        for hold in (await world.get("/holds", **filters))["items"]
    ]


async def households_claimed(steps: Steps) -> set[UUID]:
    return {order.household_id for order in await steps.claim()}


def later(world: World, **passed: float) -> None:
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON + timedelta(**passed))
