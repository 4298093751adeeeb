"""What a scheme would come to, before anything happens; and what it refers to is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.registry.schemes.shipped import shipped_document
from shared.contracts.events import ConfiguredProvider, FundBounded, ProvidersConfigured
from shared.ids import new_id
from tests.registry.flow import Flow, rows
from tests.server import eventually, serving

FUND = {"currency": "KHR", "available_minor": 500_000, "reserved_minor": 0}
FLOATS = [
    {"code": "mekong", "currency": "KHR", "float_minor": 200_000},
    {"code": "tonle", "currency": "KHR", "float_minor": 10**9},
]


@asynccontextmanager
async def payments_of(
    url: str, *, fund: dict[str, Any] | None = FUND, lines: tuple[str, ...] = ("floods",)
) -> AsyncIterator[None]:
    """Stands for payments: one fund with its lines, and two providers."""

    async def serve_fund(request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer ")
        if fund is None or request.path_params["code"] != "national-relief":
            return Response(status_code=404)
        return JSONResponse(fund)

    async def serve_providers(request: Request) -> Response:
        return JSONResponse({"items": FLOATS})

    async def serve_lines(request: Request) -> Response:
        return JSONResponse({"items": [{"code": line} for line in lines]})

    routes = [
        Route("/v1/funds/{code}", serve_fund),
        Route("/v1/providers", serve_providers),
        Route("/v1/funds/{code}/budget-lines", serve_lines),
    ]
    async with serving(Starlette(routes=routes), int(url.rsplit(":", 1)[1])):  # type: ignore[arg-type]
        yield


async def tell(flow: Flow, *, currency: str = "KHR", maximum: int = 10**9) -> None:
    """Payments tells of its fund and its providers, and the registry hears it."""
    await flow.from_payments(
        ProvidersConfigured(
            providers=[
                ConfiguredProvider(code="mekong", currency="KHR"),
                ConfiguredProvider(code="tonle", currency="KHR"),
                ConfiguredProvider(code="dollar", currency="USD"),
            ]
        )
    )
    await flow.from_payments(
        FundBounded(
            fund="national-relief",
            currency=currency,
            maximum_payment_minor=maximum,
            maximum_round_minor=10**12,
        )
    )

    async def heard() -> bool:
        return bool(await flow.owner.fetchval("SELECT count(*) FROM registry.fund"))

    await eventually(heard)


async def refused(flow: Flow, document: dict[str, Any]) -> dict[str, str]:
    """What of a document is refused, by pointer."""
    answer = await flow.client.post("/schemes", json=document, headers=flow.key())
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


async def test_what_a_scheme_refers_to_is_refused_where_it_is_not_there(
    working: Flow, environment: dict[str, str]
) -> None:
    document = shipped_document("inflation-2022")
    exclusion = {"rounds": [1], "within_days": 30}
    wrong = document | {
        "exclusions": [
            {"scheme": "flood-2022", **exclusion},
            {"scheme": "drought", **exclusion},
            {"scheme": "inflation-2022", **exclusion},
        ]
    }
    faults = await refused(working, wrong)
    assert faults.keys() == {"/body/exclusions/1/scheme", "/body/exclusions/2/scheme"}
    assert (
        "No scheme 'drought' is posted. Posted are: flood-2022."
        in (faults["/body/exclusions/1/scheme"])
    )
    assert "pays itself" in faults["/body/exclusions/2/scheme"]

    # As long as payments told of no fund, nobody guesses, and the proposal says so.
    taken = await working.post("/schemes", document | {"budget_line": "any"}, status=202)
    assert "Payments has told of no fund yet" in taken["what"]
    assert "nor whether the fund has a budget line 'any'" in taken["what"]
    assert taken["document"]["estimate"]["not_said"]

    await tell(working)
    faults = await refused(working, document | {"fund": "relief"})
    assert "It has: national-relief." in faults["/body/fund"]
    faults = await refused(working, document | {"currency": "USD"})
    assert faults == {
        "/body/currency": "The fund 'national-relief' is in KHR, the scheme pays USD."
    }
    # It is looked at again when it is approved.
    async with working.service.client(subject="checker@test") as checker:
        await working.owner.execute("UPDATE registry.fund SET code = 'other'")
        answer = await checker.post(
            f"/approvals/{taken['id']}/approval", json={"reason": "Checked."}
        )
        assert answer.status_code == 422
        await working.owner.execute("UPDATE registry.fund SET code = 'national-relief'")
    async with payments_of(environment["PAYMENTS_URL"]):
        faults = await refused(working, document | {"budget_line": "droughts"})
        assert "It has: floods." in faults["/body/budget_line"]
        await working.post("/schemes", document | {"budget_line": "floods"}, status=202)


async def test_a_scheme_is_estimated_by_area_round_and_provider(
    working: Flow, environment: dict[str, str]
) -> None:
    await tell(working, maximum=200_000)
    await working.register(
        [
            *rows(3),
            *rows(1, begin=10, account="", provider_code=""),
            *rows(2, begin=20, provider_code="tonle", members=9, children_0_5=3),
            *rows(1, commune="020801"),
            *rows(4, commune="150101"),
            *rows(5, begin=40, poverty_status="not-poor"),
        ]
    )
    # An account from before payments told of its providers.
    await working.owner.execute(
        "UPDATE registry.payee_account SET provider_code = 'gone' WHERE household_id = "
        "(SELECT id FROM registry.household WHERE area_code = '020801')"
    )
    asked = {"areas": ["02", "1501", "99"], "by": "district", "opened_on": "2026-02-01"}
    away = await working.post("/schemes/flood-2022/estimate", asked, status=200)
    assert away["cover"] is None
    assert [provider["float_minor"] for provider in away["providers"]] == [None, None, None]
    assert "Payments does not answer" in away["not_said"][0]
    async with payments_of(environment["PAYMENTS_URL"]):
        found = await working.post("/schemes/flood-2022/estimate", asked, status=200)
        document = shipped_document("flood-2022")
        posted_not = await working.post(
            "/schemes/estimate", {**asked, "document": document}, status=200
        )
    assert {**posted_not, "version": 1, "counted_at": None} == {**found, "counted_at": None}
    assert found["areas_refused"] == {"99": "It is not in the gazetteer."}
    # Four members with a child: 80,000 + 4 x 16,000 + 16,000; nine with three: 272,000.
    small, large = 160_000, 272_000
    one_round = 9 * small + 2 * large
    assert (found["households"], found["persons"]) == (11, 9 * 4 + 2 * 9)
    assert found["amount_minor"] == 3 * one_round
    assert [(row["number"], row["due_on"], row["amount_minor"]) for row in found["rounds"]] == [
        (1, "2026-02-01", one_round),
        (2, "2026-03-04", one_round),
        (3, "2026-04-04", one_round),
    ]
    assert [
        (area["area_code"], area["households"], area["persons"], area["amount_minor"])
        for area in found["by_area"]
    ] == [
        ("0201", 6, 34, 4 * small + 2 * large),
        ("0208", 1, 4, small),
        ("1501", 4, 16, 4 * small),
    ]
    assert (found["without_account"], found["without_provider"]) == (1, 1)
    assert found["above_fund_bound"] == 2
    gone, mekong, tonle = found["providers"]
    assert (gone["code"], gone["problem"]) == ("gone", "Payments sends to no such provider.")
    assert (mekong["households"], mekong["amount_minor"]) == (7, 7 * small)
    assert mekong["short_minor"] == 7 * small - 200_000
    # Above the fund's bound, so never sent.
    assert (tonle["households"], tonle["short_minor"]) == (0, 0)
    assert found["cover"]["short_minor"] == 3 * one_round - 500_000
    assert found["not_said"] == []
    assert await working.owner.fetchval("SELECT count(*) FROM registry.enrolment") == 0


async def test_an_estimate_leaves_out_whom_others_pay_and_what_an_activation_reaches(
    working: Flow,
) -> None:
    await working.post_scheme("inflation-2022")
    await working.register([*rows(2), *rows(3, commune="150101")])
    activation_id = await working.open("02")
    await working.worked(activation_id)
    found = await working.post("/schemes/inflation-2022/estimate", {}, status=200)
    assert [(row["households"], row["left_out"]) for row in found["rounds"]] == [
        (3, 2),
        (5, 0),
        (5, 0),
    ]
    # A second activation of the flood scheme: by its third round the first has ended.
    found = await working.post(
        "/schemes/flood-2022/estimate", {"opened_on": "2026-01-06"}, status=200
    )
    assert [row["left_out"] for row in found["rounds"]] == [2, 2, 0]
    found = await working.post(
        "/schemes/flood-2022/estimate", {"but": str(activation_id)}, status=200
    )
    assert (found["households"], found["rounds"][0]["left_out"]) == (3, 0)
    unknown = await working.post("/schemes/flood-2022/estimate", {"areas": ["99"]}, status=422)
    assert unknown["errors"][0]["pointer"] == "/body/areas/0"
    await working.post("/schemes/flood-2022/estimate", {"version": 9}, status=404)
    await working.post("/schemes/flood-2022/estimate", {"area_filter": "members = 1"}, status=422)


async def test_whoever_approves_a_scheme_sees_what_it_would_come_to(working: Flow) -> None:
    await working.register([*rows(2), *rows(1, begin=5, account="", provider_code="")])
    document = shipped_document("flood-2022") | {"name": "Second"}
    proposal = await working.post("/schemes/flood-2022/versions", document, status=202)
    assert (proposal["households"], proposal["currency"]) == (3, "KHR")
    assert proposal["amount_minor"] == 3 * 3 * 160_000
    assert "3 households (12 persons) 1,440,000 KHR over 3 rounds" in proposal["what"]
    assert "1 of them cannot be paid" in proposal["what"]
    listed = await working.get("/approvals", kind="scheme")
    assert listed["items"][0]["document"]["estimate"]["by_area"][0]["area_code"] == "02"


@pytest.mark.parametrize(
    ("overlapping", "second"), [("excluded", [(0, 2), (0, 2), (2, 0)]), ("paid", [(2, 0)] * 3)]
)
async def test_a_household_is_paid_by_one_activation_at_a_time_unless_the_scheme_says_so(
    flow: Flow, run_worker: Any, overlapping: str, second: list[tuple[int, int]]
) -> None:
    """The second opens a month later: when it is in its third round, the first has ended."""
    await flow.post_scheme(overlapping=overlapping)
    await flow.register(rows(2))
    async with run_worker("registry"):
        first = await flow.open("02")
        await flow.worked(first)
        other = new_id()
        flow.set_clock(datetime(2026, 1, 20, 5, tzinfo=UTC))
        await flow.open("02", "15", activation_id=other)
        await flow.worked(other)
        rounds = [await _counted(flow, other, 1)]
        for number, (month, day) in ((2, (2, 25)), (3, (3, 25))):
            flow.set_clock(datetime(2026, month, day, 5, tzinfo=UTC))
            await flow.post(f"/activations/{other}/rounds/{number}/release")
            await flow.worked(other, runs=number)
            rounds.append(await _counted(flow, other, number))
        assert rounds == second
        # The first took them before: whatever the second did, its rounds are paid.
        for number in (2, 3):
            await flow.post(f"/activations/{first}/rounds/{number}/release")
            await flow.worked(first, runs=number)
            assert await _counted(flow, first, number) == (2, 0)
    reasons = await flow.owner.fetch(
        "SELECT DISTINCT reason FROM registry.entitlement WHERE status = 'excluded'"
    )
    expected = ["taken-by-another-activation"] if overlapping == "excluded" else []
    assert [row["reason"] for row in reasons] == expected


async def _counted(flow: Flow, activation_id: Any, number: int) -> tuple[int, int]:
    """Payable and excluded in a round."""
    rounds = await flow.get(f"/activations/{activation_id}/rounds")
    return rounds[number - 1]["payable_count"], rounds[number - 1]["excluded_count"]
