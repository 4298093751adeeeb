"""What whoever watches payments is told of its providers, its alarms and what has no good end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.payments.alarms.tables import AlarmKind
from services.payments.providers.health.schemas import ProviderState
from services.payments.unresolved.kinds import UnresolvedKind
from shared.clock import set_clock
from tests.conftest import NOON
from tests.exposition import Exposition, watched
from tests.payments.conftest import World, entitlements
from tests.payments.steps import SILENCE, Steps

MEKONG = {"provider": "mekong", "currency": "KHR"}


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("PAYMENTS_METRICS_KEPT_SECONDS", "0")
    return environment


async def seen(world: World) -> Exposition:
    async with world.service.client("metrics:read", subject="monitor@test") as client:
        return await watched(client)


async def claimed(world: World, steps: Steps, count: int) -> list[UUID]:
    await world.registry.announce(entitlements(count, provider="mekong"))
    await steps.raise_announced()
    return [order.instruction_id for order in await steps.claim()]


async def test_money_at_a_provider_is_told_by_where_it_stands(world: World, steps: Steps) -> None:
    await world.fund(10_000_000, prefund_minor=96_000 * 2 + 1)
    await claimed(world, steps, 3)
    shown: dict[str, Any] = await world.get("/providers/mekong")
    told = await seen(world)
    stands = {"float": 1, "in_transit": 2 * 96_000, "waiting": 96_000, "suspense": 0, "unknown": 0}
    for money, amount_minor in stands.items():
        found = told.figure("provider_money_minor", money=money, **MEKONG)
        assert found == amount_minor, money
        assert amount_minor == shown.get(f"{money}_minor", 0)
    assert told.figure("provider_waiting", provider="mekong") == 1
    states = {
        state: told.figure("provider_state", provider="mekong", state=state)
        for state in ProviderState
    }
    assert sum(figure or 0 for figure in states.values()) == 1
    assert states[ProviderState(shown["health"]["state"])] == 1


async def test_what_has_no_end_and_its_alarm_are_told_and_every_other_kind_as_none(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    first, second = await claimed(world, steps, 2)
    await steps.hear([(first, SILENCE), (second, SILENCE)])
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON + timedelta(hours=2, minutes=1))
    while await steps.step("watch"):
        pass
    told = await seen(world)
    kind = UnresolvedKind.UNKNOWN_TOO_LONG
    counts = {kind: told.figure("unresolved", kind=kind) for kind in UnresolvedKind}
    assert {of: count for of, count in counts.items() if count} == {kind: 2}
    assert None not in counts.values()
    assert (told.figure("unresolved_oldest_seconds", kind=kind) or 0) >= 7200
    amount = told.figure("unresolved_amount_minor", kind=kind, currency="KHR")
    assert amount == 192_000
    alarms = {kind: told.figure("alarms", kind=kind) for kind in AlarmKind}
    assert {of: count for of, count in alarms.items() if count} == {AlarmKind.UNKNOWN_TOO_LONG: 2}
    assert None not in alarms.values()
    assert told.figure("provider_unknown", provider="mekong") == 2
    assert told.figure("provider_money_minor", money="unknown", **MEKONG) == 192_000
