"""No one hand opens or widens an activation: figures, thresholds and areas have two, or a ceiling.

The households are rows of the registry's own database, which is asked what they would be paid.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from services.triggers.checks import asking
from services.triggers.definitions.shipped import shipped_document
from services.triggers.worker import create_worker
from shared.contracts.checks import ActivationChecked
from shared.worker import Worker
from tests.conftest import RunningService
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import PUBLISHER, Flow, batch

FLOOD = "flood-reported-impact"
DAY = date(2022, 10, 2)
NEXT_DAY = DAY + timedelta(days=1)
SECOND_PERSON = {"activation": {"approval": "second-person"}}
HEADER = (
    "registration_number,commune_code,poverty_status,members,children_0_5,pregnant,disabled,"
    "elderly_60,head_name,phone,id_number,provider_code,account\n"
)
ROW = (
    "010202-1-{0:05},010202,poor-1,1,0,0,0,0,Sok Dara,+85510000{0:03},010000{0:03},"
    "mekong,+85510000{0:03}\n"
)
AMOUNT_MINOR = 3 * 96_000
"""What a household of one member gets in the three rounds of the programme."""


def report(area: str, value: int | None, *, day: date = DAY, issue: int = 1) -> dict[str, Any]:
    return {
        "area": area,
        "source": "HRF",
        "observed_on": day.isoformat(),
        "published_on": day.isoformat(),
        "value": value,
        "issue": issue,
    }


def automatic(households: int, amount_minor: int = 10**12) -> dict[str, Any]:
    ceiling = {"households": households, "amount_minor": amount_minor, "currency": "KHR"}
    return {"activation": {"approval": "automatic", "ceiling": ceiling}}


class Stepped:
    """The service and its worker, a step at a time: nothing happens behind a test's back."""

    def __init__(self, flow: Flow, registry: RunningService, worker: Worker) -> None:
        self.flow = flow
        self.registry = registry
        self.households = 0
        self.worker = worker

    async def work(self) -> None:
        while sum([await self.worker.step(name) for name in ("judge", "expire", "weigh")]):
            pass

    async def published(self, *rows: dict[str, Any]) -> None:
        await self.flow.record(FLOOD_INDICATOR, list(rows))
        await self.work()

    async def by_hand(self, *rows: dict[str, Any]) -> dict[str, Any]:
        """What the officer is answered."""
        answer = await self.flow.post("/observations", batch(FLOOD_INDICATOR, list(rows)))
        proposal: dict[str, Any] = answer.json()
        assert answer.status_code == 202, proposal
        return proposal

    async def activation(self) -> dict[str, Any]:
        (activation,) = await self.flow.activations()
        return activation

    async def waiting(self) -> list[dict[str, Any]]:
        return await self.flow.proposals()

    async def told(self) -> list[tuple[list[str], int | None, int | None]]:
        """Areas and ceilings of what was announced, in order."""
        return [
            (event["areas"], event["ceiling_households"], event["ceiling_minor"])
            for name in ("activation-opened", "activation-widened")
            for event in await self.flow.events(name)
        ]

    async def settle(self, households: int) -> None:
        """Let so many more poor households of one member live in a commune that floods."""
        first = self.households
        self.households += households
        rows = [ROW.format(number) for number in range(first, self.households)]
        async with self.registry.client() as client:
            made = await client.post(
                "/imports", json={"source": "IDPoor"}, headers={"Idempotency-Key": str(first)}
            )
            taken = await client.put(
                f"/imports/{made.json()['id']}/rows",
                content=HEADER + "".join(rows),
                headers={"Content-Type": "text/csv"},
            )
        assert taken.json()["rows_rejected"] == 0, taken.text


@pytest.fixture
async def stepped(flow: Flow, registry: RunningService) -> AsyncIterator[Stepped]:
    flow.go_to(DAY)
    worker = create_worker()
    # The first step ever begins to read the log.
    await worker.step("judge")
    yield Stepped(flow, registry, worker)
    await worker.close()


@pytest.fixture
async def cautious(stepped: Stepped) -> Stepped:
    """With a trigger that wants a second person."""
    await stepped.flow.set_up(FLOOD_INDICATOR, FLOOD, stages=SECOND_PERSON)
    return stepped


