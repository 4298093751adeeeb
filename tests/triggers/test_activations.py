"""Activations over HTTP: declared, proposed, approved by a second person, declined, raced for."""

import asyncio
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations import service as evaluations
from services.triggers.evaluations.history import Told, tell_on
from services.triggers.evaluations.service import Judging, knowledge
from services.triggers.settings import WorkerSettings
from services.triggers.steps import steps_of
from shared.clock import FileClock
from shared.database import Database
from shared.ids import id_of, new_id
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import REASON, Flow

FLOOD = "flood-reported-impact"
DAY = date(2022, 10, 2)

DECLARATION = {
    "trigger": FLOOD,
    "areas": ["12", "0801"],
    "severity": "severe",
    "observed_on": DAY.isoformat(),
    "reason": "Flash flood; the committee's count is late.",
}


def report(area: str, value: int | None, *, day: date = DAY) -> dict[str, Any]:
    return {
        "area": area,
        "source": "HRF",
        "observed_on": day.isoformat(),
        "published_on": day.isoformat(),
        "value": value,
    }


async def told(flow: Flow, activation: str, verb: str, *, by: str = "officer@test") -> Any:
    """What a person says of an activation: to close it, or to propose its cancellation."""
    async with flow.client_of(by) as client:
        return await client.post(
            f"/activations/{activation}/{verb}",
            json=REASON,
            headers={"Idempotency-Key": str(new_id())},
        )


async def proposed(flow: Flow, **changes: Any) -> dict[str, Any]:
    """The proposal of a declaration."""
    answer = await flow.post("/activations", {**DECLARATION, **changes})
    assert answer.status_code == 202, answer.text
    proposal: dict[str, Any] = answer.json()
    return proposal


async def activation_of(flow: Flow, proposal: dict[str, Any]) -> dict[str, Any]:
    path = f"/activations/{proposal['document']['activation_id']}"
    activation: dict[str, Any] = await flow.got(path)
    return activation


@pytest.fixture
async def declared(flow: Flow) -> tuple[Flow, dict[str, Any]]:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    return flow, await proposed(flow)


async def test_a_declaration_pays_nothing_until_a_second_person_approves(
    declared: tuple[Flow, dict[str, Any]],
) -> None:
    flow, proposal = declared
    activation = await activation_of(flow, proposal)
    assert (activation["state"], activation["origin"]) == ("proposed", "declared")
    assert (activation["proposed_by"], activation["opened_on"]) == ("officer@test", None)
    assert activation["approval_id"] == proposal["id"]
    assert {area["announced_at"] for area in activation["areas"]} == {None}
    assert (proposal["kind"], proposal["reason"]) == ("declaration", DECLARATION["reason"])
    assert await flow.events("activation-opened") == []

    same = await flow.decide(proposal, by="officer@test")
    assert same.status_code == 409
    assert await flow.events("activation-opened") == []

    flow.go_to(DAY + timedelta(days=1))
    approved = await flow.decide(proposal, by="director@test")
    assert approved.status_code == 200, approved.text
    assert approved.json()["outcome"] == f"/v1/activations/{activation['id']}"
    opened = await flow.got(f"/activations/{activation['id']}")
    assert (opened["state"], opened["opened_on"]) == ("open", "2022-10-03")
    assert [(move["to_state"], move["moved_by"]) for move in opened["moves"]] == [
        ("proposed", "officer@test"),
        ("open", "director@test"),
    ]
    (event,) = await flow.events("activation-opened")
    assert event["areas"] == ["0801", "12"]
    assert (event["opened_on"], event["observed_on"]) == ("2022-10-03", "2022-10-02")

    assert (await flow.decide(proposal, by="director@test")).status_code == 409
    assert (await flow.decide(proposal, "refusal", by="director@test")).status_code == 409
    assert len(await flow.events("activation-opened")) == 1


