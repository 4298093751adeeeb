"""What is automatic has a ceiling: above it a run is held, and a person asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.registry.schemes.shipped import shipped_document
from shared.contracts.events import FundBounded
from tests.registry.flow import BATTAMBANG, PURSAT, Ceiling, Flow, rows
from tests.server import eventually

EACH_MINOR = 160_000
ROUNDS = 3
AFTER_31_DAYS = datetime(2026, 2, 5, 5, tzinfo=UTC)


def up_to(households: int, minor: int | None = None) -> Ceiling:
    return households, households * EACH_MINOR * ROUNDS if minor is None else minor


async def held(flow: Flow, count: int = 1) -> list[dict[str, Any]]:
    """The runs that are held, once there are so many."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await flow.get("/held-runs"))["items"]
        return len(found) == count

    await eventually(there)
    return found


async def decide(flow: Flow, approval_id: str, decision: str, *, by: str) -> Any:
    async with flow.service.client(subject=by) as client:
        answer = await client.post(
            f"/approvals/{approval_id}/{decision}", json={"reason": "Asked the ministry."}
        )
    return answer.status_code, answer.json()


async def completed(flow: Flow) -> list[tuple[int, int]]:
    """The rounds of which payments was told the end, and of how many entitlements."""
    told = await flow.events("enrolment-completed")
    return [(event["round"], event["entitlements"]) for event in told]


async def test_what_is_above_the_ceiling_waits_for_a_second_person(working: Flow) -> None:
    await working.register([*rows(4), *rows(3, commune="150101")])
    activation_id = await working.open(BATTAMBANG, ceiling=up_to(3))
    (run,) = await held(working)
    assert (run["activation_id"], run["households"]) == (str(activation_id), 4)
    assert run["amount_minor"] == 4 * EACH_MINOR * ROUNDS
    assert "4 households and 1,920,000 KHR, approved up to 3 and 1,440,000." in run["what"]
    # Payments hears of chunks, and not that the run is complete: it releases nothing.
    assert await completed(working) == []
    (first, *_) = await working.get(f"/activations/{activation_id}/rounds")
    assert (first["status"], first["runs_held"]) == ("held", 1)
    # Nor is any of it paid by a repair, or by a later round.
    repair = {"round": 1, "reason": "Let us try."}
    await working.post(f"/activations/{activation_id}/repairs", repair, status=409)

    # No program decides, and whoever posted the scheme is in the chain of evidence.
    code, refused = await decide(working, run["approval_id"], "approval", by="service:triggers")
    assert (code, "Ask a person" in refused["detail"]) == (403, True)
    code, refused = await decide(working, run["approval_id"], "approval", by="officer@test")
    assert code == 409
    assert "You posted what this step follows from" in refused["detail"]
    code, _ = await decide(working, run["approval_id"], "refusal", by="officer@test")
    assert code == 200
    (run,) = await held(working)
    assert run["status"] == "declined"
    again = f"/held-runs/{run['run_id']}/release"
    proposal = await working.post(again, {"reason": "It is needed."}, status=202)
    assert proposal["proposed_by"] == "officer@test"
    await working.post(again, {"reason": "It is needed."}, status=409)
    code, decided = await decide(working, proposal["id"], "approval", by="checker@test")
    assert (code, decided["outcome"]) == (200, f"/v1/activations/{activation_id}")
    assert await held(working, 0) == []
    assert await completed(working) == [(1, 4)]
    # Two persons let it come to four: the ceiling is there, and no round is asked about again.
    activation = await working.get(f"/activations/{activation_id}")
    assert (activation["ceiling_households"], activation["allowed_households"]) == (3, 4)
    working.set_clock(AFTER_31_DAYS)
    await working.post(f"/activations/{activation_id}/rounds/2/release")
    await working.worked(activation_id, runs=2)
    assert await completed(working) == [(1, 4), (2, 4)]

    # A widening beyond it is asked about again, and gets the released rounds once let through.
    await working.widen(activation_id, PURSAT, ceiling=up_to(5))
    (run,) = await held(working)
    assert (run["kind"], run["households"]) == ("widening", 7)
    await decide(working, run["approval_id"], "approval", by="checker@test")
    await working.worked(activation_id, runs=4)
    assert await completed(working) == [(1, 4), (2, 4), (1, 3), (2, 3)]


