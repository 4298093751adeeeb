"""The report reads well on a terminal that is none, and shows what failed."""

import io
from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from demo.facts import Decided, Facts, Failure, LaterRound, Province, Quiet, Run
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
    ):
        assert words in report
    assert "FAILS" not in report


def test_a_failing_proof_shows_its_evidence() -> None:
    report = rendered(HOLDS, FAILS)
    assert "FAILS" in report
    assert "entitlement [7] was paid 2 times" in report


def test_a_proof_that_was_left_out_is_shown_as_such() -> None:
    report = rendered(HOLDS, Proof(name="Whatever was acknowledged is there", missing="callers"))
    assert "left out" in report
    assert "for lack of callers" in report
