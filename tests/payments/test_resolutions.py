"""Two persons decide what the system cannot, and each payment says what became of it."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payments.answers.repository import Heard
from shared.clock import set_clock
from shared.ids import new_id
from tests.conftest import NOON
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import NOT_KNOWN, PENDING, REJECTED, SILENCE, Steps, paid

WHY = {"reason": "On the provider's statement."}


async def sent(world: World, steps: Steps, count: int = 1, **common: Any) -> list[UUID]:
    """That many payments at mekong, about to be sent."""
    await world.registry.announce(entitlements(count, **{"provider": "mekong", **common}))
    await steps.raise_announced()
    return [order.instruction_id for order in await steps.claim(size=max(count, 100))]


async def carried_out(steps: Steps) -> None:
    while await steps.step("resolve"):
        pass


async def status_of(world: World, instruction_id: Any) -> str:
    return str((await world.get(f"/instructions/{instruction_id}"))["status"])


async def balances(owner: asyncpg.Connection) -> dict[str, int]:
    rows = await owner.fetch(
        "SELECT code::text AS code, sum(debits_minor - credits_minor)::bigint AS minor "
        "FROM payments.account WHERE scope IN ('mekong', 'relief') GROUP BY code"
    )
    return {row["code"]: row["minor"] for row in rows}


async def test_nothing_moves_before_another_person_approves(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    [unknown] = await sent(world, steps)
    await steps.hear([(unknown, SILENCE)])
    body = {"outcome": "settled", "instruction_ids": [str(unknown)], **WHY}
    proposed = await world.propose("/resolutions", body)
    await carried_out(steps)
    assert await status_of(world, unknown) == "unknown"

    own = await world.client.post(f"/approvals/{proposed['id']}/approval", json=WHY)
    assert own.status_code == 409
    assert "second person" in own.json()["detail"]
    async with world.service.client("payments:write", subject="checker@test") as writer:
        refused = await writer.post(f"/approvals/{proposed['id']}/approval", json=WHY)
    assert refused.status_code == 403

    [waiting] = (await world.get("/approvals"))["items"]
    assert waiting["id"] == proposed["id"]
    assert waiting["what"] == "Record 1 unknown payment as settled, at mekong."
    assert (waiting["households"], waiting["amount_minor"], waiting["currency"]) == (
        1,
        96_000,
        "KHR",
    )
    await world.approve(proposed["id"])
    assert (await world.get("/approvals"))["items"] == []
    await carried_out(steps)
    found = await world.get(f"/instructions/{unknown}")
    assert found["status"] == "settled"
    assert found["moves"][-1]["reason"] == WHY["reason"]
    assert found["moves"][-1]["actor"] == "officer@test, approved by checker@test"
    resolution = await world.get(f"/resolutions/{proposed['id']}")
    assert (resolution["done_count"], resolution["open_count"]) == (1, 0)
    assert resolution["finished_at"] is not None
    again = await world.approve(proposed["id"], status=409)
    assert "approved by checker@test" in again["detail"]
    await world.proofs()


async def test_the_database_itself_knows_two_persons(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    [unknown] = await sent(world, steps)
    await steps.hear([(unknown, SILENCE)])
    await world.propose(f"/instructions/{unknown}/resolution", {"outcome": "rejected", **WHY})
    with pytest.raises(asyncpg.CheckViolationError, match="checker_is_not_the_maker"):
        await owner.execute(
            "UPDATE payments.approval SET decision = 'approved', decided_by = proposed_by, "
            "decided_at = now(), decision_reason = 'mine'"
        )


@pytest.mark.parametrize(
    ("answers", "outcome", "status"),
    [
        ([PENDING], "settled", "settled"),
        ([PENDING], "rejected", "rejected"),
        ([SILENCE], "settled", "settled"),
        ([SILENCE], "rejected", "rejected"),
    ],
)
async def test_what_waits_without_an_end_is_given_one(
    world: World, steps: Steps, answers: list[Any], outcome: str, status: str
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, answer) for answer in answers])
    await world.resolve(instruction_id, outcome)
    await carried_out(steps)
    assert await status_of(world, instruction_id) == status
    await steps.step("close")
    [told] = await world.events("org.sangkroh.payments-settled.v1")
    assert told["paid_count"] == int(status == "settled")
    await world.proofs()


async def test_an_answer_that_comes_meanwhile_wins(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    first, second = await sent(world, steps, 2)
    await steps.hear([(first, SILENCE), (second, SILENCE)])
    body = {
        "outcome": "rejected",
        "chosen": {"status": "unknown", "provider": "mekong"},
        **WHY,
    }
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    await steps.hear([(first, paid(first))])
    await carried_out(steps)
    assert await status_of(world, first) == "settled"
    assert await status_of(world, second) == "rejected"
    overtaken = await world.get(f"/resolutions/{proposed['id']}/items", result="overtaken")
    [item] = overtaken["items"]
    assert item["instruction_id"] == str(first)
    assert "It is settled now; it was unknown" in item["detail"]
    resolution = await world.get(f"/resolutions/{proposed['id']}")
    assert (resolution["done_count"], resolution["overtaken_count"]) == (1, 1)
    await world.proofs()


async def test_a_late_success_after_two_persons_said_rejected_is_held(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    await steps.hear([(instruction_id, SILENCE)])
    await world.resolve(instruction_id, "rejected")
    await carried_out(steps)
    await steps.hear([(instruction_id, paid(instruction_id))])
    found = await world.get(f"/instructions/{instruction_id}")
    assert (found["status"], found["reason"]) == ("held", "late_success")
    await world.proofs()


async def test_a_sort_of_payments_is_resolved_as_it_was_when_proposed(
    world: World, steps: Steps
) -> None:
    """Whatever becomes unknown after the proposal is none of what the second person approved."""
    await world.fund(10_000_000)
    first, second, third = await sent(world, steps, 3)
    await steps.hear([(first, SILENCE), (second, SILENCE), (third, PENDING)])
    body = {"outcome": "settled", "chosen": {"status": "unknown"}, **WHY}
    proposed = await world.propose("/resolutions", body)
    assert (proposed["households"], proposed["amount_minor"]) == (2, 192_000)
    await steps.hear([(third, NOT_KNOWN)])
    assert await status_of(world, third) == "unknown"
    await world.approve(proposed["id"])
    await carried_out(steps)
    assert [await status_of(world, each) for each in (first, second, third)] == [
        "settled",
        "settled",
        "unknown",
    ]


async def test_a_resolution_is_carried_out_in_bounded_sets(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fund(100_000_000)
    ids = await sent(world, steps, 25)
    await steps.hear([(instruction_id, SILENCE) for instruction_id in ids])
    resolving = next(loop for loop in steps.worker.loops if loop.name == "resolve").step.__self__  # type: ignore[attr-defined]
    monkeypatch.setattr(resolving, "_size", 10)
    body = {"outcome": "settled", "chosen": {"status": "unknown"}, **WHY}
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    sets = []
    while done := await steps.step("resolve"):
        sets.append(done)
    assert sets == [10, 10, 5, 1]
    assert (await world.get(f"/resolutions/{proposed['id']}"))["done_count"] == 25
    await world.proofs()


async def test_what_the_ledger_refuses_leaves_the_others_of_its_set_alone(
    world: World, steps: Steps
) -> None:
    """A set of overpayments that the float covers in part: each says whether it was booked."""
    await world.fund(10_000_000, prefund_minor=400_000)
    ids = await sent(world, steps, 4)
    await steps.hear([(each, paid(each, amount_minor=100_000)) for each in ids])
    assert await world.count("held") == 4
    body = {"outcome": "settled", "chosen": {"status": "held"}, **WHY}
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    await carried_out(steps)
    # 16,000 are left of the float: enough for all four differences of 4,000.
    assert (await world.get(f"/resolutions/{proposed['id']}"))["done_count"] == 4
    await world.proofs()

    await world.post("/providers/mekong/prefundings", {"amount_minor": 197_000, "reference": "x"})
    more = await sent(world, steps, 2)
    await steps.hear([(each, paid(each, amount_minor=100_000)) for each in more])
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    await carried_out(steps)
    resolution = await world.get(f"/resolutions/{proposed['id']}")
    assert (resolution["done_count"], resolution["refused_count"]) == (1, 1)
    [item] = (await world.get(f"/resolutions/{proposed['id']}/items", result="refused"))["items"]
    assert "top it up" in item["detail"]
    await world.proofs()
    await world.post("/providers/mekong/prefundings", {"amount_minor": 3_000, "reference": "x"})
    await world.resolve(item["instruction_id"], "settled")
    await carried_out(steps)
    assert await world.count("held") == 0
    await world.proofs()


@pytest.mark.parametrize("really_paid", [90_000, 120_000])
async def test_the_difference_to_what_was_paid_is_booked(
    world: World, steps: Steps, owner: asyncpg.Connection, really_paid: int
) -> None:
    await world.fund(10_000_000, prefund_minor=1_000_000)
    before = await balances(owner)
    [instruction_id] = await sent(world, steps, amount_minor=100_000)
    await steps.hear([(instruction_id, paid(instruction_id, amount_minor=really_paid))])
    held = await world.get(f"/instructions/{instruction_id}")
    assert (held["status"], held["paid_minor"]) == ("held", really_paid)
    await world.resolve(instruction_id, "settled")
    await carried_out(steps)
    after = await balances(owner)
    assert before["PROVIDER_FLOAT"] - after["PROVIDER_FLOAT"] == really_paid
    assert after["GRANTS_PAID"] == after["BUDGET_SPENT"] == really_paid
    assert before["BUDGET_AVAILABLE"] - after["BUDGET_AVAILABLE"] == really_paid
    assert (after["SUSPENSE"], after["IN_TRANSIT"], after["COMMITTED"]) == (0, 0, 0)
    await world.proofs()
    # The same answer again is what we know, and another one is told.
    await steps.hear([(instruction_id, paid(instruction_id, amount_minor=really_paid))])
    [alarm] = (await world.get("/alarms"))["items"]
    assert alarm["occurrences"] == 1
    # It comes back as it was paid.
    await world.resolve(instruction_id, "returned")
    await carried_out(steps)
    assert (await balances(owner))["PROVIDER_FLOAT"] == before["PROVIDER_FLOAT"]
    await world.proofs()


async def test_officers_say_what_was_paid_where_the_provider_does_not(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000, prefund_minor=1_000_000)
    [instruction_id] = await sent(world, steps, amount_minor=100_000)
    await steps.hear([(instruction_id, SILENCE)])
    await world.resolve(instruction_id, "settled", paid_minor=70_000)
    await carried_out(steps)
    assert (await balances(owner))["GRANTS_PAID"] == 70_000
    assert (await world.get(f"/instructions/{instruction_id}"))["paid_minor"] == 70_000
    await world.proofs()


async def test_a_held_payment_that_came_back_leaves_no_difference(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000, prefund_minor=1_000_000)
    before = await balances(owner)
    [instruction_id] = await sent(world, steps, amount_minor=100_000)
    await steps.hear([(instruction_id, paid(instruction_id, amount_minor=120_000))])
    await world.resolve(instruction_id, "returned")
    await carried_out(steps)
    assert await balances(owner) == before
    await world.proofs()


async def test_what_cannot_be_is_refused_when_it_is_proposed(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    [unknown] = await sent(world, steps)
    await steps.hear([(unknown, SILENCE)])
    listed = {"instruction_ids": [str(unknown)], **WHY}
    returned = await world.post("/resolutions", {"outcome": "returned", **listed}, status=409)
    assert f"{unknown} is unknown" in returned["detail"]
    missing = {"outcome": "settled", "instruction_ids": [str(unknown), str(new_id())], **WHY}
    assert (
        "1 of these instructions"
        in (await world.post("/resolutions", missing, status=404))["detail"]
    )
    none = {"outcome": "settled", "chosen": {"status": "held"}, **WHY}
    assert "/v1/unresolved" in (await world.post("/resolutions", none, status=409))["detail"]
    unfit = {"outcome": "resend", "chosen": {"status": "held"}, **WHY}
    await world.post("/resolutions", unfit, status=409)
    await world.post("/resolutions", {"outcome": "settled", **WHY}, status=422)
    paid_and_rejected = {"outcome": "rejected", "paid_minor": 1, **listed}
    await world.post("/resolutions", paid_and_rejected, status=422)
    single = {"outcome": "rejected", "paid_minor": 1, **WHY}
    await world.post(f"/instructions/{unknown}/resolution", single, status=422)
    nul = {"outcome": "settled", "instruction_ids": [str(unknown)], "reason": "a\0b c"}
    await world.post("/resolutions", nul, status=422)
    assert (await world.get("/approvals"))["items"] == []


async def test_a_proposal_is_withdrawn_or_expires_and_moves_nothing(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [unknown] = await sent(world, steps)
    await steps.hear([(unknown, SILENCE)])
    body = {"outcome": "settled", "instruction_ids": [str(unknown)], **WHY}
    first = await world.propose("/resolutions", body)
    async with world.service.client("payments:write", subject="another@test") as another:
        refused = await another.delete(f"/approvals/{first['id']}")
        assert refused.status_code == 409
        assert "only they withdraw" in refused.json()["detail"]
    async with world.service.client("payments:write") as maker:
        withdrawn = await maker.delete(f"/approvals/{first['id']}")
        assert (await maker.delete(f"/approvals/{first['id']}")).status_code == 409
        assert (await maker.delete(f"/approvals/{new_id()}")).status_code == 404
    assert withdrawn.json()["status"] == "declined"
    assert withdrawn.json()["decision_reason"] == "Withdrawn by whoever proposed it."
    assert "declined by officer@test" in (await world.approve(first["id"], status=409))["detail"]

    second = await world.propose("/resolutions", body)
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, NOON.replace(month=2))
    assert "expired" in (await world.approve(second["id"], status=409))["detail"]
    assert (await world.get("/approvals"))["items"] == []
    [expired] = (await world.get("/approvals", status="expired"))["items"]
    assert expired["id"] == second["id"]
    await carried_out(steps)
    assert await status_of(world, unknown) == "unknown"


async def test_many_proposals_are_approved_in_one_call(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    ids = await sent(world, steps, 3)
    await steps.hear([(each, SILENCE) for each in ids])
    proposed = [
        (await world.propose(f"/instructions/{each}/resolution", {"outcome": "settled", **WHY}))[
            "id"
        ]
        for each in ids
    ]
    await world.approve(proposed[0])
    async with world.service.client(subject="checker@test") as checker:
        answer = await checker.post(
            "/approvals/decisions",
            json={"approval_ids": [*proposed, str(new_id())], "decision": "approved", **WHY},
            headers={"Idempotency-Key": str(new_id())},
        )
    results = answer.json()["results"]
    assert [result["decided"] for result in results] == [False, True, True, False]
    assert "approved by checker@test" in results[0]["detail"]
    assert "no such proposal" in results[3]["detail"]
    await carried_out(steps)
    assert await world.count("settled") == 3
    await world.proofs()


async def test_two_persons_have_a_payment_sent_again_that_no_machine_may(
    world: World, steps: Steps, start_sandbox: StartSandbox, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    [instruction_id] = await sent(world, steps)
    # It never left: whoever had claimed it is gone, and the provider knows nothing of it.
    await steps.hear([(instruction_id, SILENCE)])
    # Nobody knows when it was sent first, so no machine knows whether a repeat is recognised.
    await owner.execute(
        "UPDATE payments.instruction SET first_sent_at = NULL, next_action_at = now(), "
        "sent_at = now() - interval '1 day'"
    )
    sandbox = start_sandbox()
    await steps.step("inquire-mekong")
    assert sandbox.book() == {}
    kept = await world.get(f"/instructions/{instruction_id}")
    assert (kept["status"], kept["reason"]) == ("unknown", "first_sending_not_known")
    [listed] = (await world.get("/unresolved/not_known_to_provider"))["items"]
    assert listed["instruction_id"] == str(instruction_id)

    resolution = await world.resolve(instruction_id, "resend")
    await carried_out(steps)
    assert (await world.get(f"/resolutions/{resolution['id']}"))["done_count"] == 1
    await steps.step("inquire-mekong")
    assert list(sandbox.book()) == [str(instruction_id)]
    async with world.working():
        await world.until_count("settled", 1)
    marked = await owner.fetchval("SELECT resend_approved_at FROM payments.instruction")
    assert marked is None
    await world.proofs()


async def test_a_resolution_goes_on_where_the_database_lost_what_was_done(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    ids = await sent(world, steps, 3)
    await steps.hear([(each, SILENCE) for each in ids])
    body = {"outcome": "resend", "chosen": {"status": "unknown"}, **WHY}
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    assert await steps.step("resolve") == 3
    await owner.execute("UPDATE payments.resolution_item SET result = NULL")
    await carried_out(steps)
    assert (await world.get(f"/resolutions/{proposed['id']}"))["done_count"] == 3


async def test_what_a_provider_said_and_is_not_applied_yet_comes_first(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    first, second = await sent(world, steps, 2)
    await steps.hear([(first, SILENCE), (second, SILENCE)])
    body = {"outcome": "rejected", "chosen": {"status": "unknown"}, **WHY}
    proposed = await world.propose("/resolutions", body)
    await world.approve(proposed["id"])
    number = await steps.wiring.directory.number_of("mekong")
    stored = await steps.wiring.recording.store([Heard(first, number, paid(first))], actor="test")
    await carried_out(steps)
    [item] = (await world.get(f"/resolutions/{proposed['id']}/items", result="overtaken"))["items"]
    assert item["instruction_id"] == str(first)
    assert "comes first" in item["detail"]
    await steps.wiring.recording.apply(stored)
    assert await status_of(world, first) == "settled"
    assert await status_of(world, second) == "rejected"
    await world.proofs()


SEQUENCES = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=3),
        st.sampled_from(["silence", "pending", "paid", "less", "more", "rejected", "not-known"]),
        st.sampled_from(["settled", "rejected", "returned", "resend"]),
        st.sampled_from([None, 1, 95_000, 97_000]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


async def test_no_sequence_of_resolutions_breaks_the_ledger(world: World, steps: Steps) -> None:
    await world.fund(1_000_000_000)
    loop = asyncio.get_running_loop()

    async def play(sequence: list[tuple[int, str, str, int | None, bool]]) -> None:
        ids = await sent(world, steps, 4)
        for number, heard, outcome, really_paid, late in sequence:
            instruction_id = ids[number]
            answer = {
                "silence": SILENCE,
                "pending": PENDING,
                "paid": paid(instruction_id),
                "less": paid(instruction_id, amount_minor=90_000),
                "more": paid(instruction_id, amount_minor=99_000),
                "rejected": REJECTED,
                "not-known": NOT_KNOWN,
            }[heard]
            if not late:
                await steps.hear([(instruction_id, answer)])
            body: dict[str, Any] = {"outcome": outcome, **WHY}
            if really_paid and outcome == "settled":
                body["paid_minor"] = really_paid
            proposed = await world.client.post(
                f"/instructions/{instruction_id}/resolution",
                json=body,
                headers={"Idempotency-Key": str(new_id())},
            )
            assert proposed.status_code in (202, 409), proposed.text
            if proposed.status_code == 202:
                await world.approve(proposed.json()["id"])
            if late:
                await steps.hear([(instruction_id, answer)])
            await carried_out(steps)
            proofs = await steps.prove()
            assert [proof for proof in proofs.proofs if not proof.holds] == []

    @given(SEQUENCES)
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(sequence: list[tuple[int, str, str, int | None, bool]]) -> None:
        asyncio.run_coroutine_threadsafe(play(sequence), loop).result()

    await asyncio.to_thread(run)
