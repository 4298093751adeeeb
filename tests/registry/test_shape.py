"""A field of a household is declared once: nothing else spells it, and one more needs no more."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.registry.households.shape import CATEGORIES
from services.registry.schemes.shipped import shipped_document
from shared.auth import development
from shared.clock import FileClock
from shared.contracts.events import ActivationOpened
from shared.database import Database
from shared.events import publish
from shared.ids import new_id
from tests.server import eventually
from tests.two_persons import CHECKER, approved

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
DECLARATION = "services/registry/households/shape.py"
PRODUCT = ("benchmarks", "demo", "deploy", "judge", "sandbox", "services", "shared")

FIELD = """SCHOOLCHILDREN = _category("schoolchildren", Words("Members at school", "សិស្ស"))
"""

MIGRATION = '''
"""A count of schoolchildren."""

from alembic import op

from services.registry.changes.keeping import HOUSEHOLD_FUNCTION

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("household", "enrolment", "reassessment"):
        op.execute(f"ALTER TABLE registry.{{table}} ADD schoolchildren smallint NOT NULL DEFAULT 0")
        op.execute(f"ALTER TABLE registry.{{table}} ALTER schoolchildren DROP DEFAULT")
    op.execute(
        "ALTER TABLE registry.household DROP CONSTRAINT household_features_within_members_check, "
        "ADD CONSTRAINT household_features_within_members_check CHECK ("
        "children_0_5 BETWEEN 0 AND members AND pregnant BETWEEN 0 AND members "
        "AND disabled BETWEEN 0 AND members AND elderly_60 BETWEEN 0 AND members "
        "AND schoolchildren BETWEEN 0 AND members)"
    )
    op.execute(HOUSEHOLD_FUNCTION.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
'''

HEADER = (
    "registration_number,commune_code,poverty_status,members,children_0_5,pregnant,disabled,"
    "elderly_60,schoolchildren,head_name,phone,id_number,provider_code,account"
)
ROWS = """
KH-1,020101,poor-1,5,0,0,0,0,2,Sok Dara,,,mekong,+85510000001
KH-2,020101,poor-1,5,0,0,0,0,0,Sok Chan,,,mekong,+85510000002
KH-3,020101,poor-1,5,0,0,0,0,6,Sok Thy,,,mekong,+85510000003
"""


@pytest.mark.parametrize("name", [field.name for field in CATEGORIES if "_" in field.name])
def test_a_field_is_spelled_in_the_declaration_alone(name: str) -> None:
    spelled = [
        path.relative_to(ROOT).as_posix()
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
        and re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert spelled == [DECLARATION]


def _with_schoolchildren(folder: Path) -> None:
    """A copy of the product in which one more field is declared, with its migration."""
    for package in ("services", "shared"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    declaration = folder / DECLARATION
    text = declaration.read_text(encoding="utf-8")
    for before, after in (("HEAD_NAME = ", f"{FIELD}HEAD_NAME = "), ("    ELDERLY,\n", None)):
        assert text.count(before) == 1
        text = text.replace(before, after or f"{before}    SCHOOLCHILDREN,\n")
    declaration.write_text(text, encoding="utf-8")
    versions = folder / "services/registry/migrations/versions"
    head = max(path.name for path in versions.glob("0*.py")).partition("_")[0]
    (versions / "9999_schoolchildren.py").write_text(MIGRATION.format(head=head), encoding="utf-8")


@pytest.fixture
async def client(
    environment: dict[str, str], key_file: Path, database_url: str, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the registry, API and worker, in whose declaration there is one more field."""
    _with_schoolchildren(tmp_path)
    processes = {**os.environ, **environment, "DATABASE_URL": database_url}

    def services(*arguments: str) -> subprocess.Popen[bytes]:
        command: Sequence[str] = [sys.executable, "-m", "services", *arguments]
        return subprocess.Popen(command, cwd=tmp_path, env=processes)

    for command in ("migrate", "drift"):
        assert await asyncio.to_thread(services(command).wait) == 0
    running = services("registry-api", "registry-worker")
    token = development.mint(
        key_file, subject="officer@test", scopes=development.EVERY_SCOPE, seconds=3600
    )
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{environment['REGISTRY_PORT']}/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ) as client:
        try:
            await eventually(lambda: _answers(client))
            yield client
        finally:
            running.terminate()
            await asyncio.to_thread(running.wait)


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get(client.base_url.join("/ready"))).status_code == 200
    except httpx.TransportError:
        return False


async def _posted(client: httpx.AsyncClient, path: str, body: Any) -> Any:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": str(new_id())})
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


async def test_one_more_field_is_a_line_of_the_declaration_and_a_migration(
    client: httpx.AsyncClient,
    environment: dict[str, str],
    owner: asyncpg.Connection,
    clock_file: Path,
    key_file: Path,
) -> None:
    schemas = (await client.get(client.base_url.join("/openapi.json"))).json()["components"][
        "schemas"
    ]
    for body in ("HouseholdOut", "EntitlementExplainedOut", "PerCategory"):
        described = schemas[body]["properties"]["schoolchildren"]["description"]
        assert "Members at school (សិស្ស)" in described
    assert "schoolchildren" in schemas["SchemeDocument"]["properties"]["eligibility"]["description"]

    answer = await client.put("/gazetteer", json={"edition": "ncdd-2022"})
    assert answer.status_code == 200, answer.text
    document = shipped_document("flood-2022") | {"eligibility": "schoolchildren >= 1"}
    document["benefit"][0]["per_category"]["schoolchildren"] = 7_000
    proposal = await _posted(client, "/schemes", document)
    token = development.mint(
        key_file, subject=CHECKER, scopes=development.EVERY_SCOPE, seconds=3600
    )
    headers = {"Authorization": f"Bearer {token}"}
    await approved(httpx.AsyncClient(base_url=client.base_url, headers=headers), proposal)
    made = await _posted(client, "/imports", {"source": "test"})
    path = f"/imports/{made['id']}/rows"
    answer = await client.put(path, content=HEADER + ROWS, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["households_added"], answer.json()["rows_rejected"]) == (2, 1)
    (fault,) = (await client.get(f"/imports/{made['id']}/rejections")).json()["items"]
    assert (fault["column"], fault["code"]) == ("schoolchildren", "out-of-range")
    households = (await client.get("/households")).json()["items"]
    assert sorted(household["schoolchildren"] for household in households) == [0, 2]

    activation_id = new_id()
    opened = ActivationOpened(
        activation_id=activation_id,
        trigger="floods",
        trigger_version=1,
        scheme="flood-2022",
        shock="flood",
        areas=["02"],
        severity="severe",
        opened_on=FileClock(clock_file).today(),
        observed_on=FileClock(clock_file).today(),
    )
    triggers = Database(environment["TRIGGERS_DATABASE_URL"], application_name="test")
    async with triggers.transaction() as session:
        await publish(session, opened, clock=FileClock(clock_file))
    await triggers.dispose()

    async def entitled() -> bool:
        return bool(await owner.fetchval("SELECT count(*) FROM registry.entitlement"))

    await eventually(entitled)
    entitlement_id = await owner.fetchval("SELECT id FROM registry.entitlement")
    explained = (await client.get(f"/entitlements/{entitlement_id}")).json()
    assert explained["schoolchildren"] == 2
    assert explained["components"][-1] == {
        "name": "schoolchildren",
        "count": 2,
        "each_minor": 7_000,
        "amount_minor": 14_000,
    }
    assert explained["amount_minor"] == 80_000 + 5 * 16_000 + 14_000
