"""No payment stays without an end unseen: it is listed with its age, and told once."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.payments.answers.recording import Recorded
from services.payments.unresolved.kinds import UnresolvedKind
from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.conftest import BothSettings, World, entitlements
from tests.payments.steps import (
    NOT_KNOWN,
    PENDING,
    REJECTED,
    SILENCE,
    Steps,
    paid,
    running_steps,
)

WHY = {"reason": "On the provider's statement."}


async def sent(world: World, steps: Steps, count: int = 1, **common: Any) -> list[UUID]:
    await world.registry.announce(entitlements(count, **{"provider": "mekong", **common}))
    await steps.raise_announced()
    return [order.instruction_id for order in await steps.claim()]


def later(world: World, **passed: float) -> None:
    """Let time pass, by the domain's clock."""
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON + timedelta(**passed))


async def unresolved(world: World) -> dict[str, Any]:
    """What there is, by kind."""
    kinds = (await world.get("/unresolved"))["kinds"]
    assert [kind["kind"] for kind in kinds] == list(UnresolvedKind)
    return {kind["kind"]: kind for kind in kinds if kind["count"]}


async def items(world: World, kind: str, **filters: Any) -> list[Any]:
    found: list[Any] = (await world.get(f"/unresolved/{kind}", **filters))["items"]
    return found


async def alarms(world: World, **filters: Any) -> list[Any]:
    found: list[Any] = (await world.get("/alarms", **filters))["items"]
    return found


async def watched(steps: Steps) -> None:
    while await steps.step("watch"):
        pass


async def test_where_every_payment_comes_to_rest_nothing_is_listed(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    for instruction_id in await sent(world, steps, 2):
        await steps.hear([(instruction_id, paid(instruction_id))])
    assert await unresolved(world) == {}


async def test_what_waits_for_money_is_listed_until_it_is_there(world: World, steps: Steps) -> None:
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    found = await unresolved(world)
    assert {kind: found[kind]["count"] for kind in found} == {"not_funded": 2}
    assert "deposits" in found["not_funded"]["what_to_do"]

    # The fund covers the round; the provider's float covers half of it.
    await world.fund(10_000_000, prefund_minor=96_000)
    await steps.raise_announced()
    assert len(await steps.claim()) == 1
    assert await unresolved(world) == {}
    later(world, minutes=16)
    found = await unresolved(world)
    assert {kind: found[kind]["count"] for kind in found} == {"not_sent_too_long": 1}
    assert found["not_sent_too_long"]["oldest_age_seconds"] >= 900
    await world.post("/providers/mekong/prefundings", {"amount_minor": 96_000, "reference": "x"})
    assert len(await steps.claim()) == 1
    assert await unresolved(world) == {}


@pytest.mark.parametrize(
    ("answer", "kind", "hours"),
    [(PENDING, "pending_too_long", 7), (SILENCE, "unknown_too_long", 2)],
)
async def test_what_waits_too_long_is_listed_told_once_and_cleared_by_its_end(
    world: World, steps: Steps, answer: Any, kind: str, hours: int
) -> None:
    await world.fund(10_000_000)
    first, second = await sent(world, steps, 2)
    await steps.hear([(first, answer), (second, answer)])
    await watched(steps)
    assert await unresolved(world) == {}
    assert await alarms(world) == []

    later(world, hours=hours, minutes=1)
    for _ in range(2):
        await watched(steps)
    found = (await unresolved(world))[kind]
    assert found["count"] == 2
    assert found["oldest_age_seconds"] >= hours * 3600
    assert [sort["amount_minor"] for sort in found["sorts"]] == [192_000]
    assert "/v1/resolutions" in found["what_to_do"]
    assert {item["instruction_id"] for item in await items(world, kind)} == {
        str(first),
        str(second),
    }
    raised = await alarms(world, kind=kind, status="open")
    assert [alarm["occurrences"] for alarm in raised] == [1, 1]

    await steps.hear([(first, paid(first))])
    await world.resolve(second, "settled")
    await steps.step("resolve")
    await watched(steps)
    assert await unresolved(world) == {}
    assert await alarms(world, status="open") == []
    cleared = await alarms(world, status="cleared")
    assert [alarm["cleared_by"] for alarm in cleared] == [None, None]
    assert all(alarm["cleared_at"] for alarm in cleared)


async def test_a_bank_that_answers_the_next_day_has_longer_than_a_wallet(
    world: World, steps: Steps, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fund(10_000_000)
    of_bank = await sent(world, steps)
    await world.registry.announce(entitlements(1, provider="tonle"))
    await steps.raise_announced()
    of_wallet = [order.instruction_id for order in await steps.claim("tonle")]
    for provider, [instruction_id] in (("mekong", of_bank), ("tonle", of_wallet)):
        await steps.hear([(instruction_id, SILENCE)], provider=provider)

    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    patient = [
        {**provider, **({"unknown_too_long_seconds": 108_000} if at == 0 else {})}
        for at, provider in enumerate(providers)
    ]
    assert patient[0]["code"] == "mekong"
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(patient))
    world.service.app.state.settings = BothSettings()
    async with running_steps(BothSettings()) as with_patience:
        later(world, hours=29)
        await watched(with_patience)
        assert [item["provider"] for item in await items(world, "unknown_too_long")] == ["tonle"]
        raised = await alarms(world, kind="unknown_too_long")
        assert [alarm["instruction_id"] for alarm in raised] == [str(of_wallet[0])]
        later(world, hours=31)
        await watched(with_patience)
        assert len(await items(world, "unknown_too_long")) == 2
        assert len(await alarms(world, kind="unknown_too_long")) == 2


async def test_a_payment_is_as_old_as_its_first_sending(world: World, steps: Steps) -> None:
    """Asking, sending again and being told nothing new do not make it young."""
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, SILENCE)])
    later(world, hours=2, minutes=1)
    assert await steps.resend(instruction_id)
    await steps.hear([(instruction_id, SILENCE)])
    assert (await unresolved(world))["unknown_too_long"]["oldest_age_seconds"] >= 7_200


