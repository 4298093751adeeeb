"""Who did what is never lost, and whoever alters it afterwards is found out."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.processes import SERVICES
from shared.audit import Sequencer, repository
from shared.audit.chain import Head
from shared.audit.verifying import verify_all
from shared.database import Database, get_session
from shared.ids import new_id
from shared.migrations import begin_epoch
from shared.pagination import encode_cursor
from tests.conftest import RunningService, ServeService
from tests.server import eventually
from tests.two_persons import CHECKER

FUND = {
    "code": "relief",
    "name": "Relief",
    "currency": "KHR",
    "maximum_payment_minor": 4_000_000,
    "maximum_round_minor": 1_000_000_000,
}
BEHIND_ITS_BACK = "SET session_replication_role = replica"
"""A superuser's way around triggers and foreign keys."""

NOT_BY_A_CALLER = {"PUT /v1/providers/{provider_code}/callbacks"}
"""What a provider signs: it is kept whole, sealed, with who sent it."""


@pytest.fixture
async def payments(serve: ServeService) -> RunningService:
    service: RunningService = await serve("payments")
    return service


@pytest.fixture
async def database(environment: dict[str, str]) -> AsyncIterator[Database]:
    database = Database(environment["PAYMENTS_DATABASE_URL"], application_name="test")
    yield database
    await database.dispose()


async def chained(database: Database, *, schema: str = "payments") -> None:
    sequencer = Sequencer(database, schema=schema, size=2)
    while await sequencer.step():
        pass


async def send(service: RunningService, path: str, body: Any) -> httpx.Response:
    async with service.client() as client:
        return await client.post(path, json=body, headers={"Idempotency-Key": os.urandom(8).hex()})


async def propose_funds(service: RunningService, *, count: int) -> None:
    """So many changes, each with its record."""
    for _ in range(count):
        body = FUND | {"code": f"fund-{os.urandom(4).hex()}"}
        assert (await send(service, "/funds", body)).status_code == 202


async def verified(environment: dict[str, str], *heads: str) -> list[str]:
    """What is found of payments, as the command finds it."""
    known = [Head.read(head.removeprefix("payments=")) for head in heads]
    (verdict,) = await asyncio.to_thread(
        verify_all, environment["DATABASE_URL"], {"payments": known}
    )
    return verdict.faults


