"""A small country in which everything holds: what a test then doctors."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from judge.case import Case, Expected
from judge.records import (
    Account,
    Acknowledgement,
    Announced,
    BookLine,
    ChargedLine,
    Charges,
    Ends,
    Fund,
    Hold,
    Instruction,
    Line,
    Pause,
    Provider,
    Reach,
    ReadBack,
    Records,
    Reversal,
    Searched,
)

FUND = "national-relief"
DEPOSITED = {FUND: 1_000}
PREFUNDED = {"mekong": 600, "tonle": 300}
OPENED_ON = date(2020, 10, 12)
BEGINNING = datetime(2020, 10, 12, 2, 0, tzinfo=UTC)
CLOCK_BEHIND = timedelta(days=2_200)
"""The providers live some years later."""


def account(code: str, scope: str, *, debits: int = 0, credits: int = 0) -> Account:
    budget = code.startswith("BUDGET") or code == "COMMITTED"
    return Account(
        book="budget" if budget else "cash",
        code=code,
        scope=scope,
        currency="KHR",
        debits_minor=debits,
        credits_minor=credits,
        transfers_debited_minor=debits,
        transfers_credited_minor=credits,
    )


ACCOUNTS = [
    account("TREASURY_CASH", "KHR", debits=1_000, credits=900),
    account("FUNDS_RECEIVED", FUND, credits=1_000),
    account("PROVIDER_FLOAT", "mekong", debits=631, credits=277),
    account("PROVIDER_FLOAT", "tonle", debits=300, credits=112),
    account("IN_TRANSIT", "mekong", debits=270, credits=270),
    account("IN_TRANSIT", "tonle", debits=112, credits=112),
    account("GRANTS_PAID", FUND, debits=352),
    account("SUSPENSE", "mekong", debits=5, credits=3),
    account("PROVIDER_CHARGES", "mekong", debits=10, credits=1),
    account("CHARGES_PAYABLE", "mekong", debits=3, credits=8),
    account("BUDGET_AUTHORISED", FUND, credits=1_000),
    account("BUDGET_AVAILABLE", FUND, debits=1_030, credits=382),
    account("COMMITTED", FUND, debits=382, credits=382),
    account("BUDGET_SPENT", FUND, debits=352),
]
FUNDS = [
    Fund(
        code=FUND,
        committed_minor=382,
        spent_minor=352,
        released_minor=30,
        standing_minor=0,
        paid_minor=352,
        ended_unpaid_minor=30,
        in_flight_minor=0,
    )
]
PROVIDERS = [
    Provider(
        code=code,
        in_transit_minor=0,
        in_flight_minor=0,
        suspense_minor=0,
        held_minor=0,
        returns_payable_minor=0,
        came_back_minor=0,
    )
    for code in ("mekong", "tonle")
]


def instruction(number: int, provider: str, amount_minor: int, *, status: str) -> Instruction:
    paid = status == "settled"
    return Instruction(
        id=UUID(int=number),
        entitlement_id=UUID(int=100 + number),
        provider=provider,
        fund=FUND,
        amount_minor=amount_minor,
        currency="KHR",
        status=status,
        spent=paid,
        entitlement_status="paid" if paid else "failed",
        owed_minor=amount_minor,
    )


INSTRUCTIONS: Mapping[UUID, Instruction] = {
    payment.id: payment
    for payment in (
        instruction(1, "mekong", 80, status="settled"),
        instruction(2, "tonle", 112, status="settled"),
        instruction(3, "mekong", 160, status="settled"),
        instruction(4, "mekong", 30, status="rejected"),
    )
}
BOOK = [
    BookLine(
        provider=payment.provider,
        correlation_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        account=f"account {payment.id}",
        sent_at=BEGINNING + CLOCK_BEHIND + timedelta(minutes=6),
    )
    for payment in INSTRUCTIONS.values()
    if payment.paid
]
ANNOUNCED = Announced(
    chunk_id=UUID(int=1_000),
    announced_count=5,
    announced_minor=400,
    raised_count=4,
    raised_minor=382,
    set_aside_count=1,
    set_aside_minor=18,
)
ENDS = Ends(
    scheme="flood-2022",
    opened_on=OPENED_ON,
    round=1,
    counted=5,
    by_status={"paid": 3, "failed": 1, "unpayable": 1},
    payments_live=0,
    registry_paid_minor=352,
    payments_paid_minor=352,
)
REACH = Reach(
    scheme="flood-2022",
    opened_on=OPENED_ON,
    known_to_both=True,
    eligible=5,
    enrolled=5,
    changed_since=0,
)
PAUSE = Pause(
    id=UUID(int=3_000),
    paused_at=BEGINNING + timedelta(minutes=10),
    resumed_at=BEGINNING + timedelta(minutes=20),
    concerned=frozenset({UUID(int=1), UUID(int=3)}),
    claimed=[(UUID(int=1), BEGINNING + timedelta(minutes=10, seconds=1))],
)
HOLD = Hold(
    instruction_id=UUID(int=2),
    ended_at=BEGINNING + timedelta(minutes=5),
    claimed_at=BEGINNING + timedelta(minutes=6),
)
CHARGED_LINE = ChargedLine(
    number=1, provider="mekong", statement_minor=5, settled_minor=3, further_minor=2, owed_minor=3
)
CHARGES = Charges(
    code="mekong",
    charges_minor=9,
    payable_minor=5,
    worked_out_minor=8,
    paid_minor=0,
    suspended_minor=2,
    received_minor=1,
)
REVERSAL = Reversal(
    id=UUID(int=2_000),
    proposed_by="officer@nspc",
    decided_by="checker@nspc",
    recorded=["90 from 2 to 1", "90 from 7 to 8"],
    taken_back=["90 from 2 to 1", "90 from 7 to 8"],
)
LINE = Line(
    code=f"{FUND}/floods",
    committed_minor=0,
    in_flight_minor=0,
    spent_minor=192,
    paid_minor=192,
)
RECORDS = Records(
    accounts=ACCOUNTS,
    transfers=20,
    funds=FUNDS,
    kept_minor={},
    providers=PROVIDERS,
    lines=[LINE],
    reversals=[REVERSAL],
    pauses=[PAUSE],
    holds=[HOLD],
    charges=[CHARGES],
    charged_lines=[CHARGED_LINE],
    instructions=INSTRUCTIONS,
    paid_twice=[],
    announced=[ANNOUNCED],
    ends=[ENDS],
    disagreements=[],
    reaches=[REACH],
    households=6,
    callbacks_stored=frozenset(INSTRUCTIONS),
    waiting={"alarms": 0, "events parked in payments": 0},
    listed=frozenset(),
)
READ_BACK = ReadBack(
    acknowledgement=Acknowledgement(
        service="registry",
        path="/schemes/flood-2022",
        told={"code": "flood-2022", "version": 1, "households": 0},
    ),
    status_code=200,
    found={"code": "flood-2022", "version": 1, "households": 5},
)
CASE = Case(
    records=RECORDS,
    expected=Expected(
        households=6,
        entitlements=5,
        deposited_minor=DEPOSITED,
        prefunded_minor=PREFUNDED,
        clock_behind=CLOCK_BEHIND,
        payments_for_an_account=1,
    ),
    book=BOOK,
    callbacks_delivered=[UUID(int=1), UUID(int=4)],
    read_back=[READ_BACK],
    searched=[Searched(writing="the database's dump", told={})],
)
