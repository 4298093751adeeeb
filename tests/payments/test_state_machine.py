"""Whatever answers come, in whatever order: the books stay right and nobody is paid twice."""

import asyncio
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.payments.answers.decisions import decide
from services.payments.instructions.repository import Known
from services.payments.instructions.states import (
    ENDS,
    EXCLUSIVE,
    IN_FLIGHT,
    LIVE,
    MOVES,
    Status,
)
from services.payments.ledger.accounts import ACCOUNT_KINDS, Posting, TransferCode
from services.payments.providers.answers import Answer, AnswerKind
from shared.ids import new_id
from tests.payments.conftest import World, entitlements
from tests.payments.steps import NOT_KNOWN, PENDING, REJECTED, SILENCE, Steps, paid

pytestmark = pytest.mark.long

REVERSES = {TransferCode.NOT_SENT: TransferCode.SENT}
"""Which transfers undo an earlier one of the same payment, which may then be made again."""

STATES = st.sampled_from(Status)
ANSWERS = st.builds(
    Answer,
    kind=st.sampled_from(AnswerKind),
    reason=st.sampled_from([None, "incorrectState"]),
    amount_minor=st.sampled_from([None, 96_000, 1, -1]),
    currency=st.sampled_from([None, "KHR", "USD"]),
    our_reference=st.none() | st.uuids(),
    transaction_reference=st.sampled_from([None, "a", "b"]),
)


def known(status: Status) -> Known:
    return Known(
        instruction_id=UUID(int=1),
        status=status,
        amount_minor=96_000,
        currency="KHR",
        chunk_number=1,
        provider_number=1,
        transaction_reference="a",
    )


@given(STATES, ANSWERS, st.booleans(), st.booleans())
@settings(max_examples=500)
def test_every_decision_is_a_legal_move_or_none(
    status: Status, answer: Answer, returns_our_reference: bool, reference_is_taken: bool
) -> None:
    decision = decide(
        known(status),
        answer,
        returns_our_reference=returns_our_reference,
        reference_is_taken=reference_is_taken,
    )
    if decision.target is not None:
        assert (status, decision.target) in MOVES
    if decision.target is Status.SETTLED:
        # The results of a batch tell of no amount; what is told has to be ours.
        assert (answer.amount_minor, answer.currency) in ((96_000, "KHR"), (None, None))
        believed = {UUID(int=1)} if returns_our_reference else {None, UUID(int=1)}
        assert answer.our_reference in believed
        assert not reference_is_taken
    if decision.target is Status.REJECTED:
        assert answer.kind is AnswerKind.REJECTED
        assert status in IN_FLIGHT
    if decision.target is Status.HELD:
        assert decision.alarm is not None


def test_every_state_has_a_way_to_an_end() -> None:
    reached = set(ENDS)
    while True:
        more = {before for before, after in MOVES if after in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(Status)
    assert set(LIVE) | set(ENDS) == set(Status)
    assert Status.HELD not in EXCLUSIVE


def test_no_path_posts_a_code_twice_or_across_books() -> None:
    def walk(status: Status, posted: frozenset[str], depth: int) -> None:
        for (before, after), postings in MOVES.items():
            if before is not status or depth == 0:
                continue
            codes = {posting.code for posting in postings}
            assert not posted & codes, (before, after)
            # What was undone may be done once more.
            undone = {REVERSES[code] for code in codes & REVERSES.keys()}
            assert undone <= posted
            walk(after, (posted | (codes - REVERSES.keys())) - undone, depth - 1)

    walk(Status.READY, frozenset(), 9)
    postings: list[Posting] = [posting for several in MOVES.values() for posting in several]
    for posting in postings:
        assert ACCOUNT_KINDS[posting.debit].book is ACCOUNT_KINDS[posting.credit].book


OPERATIONS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=2),
        st.sampled_from(
            [
                "claim",
                "paid",
                "paid-other-amount",
                "paid-again",
                "rejected",
                "pending",
                "silence",
                "not-known",
                "expire",
                "resend",
                "resolve-settled",
                "resolve-rejected",
                "resolve-returned",
                "resolve-resend",
                "resolve-cancelled",
                "attempt",
                "close",
            ]
        ),
    ),
    min_size=1,
    max_size=16,
)


