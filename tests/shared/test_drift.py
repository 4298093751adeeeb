"""The check of drift: quiet where nothing differs, and naming whatever was changed by hand."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from services.declarations import DECLARATIONS
from services.histories import HISTORIES
from shared.database import DatabaseUnusable
from shared.ids import new_id
from shared.migrations import connected, role_of
from shared.schema.catalog import Description
from shared.schema.drift import describe_declared, describe_migrated, differences
from tests.conftest import DatabaseServer

pytestmark = pytest.mark.long

PAYMENTS = role_of("payments")
REGISTRY = role_of("registry")

EXCLUSIVE_INDEX = "instruction_one_for_an_entitlement_index"

CREATE_IN_THE_DATABASE = (
    f"DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {REGISTRY}', "
    "current_database()); END $$"
)

SCRATCH_DATABASES = "SELECT datname FROM pg_database WHERE datname LIKE 'sangkroh\\_declared\\_%'"


def checking(owner_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", "drift"],
        env={**os.environ, "DATABASE_URL": owner_url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
async def declared(database_server: DatabaseServer, template: str) -> Description:
    """What Python declares; ``template`` has made the roles."""
    url = make_url(database_server.url_of("postgres"))
    return await describe_declared(url, HISTORIES, DECLARATIONS)


@pytest.fixture(scope="module")
def migrated(database_server: DatabaseServer, template: str) -> Iterator[str]:
    """The URL of a database of this module's own, in which nothing is ever committed."""
    name = f"sangkroh_test_{new_id().hex}"
    database_server.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_server.url_of(name)
    database_server.run_sql(f"DROP DATABASE {name} WITH (FORCE)")


async def drift_with(migrated: str, declared: Description, *planted: str) -> list[str]:
    """What is told of the database once ``planted`` is done in it, which is then undone."""
    async with connected(make_url(migrated)) as connection:
        for statement in planted:
            await connection.exec_driver_sql(statement)
        found = await connection.run_sync(describe_migrated, HISTORIES, DECLARATIONS)
    return differences(found, declared)


def altered(function: str, old: str, new: str) -> str:
    """The statement that makes ``function`` anew with ``old`` replaced in its text."""
    return (
        f"DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('{function}'::regproc), "
        f"$old${old}$old$, $new${new}$new$); END $do$"
    )