async def command(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Its exit code and what it says."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


# What is recorded.


async def test_a_change_says_who_when_from_where_what_and_why(payments: RunningService) -> None:
    async with payments.client() as client, payments.client(subject=CHECKER) as checker:
        key = {"Idempotency-Key": "relief"}
        answer = await client.post("/funds", json=FUND, headers=key)
        replay = await client.post("/funds", json=FUND, headers=key)
        approval = f"approvals/{answer.json()['id']}"
        decided = await checker.post(f"/{approval}/approval", json={"reason": "Decree 1182"})
        refused = await client.post("/funds", json=FUND, headers={"Idempotency-Key": "again"})
        listed = (await client.get("/audit", params={"object": approval})).json()
        of_request = (
            await client.get("/audit", params={"request_id": decided.headers["x-request-id"]})
        ).json()

    assert replay.headers["idempotent-replayed"] == "true"
    assert refused.status_code == 409
    newest, oldest = listed["items"]
    assert [newest] == of_request["items"]
    assert newest["subject"] == CHECKER
    assert newest["request_id"] == decided.headers["x-request-id"]
    assert newest["operation"] == "POST /v1/approvals/{approval_id}/approval"
    assert newest["action"] == "change"
    assert approval in newest["objects"]
    assert newest["before"] == {"status": "waiting", "proposed_by": "officer@test"}
    assert newest["after"]["status"] == "approved"
    assert newest["reason"] == "Decree 1182"
    assert (oldest["subject"], oldest["operation"]) == ("officer@test", "POST /v1/funds")


async def test_the_record_is_read_in_pages_by_whoever_may(payments: RunningService) -> None:
    await propose_funds(payments, count=4)
    async with payments.client("audit:read") as client:
        first = (await client.get("/audit", params={"limit": 3})).json()
        rest = (await client.get("/audit", params={"cursor": first["next_cursor"]})).json()
        since = first["items"][1]["recorded_at"]
        later = (await client.get("/audit", params={"from": since})).json()
        earlier = (await client.get("/audit", params={"to": since})).json()
        others = (await client.get("/audit", params={"subject": "somebody"})).json()
        opened = (await client.get("/audit", params={"operation": "POST /v1/funds"})).json()
        wrong = [
            (await client.get("/audit", params=parameters)).status_code
            for parameters in (
                {"from": "0001-01-01T00:00:00+14:00"},
                {"to": "9999-12-31T23:59:59-14:00"},
                {"cursor": encode_cursor(datetime(2020, 1, 1), UUID(int=1))},  # noqa: DTZ001
                {"subject": "a\0b"},
                {"object": "\0"},
            )
        ]
    async with payments.client("payments:read", "funds:write") as client:
        refused = await client.get("/audit")

    everything = [record["id"] for record in first["items"] + rest["items"]]
    assert len(set(everything)) == 4
    assert [record["id"] for record in later["items"]] == everything[:2]
    assert [record["id"] for record in earlier["items"]] == everything[2:]
    assert others["items"] == []
    assert [record["id"] for record in opened["items"]] == everything
    assert refused.status_code == 403
    assert max(wrong) < 500


# That nothing is left out.


def operations() -> Iterator[tuple[str, Dependant]]:
    for service in SERVICES:
        module = __import__(f"services.{service}.app", fromlist=["create_app"])
        app: FastAPI = module.create_app()
        for route in iter_route_contexts(app.routes):
            if isinstance(route.original_route, APIRoute):
                for method in (route.methods or set()) - {"GET", "HEAD"}:
                    yield f"{method} {route.path}", route.dependant


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for within in dependant.dependencies:
        yield from _all_of(within)


def test_no_operation_changes_anything_beside_the_session_that_records_it(
    environment: dict[str, str],
) -> None:
    found = dict(operations())
    beside = {
        name
        for name, taken in found.items()
        if all(dependant.call is not get_session for dependant in _all_of(taken))
    }

    assert len(found) > 30
    assert beside == NOT_BY_A_CALLER


async def test_a_change_that_nobody_asked_for_is_refused(
    environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    """An operation that forgot to ask for a token changes nothing, and says so."""
    from services.payments.app import create_app
    from shared.database import Session
    from tests.server import serving

    app = create_app()

    @app.post("/v1/careless")
    async def careless(session: Session) -> None:
        await session.execute(
            text(
                "INSERT INTO payments.fund (code, name, currency, created_at) "
                "VALUES ('x', 'x', 'KHR', now())"
            )
        )

    @app.get("/v1/careless")
    async def reading(session: Session) -> None:
        await careless(session)

    async with (
        serving(app, app.state.settings.port) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        statuses = [
            (await client.request(method, "/v1/careless")).status_code for method in ("POST", "GET")
        ]

    assert statuses == [500, 500]
    assert await owner.fetchval("SELECT count(*) FROM payments.fund") == 0


# Who may change it.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET epoch = 9",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
    ],
)
async def test_neither_the_service_nor_its_owner_changes_what_is_recorded(
    statement: str, database: Database, owner: asyncpg.Connection
) -> None:
    for table in ("payments.audit_record", "payments.audit_link"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.transaction() as session:
                await session.execute(text(statement.format(table=table)))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only gains rows"):
            await owner.execute(statement.format(table=table))


async def test_the_service_cannot_say_when_a_record_was_written(database: Database) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO payments.audit_record (id, recorded_at, subject, request_id, "
                    "operation, unmasked_read, objects) VALUES (uuidv7(), now(), 'x', uuidv7(), "
                    "'x', false, '{}')"
                )
            )


# The chain.


async def test_two_sequencers_make_one_chain_and_wait_for_who_began_earlier(
    payments: RunningService,
    database: Database,
    environment: dict[str, str],
    owner: asyncpg.Connection,
) -> None:
    await propose_funds(payments, count=2)
    async with database.transaction() as slow:
        await slow.execute(text(_RECORD), {"subject": "slow"})
        await propose_funds(payments, count=3)
        await chained(database)
        before = await owner.fetchval("SELECT count(*) FROM payments.audit_link")
    sequencers = [Sequencer(database, schema="payments", size=1) for _ in range(3)]

    async def all_chained() -> bool:
        await asyncio.gather(*(sequencer.step() for sequencer in sequencers))
        return bool(await owner.fetchval("SELECT count(*) = 6 FROM payments.audit_link"))

    await eventually(all_chained)

    assert before == 2
    chain = await owner.fetch(
        "SELECT sequence, subject FROM payments.audit_link AS link "
        "JOIN payments.audit_record AS record ON record.id = record_id ORDER BY sequence"
    )
    assert [row["sequence"] for row in chain] == [1, 2, 3, 4, 5, 6]
    assert chain[2]["subject"] == "slow"
    assert await verified(environment) == []


_RECORD = (
    "INSERT INTO payments.audit_record (id, subject, request_id, operation, unmasked_read, "
    "objects) VALUES (uuidv7(), :subject, uuidv7(), 'POST /v1/funds', false, '{}')"
)


async def test_whatever_is_altered_deleted_or_inserted_is_named(
    payments: RunningService,
    database: Database,
    environment: dict[str, str],
    owner: asyncpg.Connection,
) -> None:
    """Each tampering by itself: it is undone before the next."""
    await propose_funds(payments, count=5)
    await chained(database)
    async with payments.client() as client:
        head = (await client.get("/audit/head")).json()
    code, said = await command(environment, "audit", "--head", head["head"])
    assert code == 0, said
    assert f"payments: 5 records are chained, 0 wait. Head: {head['head']}" in said
    ids = await owner.fetch("SELECT record_id FROM payments.audit_link ORDER BY sequence")
    second, third, last = (ids[place]["record_id"] for place in (1, 2, -1))

    forged = (
        "INSERT INTO payments.audit_record (id, epoch, transaction_id, subject, request_id, "
        "operation, unmasked_read, objects) SELECT '{id}', epoch, transaction_id, 'forger', "
        "uuidv7(), operation, false, objects FROM payments.audit_record WHERE id = '{second}'"
    )
    forged_id = UUID(int=second.int + 1)
    tamperings = {
        f"UPDATE payments.audit_record SET subject = 'x' WHERE id = '{third}'": (
            f"Record {third} (POST /v1/funds by x at",
            "number 3 of the chain, was altered.",
        ),
        f"UPDATE payments.audit_record SET after = '{{}}' WHERE id = '{last}'": (
            f"Record {last} ",
            "number 5 of the chain, was altered, or its link was.",
        ),
        "UPDATE payments.audit_link SET digest = sha256('x') WHERE sequence = 3": (
            "Link 3 of the chain was altered; its record is what it was.",
        ),
        f"DELETE FROM payments.audit_record WHERE id = '{third}'": (
            f"Record {third}, number 3 of the chain, was deleted.",
        ),
        f"DELETE FROM payments.audit_record WHERE id = '{last}'": (
            f"Record {last}, number 5 of the chain, was deleted.",
        ),
        "DELETE FROM payments.audit_link WHERE sequence IN (2, 3)": (
            "Links 2 to 3 of the chain were deleted.",
            f"Record {second} ",
        ),
        forged.format(id=forged_id, second=second): (
            f"Record {forged_id} (POST",
            "by forger",
            "was inserted, or its link deleted",
        ),
        f"DELETE FROM payments.audit_link WHERE record_id = '{last}'; "
        f"DELETE FROM payments.audit_record WHERE id = '{last}'": (
            f"The head {head['head'].removeprefix('payments=')} is not in the chain",
        ),
    }
    for tampering, told in tamperings.items():
        await owner.execute(
            "CREATE TABLE kept_record AS TABLE payments.audit_record; "
            "CREATE TABLE kept_link AS TABLE payments.audit_link"
        )
        await owner.execute(f"{BEHIND_ITS_BACK}; {tampering}; RESET session_replication_role")
        faults = await verified(environment, head["head"])
        for words in told:
            assert any(words in fault for fault in faults), (tampering, faults)
        await owner.execute(
            f"{BEHIND_ITS_BACK}; TRUNCATE payments.audit_link, payments.audit_record; "
            "INSERT INTO payments.audit_record SELECT * FROM kept_record; "
            "INSERT INTO payments.audit_link SELECT * FROM kept_link; "
            "DROP TABLE kept_record, kept_link; RESET session_replication_role"
        )
    assert await verified(environment, head["head"]) == []


async def test_the_command_ends_otherwise_where_something_was_tampered_with(
    payments: RunningService,
    database: Database,
    environment: dict[str, str],
    owner: asyncpg.Connection,
) -> None:
    await propose_funds(payments, count=1)
    await chained(database)
    await owner.execute(f"{BEHIND_ITS_BACK}; DELETE FROM payments.audit_record")

    code, said = await command(environment, "audit")
    assert code == 1
    assert ", number 1 of the chain, was deleted." in said
    code, said = await command(environment, "audit", "--head", "nobody=12:ab")
    assert code == 1
    assert "'nobody=12:ab' is no head of a chain" in said


async def test_a_number_that_another_cluster_gave_hides_no_change(
    payments: RunningService, environment: dict[str, str], owner: asyncpg.Connection
) -> None:
    """A logical dump keeps the old transaction ids, and the new cluster gives them again."""
    await propose_funds(payments, count=1)
    await owner.execute(
        f"""
        {BEHIND_ITS_BACK};
        INSERT INTO payments.audit_record
        SELECT (jsonb_populate_record(NULL::payments.audit_record, to_jsonb(one)
            || jsonb_build_object('id', uuidv7(), 'transaction_id',
                (pg_current_xact_id()::text::bigint + ahead)::text))).*
        FROM payments.audit_record AS one, generate_series(1, 500) AS ahead;
        RESET session_replication_role
        """
    )
    await asyncio.to_thread(begin_epoch, environment["DATABASE_URL"])
    async with payments.app.state.database.transaction() as session:
        await session.execute(text("SELECT pg_current_xact_id()"))
        for _ in range(2):
            await repository.add_unless_recorded(
                session,
                "payments",
                id=new_id(),
                subject="officer",
                client=None,
                request_id=new_id(),
                operation="POST /v1/funds",
                unmasked_read=False,
                objects=[],
                reason=None,
            )
    kept = await owner.fetchval(
        "SELECT count(*) FROM payments.audit_record WHERE epoch = events.current_epoch()"
    )
    assert kept == 1


async def test_the_worker_chains_and_a_new_epoch_breaks_nothing(
    payments: RunningService,
    environment: dict[str, str],
    owner: asyncpg.Connection,
    run_worker: Callable[[str], Any],
) -> None:
    await propose_funds(payments, count=2)
    # As after a restore into a new cluster, where transaction ids begin anew.
    await owner.execute(
        f"{BEHIND_ITS_BACK}; "
        "UPDATE payments.audit_record SET transaction_id = '9999999999'; "
        "RESET session_replication_role"
    )
    await asyncio.to_thread(begin_epoch, environment["DATABASE_URL"])
    await propose_funds(payments, count=3)

    async def all_chained() -> bool:
        async with payments.client() as client:
            head = (await client.get("/audit/head")).json()
        return bool(head["sequence"] == 5 and head["waiting"] == 0)

    async with run_worker("payments"):
        await eventually(all_chained)
    assert await verified(environment) == []