class Game:
    """Three households, and anything that may happen to their payments."""

    def __init__(self, world: World, steps: Steps, owner: asyncpg.Connection) -> None:
        self.world = world
        self.steps = steps
        self.owner = owner
        self.ids: list[UUID] = []

    async def begin(self) -> None:
        owed = [replace(entitlement, provider="mekong") for entitlement in entitlements(3)]
        announced = await self.world.registry.announce(owed)
        await self.steps.raise_announced()
        page = await self.world.get("/instructions", chunk_id=str(announced.chunk_id))
        self.ids = [UUID(instruction["id"]) for instruction in page["items"]]
        assert len(self.ids) == 3

    async def play(self, number: int, operation: str) -> None:
        instruction_id = self.ids[number]
        match operation:
            case "claim":
                await self.steps.claim()
            case "paid":
                await self.steps.hear([(instruction_id, paid(instruction_id))])
            case "paid-other-amount":
                await self.steps.hear([(instruction_id, paid(instruction_id, amount_minor=1))])
            case "paid-again":
                answers = [
                    (instruction_id, paid(instruction_id)),
                    (instruction_id, paid(instruction_id, reference="other")),
                    (instruction_id, REJECTED),
                ]
                await self.steps.hear(answers)
            case "rejected":
                await self.steps.hear([(instruction_id, REJECTED), (instruction_id, REJECTED)])
            case "pending":
                await self.steps.hear([(instruction_id, PENDING)])
            case "silence":
                await self.steps.hear([(instruction_id, SILENCE)])
            case "not-known":
                await self.steps.hear([(instruction_id, NOT_KNOWN)])
            case "expire":
                await self.owner.execute(
                    "UPDATE payments.instruction SET next_action_at = now() WHERE id = $1",
                    instruction_id,
                )
                await self.steps.step("leases")
            case "resend":
                await self.steps.resend(instruction_id)
            case "close":
                await self.steps.step("close")
            case "attempt":
                path = f"/instructions/{instruction_id}/attempts"
                if outcome := await self.decided(path, {"reason": "try again"}):
                    self.ids[number] = UUID(outcome.rpartition("/")[2])
            case resolution:
                outcome = resolution.removeprefix("resolve-")
                await self.resolve(instruction_id, outcome)

    async def resolve(self, instruction_id: UUID, outcome: str) -> None:
        body = {"outcome": outcome, "reason": "a test"}
        if await self.decided(f"/instructions/{instruction_id}/resolution", body):
            while await self.steps.step("resolve"):
                pass

    async def decided(self, path: str, body: dict[str, str]) -> str | None:
        """Where what came of a proposal is read, once the second person approved it."""
        proposed = await self.world.client.post(
            path, json=body, headers={"Idempotency-Key": str(new_id())}
        )
        assert proposed.status_code in (202, 409), proposed.text
        if proposed.status_code == 409:
            return None
        async with self.world.checker() as checker:
            approved = await checker.post(
                f"/approvals/{proposed.json()['id']}/approval", json={"reason": "a test"}
            )
        assert approved.status_code in (200, 409), approved.text
        outcome: str | None = approved.json().get("outcome")
        return outcome


async def test_no_sequence_of_events_breaks_the_books(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(1_000_000_000)
    loop = asyncio.get_running_loop()
    game = Game(world, steps, owner)

    async def play(operations: list[tuple[int, str]]) -> None:
        await game.begin()
        # A few events find the instructions ready, most find them sent.
        for number, operation in [*operations[:2], (0, "claim"), *operations[2:]]:
            await game.play(number, operation)
            proofs = await steps.prove()
            assert [proof for proof in proofs.proofs if not proof.holds] == []

    @example([(0, "close"), (1, "close"), (0, "paid"), (0, "resolve-returned")])
    @given(OPERATIONS)
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(operations: list[tuple[int, str]]) -> None:
        asyncio.run_coroutine_threadsafe(play(operations), loop).result()

    await asyncio.to_thread(run)
    reached = await owner.fetch("SELECT DISTINCT to_status::text FROM payments.instruction_move")
    assert {row["to_status"] for row in reached} == {str(status) for status in Status} - {"ready"}


@pytest.mark.parametrize("status", ["settled", "returned"])
async def test_a_late_success_is_held_and_an_officer_decides(
    world: World, steps: Steps, status: str
) -> None:
    await world.fund(10_000_000)
    [entitlement] = entitlements(1)
    announced = await world.registry.announce([entitlement])
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    await steps.step("close")
    await world.until_chunk(announced, "settled")
    await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    held = await world.instruction_of(entitlement.entitlement_id)
    assert held["status"] == "held"
    assert [alarm["kind"] for alarm in (await world.get("/alarms"))["items"]] == ["late_success"]
    assert (await world.chunk(announced))["status"] == "raised"
    await world.resolve(held["id"], status)
    await steps.step("resolve")
    await steps.step("close")
    events = await world.events("org.sangkroh.payments-settled.v1")
    assert [event["paid_count"] for event in events] == [0, int(status == "settled")]
    await world.proofs()