async def test_whoever_recorded_a_figure_cannot_approve_what_it_causes(cautious: Stepped) -> None:
    flow = cautious.flow
    # The trigger is of another person than the figure.
    async with flow.client_of("minister@test") as minister:
        answer = await minister.post(
            f"/triggers/{FLOOD}/versions",
            json={**shipped_document(FLOOD), "stages": SECOND_PERSON},
            headers={"Idempotency-Key": "minister"},
        )
    await flow.decide(answer.json(), by="checker@test")

    figure = await cautious.by_hand(report("02", 24_000))
    assert figure["kind"] == "observations"
    await cautious.work()
    assert await flow.evaluations(FLOOD) == []
    assert (await flow.decide(figure, by="officer@test")).status_code == 409
    approved = await flow.decide(figure, by="clerk@test")
    outcome = approved.json()["outcome"].removeprefix("/v1")
    (kept,) = (await flow.got(outcome))["items"]
    assert (kept["posted_by"], kept["approved_by"], kept["source"]) == (
        "officer@test",
        "clerk@test",
        "HRF",
    )

    await cautious.work()
    (proposal,) = await cautious.waiting()
    assert (proposal["kind"], proposal["proposed_by"]) == ("activation", f"trigger:{FLOOD}")
    assert proposal["evidence_by"] == ["clerk@test", "minister@test", "officer@test"]
    for person in ("officer@test", "clerk@test", "minister@test"):
        refused = await flow.decide(proposal, by=person)
        assert refused.status_code == 409
        assert "had no part in it" in refused.json()["detail"]
    assert await cautious.told() == []
    assert (await cautious.activation())["state"] == "proposed"
    assert (await flow.decide(proposal, by="director@test")).status_code == 200
    assert (await cautious.activation())["state"] == "open"


async def test_a_person_never_publishes_and_a_publisher_waits_for_nobody(cautious: Stepped) -> None:
    flow = cautious.flow
    # The officer of these tests has both scopes, and is a person.
    await cautious.by_hand(report("02", 24_000))
    await cautious.published(report("15", 100))
    (kept,) = (await flow.got("/observations", indicator=FLOOD_INDICATOR["code"]))["items"]
    assert (kept["posted_by"], kept["published"]) == (PUBLISHER, True)


async def test_what_is_posted_by_hand_is_checked_whole(
    cautious: Stepped,
) -> None:
    wrong = batch(FLOOD_INDICATOR, [report("02", 1), report("99", 1)])
    refused = await cautious.flow.post("/observations", wrong)
    assert refused.json()["errors"][0]["pointer"] == "/body/observations/1/area"
    days = [DAY - timedelta(days=number) for number in range(2_001)]
    long = batch(FLOOD_INDICATOR, [report("02", 1, day=day) for day in days])
    assert "2000 rows at most" in (await cautious.flow.post("/observations", long)).json()["detail"]
    assert await cautious.waiting() == []


async def test_what_a_person_approves_is_its_areas_and_an_amount(cautious: Stepped) -> None:
    flow = cautious.flow
    await cautious.settle(20)
    await cautious.published(report("01", 24_000))
    (proposal,) = await cautious.waiting()
    assert proposal["document"]["areas_added"] == ["01"]
    assert (proposal["households"], proposal["currency"]) == (20, "KHR")
    assert proposal["amount_minor"] == 20 * AMOUNT_MINOR

    # More evidence while it waits: one proposal with all of it, and the first is closed.
    await cautious.published(report("02", 3_000))
    (second,) = await cautious.waiting()
    assert second["document"]["areas_added"] == ["01", "02"]
    (superseded,) = await flow.proposals(status="declined")
    assert (superseded["id"], superseded["decided_by"]) == (proposal["id"], "triggers")
    assert (await cautious.activation())["approval_id"] == second["id"]
    assert (await flow.decide(proposal)).status_code == 409

    # What comes between the proposal and its approval is not what was approved.
    await flow.record(FLOOD_INDICATOR, [report("15", 3_000)])
    await cautious.worker.step("judge")
    assert (await flow.decide(second, by="director@test")).status_code == 200
    assert await cautious.told() == [(["01", "02"], 22, 22 * AMOUNT_MINOR)]

    await cautious.work()
    (widening,) = await cautious.waiting()
    assert (widening["kind"], widening["document"]["areas_added"]) == ("widening", ["15"])
    assert (await cautious.told())[1:] == []
    activation = await cautious.activation()
    assert {area["area"]: area["announced_at"] is None for area in activation["areas"]} == {
        "01": False,
        "02": False,
        "15": True,
    }
    await cautious.settle(10)
    await cautious.published(report("04", 3_000))
    (widening,) = await cautious.waiting()
    assert widening["document"]["areas_added"] == ["04", "15"]
    assert widening["households"] == 30
    await flow.decide(widening, by="director@test")
    assert (await cautious.told())[1:] == [(["04", "15"], 33, 33 * AMOUNT_MINOR)]
    move = (await cautious.activation())["moves"][-1]
    assert (move["to_state"], move["moved_by"]) == ("open", "director@test")
    assert move["reason"].startswith("Added 04, 15. ")