def test_a_migrated_database_has_no_drift(database_url: str) -> None:
    done = checking(database_url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_drift_is_told_by_the_exit_code_and_leaves_no_database_behind(
    database_url: str, owner: asyncpg.Connection
) -> None:
    await owner.execute(f"GRANT UPDATE ON payments.transfer TO {PAYMENTS}")

    done = checking(database_url)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"payments: grant on transfer to {PAYMENTS} is not as declared.",
        "    in the database: INSERT, SELECT, UPDATE",
        "    as declared:     INSERT, SELECT",
    ]
    assert "write a migration" in done.stderr
    # Another check may be under way on this server; what it made goes away too.
    left = set(await owner.fetch(SCRATCH_DATABASES))
    async with asyncio.timeout(60):
        while left := left & set(await owner.fetch(SCRATCH_DATABASES)):
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        pytest.param(
            f"DO $$ BEGIN DROP INDEX payments.{EXCLUSIVE_INDEX}; "
            f"CREATE UNIQUE INDEX {EXCLUSIVE_INDEX} ON payments.instruction (entitlement_id) "
            "WHERE status IN ('ready', 'sending', 'pending', 'unknown'); END $$",
            f"payments: index {EXCLUSIVE_INDEX} of instruction is not as declared.",
            id="two live instructions of one entitlement are let in",
        ),
        pytest.param(
            "ALTER TABLE payments.account DROP CONSTRAINT account_overdraft_refused_check, "
            "ADD CONSTRAINT account_overdraft_refused_check CHECK (true)",
            "payments: constraint account_overdraft_refused_check of account is not as declared.",
            id="an overdraft is let in",
        ),
        pytest.param(
            "ALTER TYPE payments.instruction_status ADD VALUE 'forgotten'",
            "payments: type instruction_status is not as declared.",
            id="a status more",
        ),
        pytest.param(
            altered("payments.move_balances", "debit.book IS DISTINCT FROM credit.book", "false"),
            "payments: function move_balances() is not as declared.",
            id="transfers between books are let in",
        ),
        pytest.param(
            "ALTER FUNCTION payments.move_balances() SECURITY INVOKER",
            "payments: function move_balances() is not as declared.",
            id="a function runs with other rights",
        ),
        pytest.param(
            altered("events.wake_consumers", "string_agg(DISTINCT type, ',')", "''"),
            "events: function wake_consumers() is not as declared.",
            id="consumers are woken by another word",
        ),
        pytest.param(
            "ALTER TABLE payments.transfer DISABLE TRIGGER transfer_moves_balances",
            "payments: trigger transfer_moves_balances of transfer is not as declared.",
            id="balances stand still",
        ),
        pytest.param(
            "DROP TRIGGER event_wakes_consumers ON events.event",
            "events: trigger event_wakes_consumers of event is declared and not in the database.",
            id="nobody is woken",
        ),
        pytest.param(
            "CREATE RULE keep_quiet AS ON INSERT TO payments.alarm DO INSTEAD NOTHING",
            "payments: rule keep_quiet of alarm is in the database and nowhere declared.",
            id="a rule swallows rows",
        ),
        pytest.param(
            f"GRANT UPDATE (amount_minor) ON payments.transfer TO {PAYMENTS}",
            f"payments: grant on column transfer.amount_minor to {PAYMENTS} "
            "is in the database and nowhere declared.",
            id="a column that may be changed",
        ),
        pytest.param(
            f"GRANT SELECT ON payments.fund TO {REGISTRY}",
            f"payments: grant on fund to {REGISTRY} is in the database and nowhere declared.",
            id="another service reads",
        ),
        pytest.param(
            "GRANT SELECT ON registry.household TO PUBLIC",
            "registry: grant on household to PUBLIC is in the database and nowhere declared.",
            id="everybody reads",
        ),
        pytest.param(
            f"GRANT INSERT ON payments.alembic_version TO {PAYMENTS}",
            f"payments: grant on alembic_version to {PAYMENTS} "
            "is in the database and nowhere declared.",
            id="a service says what is migrated",
        ),
        pytest.param(
            f"REVOKE INSERT ON triggers.observation FROM {role_of('triggers')}",
            f"triggers: grant on observation to {role_of('triggers')} is not as declared.",
            id="a grant less",
        ),
        pytest.param(
            f"GRANT CREATE ON SCHEMA payments TO {PAYMENTS}",
            f"payments: grant on schema payments to {PAYMENTS} is not as declared.",
            id="a service makes tables",
        ),
        pytest.param(
            f"GRANT UPDATE ON SEQUENCE payments.chunk_number_seq TO {PAYMENTS}",
            f"payments: grant on the identity of chunk.number to {PAYMENTS} "
            "is in the database and nowhere declared.",
            id="a service sets a counter",
        ),
        pytest.param(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA payments GRANT SELECT ON TABLES TO {REGISTRY}",
            f"payments: grant on tables yet to be made to {REGISTRY} "
            "is in the database and nowhere declared.",
            id="another service will read",
        ),
        pytest.param(
            f"ALTER TABLE payments.transfer OWNER TO {PAYMENTS}",
            "payments: table transfer is not as declared.",
            id="a service owns the ledger",
        ),
        pytest.param(
            "ALTER TABLE payments.chunk DROP CONSTRAINT chunk_round_number_foreign_key",
            "payments: constraint chunk_round_number_foreign_key of chunk "
            "is declared and not in the database.",
            id="a foreign key less",
        ),
        pytest.param(
            "ALTER TABLE payments.chunk DISABLE TRIGGER ALL",
            "payments: constraint chunk_round_number_foreign_key of chunk is not as declared.",
            id="a foreign key that refuses nothing",
        ),
        pytest.param(
            "ALTER TABLE payments.transfer DROP CONSTRAINT transfer_has_one_source_check",
            "payments: constraint transfer_has_one_source_check of transfer "
            "is declared and not in the database.",
            id="a payment is posted twice",
        ),
        pytest.param(
            "ALTER TABLE payments.transfer ALTER amount_minor DROP NOT NULL",
            "payments: column amount_minor of transfer is not as declared.",
            id="an amount may be missing",
        ),
        pytest.param(
            "ALTER TABLE payments.instruction ALTER attempt SET DEFAULT 2",
            "payments: column attempt of instruction is not as declared.",
            id="a default",
        ),
        pytest.param(
            "ALTER TABLE payments.chunk ALTER number SET GENERATED BY DEFAULT",
            "payments: column number of chunk is not as declared.",
            id="an identity that may be chosen",
        ),
        pytest.param(
            'ALTER TABLE registry.scheme_version ALTER posted_by TYPE text COLLATE "C"',
            "registry: column posted_by of scheme_version is not as declared.",
            id="a collation",
        ),
        pytest.param(
            "ALTER TABLE payments.account RESET (fillfactor)",
            "payments: table account is not as declared.",
            id="storage",
        ),
        pytest.param(
            "ALTER TABLE payments.webhook SET UNLOGGED",
            "payments: table webhook is not as declared.",
            id="callbacks that a crash empties",
        ),
        pytest.param(
            "COMMENT ON COLUMN triggers.observation.value IS NULL",
            "triggers: column value of observation is not as declared.",
            id="a comment",
        ),
    ],
)
async def test_what_was_changed_by_hand_is_named(
    planted: str, said: str, migrated: str, declared: Description
) -> None:
    told = await drift_with(migrated, declared, planted)

    assert said in {each.splitlines()[0] for each in told}


