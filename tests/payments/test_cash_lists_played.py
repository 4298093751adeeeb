"""Lists, uploads, decisions and days in any order, against a model of what must come of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.payments.cash import (
    day_of,
    environment,
    filled,
    go_on,
    list_settings,
    listed,
    on_day,
    sheet,
    uploaded,
)
from tests.payments.conftest import World
from tests.payments.steps import Steps

pytestmark = pytest.mark.long

__all__ = ["environment", "list_settings", "on_day"]

LINES = 4
RETURNS_ON = 15
"""Days after the list was made: ten to claim it, four for its papers, and the next."""

WAITS_DAYS = 7
"""For so long a proposal waits for its second person."""

SAID = st.dictionaries(
    st.integers(1, LINES), st.sampled_from(["paid", "moved-away"]), min_size=1, max_size=LINES
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("upload"), SAID),
        st.tuples(st.just("say"), SAID),
        st.tuples(st.just("again"), st.integers(0, 5)),
        st.tuples(st.just("approve"), st.integers(0, 5)),
        st.tuples(st.just("decline"), st.integers(0, 5)),
        st.tuples(st.just("days"), st.integers(1, 9)),
        st.tuples(st.just("work"), st.integers(1, 3)),
    ),
    min_size=3,
    max_size=10,
)


# What chance seldom comes to, and what each rule of lists is for.
TWO_WORDS = [("say", {1: "paid", 2: "moved-away"}), ("say", {1: "moved-away", 2: "paid"})]
WAITS_AT_THE_RETURN = [
    ("upload", {1: "paid"}),
    ("days", 9),
    ("upload", {2: "paid"}),
    ("days", 6),
    ("work", 1),
    ("approve", 0),
]
PAID_AFTER_THE_RETURN = [("days", 9), ("days", 6), ("work", 2), ("say", {1: "paid"}), ("work", 1)]
DECLINED_AND_SENT_AGAIN = [
    ("upload", {1: "paid"}),
    ("decline", 0),
    ("again", 0),
    ("approve", 0),
    ("again", 0),
]


@dataclass
class Model:
    """What a line comes to: the first that is approved of it, and whether another word followed."""

    day: int = 0
    first: dict[int, str] = field(default_factory=dict)
    said: set[tuple[int, str]] = field(default_factory=set)
    proposed: dict[str, tuple[int, dict[int, str]]] = field(default_factory=dict)
    files: list[tuple[dict[int, str], str]] = field(default_factory=list)
    returned: bool = False

    def settle(self, number: int, what: str) -> None:
        self.said.add((number, what))
        self.first.setdefault(number, what)

    @property
    def waiting(self) -> list[str]:
        """What a second person may still decide on."""
        return [each for each, (on, _) in self.proposed.items() if self.day < on + WAITS_DAYS]

    def work(self) -> None:
        if self.day >= RETURNS_ON and not self.waiting and not self.returned:
            self.returned = True
            for number in range(1, LINES + 1):
                if number not in self.first:
                    self.settle(number, "unclaimed")

    def status(self, number: int) -> str:
        if number not in self.first:
            return "sending"
        if self.first[number] == "paid":
            return "settled"
        return "held" if (number, "paid") in self.said else "rejected"


async def test_whatever_comes_in_whatever_order_each_line_ends_as_it_was_said_first(
    world: World, steps: Steps, owner: asyncpg.Connection, on_day: Callable[[int], None]
) -> None:
    loop = asyncio.get_running_loop()
    at = 0

    async def play(actions: list[tuple[str, Any]]) -> None:
        nonlocal at
        begin, at = at, at + 200
        on_day(begin)
        before = {each["id"] for each in (await world.get("/cash-lists", limit=200))["items"]}
        everything = await listed(world, steps, owner, communes=("020103",) * LINES)
        [made] = [each for each in everything if each["id"] not in before]
        rows = await sheet(world, made["id"])
        model = Model()
        for kind, what in actions:
            await act(kind, what, model, made["id"], rows, begin)
        for _ in range(4):
            model.work()
            await go_on(steps, owner, times=2)
        lines = await owner.fetch(
            "SELECT line.number, status::text FROM payments.cash_line AS line "
            "JOIN payments.instruction ON instruction.id = line.instruction_id WHERE list_id = $1",
            UUID(made["id"]),
        )
        states = {line["number"]: line["status"] for line in lines}
        assert states == {number: model.status(number) for number in range(1, LINES + 1)}
        found = await world.get(f"/cash-lists/{made['id']}")
        counted = list(model.first.values())
        assert (found["paid_count"], found["unclaimed_count"], found["open_count"]) == (
            counted.count("paid"),
            counted.count("unclaimed"),
            LINES - len(counted),
        )
        await world.proofs()

    async def act(kind: str, what: Any, model: Model, list_id: str, rows: Any, begin: int) -> None:
        if kind == "say":
            await act("upload", what, model, list_id, rows, begin)
            if model.waiting:
                await act("approve", len(model.waiting) - 1, model, list_id, rows, begin)
        elif kind in ("upload", "again") and (kind == "upload" or model.files):
            said = what if kind == "upload" else model.files[what % len(model.files)][0]
            taken = await uploaded(world, list_id, filled(rows, said, day=day_of(begin)))
            if taken["status"] == "waiting":
                model.proposed.setdefault(taken["id"], (model.day, dict(said)))
            if kind == "upload":
                model.files.append((said, taken["id"]))
        elif kind in ("approve", "decline") and model.waiting:
            upload_id = model.waiting[what % len(model.waiting)]
            _, said = model.proposed.pop(upload_id)
            if kind == "decline":
                await decline(upload_id)
                return
            await world.approve(upload_id)
            for number, outcome in said.items():
                model.settle(number, outcome)
        elif kind == "days":
            model.day += what
            on_day(begin + model.day)
        elif kind == "work":
            model.work()
            await go_on(steps, owner, times=what)

    async def decline(upload_id: str) -> None:
        async with world.checker() as checker:
            answer = await checker.post(
                f"/approvals/{upload_id}/refusal", json={"reason": "Not signed."}
            )
        assert answer.status_code == 200, answer.text

    @example(TWO_WORDS)
    @example(WAITS_AT_THE_RETURN)
    @example(PAID_AFTER_THE_RETURN)
    @example(DECLINED_AND_SENT_AGAIN)
    @given(ACTIONS)
    @settings(
        max_examples=6,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(actions: list[tuple[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(play(actions), loop).result()

    await asyncio.to_thread(run)