async def test_each_unhappy_end_is_listed_by_its_reason_until_it_is_made_good(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    other, late, rejected, returned = await sent(world, steps, 4)
    await steps.hear(
        [
            (other, paid(other, amount_minor=1)),
            (late, REJECTED),
            (rejected, REJECTED),
            (returned, paid(returned)),
        ]
    )
    await steps.hear([(late, paid(late))])
    await world.resolve(returned, "returned")
    await steps.step("resolve")
    found = await unresolved(world)
    assert set(found) == {"held", "rejected", "returned"}
    assert [(sort["reason"], sort["count"]) for sort in found["held"]["sorts"]] == [
        ("different_payment", 1),
        ("late_success", 1),
    ]
    [held] = await items(world, "held", reason="late_success")
    assert (held["instruction_id"], held["amount_minor"]) == (str(late), 96_000)
    assert await items(world, "held", provider="tonle") == []

    # Another attempt is under way: the first one's end is none to look at any more.
    attempt = await world.post(f"/instructions/{rejected}/attempts", WHY)
    assert "rejected" not in await unresolved(world)
    await steps.claim()
    await steps.hear([(UUID(attempt["id"]), REJECTED)])
    [again] = await items(world, "rejected")
    assert again["instruction_id"] == attempt["id"]


async def test_the_items_come_in_pages_the_oldest_first(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    ids = await sent(world, steps, 5)
    for minute, instruction_id in enumerate(reversed(ids)):
        later(world, minutes=minute)
        await steps.hear([(instruction_id, REJECTED)])
    seen: list[str] = []
    cursor = None
    while True:
        page = await world.get(
            "/unresolved/rejected", limit=2, **({"cursor": cursor} if cursor else {})
        )
        seen += [item["instruction_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(instruction_id) for instruction_id in reversed(ids)]


async def test_a_late_success_that_cannot_be_booked_is_listed_until_it_is(
    world: World, steps: Steps
) -> None:
    await world.fund(96_000, prefund_minor=0)
    await world.post("/providers/mekong/prefundings", {"amount_minor": 96_000, "reference": "x"})
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, REJECTED)])
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    assert await steps.hear([(instruction_id, paid(instruction_id))]) == [Recorded.BLOCKED]
    found = await unresolved(world)
    assert found["booked_but_rejected"]["count"] == 1
    assert "rejected" not in found
    for _ in range(2):
        told = {alarm["kind"] for alarm in await alarms(world, status="open")}
        assert told >= {"cannot_post"}
        await watched(steps)

    await world.fund(96_000, prefund_minor=0)
    await steps.hear([(instruction_id, paid(instruction_id))])
    await watched(steps)
    assert [alarm["kind"] for alarm in await alarms(world, status="open")] == ["late_success"]
    assert set(await unresolved(world)) == {"held"}
    await world.proofs()


async def test_a_provider_that_was_taken_out_of_the_settings_is_one_alarm(
    world: World,
    steps: Steps,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await world.fund(10_000_000)
    first, second = await sent(world, steps, 2)
    await steps.hear([(first, SILENCE), (second, PENDING)])
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()

    left = [
        provider
        for provider in json.loads(environment["PAYMENTS_PROVIDERS"])
        if provider["code"] != "mekong"
    ]
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(left))
    # The API of a service that was started with the new settings.
    world.service.app.state.settings = without = BothSettings()
    async with running_steps(without) as restarted:
        for _ in range(2):
            await watched(restarted)
        [alarm] = await alarms(world, status="open")
        assert (alarm["kind"], alarm["instruction_id"], alarm["provider"]) == (
            "provider_not_configured",
            None,
            "mekong",
        )
        assert "4 payments have no end" in alarm["detail"]
        assert (await unresolved(world))["provider_not_configured"]["count"] == 4

        # The way out, in bulk: what is ready is cancelled, the rest decided on.
        for status, outcome in (
            ("ready", "cancelled"),
            ("unknown", "rejected"),
            ("pending", "settled"),
        ):
            body = {
                "outcome": outcome,
                "chosen": {"status": status, "provider": "mekong"},
                **WHY,
            }
            await world.post("/resolutions", body)
        while await restarted.step("resolve"):
            pass
        await watched(restarted)
        assert await alarms(world, status="open") == []
        assert set(await unresolved(world)) == {"rejected"}
    await world.proofs()


async def test_a_status_word_that_nobody_knows_is_told_after_a_while(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, PENDING)])
    await owner.execute("UPDATE payments.instruction SET reason = 'transaction_parked'")
    await watched(steps)
    assert await alarms(world) == []
    later(world, minutes=20)
    await watched(steps)
    [alarm] = await alarms(world)
    assert alarm["kind"] == "unknown_status"
    assert "transaction_parked" in alarm["detail"]
    await steps.hear([(instruction_id, paid(instruction_id))])
    await watched(steps)
    assert await alarms(world, status="open") == []


