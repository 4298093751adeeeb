"""What a proposal says of the money that it would take: whether its fund has it."""

from typing import Any

import pytest

from services.triggers.activations.proposing import paid_from
from services.triggers.checks.estimate import Estimate
from shared.contracts.checks import FundCover
from tests.conftest import ServeService
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow
from tests.triggers.test_checks import DECLARATION, FLOOD


@pytest.mark.parametrize(
    ("available", "reserved", "said"),
    [
        (1_000, 0, "which has 1,000 KHR: enough."),
        (999, 0, "which has 999 KHR: 1 KHR too little at least."),
        (
            900,
            100,
            (
                "which has 900 KHR, and 100 more reserved for triggers that are ready: enough only "
                "with what is reserved, if that is for this trigger."
            ),
        ),
        (
            0,
            100,
            (
                "which has 0 KHR, and 100 more reserved for triggers that are ready: 900 KHR too "
                "little at least."
            ),
        ),
    ],
)
def test_a_fund_covers_what_is_estimated_or_is_so_much_short(
    available: int, reserved: int, said: str
) -> None:
    cover = FundCover(currency="KHR", available_minor=available, reserved_minor=reserved)
    estimate = Estimate(
        households=2, amount_minor=1_000, currency="KHR", fund="shock", unpayable=1, cover=cover
    )
    assert paid_from(estimate) == (
        f"It is paid from fund 'shock', {said} 1 of the households have no account that can be "
        "paid."
    )


async def proposed(flow: Flow) -> Any:
    answer = await flow.post("/activations", DECLARATION)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_a_proposal_says_what_its_fund_has_and_does_without_while_payments_is_away(
    flow: Flow, serve: ServeService
) -> None:
    await flow.set_up(FLOOD_INDICATOR, FLOOD)
    unsaid = await proposed(flow)
    assert "of which GET /v1/funds/national-relief of payments says what it has." in unsaid["what"]
    assert unsaid["document"]["fund_cover"] is None
    assert (await flow.decide(unsaid, "refusal")).status_code == 200

    payments = await serve("payments")
    async with payments.client() as client:
        accounting = Flow(
            client,
            lambda subject: payments.client(subject=subject),
            flow.owner,
            flow.clock_file,
        )
        fund = {
            "code": "national-relief",
            "name": "National relief",
            "currency": "KHR",
            "maximum_payment_minor": 1_000_000,
            "maximum_round_minor": 5_000_000,
        }
        await accounting.created("/funds", fund)
        deposit = {"amount_minor": 5_000_000, "reference": "MEF 1"}
        await accounting.created("/funds/national-relief/deposits", deposit)
    said = await proposed(flow)
    assert (
        "It is paid from fund 'national-relief', which has 5,000,000 KHR: enough." in said["what"]
    )
    cover = {"currency": "KHR", "available_minor": 5_000_000, "reserved_minor": 0}
    assert said["document"]["fund_cover"] == cover
    # What the registry says of each province stands beside it.
    assert isinstance(said["document"]["by_area"], list)
    assert said["document"]["rounds"]
    evidence = await flow.got(f"/activations/{said['document']['activation_id']}/evidence")
    assert (evidence["estimate"]["fund"], evidence["estimate"]["fund_cover"]) == (
        "national-relief",
        cover,
    )
    assert any("5,000,000" in sentence["en"] for sentence in evidence["said"])