async def test_a_difference_shows_both_sides(migrated: str, declared: Description) -> None:
    function, overdraft = await drift_with(
        migrated,
        declared,
        "ALTER FUNCTION payments.move_balances() SECURITY INVOKER",
        "ALTER TABLE payments.account DROP CONSTRAINT account_overdraft_refused_check, "
        "ADD CONSTRAINT account_overdraft_refused_check CHECK (true)",
    )

    assert function.splitlines()[1:] == ["    as declared:     SECURITY DEFINER"]
    assert overdraft.splitlines()[1:] == [
        "    in the database: CHECK (true)",
        "    as declared:     CHECK (((NOT overdraft_refused) OR (debits_minor >= credits_minor)))",
    ]


async def test_a_table_that_is_not_there_is_told_once(migrated: str, declared: Description) -> None:
    told = await drift_with(
        migrated,
        declared,
        "DROP TABLE payments.alarm",
        "CREATE TABLE payments.notes (number integer PRIMARY KEY, note text)",
    )

    assert [each.splitlines()[0] for each in told] == [
        "payments: table alarm is declared and not in the database.",
        "payments: table notes is in the database and nowhere declared.",
    ]


async def test_a_database_that_is_not_migrated_to_the_end_is_told_first(
    migrated: str, declared: Description
) -> None:
    first, *_ = await drift_with(
        migrated,
        declared,
        "COMMENT ON TABLE events.epoch IS NULL",
        "UPDATE payments.alembic_version SET version_num = 'before'",
    )

    assert first.splitlines()[:2] == [
        "payments: revision of its history is not as declared.",
        "    in the database: before",
    ]


@pytest.mark.parametrize(
    ("loosened", "said"),
    [
        (f"GRANT {PAYMENTS} TO {REGISTRY}", f"member of {PAYMENTS}"),
        (f"ALTER ROLE {REGISTRY} BYPASSRLS", "BYPASSRLS"),
        (CREATE_IN_THE_DATABASE, "CREATE on the database"),
    ],
)
async def test_a_role_that_may_more_than_its_grants_is_named(
    loosened: str, said: str, migrated: str, declared: Description
) -> None:
    (told,) = await drift_with(migrated, declared, loosened)

    assert told.splitlines() == [
        f"server: role {REGISTRY} is in the database and nowhere declared.",
        f"    {said}",
    ]


async def test_a_role_that_is_not_there_is_told_in_one_line(migrated: str) -> None:
    strange = [replace(declaration, roles=("nobody_here",)) for declaration in DECLARATIONS]

    async with connected(make_url(migrated)) as connection:
        with pytest.raises(DatabaseUnusable, match="no role nobody_here: run `python -m services"):
            await connection.run_sync(describe_migrated, HISTORIES, strange)


async def test_who_may_not_make_a_database_is_told_what_is_needed(
    environment: dict[str, str],
) -> None:
    done = checking(environment["PAYMENTS_DATABASE_URL"])

    assert done.returncode == 1
    assert f"ALTER ROLE {PAYMENTS} CREATEDB" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
