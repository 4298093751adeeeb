"""What was stored before a migration, carried over by it and worked with; and back again."""

from collections.abc import Callable
from typing import Any

import asyncpg
from alembic import command

from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.paying import Announced, Payments
from tests.revisions import at_revision

STORED = {
    "area": "code",
    "household": "id",
    "household_import": "id",
    "enrolment_run": "id",
    "entitlement_chunk": "id",
    "entitlement": "id",
}
"""Tables whose choices changed their type, with their keys."""


async def everything(owner: asyncpg.Connection) -> dict[str, list[str]]:
    return {
        table: [
            row["text"]
            for row in await owner.fetch(
                f"SELECT stored::text AS text FROM registry.{table} AS stored ORDER BY {key}"
            )
        ]
        for table, key in STORED.items()
    }


async def test_what_was_stored_is_carried_over_and_worked_with(
    flow: Flow, owner: asyncpg.Connection, database_url: str, run_worker: Callable[[str], Any]
) -> None:
    await flow.post_scheme(overlapping="paid")
    await flow.register([*rows(3), *rows(1, begin=7, provider_code="", account="")])
    async with run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        before = await flow.worked(activation_id)
    await at_revision(database_url, "registry", command.downgrade, "0002")
    await owner.reload_schema_state()
    stored = await everything(owner)

    await at_revision(database_url, "registry", command.downgrade, "0001")
    await owner.reload_schema_state()
    assert await everything(owner) == stored
    assert await owner.fetchval("SELECT code FROM registry.scheme") == "flood-2022"
    assert await owner.fetchval("SELECT count(*) FROM pg_enum") == await owner.fetchval(
        "SELECT count(*) FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid "
        "WHERE typnamespace <> 'registry'::regnamespace"
    )

    await at_revision(database_url, "registry", command.upgrade, "0002")
    await owner.reload_schema_state()
    assert await everything(owner) == stored
    await at_revision(database_url, "registry", command.upgrade, "head")
    await owner.reload_schema_state()
    await flow.service.app.state.database.dispose()
    async with run_worker("registry"):
        # It opened before there were ceilings, as far as the database knows.
        without = {"has_ceiling": False, "ceiling_households": None, "ceiling_minor": None}
        assert await flow.worked(activation_id) == before | without
        again = await flow.worked(await flow.open(BATTAMBANG))
    assert again["progress"]["payable_count"] == 3


async def test_what_was_announced_and_refused_before_there_were_repairs_can_be_repaired(
    announced: Announced, payments: Payments, owner: asyncpg.Connection, database_url: str
) -> None:
    flow = announced.flow
    await announced.refuse()
    await announced.reaches(status="refused")
    before = await announced.chunk()

    await at_revision(database_url, "registry", command.downgrade, "0002")
    await owner.reload_schema_state()
    assert await owner.fetchval("SELECT payable_count FROM registry.entitlement_chunk") == 3
    await at_revision(database_url, "registry", command.upgrade, "head")
    await owner.reload_schema_state()
    await flow.service.app.state.database.dispose()

    assert await announced.chunk() == before
    assert (before["announced_count"], before["refused_count"]) == (3, 3)
    path = f"/activations/{announced.activation_id}/repairs"
    await flow.post(path, {"round": 1, "reason": "It was refused."})
    await flow.worked(announced.activation_id, runs=2)
    assert (await announced.chunk())["refused_count"] == 0


async def test_everybody_is_looked_at_once_more_who_may_have_changed_unmarked(
    owner: asyncpg.Connection, database_url: str
) -> None:
    await at_revision(database_url, "registry", command.downgrade, "0031")
    await owner.execute(
        "INSERT INTO registry.duplicate_look (kind, seen_before, looked_at) "
        "VALUES ('exact', 1000000, now())"
    )
    await at_revision(database_url, "registry", command.upgrade, "head")
    await owner.reload_schema_state()
    # No transaction has a lower number.
    assert await owner.fetchval("SELECT seen_before::text FROM registry.duplicate_look") == "3"