async def test_what_the_provider_does_not_know_and_no_machine_sends_again_is_listed(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, PENDING)])
    await steps.hear([(instruction_id, NOT_KNOWN)])
    await owner.execute("UPDATE payments.instruction SET reason = 'repeats_not_recognised'")
    found = await unresolved(world)
    assert found["not_known_to_provider"]["count"] == 1
    assert "resend" in found["not_known_to_provider"]["what_to_do"]


async def test_an_answer_that_is_not_applied_is_listed_and_told_until_it_is(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    unheard_of = new_id()
    assert await steps.hear([(unheard_of, paid(unheard_of))]) == [Recorded.UNMATCHED]
    assert "answer_not_applied" not in await unresolved(world)
    await owner.execute("UPDATE payments.answer SET heard_at = now() - interval '2 minutes'")
    [item] = await items(world, "answer_not_applied")
    assert (item["instruction_id"], item["reason"]) == (str(unheard_of), "settled")
    await watched(steps)
    assert [alarm["kind"] for alarm in await alarms(world, status="open")] == ["answer_not_applied"]
    await owner.execute("UPDATE payments.answer SET applied_at = now()")
    await watched(steps)
    assert await alarms(world, status="open") == []
    assert await unresolved(world) == {}


async def test_what_is_unpayable_is_listed_until_it_is_announced_anew(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    good, bad = entitlements(2, provider="mekong")
    announced = await world.registry.announce([good, replace(bad, provider="nowhere")])
    await steps.raise_announced()
    found = (await unresolved(world))["unpayable"]
    assert [(sort["reason"], sort["amount_minor"]) for sort in found["sorts"]] == [
        ("unknown-provider", 96_000)
    ]
    assert "repairs" in found["what_to_do"]
    [item] = await items(world, "unpayable")
    assert item["id"] == str(bad.entitlement_id)
    assert item["activation_id"] == str(announced.activation_id)

    await world.registry.announce([replace(bad, announcement=2)])
    await steps.raise_announced()
    assert "unpayable" not in await unresolved(world)


async def test_a_contradiction_stays_open_until_a_person_has_looked(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, paid(instruction_id)), (instruction_id, REJECTED)])
    later(world, hours=1, minutes=1)
    await watched(steps)
    [alarm] = await alarms(world, status="open")
    assert (alarm["kind"], alarm["age_seconds"] >= 3_600) == ("contradiction", True)
    cleared = await world.client.post(f"/alarms/{alarm['number']}/clearance", json=WHY)
    assert cleared.status_code == 200
    assert cleared.json()["cleared_by"] == "officer@test"
    assert await alarms(world, status="open") == []
    again = await world.client.post(f"/alarms/{alarm['number']}/clearance", json=WHY)
    assert again.status_code == 409
    # Told once more, it is open once more.
    await steps.hear([(instruction_id, REJECTED)])
    [reopened] = await alarms(world, status="open")
    assert (reopened["number"], reopened["occurrences"]) == (alarm["number"], 2)


async def test_what_has_a_cause_that_ends_is_not_cleared_by_hand(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, REJECTED)])
    await steps.hear([(instruction_id, paid(instruction_id))])
    [alarm] = await alarms(world)
    answer = await world.client.post(f"/alarms/{alarm['number']}/clearance", json=WHY)
    assert answer.status_code == 409
    assert "cleared by itself" in answer.json()["detail"]
    await world.resolve(instruction_id, "settled")
    await steps.step("resolve")
    await watched(steps)
    assert await alarms(world, status="open") == []
