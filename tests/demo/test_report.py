"""The report reads well on a terminal that is none, and shows what failed."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from demo.accountant import Day, Found, Reconciled
from demo.facts import Decided, Facts, Failure, LaterRound, Province, Quiet, Run
from demo.officer import Told
from demo.report import print_report
from demo.shocks import falls
from judge.verdict import Proof, Verdict

JUDGED_AT = datetime(2020, 10, 12, 2, 0, 5, tzinfo=UTC)
FACTS = Facts(
    households_paid=1_200,
    runs=[
        Run(
            scheme="flood-2022",
            kind="opening",
            judged_on=date(2020, 10, 12),
            known_at=JUDGED_AT,
            evaluated_at=JUDGED_AT,
            explanation="24156 households reported in 3 areas; the threshold is 20000.",
            activated_at=JUDGED_AT + timedelta(milliseconds=200),
            households=1_234,
            paid_minor=185_104_000,
            first_paid_at=JUDGED_AT + timedelta(seconds=1),
            last_paid_at=JUDGED_AT + timedelta(seconds=9.5),
            provinces=6,
            communes=88,
        )
    ],
    quiet=[
        Quiet(
            trigger="rice-price-spike",
            judged_on=date(2023, 2, 1),
            stage="activation",
            outcome="quiet",
            explanation="The trigger is quiet: it fired for 2023-01 already.",
        )
    ],
    provinces=[
        Province(
            scheme="flood-2022",
            province="Battambang",
            entitled=1_260,
            paid=1_234,
            paid_minor=185_104_000,
            failed=13,
            without_account=13,
            excluded=0,
        )
    ],
    failures=[
        Failure(
            scheme="flood-2022",
            reason="identifierError [1]",
            households=13,
            amount_minor=1_904_000,
        )
    ],
    later_rounds=[
        LaterRound(
            scheme="flood-2022",
            number=2,
            due_on=date(2020, 11, 12),
            households=1_260,
            amount_minor=189_000_000,
        )
    ],
    decided=[
        Decided(
            kind=kind,
            proposed_by="officer@development",
            decided_by="checker@development",
            steps=steps,
        )
        for kind, steps in (("fund_bounds", 1), ("scheme", 2))
    ],
    sandbox={"misbehaviours": {"lost-reply": 6, "no-callback": 3}},
)
DAY = Day(
    provider="tonle",
    day=date(2020, 10, 20),
    media_type="application/xml",
    line_count=1_233,
    paid_count=1_234,
    paid_minor=185_104_000,
    closing_minor=77_000,
    expected_minor=76_000,
    verdict="1 difference is open [2].",
    everything_matches=False,
)
RECONCILED = Reconciled(
    days=[
        DAY,
        replace(DAY, provider="ncb", verdict="Everything matches.", everything_matches=True),
    ],
    found=[
        Found(
            provider="tonle",
            day=DAY.day,
            kind="other_amount",
            statement_minor=9_160_000,
            ledger_minor=160_000,
            end="superseded: by [3]",
        )
    ],
    trial=[("cash", 100, 100)],
)
HOLDS = Proof(name="The ledger sums to zero", numbers="5,000 transfers")
FAILS = Proof(
    name="No entitlement was paid twice",
    numbers="2 payments",
    evidence=("entitlement [7] was paid 2 times",),
)


def rendered(*proofs: Proof) -> str:
    text = io.StringIO()
    print_report(
        Console(file=text, width=120),
        FACTS,
        Verdict(proofs=proofs),
        falls=falls(),
        households=20_353,
        scale="3%",
        seconds={"Starting": 2.0, "Replaying": 60.0, "  flood": 20.0},
        officers=[Told(what="pause", text="tonle [1] waited")],
        reconciled=RECONCILED,
    )
    return text.getvalue()


def test_the_report_tells_when_who_how_much_and_why_not() -> None:
    report = rendered(HOLDS)
    for words in (
        "20,353",
        "185,104,000 riel",
        "2020-10-12 09:00:06",
        "+1.0 s",
        "+9.5 s",
        "Battambang",
        "identifierError [1]",
        "2020-11-12",
        "fell from 18,365 to 15,622",
        "checker@development",
        "2 × scheme.",
        "6 replies were lost",
        "62.0",
        "tonle [1] waited",
        "tonle: batches, ncb: files",
        "1 difference is open [2].",
        "Everything matches.",
        "superseded: by [3]",
        "9,160,000",
        "1 of 2 statements match",
        "the cash book 100 = 100",
    ):
        assert words in report
    assert "FAILS" not in report


def test_only_statements_that_match_and_books_that_balance_hold() -> None:
    assert not RECONCILED.holds
    matching = [replace(DAY, everything_matches=True)]
    assert Reconciled(days=matching, trial=[("cash", 100, 100)]).holds
    assert not Reconciled(days=matching, trial=[("cash", 100, 99)]).holds
    assert not Reconciled().holds


def test_a_failing_proof_shows_its_evidence() -> None:
    report = rendered(HOLDS, FAILS)
    assert "FAILS" in report
    assert "entitlement [7] was paid 2 times" in report


def test_a_proof_that_was_left_out_is_shown_as_such() -> None:
    report = rendered(HOLDS, Proof(name="Whatever was acknowledged is there", missing="callers"))
    assert "left out" in report
    assert "for lack of callers" in report