async def test_a_ceiling_is_of_households_and_of_money_and_unsaid_lets_nothing_through(
    working: Flow,
) -> None:
    await working.let_activations_pay_both()
    await working.register([*rows(2), *rows(2, commune="150101")])
    within = await working.open(BATTAMBANG, ceiling=up_to(2))
    await working.worked(within)
    by_money = await working.open(BATTAMBANG, ceiling=up_to(9, 2 * EACH_MINOR * ROUNDS - 1))
    unsaid = await working.open(BATTAMBANG, ceiling=(None, None))
    runs = {run["activation_id"]: run for run in await held(working, 2)}
    assert set(runs) == {str(by_money), str(unsaid)}
    assert "for which no ceiling was stated" in runs[str(unsaid)]["what"]
    # A ceiling holds for the whole: what was announced before counts.
    await working.widen(within, PURSAT, ceiling=up_to(3))
    assert "widening" in {run["kind"] for run in await held(working, 3)}
    # One that opened before there were ceilings goes on as it began.
    await working.owner.execute(
        "UPDATE registry.activation SET has_ceiling = false WHERE id = $1", unsaid
    )
    await working.widen(unsaid, PURSAT, ceiling=(None, None))

    async def widened() -> bool:
        runs = (await working.get(f"/activations/{unsaid}"))["runs"]
        return any(run["kind"] == "widening" and run["completed_at"] for run in runs)

    await eventually(widened)


async def test_a_proposal_that_expired_or_saw_less_lets_nothing_through(working: Flow) -> None:
    await working.register([*rows(2), *rows(2, commune="150101")])
    activation_id = await working.open(BATTAMBANG, ceiling=up_to(1))
    (run,) = await held(working)
    # Another run is let through meanwhile: together they are more than was seen.
    await working.widen(activation_id, PURSAT, ceiling=up_to(2))
    await working.widen(activation_id, "0102", ceiling=up_to(2))

    async def two_complete() -> bool:
        return len(await completed(working)) == 2

    await eventually(two_complete)
    code, refused = await decide(working, run["approval_id"], "approval", by="checker@test")
    assert code == 409
    assert "comes to 4 households and 1,920,000 KHR by now" in refused["detail"]
    working.set_clock(datetime(2026, 1, 5, 5, tzinfo=UTC) + timedelta(days=40))
    (run,) = await held(working)
    assert run["status"] == "expired"
    proposal = await working.post(
        f"/held-runs/{run['run_id']}/release", {"reason": "All four."}, status=202
    )
    code, _ = await decide(working, proposal["id"], "approval", by="checker@test")
    assert code == 200
    assert await held(working, 0) == []


async def test_a_round_is_released_by_two_persons_above_an_amount(working: Flow) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    working.set_clock(AFTER_31_DAYS)
    path = f"/activations/{activation_id}/rounds/2/release"
    settings = working.service.app.state.settings
    settings.release_alone_minor = {"KHR": 2 * EACH_MINOR - 1}
    proposal = await working.post(path, status=202)
    assert (proposal["households"], proposal["amount_minor"]) == (2, 2 * EACH_MINOR)
    assert proposal["kind"] == "round_release"
    assert (await working.get(f"/activations/{activation_id}/rounds"))[1]["status"] == "due"
    code, _ = await decide(working, proposal["id"], "approval", by="officer@test")
    assert code == 409
    settings.release_alone_minor = {"KHR": 2 * EACH_MINOR}
    released = await working.post(path, status=200)
    assert released["released_by"] == "officer@test"
    # What was proposed before is nobody's any more.
    code, refused = await decide(working, proposal["id"], "approval", by="checker@test")
    assert (code, "released already" in refused["detail"]) == (409, True)