async def test_areas_that_a_person_declined_are_asked_about_again_once_more_is_known(
    cautious: Stepped,
) -> None:
    flow = cautious.flow
    await cautious.published(report("01", 24_000))
    await flow.decide((await cautious.waiting())[0], by="director@test")
    await cautious.published(report("02", 3_000))
    await flow.decide((await cautious.waiting())[0], "refusal", by="director@test")
    await cautious.published(report("03", 3_000))
    (widening,) = await cautious.waiting()
    assert widening["document"]["areas_added"] == ["03"]
    declined = {
        area["area"]: area["declined_by"] for area in (await cautious.activation())["areas"]
    }
    assert declined == {"01": None, "02": "director@test", "03": None}
    flow.go_to(NEXT_DAY)
    await cautious.published(report("03", 4_000, day=NEXT_DAY))
    (widening,) = await cautious.waiting()
    assert widening["document"]["areas_added"] == ["02", "03"]
    # Whoever closes it ends the cautious.
    path = f"/activations/{(await cautious.activation())['id']}/close"
    await flow.client.post(path, json={"reason": "The flood is over."})
    await cautious.work()
    assert await cautious.waiting() == []
    assert await cautious.told() == [(["01"], 0, 0)]


async def test_what_nobody_decides_on_lets_its_trigger_go_and_is_asked_again(
    cautious: Stepped,
) -> None:
    flow = cautious.flow
    await cautious.published(report("01", 24_000))
    flow.go_to(DAY + timedelta(days=8))
    await cautious.work()
    expired = await cautious.activation()
    assert expired["state"] == "expired"
    assert "proposes again" in expired["moves"][-1]["reason"]
    assert await cautious.waiting() == []
    # The same report, once more revised: silence was no no.
    await cautious.published(report("01", 24_001, issue=2))
    _, again = await flow.activations()
    assert again["state"] == "proposed"
    (proposal,) = await cautious.waiting()
    await flow.decide(proposal, by="director@test")

    await cautious.published(report("02", 3_000))
    (widening,) = await cautious.waiting()
    flow.go_to(DAY + timedelta(days=16))
    await cautious.work()
    (renewed,) = await cautious.waiting()
    assert renewed["id"] != widening["id"]
    assert renewed["document"] == widening["document"]


async def test_after_a_decline_only_later_evidence_proposes_again(cautious: Stepped) -> None:
    flow = cautious.flow
    await cautious.published(report("02", 21_000))
    await flow.decide((await cautious.waiting())[0], "refusal", by="director@test")
    await cautious.published(report("15", 2_000))
    assert (await cautious.activation())["state"] == "declined"
    flow.go_to(NEXT_DAY)
    await cautious.published(report("15", 40_000, day=NEXT_DAY))
    states = [activation["state"] for activation in await flow.activations()]
    assert states == ["declined", "proposed"]
    outcomes = [evaluation["outcome"] for evaluation in await flow.evaluations(FLOOD)]
    assert outcomes == ["proposed", "quiet", "proposed"]


@pytest.mark.parametrize(
    "stages", [automatic(19), automatic(1_000, 20 * AMOUNT_MINOR - 1)], ids=["households", "money"]
)
async def test_above_its_ceiling_a_trigger_asks(stepped: Stepped, stages: Any) -> None:
    await stepped.flow.set_up(FLOOD_INDICATOR, FLOOD, stages=stages)
    await stepped.settle(20)
    await stepped.published(report("01", 24_000))
    (proposal,) = await stepped.waiting()
    assert (proposal["kind"], proposal["households"]) == ("activation", 20)
    assert "above the ceiling" in proposal["what"]
    assert await stepped.told() == []


async def test_up_to_its_ceiling_a_trigger_opens_and_widens_by_itself(stepped: Stepped) -> None:
    flow = stepped.flow
    await flow.set_up(FLOOD_INDICATOR, FLOOD, stages=automatic(30))
    await stepped.settle(20)
    await stepped.published(report("01", 24_000))
    await stepped.settle(10)
    await stepped.published(report("02", 3_000))
    told = [(["01"], 30, 10**12), (["02"], 30, 10**12)]
    assert await stepped.told() == told
    # One household more, of all areas together, and a person is asked.
    await stepped.settle(1)
    await stepped.published(report("03", 3_000))
    assert await stepped.told() == told
    (widening,) = await stepped.waiting()
    assert (widening["document"]["areas_added"], widening["households"]) == (["03"], 31)
    await flow.decide(widening, by="director@test")
    # What two persons had set before is never taken back.
    assert (await stepped.told())[-1] == (["03"], 35, 10**12)


