"""A provider that pays by hand, from lists, and a world in which days pass."""

import base64
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import set_clock
from shared.ids import new_id
from tests.payments.announcing import Entitlement
from tests.payments.conftest import World
from tests.payments.steps import Steps

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
BEGIN = datetime(2022, 10, 12, 3, tzinfo=UTC)
COMMUNES = ("020103", "020104", "010201")


@pytest.fixture
def list_settings() -> dict[str, Any]:
    """What a test wants otherwise of the provider's settings."""
    return {}


@pytest.fixture
def environment(
    environment: dict[str, str],
    list_settings: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The provider ``mekong`` pays by hand, and it is 12 October 2022."""
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    by_list = {
        "protocol": "cash-by-list",
        "cash_list": {"paid_at": "village-office", "claim_days": 10, "result_days": 4},
        **list_settings,
    }
    set_clock(tmp_path / "clock", BEGIN)
    changed = {
        **environment,
        "CLOCK_FILE": str(tmp_path / "clock"),
        "PAYMENTS_PROVIDERS": json.dumps(
            [
                {name: provider[name] for name in ("code", "name", "currency")} | by_list
                if provider["code"] == "mekong"
                else provider
                for provider in providers
            ]
        ),
        "PAYMENTS_PROVIDER_SIGNING_KEYS": json.dumps(
            {"mekong": base64.b64encode(KEY.private_bytes_raw()).decode()}
        ),
        "PAYMENTS_BATCH_PAGE_SIZE": "2",
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


@pytest.fixture
def on_day(tmp_path: Path) -> Callable[[int], None]:
    """Makes it so many days after the beginning."""

    def be(day: int) -> None:
        set_clock(tmp_path / "clock", BEGIN + timedelta(days=day))

    return be


async def go_on(steps: Steps, owner: asyncpg.Connection, *, times: int = 1) -> None:
    """Have whatever is due be done."""
    for _ in range(times):
        await owner.execute(
            "UPDATE payments.batch SET next_action_at = now() WHERE next_action_at IS NOT NULL"
        )
        await owner.execute("UPDATE payments.answer SET try_at = now() WHERE applied_at IS NULL")
        for name in (
            "send-batches-mekong",
            "return-unclaimed",
            "batches-mekong",
            "files-mekong",
            "apply-answers",
        ):
            await steps.step(name)


async def listed(
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    *,
    communes: Sequence[str] = ("020103",) * 5,
) -> list[dict[str, Any]]:
    """Fund, announce one payment in each of the communes, and have the lists made."""
    await world.fund(100_000_000)
    owed = [
        Entitlement(account=f"card-{number}", area=area, amount_minor=90_000 + 1_000 * number)
        for number, area in enumerate(communes)
    ]
    await world.registry.announce(owed)
    await steps.raise_announced()
    await go_on(steps, owner, times=len(set(communes)) + 1)
    found: list[dict[str, Any]] = (await world.get("/cash-lists"))["items"]
    return found


async def sheet(world: World, list_id: str) -> list[dict[str, str]]:
    """The rows of a list's CSV."""
    answer = await world.client.get(f"/cash-lists/{list_id}/sheet.csv")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def filled(
    rows: Sequence[Mapping[str, str]], said: Mapping[int, str], *, day: str = "2022-10-12"
) -> bytes:
    """A list's CSV with outcomes by number: ``paid``, or why it is not to be."""
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(rows[0]))
    writer.writeheader()
    for row in rows:
        what = said.get(int(row["number"]))
        if what == "paid":
            row = {**row, "outcome": "paid", "paid_on": day, "paper_reference": "A-1"}
        elif what is not None:
            row = {**row, "outcome": "not-paid", "reason": what}
        writer.writerow(row)
    return written.getvalue().encode()


async def upload(
    world: World, list_id: str, content: bytes, *, client: httpx.AsyncClient | None = None
) -> httpx.Response:
    return await (client or world.client).post(
        f"/cash-lists/{list_id}/results",
        content=content,
        headers={"Content-Type": "text/csv", "Idempotency-Key": str(new_id())},
    )


async def uploaded(world: World, list_id: str, content: bytes) -> dict[str, Any]:
    """What became of an upload that is taken."""
    answer = await upload(world, list_id, content)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def statuses(world: World, list_id: str) -> dict[int, str]:
    """The state of each line's instruction, by its number."""
    lines = (await world.get(f"/cash-lists/{list_id}/lines"))["items"]
    return {
        line["number"]: (await world.get(f"/instructions/{UUID(line['instruction_id'])}"))["status"]
        for line in lines
    }


def day_of(days: int) -> str:
    """The day so many days after the beginning, as it is written."""
    return (BEGIN + timedelta(days=days)).date().isoformat()