async def test_a_fund_bounds_what_a_household_gets(working: Flow) -> None:
    # Proposed before the bound was told, and decided after.
    document = shipped_document("flood-2022")
    early = await working.post("/schemes/flood-2022/versions", document, status=202)
    bound = 150_000
    await working.from_payments(
        FundBounded(
            fund="national-relief",
            currency="KHR",
            maximum_payment_minor=bound,
            maximum_round_minor=10**12,
        )
    )
    await working.register([*rows(2), *rows(1, begin=7, members=1, children_0_5=0)])
    benefit = {"base_minor": 1_000_000_000}

    async def refused() -> bool:
        answer = await working.client.post(
            "/schemes", json=document | {"code": "x", "benefit": [benefit]}, headers=working.key()
        )
        return answer.status_code == 422 and "1,000,000,000, above the 150,000" in answer.text

    await eventually(refused)
    # Each part by itself, and the currency.
    part = {"base_minor": 1, "per_category": {"disabled": bound + 1}}
    for change in ({"benefit": [part]}, {"currency": "USD"}):
        await working.post("/schemes", document | {"code": "x"} | change, status=422)
    code, _ = await decide(working, early["id"], "approval", by="checker@test")
    assert code == 200
    # What a household comes to is seen when it is enrolled.
    activation_id = await working.open(BATTAMBANG)
    activation = await working.worked(activation_id)
    assert activation["progress"]["payable_minor"] == 96_000
    assert activation["progress"]["unpayable_count"] == 2
    summary = await working.get(f"/activations/{activation_id}/summary")
    assert summary["reasons"] == {"above-fund-bound": 2}
    await working.post(
        f"/activations/{activation_id}/repairs", {"round": 1, "reason": "Try."}, status=409
    )
    preview = await working.get(f"/activations/{activation_id}/repairs/preview", round=1)
    assert (preview["repairable_count"], preview["above_fund_bound_count"]) == (0, 2)


async def test_triggers_is_told_what_an_activation_would_pay(working: Flow) -> None:
    await working.register(
        [*rows(2), *rows(1, begin=5, poverty_status="not-poor"), *rows(3, commune="150101")]
    )
    asked = {"areas": [BATTAMBANG, PURSAT], "scheme": "flood-2022"}

    async def estimate(**changes: object) -> tuple[Any, ...]:
        body = await working.post("/checks/activations", asked | changes, status=200)
        return body["households"], body["amount_minor"], body["currency"]

    assert await estimate() == (5, 5 * EACH_MINOR * ROUNDS, "KHR")
    assert await estimate(areas=["1501", "9999"]) == (3, 3 * EACH_MINOR * ROUNDS, "KHR")
    assert await estimate(area_filter="flood_hazard_index < 0") == (0, 0, "KHR")
    body = await working.post("/checks/activations", asked, status=200)
    assert body["rounds"] == ROUNDS
    assert [
        (area["area"], area["households"], area["amount_minor"]) for area in body["by_area"]
    ] == [
        (BATTAMBANG, 2, 2 * EACH_MINOR),
        (PURSAT, 3, 3 * EACH_MINOR),
    ]
    cannot_be_said: tuple[dict[str, object], ...] = (
        {"areas": []},
        {"areas": ["9999"]},
        {"scheme": "nowhere"},
        {"area_filter": "nonsense ="},
    )
    for unanswerable in cannot_be_said:
        assert await estimate(**unanswerable) == (None, None, None)


async def test_triggers_is_told_what_a_filter_leaves_of_each_area(working: Flow) -> None:
    async def reach(*areas: str, area_filter: str | None) -> list[tuple[Any, ...]]:
        asked = {"areas": areas, "area_filter": area_filter}
        body = await working.post("/checks/activations", asked, status=200)
        return [
            (told["area"], told["communes"], told["reached"], told["unknown"])
            for told in body["reach"]
        ]

    level = "flood_hazard_index >= 5"
    assert await reach("24", "12", "121301", "9999", area_filter=level) == [
        ("12", 105, 26, 28),
        ("121301", 1, 0, 1),
        ("24", 8, 0, 0),
    ]
    assert await reach("KH", area_filter=level) == [("KH", 1652, 583, 103)]
    with_unknown = f"flood_hazard_index IS NULL OR {level}"
    assert await reach("12", area_filter=with_unknown) == [("12", 105, 54, 0)]
    for nothing in (None, "nonsense ="):
        assert await reach("12", area_filter=nothing) == []
