"""Pauses and resumptions among claims of two workers: nothing paused is sent, nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payments.providers.answers import Answer
from shared.ids import new_id
from tests.payments.announcing import Entitlement
from tests.payments.batch_provider import BatchProvider, Fault, provider
from tests.payments.conftest import World
from tests.payments.scripted import Script, script
from tests.payments.steps import NOT_KNOWN, SILENCE, Steps, paid, running_steps

pytestmark = pytest.mark.long

__all__ = ["provider", "script"]

AREAS = ("020103", "020104", "0202", "080101")
PROVIDERS = ("mekong", "tonle")
WHY = {"reason": "To see what becomes of it."}


@dataclass
class Household:
    """Where one payment goes."""

    provider: str
    area: str
    activation: str


@dataclass
class Model:
    """What is paused, as somebody would judge it by hand."""

    households: dict[UUID, Household] = field(default_factory=dict)
    pauses: dict[str, dict[str, str]] = field(default_factory=dict)

    def is_paused(self, household: Household) -> bool:
        return any(self._fits(scope, household) for scope in self.pauses.values())

    @staticmethod
    def _fits(scope: dict[str, str], household: Household) -> bool:
        known = {
            "provider": household.provider == scope.get("provider"),
            "activation_id": household.activation == scope.get("activation_id"),
            "scheme": scope.get("scheme") == "flood",
            "area": scope.get("area") == "KH"
            or household.area.startswith(scope.get("area", "none")),
        }
        return all(known[name] for name in scope)


class Provider:
    """Takes what is sent; of some it loses the request, and then knows nothing of it."""

    def __init__(self, lost: list[bool]) -> None:
        self.lost = iter(lost)
        self.paid: Counter[UUID] = Counter()

    async def send(self, instruction_id: UUID) -> Answer:
        if next(self.lost, False):
            return SILENCE
        self.paid[instruction_id] += 1
        return paid(instruction_id)

    async def ask(self, instruction_id: UUID) -> Answer:
        return paid(instruction_id) if self.paid[instruction_id] else NOT_KNOWN


SCOPES = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(PROVIDERS),
        "scheme": st.sampled_from(("flood", "drought")),
        "activation": st.integers(0, 1),
        "area": st.sampled_from(("02", "0201", "08", "020103", "24", "KH")),
    },
).filter(bool)
ACTIONS = st.one_of(
    st.tuples(st.just("pause"), SCOPES),
    st.tuples(st.just("race"), SCOPES),
    st.tuples(st.just("resume"), st.integers(0, 3)),
    st.tuples(st.just("work"), st.integers(0, 1)),
)


async def play_all(world: World, make: Callable[[tuple[Steps, Steps], list[bool]], "Play"]) -> None:
    """Whatever happens in whichever order, by two workers that claim two payments at a time."""
    await world.fund(1_000_000_000)
    loop = asyncio.get_running_loop()
    few = world.settings.model_copy(update={"dispatch_claim_size": 2})
    async with running_steps(few) as first, running_steps(few) as second:

        @given(st.lists(ACTIONS, min_size=3, max_size=12), st.lists(st.booleans(), max_size=12))
        @settings(
            max_examples=8,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            derandomize=True,
        )
        def run(actions: list[tuple[str, Any]], lost: list[bool]) -> None:
            playing = make((first, second), lost).run(actions)
            asyncio.run_coroutine_threadsafe(playing, loop).result()

        await asyncio.to_thread(run)


async def test_nothing_is_sent_that_was_paused_when_it_was_claimed(
    script: Script, world: World
) -> None:
    def make(workers: tuple[Steps, Steps], lost: list[bool]) -> Play:
        taking = Provider(lost)
        script.on_send, script.on_ask = taking.send, taking.ask
        return Play(world, workers, sent=script.sent, paid=taking.paid)

    await play_all(world, make)


async def test_nothing_in_a_batch_is_paid_that_was_paused_before_it_was_approved(
    provider: BatchProvider, world: World
) -> None:
    def make(workers: tuple[Steps, Steps], lost: list[bool]) -> Play:
        provider.faults = iter([Fault.LOST_AFTER if each else Fault.NONE for each in lost])
        provider.paid = Counter()
        return BatchPlay(world, workers, sent=None, paid=provider.paid)

    await play_all(world, make)


class Play:
    """Two activations, two workers, and whoever pauses among them."""

    def __init__(
        self,
        world: World,
        workers: tuple[Steps, Steps],
        *,
        sent: list[UUID] | None,
        paid: Counter[UUID],
    ) -> None:
        """``sent`` is what left, and grows; None: all that left was paid."""
        self.world = world
        self.workers = workers
        self.model = Model()
        self.sent = sent
        self.paid = paid
        self.activations = (new_id(), new_id())

    async def run(self, actions: list[tuple[str, Any]]) -> None:
        await self._announce()
        for kind, given_value in actions:
            await self._pass_time()
            match kind:
                case "pause":
                    await self._pause(given_value)
                case "race":
                    # Whether the pause or a claim was first, nobody can say: of what was paused
                    # before nothing is sent either way.
                    await self._judged(
                        asyncio.gather(
                            self._pause(given_value), *(self._work(each) for each in self.workers)
                        )
                    )
                case "resume":
                    await self._resume(given_value)
                case _:
                    await self._judged(self._work(self.workers[given_value]))
        while self.model.pauses:
            await self._resume(0)
        for _ in range(40):
            await self._pass_time()
            await self._work(self.workers[0])
            if await self._all_settled():
                break
        assert set(self.paid) == set(self.model.households)
        assert set(self.paid.values()) == {1}
        assert await self._all_settled()
        await self.world.proofs()

    async def _all_settled(self) -> bool:
        settled = await self.world.owner.fetchval(
            "SELECT count(*) FROM payments.instruction WHERE status = 'settled' AND id = ANY($1)",
            list(self.model.households),
        )
        return bool(settled == len(self.model.households))

    async def _announce(self) -> None:
        worker = self.workers[0]
        for activation in self.activations:
            owed = [
                Entitlement(account="+85512000000", area=area, provider=provider)
                for area in AREAS
                for provider in PROVIDERS
            ]
            announced = await self.world.registry.announce(owed, activation_id=activation)
            chunk = None
            while chunk is None or chunk["status"] != "raised":
                await worker.raise_announced()
                answer = await self.world.client.get(f"/chunks/{announced.chunk_id}")
                chunk = answer.json() if answer.status_code == 200 else None
            by_household = {each.household_id: each for each in owed}
            page = await self.world.get("/instructions", chunk_id=str(announced.chunk_id))
            for item in page["items"]:
                entitlement = by_household[UUID(item["household_id"])]
                self.model.households[UUID(item["id"])] = Household(
                    entitlement.provider, entitlement.area, str(activation)
                )

    async def _judged(self, doing: Any) -> None:
        """Nothing leaves meanwhile that was paused when it began and still is."""
        paused = {
            instruction_id
            for instruction_id, household in self.model.households.items()
            if self.model.is_paused(household)
        }
        before = self._left()
        await doing
        left = self._left() - before
        assert not paused & set(left)

    def _left(self) -> Counter[UUID]:
        return self.paid.copy() if self.sent is None else Counter(self.sent)

    async def _pause(self, scope: dict[str, Any]) -> None:
        chosen = {name: value for name, value in scope.items() if name != "activation"}
        if "activation" in scope:
            chosen["activation_id"] = str(self.activations[scope["activation"]])
        paused = await self.world.post("/pauses", {**chosen, **WHY})
        self.model.pauses[paused["id"]] = chosen

    async def _resume(self, position: int) -> None:
        if not self.model.pauses:
            return
        paused = list(self.model.pauses)[position % len(self.model.pauses)]
        proposal = await self.world.propose(f"/pauses/{paused}/resumption", WHY)
        await self.world.approve(proposal["id"])
        del self.model.pauses[paused]

    async def _pass_time(self) -> None:
        await self.world.owner.execute(
            "UPDATE payments.instruction SET next_action_at = clock_timestamp(), "
            "sent_at = sent_at - interval '2 seconds' "
            "WHERE status IN ('ready', 'unknown') AND next_action_at IS NOT NULL"
        )

    async def _work(self, worker: Steps) -> None:
        """A worker does what is due."""
        await worker.step("pauses", alone=False)
        for code in PROVIDERS:
            await worker.step(f"send-{code}", alone=False)
            await worker.step(f"inquire-{code}", alone=False)


class BatchPlay(Play):
    """The same, where the providers take batches in two steps."""

    async def _pass_time(self) -> None:
        await super()._pass_time()
        await self.world.owner.execute(
            "UPDATE payments.batch SET next_action_at = now(), "
            "sent_at = sent_at - interval '2 seconds' WHERE next_action_at IS NOT NULL"
        )

    async def _work(self, worker: Steps) -> None:
        await worker.step("pauses", alone=False)
        for code in PROVIDERS:
            await worker.step(f"send-batches-{code}", alone=False)
            await worker.step(f"batches-{code}", alone=False)