async def test_two_approvals_at_once_open_once(declared: tuple[Flow, dict[str, Any]]) -> None:
    flow, proposal = declared
    answers = await asyncio.gather(
        *(flow.decide(proposal, by=f"director-{number}@test") for number in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await flow.events("activation-opened")) == 1


async def test_a_declined_declaration_is_never_paid(
    declared: tuple[Flow, dict[str, Any]],
) -> None:
    flow, proposal = declared
    await flow.decide(proposal, "refusal", by="director@test")
    declined = await activation_of(flow, proposal)
    assert declined["state"] == "declined"
    assert declined["moves"][-1]["reason"] == REASON["reason"]
    assert (await flow.decide(proposal, by="director@test")).status_code == 409
    assert await flow.events("activation-opened") == []
    assert (await proposed(flow))["status"] == "waiting"


async def test_of_two_declarations_at_once_one_wins(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    answers = await asyncio.gather(*(flow.post("/activations", DECLARATION) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(await flow.activations()) == 1


async def test_a_live_activation_has_its_trigger_until_its_event_is_over(
    declared: tuple[Flow, dict[str, Any]],
) -> None:
    flow, proposal = declared
    activation = await activation_of(flow, proposal)
    flow.go_to(DAY + timedelta(days=31))
    soon = {**DECLARATION, "observed_on": (DAY + timedelta(days=30)).isoformat()}
    refused = await flow.post("/activations", soon)
    assert refused.status_code == 409
    assert refused.json()["activation_id"] == activation["id"]
    later = {**DECLARATION, "observed_on": (DAY + timedelta(days=31)).isoformat()}
    await proposed(flow, **later)
    assert [activation["state"] for activation in await flow.activations()] == [
        "closed",
        "proposed",
    ]


async def test_a_declaration_that_cannot_be(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    wrongs: list[tuple[dict[str, Any], int]] = [
        ({"observed_on": "2022-10-03"}, 422),
        ({"trigger": "no-such"}, 409),
        ({"reason": ""}, 422),
        ({"areas": []}, 422),
        ({"severity": "bad"}, 422),
    ]
    for changes, status in wrongs:
        answer = await flow.post("/activations", {**DECLARATION, **changes})
        assert answer.status_code == status, answer.text
    assert await flow.activations() == []


async def test_a_declaration_stays_within_the_trigger_s_areas(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD, areas=["08"])
    answer = await flow.post("/activations", DECLARATION)
    assert answer.status_code == 422
    assert "12" in answer.json()["detail"]


async def test_reports_widen_a_declared_activation_once_they_are_enough(working: Flow) -> None:
    working.go_to(DAY)
    await working.set_up(FLOOD_INDICATOR, FLOOD)
    await opened(working)
    await working.record(FLOOD_INDICATOR, [report("02", 5_000)])
    await working.caught_up()
    assert await working.events("activation-widened") == []
    await working.record(FLOOD_INDICATOR, [report("15", 16_000)])
    await working.caught_up()
    # Two persons opened it for these areas, whatever its trigger may do by itself.
    assert await working.events("activation-widened") == []
    (widening,) = await working.proposals("widening")
    assert widening["document"]["areas_added"] == ["02", "15"]
    await working.decide(widening, by="director@test")
    (activation,) = await working.activations()
    assert sorted(area["area"] for area in activation["areas"]) == ["02", "0801", "12", "15"]
    (widened,) = await working.events("activation-widened")
    assert widened["areas"] == ["02", "15"]


async def test_workers_that_evaluate_at_once_open_once(
    flow: Flow, environment: dict[str, str]
) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    await flow.record(FLOOD_INDICATOR, [report("02", 30_000)])
    database = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    steps = steps_of(WorkerSettings())
    workers = [Judging(database, steps=steps, clock=FileClock(flow.clock_file)) for _ in range(8)]
    await asyncio.gather(*(worker.step() for worker in workers))
    # Whatever they did together, and once more: what is due is due as long as nobody kept it.
    await flow.owner.execute("UPDATE triggers.indicator SET judge_at = judged_until")
    await asyncio.gather(*(worker.step() for worker in workers))
    await database.dispose()
    (activation,) = await flow.activations()
    assert activation["state"] == "proposed"
    (evaluation,) = await flow.evaluations(FLOOD)
    assert evaluation["outcome"] == "proposed"


async def test_a_rule_that_breaks_on_a_figure_concerns_itself_alone(
    flow: Flow, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    await flow.created("/triggers", {**shipped_document(FLOOD), "code": "a-broken-rule"})
    await flow.record(FLOOD_INDICATOR, [report("02", 30_000)])

    def breaks(document: TriggerDocument, *arguments: Any, **options: Any) -> Told:
        if document.code == "a-broken-rule":
            raise ZeroDivisionError
        return tell_on(document, *arguments, **options)

    monkeypatch.setattr(evaluations, "tell_on", breaks)
    database = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    judging = Judging(database, steps=steps_of(WorkerSettings()), clock=FileClock(flow.clock_file))
    assert await judging.step() == 1
    (activation,) = await flow.activations()
    assert activation["trigger"] == FLOOD
    assert await flow.evaluations("a-broken-rule") == []

    # It is tried again after a while, and what was judged meanwhile stays as it is.
    monkeypatch.undo()
    assert await judging.step() == 0
    flow.go_to(DAY + timedelta(days=1))
    assert await judging.step() == 1
    await database.dispose()
    (evaluation,) = await flow.evaluations("a-broken-rule")
    assert evaluation["outcome"] == "proposed"
    assert len(await flow.evaluations(FLOOD)) == 1


async def test_an_indicator_that_cannot_be_judged_concerns_itself_alone(
    flow: Flow, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    other = {**FLOOD_INDICATOR, "code": "other-affected-households"}
    (leg,) = shipped_document(FLOOD)["legs"]
    legs = [{**leg, "indicator": other["code"]}]
    await flow.set_up(other, FLOOD, code="on-the-other", legs=legs)
    for indicator in (FLOOD_INDICATOR, other):
        await flow.record(indicator, [report("02", 30_000)])

    async def breaks(session: AsyncSession, codes: Collection[str], **options: Any) -> Any:
        if FLOOD_INDICATOR["code"] in codes:
            raise ZeroDivisionError
        return await knowledge(session, codes, **options)

    monkeypatch.setattr(evaluations, "knowledge", breaks)
    database = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    judging = Judging(database, steps=steps_of(WorkerSettings()), clock=FileClock(flow.clock_file))
    assert await judging.step() == 2
    (activation,) = await flow.activations()
    assert activation["trigger"] == "on-the-other"

    monkeypatch.undo()
    assert await judging.step() == 0
    flow.go_to(DAY + timedelta(days=1))
    assert await judging.step() == 1
    await database.dispose()
    assert {each["trigger"] for each in await flow.activations()} == {FLOOD, "on-the-other"}


async def test_activations_are_filtered_and_paged(declared: tuple[Flow, dict[str, Any]]) -> None:
    flow, proposal = declared
    activation = await activation_of(flow, proposal)
    await flow.decide(proposal, "refusal", by="director@test")
    second = await activation_of(flow, await proposed(flow))
    page = await flow.got("/activations", limit=1)
    assert [activation["id"] for activation in page["items"]] == [second["id"]]
    rest = await flow.got("/activations", limit=1, cursor=page["next_cursor"])
    assert [activation["id"] for activation in rest["items"]] == [activation["id"]]
    found = await flow.got("/activations", state="declined", trigger=FLOOD)
    assert [activation["id"] for activation in found["items"]] == [activation["id"]]
    missing = await flow.client.get(f"/activations/{new_id()}")
    assert missing.status_code == 404


async def opened(flow: Flow, **changes: Any) -> str:
    """An open activation that one person declared and another approved."""
    proposal = await proposed(flow, **changes)
    approved = await flow.decide(proposal, by="director@test")
    assert approved.status_code == 200, approved.text
    return str(proposal["document"]["activation_id"])


async def test_an_activation_has_the_same_id_when_it_begins_again_after_a_loss(
    declared: tuple[Flow, dict[str, Any]],
) -> None:
    flow, proposal = declared
    activation = await activation_of(flow, proposal)
    assert activation["id"] == str(id_of("activation", FLOOD, 1, 0, day=DAY))
    for table in ("activation_move", "activation_area", "activation"):
        await flow.owner.execute(f"DELETE FROM triggers.{table}")
    again = await proposed(flow)
    assert again["document"]["activation_id"] == activation["id"]
    await flow.decide(again, "refusal", by="director@test")
    second = await activation_of(flow, await proposed(flow))
    assert second["id"] == str(id_of("activation", FLOOD, 1, 1, day=DAY))


async def test_evidence_that_reaches_further_back_leaves_the_ids_free(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    first = await opened(flow)
    await flow.owner.execute("UPDATE triggers.activation SET evidence_from = evidence_from - 1")
    await told(flow, first, "close")
    second = await activation_of(flow, await proposed(flow))
    assert second["id"] == str(id_of("activation", FLOOD, 1, 1, day=DAY))


async def test_an_open_activation_is_closed_and_still_paid(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    activation_id = await opened(flow)
    closed = await told(flow, activation_id, "close")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert closed.json()["moves"][-1]["reason"] == REASON["reason"]
    assert await flow.events("activation-cancelled") == []
    assert (await told(flow, activation_id, "close")).status_code == 409
    assert (await proposed(flow))["status"] == "waiting"


async def test_a_cancelled_activation_is_told_and_says_where_it_stands_what_was_sent(
    working: Flow,
) -> None:
    working.go_to(DAY)
    await working.set_up(FLOOD_INDICATOR, FLOOD)
    activation_id = await opened(working)
    working.go_to(DAY + timedelta(days=1))
    proposal = await told(working, activation_id, "cancellation", by="minister@test")
    assert (proposal.status_code, proposal.json()["kind"]) == (202, "cancellation")
    assert await working.events("activation-cancelled") == []
    # Whoever declared it, and whoever posted its rule, has a part in it.
    for person in ("minister@test", "officer@test"):
        assert (await working.decide(proposal.json(), by=person)).status_code == 409
    assert (await working.decide(proposal.json(), by="director@test")).status_code == 200
    cancelled = await working.got(f"/activations/{activation_id}")
    assert cancelled["state"] == "cancelled"
    assert cancelled["sent"].endswith(f"GET /v1/activations/{activation_id}.")
    assert await working.events("activation-cancelled") == [
        {"activation_id": activation_id, "cancelled_on": "2022-10-03"}
    ]
    assert (await told(working, activation_id, "cancellation")).status_code == 409
    assert len(await working.events("activation-cancelled")) == 1

    # Reports of the same event do not open it again behind the officer's back.
    await working.record(FLOOD_INDICATOR, [report("02", 40_000)])
    await working.caught_up()
    (activation,) = await working.activations()
    assert activation["state"] == "cancelled"
    (evaluation,) = await working.evaluations(FLOOD)
    assert evaluation["outcome"] == "quiet"
    assert "A person cancelled" in evaluation["explanation"]
    assert (await proposed(working))["status"] == "waiting"


async def test_only_what_was_opened_can_be_cancelled(
    declared: tuple[Flow, dict[str, Any]],
) -> None:
    flow, proposal = declared
    activation_id = proposal["document"]["activation_id"]
    assert (await told(flow, activation_id, "cancellation")).status_code == 409
    await flow.decide(proposal, by="director@test")
    await told(flow, activation_id, "close")
    first, second = [await told(flow, activation_id, "cancellation") for _ in range(2)]
    await flow.decide(first.json(), by="director@test")
    assert (await activation_of(flow, proposal))["state"] == "cancelled"
    # The other proposal has nothing left to do.
    assert (await flow.decide(second.json(), by="director@test")).status_code == 409
    assert len(await flow.events("activation-cancelled")) == 1
    assert (await told(flow, str(new_id()), "cancellation")).status_code == 404


async def correct(flow: Flow, activation: str, *, by: str = "officer@test", **body: Any) -> Any:
    async with flow.client_of(by) as client:
        return await client.post(
            f"/activations/{activation}/correction",
            json={"reason": "A slip of the pen.", **body},
            headers={"Idempotency-Key": str(new_id())},
        )


async def test_an_open_activation_gets_the_right_areas_instead_of_wrong_ones(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    activation_id = await opened(flow)
    # As it may have come while the registry was away, or by an earlier version.
    await flow.owner.execute(
        "INSERT INTO triggers.activation_area (activation_id, area_code, added_at, added_by) "
        "VALUES ($1, '99', now(), 'trigger'), ($1, '០១', now(), 'trigger')",
        activation_id,
    )
    proposal = await correct(
        flow, activation_id, areas_added=["21", "12"], areas_refused=["99", "០១"]
    )
    assert proposal.status_code == 202, proposal.text
    assert await flow.events("activation-widened") == []
    approved = await flow.decide(proposal.json(), by="director@test")
    assert approved.status_code == 200, approved.text
    corrected = await flow.got(f"/activations/{activation_id}")
    areas = {area["area"]: area for area in corrected["areas"]}
    assert set(areas) == {"12", "0801", "21", "99", "០១"}
    assert (areas["21"]["added_by"], areas["21"]["refused_at"]) == ("director@test", None)
    assert areas["99"]["refused_by"] == areas["០១"]["refused_by"] == "director@test"
    move = corrected["moves"][-1]
    assert (move["from_state"], move["to_state"], move["moved_by"]) == (
        "open",
        "open",
        "director@test",
    )
    assert move["reason"] == (f"Added 21. Refused 99, ០១. A slip of the pen. {REASON['reason']}")
    (widened,) = await flow.events("activation-widened")
    assert (widened["activation_id"], widened["areas"]) == (activation_id, ["21"])


async def test_a_correction_that_cannot_be(flow: Flow) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD, areas=["08", "12"])
    activation_id = await opened(flow)
    wrongs: list[tuple[dict[str, Any], int, str]] = [
        ({}, 422, "Name areas to add"),
        ({"areas_added": ["99"]}, 422, "gazetteer"),
        ({"areas_added": ["08010101"]}, 422, "smaller than a commune"),
        ({"areas_added": ["21"]}, 422, "does not act in 21"),
        ({"areas_refused": ["98"]}, 422, "no areas of this activation"),
        ({"areas_refused": ["12"]}, 409, "cancellation"),
    ]
    for body, status, words in wrongs:
        answer = await correct(flow, activation_id, **body)
        assert answer.status_code == status, answer.text
        assert words in answer.text
    in_time = await correct(flow, activation_id, areas_added=["0802"])
    await told(flow, activation_id, "close")
    assert (await correct(flow, activation_id, areas_added=["0802"])).status_code == 409
    assert (await flow.decide(in_time.json(), by="director@test")).status_code == 409
    assert await flow.events("activation-widened") == []


@pytest.mark.parametrize("day", ["0020-12-16", "1969-12-31", "2021-09-30"])
async def test_what_was_long_ago_is_no_emergency(flow: Flow, day: str) -> None:
    flow.go_to(DAY)
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    answer = await flow.post("/activations", {**DECLARATION, "observed_on": day})
    assert answer.status_code == 422
    assert "more than 366 days before today" in answer.json()["detail"]


def test_days_before_1970_have_ids_of_their_own() -> None:
    days = [date(20, 12, 16), date(1969, 12, 31), date(1970, 1, 1), date(2026, 1, 5)]
    ids = [id_of("event", day=day) for day in days]
    assert len(set(ids)) == len(days)
    assert max(ids) == ids[-1]
