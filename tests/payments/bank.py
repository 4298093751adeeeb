"""A provider that is a bank: its folders, its settings, and a world in which time passes."""

import base64
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from services.payments.batches.claiming import BatchClaims
from services.payments.providers.bankfile.initiation import NAMESPACE
from services.payments.providers.batches import BatchAdapter, BatchOrder
from tests.payments.conftest import World
from tests.payments.steps import Steps
from tests.payments.test_batches import announce

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BANKS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


def public(key: Ed25519PrivateKey) -> str:
    """A key's public half, in base64."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def private(key: Ed25519PrivateKey) -> str:
    """A key, in base64."""
    return base64.b64encode(key.private_bytes_raw()).decode()


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("outgoing", "incoming", "state")}
    for folder in made.values():
        folder.mkdir()
    return made


def bank_provider(
    provider: dict[str, Any], folders: dict[str, Path], *, keys: list[str], **more: Any
) -> Any:
    """A provider's settings, as of a bank that takes files."""
    return {
        "code": provider["code"],
        "name": provider["name"],
        "currency": provider["currency"],
        "protocol": "iso20022-pain.001-files",
        "recognises_repeats_seconds": 3600,
        "not_known_untrue_seconds": 1,
        "bank_file": {
            **{f"{name}_directory": str(path) for name, path in folders.items()},
            "debtor_name": "Social Protection Fund",
            "debtor_id": "nspc",
            "debtor_account": "000123456789",
            "debtor_agent_bic": "NCAMKHPP",
            "bank_public_keys": keys,
        },
        **more,
    }


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """What a test wants otherwise of the bank's settings."""
    return {}


@pytest.fixture
def bank_keys() -> list[str]:
    """The public keys of the bank: none, so that its reports need no signature."""
    return []


@pytest.fixture
def environment(
    environment: dict[str, str],
    folders: dict[str, Path],
    more_settings: dict[str, Any],
    bank_keys: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The provider ``mekong`` is a bank that takes files."""
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    changed = {
        **environment,
        "PAYMENTS_PROVIDERS": json.dumps(
            [
                bank_provider(provider, folders, keys=bank_keys, **more_settings)
                if provider["code"] == "mekong"
                else provider
                for provider in providers
            ]
        ),
        "PAYMENTS_PROVIDER_SIGNING_KEYS": json.dumps({"mekong": private(KEY)}),
        "PAYMENTS_BATCH_PAGE_SIZE": "2",
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


async def go_on(steps: Steps, owner: asyncpg.Connection, *, times: int = 1) -> None:
    """Let time pass, and whatever is due be done."""
    for _ in range(times):
        await owner.execute(
            "UPDATE payments.batch SET next_action_at = now(), "
            "sent_at = sent_at - interval '2 seconds' WHERE next_action_at IS NOT NULL"
        )
        for name in ("send-batches-mekong", "files-mekong", "batches-mekong"):
            await steps.step(name)


def files(folders: dict[str, Path]) -> list[Path]:
    return sorted(folders["outgoing"].glob("*.xml"))


def lines_of(file: Path) -> list[UUID]:
    names = etree.parse(file).iter(f"{{{NAMESPACE}}}EndToEndId")
    return [UUID(name.text) for name in names]


async def statuses(world: World, lines: list[UUID]) -> list[str]:
    return [(await world.get(f"/instructions/{each}"))["status"] for each in lines]


async def made(steps: Steps, world: World, count: int) -> tuple[BatchOrder, BatchAdapter]:
    """A batch that is committed, whose worker died before it did anything about it."""
    await world.fund(10_000_000)
    await announce(world, steps, count)
    lane = steps.wiring.batch_lanes["mekong"]
    claims = BatchClaims(clock=lane.moves.clock, waits=lane.moves.waits)
    async with lane.database.transaction() as session:
        batch = await claims.make(
            session,
            provider="mekong",
            provider_number=await lane.provider_number(),
            size=100,
            most_minor=None,
            most_open=4,
            lease_seconds=60,
            actor="test",
        )
    assert batch is not None
    return batch.order, lane.adapter


class Always:
    """Whatever is asked may leave."""

    def refusal(self) -> str | None:
        return None


async def alarms(world: World) -> dict[str, int]:
    found = (await world.get("/alarms", status="open"))["items"]
    assert all(alarm["provider"] == "mekong" for alarm in found)
    return {alarm["kind"]: alarm["occurrences"] for alarm in found}


async def sent(world: World, steps: Steps, owner: asyncpg.Connection, count: int) -> list[UUID]:
    await world.fund(10_000_000)
    lines = await announce(world, steps, count)
    await go_on(steps, owner)
    return lines


def settle(folders: dict[str, Path]) -> None:
    """Let what lies there have lain there for long."""
    for path in folders["incoming"].iterdir():
        os.utime(path, (1, 1), follow_symlinks=False)
