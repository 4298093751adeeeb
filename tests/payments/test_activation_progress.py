"""How far an activation is: counts that are kept as payments happen, and are what there is."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.payments.instructions.states import Status
from services.payments.progress.standing import Announced, Counted, Paused, Standing
from services.payments.rounds.states import RoundStatus
from shared.contracts.events import ActivationCancelled
from shared.ids import new_id
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.holding import ACCOUNT, rule
from tests.payments.steps import PENDING, REJECTED, SILENCE, Steps, paid

AREAS = ("020103", "020104", "020201", "150101")


async def progress(world: World, activation_id: UUID, **parameters: str) -> Any:
    return await world.get(f"/activations/{activation_id}/progress", **parameters)


def of_states(states: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {each["status"]: (each["count"], each["amount_minor"]) for each in states}


async def instructions(
    owner: asyncpg.Connection, activation_id: UUID
) -> dict[str, dict[str | None, dict[str, tuple[int, int]]]]:
    """The same, one instruction after the other: by what it is told apart by, key and state."""
    rows = await owner.fetch(
        "SELECT instruction.status::text, amount_minor, instruction.area_code, provider.code, "
        "round FROM payments.instruction JOIN payments.chunk ON number = chunk_number "
        "JOIN payments.payment_round ON payment_round.number = round_number "
        "JOIN payments.provider ON provider.number = provider_number WHERE activation_id = $1",
        activation_id,
    )
    found: dict[str, dict[str | None, dict[str, tuple[int, int]]]] = {}
    for row in rows:
        keys = {
            "round": str(row["round"]),
            "provider": row["code"],
            "province": row["area_code"][:2],
            "district": row["area_code"][:4],
        }
        for by, key in keys.items():
            states = found.setdefault(by, {}).setdefault(key, {})
            count, minor = states.get(row["status"], (0, 0))
            states[row["status"]] = (count + 1, minor + row["amount_minor"])
    return found


async def require_equal(world: World, owner: asyncpg.Connection, activation_id: UUID) -> None:
    there = await instructions(owner, activation_id)
    for by in ("round", "province", "district", "provider"):
        told = await progress(world, activation_id, by=by)
        groups = {group["key"]: of_states(group["states"]) for group in told["groups"]}
        assert groups == there.get(by, {})
        totals: Counter[str] = Counter()
        for states in groups.values():
            totals.update({status: count for status, (count, _) in states.items()})
        assert {status: count for status, (count, _) in of_states(told["totals"]).items()} == totals


async def test_an_activation_is_followed_to_its_end(
    world: World, start_sandbox: StartSandbox, owner: asyncpg.Connection
) -> None:
    start_sandbox()
    await world.fund(100_000_000)
    owed = [
        replace(each, area=AREAS[number % len(AREAS)])
        for number, each in enumerate(entitlements(40))
    ]
    missing = await world.client.get(f"/activations/{new_id()}/progress")
    assert (missing.status_code, missing.json()["type"].rpartition(":")[2]) == (404, "not-found")
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    told = await progress(world, announced.activation_id, by="province")
    assert of_states(told["totals"]) == {"settled": (40, 40 * 96_000)}
    assert [group["key"] for group in told["groups"]] == ["02", "15"]
    assert told["at_rest"] is True
    assert told["waits"] == []
    assert told["expected_end_at"] is None
    [sums] = told["announced"]
    assert (sums["announced_count"], sums["not_raised_count"]) == (40, 0)
    await require_equal(world, owner, announced.activation_id)
    await world.proofs()


async def test_what_waits_for_a_person_is_told_with_what_to_do(world: World, steps: Steps) -> None:
    await world.fund(1_000_000)
    await rule(world, **ACCOUNT)
    twice = entitlements(2, provider="mekong", account="+85512000001")
    announced = await world.registry.announce([*twice, *entitlements(5, provider="mekong")])
    activation = announced.activation_id
    await world.registry.announce(entitlements(20, provider="tonle"), activation_id=activation)
    await steps.raise_announced()
    first, *_ = await steps.claim(size=2)
    await steps.hear([(first.instruction_id, paid(first.instruction_id, amount_minor=1))])
    body = {"activation_id": str(activation), "reason": "To be looked at."}
    await world.post("/pauses", {**body, "provider": "mekong"})
    told = await progress(world, activation)
    assert {wait["kind"]: wait["count"] for wait in told["waits"]} == {
        "not_funded": 20,
        "held_by_rule": 2,
        "held": 1,
        "paused": 5,
    }
    assert all(wait["what_to_do"] and wait["currency"] == "KHR" for wait in told["waits"])
    assert told["at_rest"] is False
    assert told["groups"] == []


def counted(**changes: Any) -> Counted:
    known: dict[str, Any] = {
        "round": 1,
        "scheme": "flood",
        "round_status": RoundStatus.RELEASED,
        "currency": "KHR",
        "district_code": "0201",
        "provider": "mekong",
        "status": Status.READY,
        "withheld": False,
        "count": 100,
        "amount_minor": 9_600_000,
        "changed_at": datetime(2020, 10, 12, tzinfo=UTC),
    }
    return Counted(**{**known, **changes})


def standing(*counts: Counted, pauses: list[Paused] | None = None, **changes: Any) -> Standing:
    known: dict[str, Any] = {
        "at": datetime(2020, 10, 12, tzinfo=UTC),
        "announced": [Announced("KHR", 300, 28_800_000, 100, 9_600_000, 0, 0, 0, 0, 1)],
        "counts": counts,
        "pauses": pauses or [],
        "ended_count": 100,
        "ended_seconds": 60.0,
    }
    return Standing(**{**known, **changes})


SETTLED = counted(status=Status.SETTLED)


def test_the_end_is_expected_by_the_pace_of_what_ended_lately() -> None:
    found = standing(counted(), SETTLED)
    # A hundred are ready and a hundred not raised yet; a hundred ended within a minute.
    assert found.ended_per_minute == 100
    assert found.expected_end_at == found.at + timedelta(minutes=2)


def test_a_district_is_at_rest_once_its_payments_have_their_ends_and_none_can_come() -> None:
    elsewhere = counted(district_code="1501")
    unraised = Announced("KHR", 300, 28_800_000, 100, 9_600_000, 0, 0, 0, 0, 2)
    # Chunks of others are open, and of none of them it is unknown whose they are.
    raised = Announced("KHR", 200, 19_200_000, 0, 0, 0, 0, 0, 0, 1)
    for announced, is_over in ((unraised, False), (raised, True)):
        whole = standing(SETTLED, elsewhere, announced=[announced])
        assert not whole.at_rest
        assert whole.within(("02",)).at_rest is is_over
        assert not whole.within(("15",)).at_rest


@pytest.mark.parametrize(
    "found",
    [
        standing(counted(), ended_seconds=None, ended_count=0),
        standing(counted(), ended_seconds=29.0),
        standing(counted(), ended_count=-1),
        standing(counted(), counted(status=Status.HELD, count=1)),
        standing(counted(), counted(withheld=True, count=1)),
        standing(counted(round_status=RoundStatus.UNAPPROVED)),
        standing(counted(), pauses=[Paused(None, None, "02")]),
        standing(counted(), pauses=[Paused(None, None, "020103")]),
        standing(SETTLED, announced=[Announced("KHR", 1, 1, 0, 0, 0, 0, 0, 0, 0)]),
    ],
    ids=["none", "soon", "back", "held", "rule", "unapproved", "paused", "commune", "over"],
)
def test_no_end_is_promised_where_none_can_be_known(found: Standing) -> None:
    assert found.expected_end_at is None


def test_a_pause_concerns_what_it_names() -> None:
    counts = (counted(), counted(district_code="1501", provider="tonle"), counted(district_code=""))

    def paused(**named: str) -> list[int | None]:
        pause = Paused(**{"provider": None, "scheme": None, "area_code": None, **named})
        return [wait.count for wait in standing(*counts, pauses=[pause]).waits()]

    assert paused() == [300]
    assert paused(provider="tonle") == [100]
    assert paused(scheme="drought") == []
    assert paused(area_code="02") == [200]
    assert paused(area_code="1501", provider="tonle") == [100]
    # Of the district only some: nobody counted which.
    assert paused(area_code="020103") == [None]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "claim",
                "paid",
                "other-amount",
                "rejected",
                "pending",
                "silence",
                "expire",
                "cancel",
                "resolve",
                "attempt",
                "raise",
                "add",
                "close",
            ]
        ),
        st.integers(min_value=0, max_value=5),
    ),
    min_size=1,
    max_size=14,
)


class Game:
    """Six households of an activation, and anything that may happen to their payments."""

    def __init__(self, world: World, steps: Steps, owner: asyncpg.Connection) -> None:
        self.world = world
        self.steps = steps
        self.owner = owner
        self.activation_id = new_id()

    async def announce(self) -> None:
        owed = [
            replace(each, area=AREAS[number % len(AREAS)], provider="mekong")
            for number, each in enumerate(entitlements(6))
        ]
        await self.world.registry.announce(owed, activation_id=self.activation_id)
        await self.steps.raise_announced()

    async def play(self, operation: str, number: int) -> None:
        page = await self.world.get("/instructions", activation_id=str(self.activation_id))
        instruction_id = UUID(page["items"][number]["id"])
        match operation:
            case "claim":
                await self.steps.claim(size=number + 1)
            case "paid":
                await self.steps.hear([(instruction_id, paid(instruction_id))])
            case "other-amount":
                await self.steps.hear([(instruction_id, paid(instruction_id, amount_minor=1))])
            case "rejected" | "pending" | "silence":
                answer = {"rejected": REJECTED, "pending": PENDING, "silence": SILENCE}[operation]
                await self.steps.hear([(instruction_id, answer)])
            case "expire":
                await self.owner.execute(
                    "UPDATE payments.instruction SET next_action_at = now() WHERE id = $1",
                    instruction_id,
                )
                await self.steps.step("leases")
            case "cancel":
                if number == 0:
                    cancelled = ActivationCancelled(
                        activation_id=self.activation_id, cancelled_on=datetime.now(UTC).date()
                    )
                    await self.world.registry.publish(cancelled)
                    await self.steps.raise_announced()
                    await self.steps.step("cancel")
            case "resolve":
                outcome = ("settled", "returned", "rejected", "cancelled")[number % 4]
                path = f"/instructions/{instruction_id}/resolution"
                await self.decide(path, {"outcome": outcome, "reason": "a test"})
                await self.steps.step("resolve")
            case "attempt":
                path = f"/instructions/{instruction_id}/attempts"
                await self.decide(path, {"reason": "a test"})
            case "raise":
                await self.announce()
            case "add":
                await self.steps.step("count")
            case "close":
                await self.steps.close_all()

    async def decide(self, path: str, body: dict[str, str]) -> None:
        proposed = await self.world.client.post(
            path, json=body, headers={"Idempotency-Key": str(new_id())}
        )
        if proposed.status_code == 202:
            async with self.world.checker() as checker:
                await checker.post(
                    f"/approvals/{proposed.json()['id']}/approval", json={"reason": "a test"}
                )


async def test_progress_is_what_there_is_after_whatever_happened(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(1_000_000_000)
    loop = asyncio.get_running_loop()

    async def play(operations: list[tuple[str, int]]) -> None:
        game = Game(world, steps, owner)
        await game.announce()
        for operation, number in operations:
            await game.play(operation, number)
        await require_equal(world, owner, game.activation_id)
        await world.proofs()

    # The luck of the draw differs from one version of the code to the next; these ends do not.
    @example([("claim", 5), ("paid", 0), ("rejected", 1), ("attempt", 1), ("add", 0), ("claim", 5)])
    @example([("claim", 5), ("other-amount", 1), ("add", 0), ("resolve", 1), ("cancel", 0)])
    @given(OPERATIONS)
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(operations: list[tuple[str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(operations), loop).result()

    await asyncio.to_thread(run)
    reached = await owner.fetch("SELECT DISTINCT to_status::text FROM payments.instruction_move")
    assert {"settled", "rejected", "held", "cancelled", "returned"} <= {
        row["to_status"] for row in reached
    }


async def test_two_workers_add_up_each_change_once(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(6, provider="mekong"))
    await steps.raise_announced()
    await steps.pay_all()
    await asyncio.gather(*(steps.step("count") for _ in range(4)))
    assert await owner.fetchval("SELECT count(*) FROM payments.count_change") == 0
    await require_equal(world, owner, announced.activation_id)
    await world.proofs()


async def test_a_count_that_is_wrong_is_seen_by_the_proofs(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    await steps.step("count")
    await owner.execute("UPDATE payments.instruction_count SET count = count + 1")
    proofs = (await world.get("/proofs"))["proofs"]
    assert [proof["name"] for proof in proofs if not proof["holds"]] == [
        "counts_equal_instructions"
    ]
