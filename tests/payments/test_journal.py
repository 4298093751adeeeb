"""The journal tells each transfer once, whatever the spans, and nothing about persons."""

import csv
import io
from collections import Counter
from datetime import datetime, timedelta

import pytest

from services.payments.books import journal
from shared.clock import set_clock
from tests.conftest import NOON
from tests.payments.announcing import FUND
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps


def set_time(world: World, at: datetime) -> None:
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, at)


async def exported(world: World, begins_at: datetime, until: datetime) -> list[dict[str, str]]:
    answer = await world.client.get(
        "/journal", params={"from": begins_at.isoformat(), "to": until.isoformat()}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


async def played(world: World, steps: Steps) -> datetime:
    """A week of payments; its end."""
    set_time(world, NOON)
    await world.fund(2_000_000, prefund_minor=900_000)
    for day in range(1, 4):
        set_time(world, NOON + timedelta(days=day))
        await world.registry.announce(entitlements(3))
        await steps.raise_announced()
        await steps.pay_all()
    until = NOON + timedelta(days=7)
    set_time(world, until + journal.CLOSED_AFTER)
    return until


async def test_spans_that_follow_one_another_have_each_transfer_once(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 2)
    until = await played(world, steps)
    whole = await exported(world, NOON, until)
    assert [row["transfer_id"] for row in whole] == [
        str(row["id"])
        for row in await world.owner.fetch(
            "SELECT id FROM payments.transfer ORDER BY posted_at, id"
        )
    ]
    assert len(whole) > 20
    parts = []
    for hours in range(0, 24 * 7, 10):
        begins_at = NOON + timedelta(hours=hours)
        parts += await exported(world, begins_at, min(begins_at + timedelta(hours=10), until))
    assert parts == whole
    # A span that begins at a transfer's own time has it; one that ends there does not.
    moment = datetime.fromisoformat(whole[5]["posted_at"])
    before = await exported(world, NOON, moment)
    assert before + await exported(world, moment, until) == whole
    assert moment not in {datetime.fromisoformat(row["posted_at"]) for row in before}


async def test_the_journal_adds_up_to_the_trial_balance_and_tells_of_nobody(
    world: World, steps: Steps
) -> None:
    until = await played(world, steps)
    rows = await exported(world, NOON, until)
    balances: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        minor = int(row["amount_minor"])
        balances[row["debit_account"], row["debit_scope"], row["currency"]] += minor
        balances[row["credit_account"], row["credit_scope"], row["currency"]] -= minor
    trial = await world.get("/trial-balance", at=until.isoformat())
    told = {
        (line["account"], line["scope"], line["currency"]): line["debit_minor"]
        - line["credit_minor"]
        for line in trial["lines"]
    }
    assert {key: minor for key, minor in balances.items() if minor} == {
        key: minor for key, minor in told.items() if minor
    }
    by_two = [row for row in rows if row["approval_id"]]
    assert {row["code"] for row in by_two} == {
        "fund_received",
        "budget_authorised",
        "provider_prefunded",
    }
    assert {row["debit_scope"] for row in rows} == {"KHR", FUND, "mekong", "tonle"}
    text = str(rows)
    for personal in ("+85512", "officer", "checker", "'test'"):
        assert personal not in text


async def test_a_span_that_is_none_or_not_over_is_refused(world: World) -> None:
    set_time(world, NOON)
    for begins_at, until, words in (
        (NOON, NOON, "before `to`"),
        (NOON - timedelta(days=1), NOON, "five minutes back"),
    ):
        answer = await world.client.get(
            "/journal", params={"from": begins_at.isoformat(), "to": until.isoformat()}
        )
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
    assert (await world.client.get("/journal")).status_code == 422
    quiet = await exported(world, NOON - timedelta(days=2), NOON - timedelta(days=1))
    assert quiet == []