async def test_evidence_that_comes_while_the_registry_is_asked_is_weighed_with_the_rest(
    stepped: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stepped.flow.set_up(FLOOD_INDICATOR, FLOOD)
    ask = asking.weigh
    rows = [report("02", 3_000)]

    async def slowly(*arguments: Any) -> ActivationChecked:
        while rows:
            await stepped.flow.record(FLOOD_INDICATOR, [rows.pop()])
            await stepped.worker.step("judge")
        return await ask(*arguments)

    monkeypatch.setattr(asking, "weigh", slowly)
    await stepped.flow.record(FLOOD_INDICATOR, [report("01", 24_000)])
    await stepped.worker.step("judge")
    await stepped.worker.step("weigh")
    assert await stepped.told() == []
    await stepped.work()
    assert [areas for areas, _, _ in await stepped.told()] == [["01", "02"]]


async def test_what_a_worker_that_died_was_weighing_is_left_to_another(stepped: Stepped) -> None:
    await stepped.flow.set_up(FLOOD_INDICATOR, FLOOD)
    await stepped.flow.record(FLOOD_INDICATOR, [report("01", 24_000)])
    await stepped.worker.step("judge")
    lease = "UPDATE triggers.activation SET weigh_at = clock_timestamp() + $1::text::interval"
    await stepped.flow.owner.execute(lease, "40 seconds")
    await stepped.work()
    assert await stepped.told() == []
    await stepped.flow.owner.execute(lease, "0 seconds")
    await stepped.work()
    assert len(await stepped.told()) == 1


async def test_what_one_person_posted_as_history_opens_nothing_by_itself(stepped: Stepped) -> None:
    flow = stepped.flow
    await flow.created("/indicators", FLOOD_INDICATOR)
    alone = await flow.post("/observations", batch(FLOOD_INDICATOR, [report("01", 24_000)]))
    assert alone.status_code == 201
    await flow.created("/triggers", shipped_document(FLOOD))
    await stepped.published(report("02", 3_000))
    (proposal,) = await stepped.waiting()
    assert "One person alone" in proposal["what"]
    assert "officer@test" in proposal["evidence_by"]
    # The publisher's own figure in its place, and nothing stands in the way.
    await stepped.published(report("01", 24_001, issue=2), report("03", 3_000))
    assert [areas for areas, _, _ in await stepped.told()] == [["01", "02", "03"]]
    assert await stepped.waiting() == []


async def test_a_trigger_that_pays_by_itself_states_its_ceiling(flow: Flow) -> None:
    await flow.created("/indicators", FLOOD_INDICATOR)
    endless = {"activation": {"approval": "automatic"}}
    in_dollars = automatic(1)
    in_dollars["activation"]["ceiling"]["currency"] = "USD"
    for stages, field in ((endless, ""), (in_dollars, "/currency")):
        answer = await flow.post("/triggers", {**shipped_document(FLOOD), "stages": stages})
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["pointer"] == f"/body/stages/activation/ceiling{field}"


async def test_while_the_registry_is_away_an_activation_waits_and_then_a_person_is_asked(
    alone: Flow,
) -> None:
    alone.go_to(DAY)
    await alone.created("/indicators", FLOOD_INDICATOR)
    # As it was posted while the registry answered.
    await alone.owner.execute(
        """
        INSERT INTO triggers.trigger_definition (code, version, document, posted_by, posted_at)
        VALUES ($1, 1, $2, 'minister@test', now())
        """,
        FLOOD,
        orjson.dumps(shipped_document(FLOOD)).decode(),
    )
    await alone.owner.execute(
        "INSERT INTO triggers.trigger_leg VALUES ($1, 1, 0, $2)", FLOOD, FLOOD_INDICATOR["code"]
    )
    worker = create_worker()
    try:
        await worker.step("judge")
        await alone.record(FLOOD_INDICATOR, [report("01", 24_000)])
        await worker.step("judge")
        assert await worker.step("weigh") == 0
        (activation,) = await alone.activations()
        assert (activation["state"], activation["approval_id"]) == ("proposed", None)
        await alone.owner.execute(
            "UPDATE triggers.activation SET weigh_at = now(), "
            "weighing_since = now() - interval '11 minutes'"
        )
        assert await worker.step("weigh") == 1
    finally:
        await worker.close()
    (proposal,) = await alone.proposals()
    assert (proposal["households"], proposal["evidence_by"]) == (None, [PUBLISHER, "minister@test"])
    assert "could not say" in proposal["what"]
    await alone.decide(proposal, by="director@test")
    # Nobody said how much, and that is announced.
    (opened,) = await alone.events("activation-opened")
    assert (opened["ceiling_households"], opened["ceiling_minor"]) == (None, None)
