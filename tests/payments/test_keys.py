"""Accounts and callbacks are sealed anew while payments works, and open with the new key alone."""

import base64
import json
import os

import asyncpg
import pytest

from services.payments.providers.accounts import cipher_of_accounts
from services.payments.settings import WorkerSettings
from services.payments.upkeep.resealing import sealed_columns
from services.payments.webhooks.sealing import cipher_of_bodies
from shared import resealing
from shared.known_keys import KeyNeeded, require_known_keys
from tests.payments.conftest import BothSettings, World, entitlements
from tests.payments.scripted import Script, script
from tests.payments.steps import Steps

__all__ = ["script"]


async def test_accounts_and_callbacks_are_sealed_anew(
    script: Script,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = entitlements(5, provider="mekong")
    await world.registry.announce(given)
    await steps.raise_announced()
    await owner.execute(
        "INSERT INTO payments.prepared_account (readiness_id, household_id, provider_number, "
        "account_fingerprint, account_sealed) SELECT uuidv7(), household_id, provider_number, "
        "account_fingerprint, account_sealed FROM payments.instruction"
    )
    taken = await world.client.put(
        "/providers/mekong/callbacks", content=b"said", headers={"number": "7"}
    )
    assert taken.status_code == 204
    database = steps.wiring.database
    await require_known_keys(database, list(BothSettings().key_rings()), schema="payments")

    new = base64.b64encode(os.urandom(32)).decode()
    for name in ("ACCOUNT_KEYS", "WEBHOOK_KEYS"):
        monkeypatch.setenv(name, json.dumps({**json.loads(os.environ[name]), "2": new}))
    monkeypatch.setattr(resealing, "CHUNK_ROWS", 2)
    told: list[str] = []
    settings = WorkerSettings()
    assert await resealing.reseal(
        database, sealed_columns(settings), schema="payments", tell=told.append
    )
    for name in ("ACCOUNT_KEYS", "WEBHOOK_KEYS"):
        assert f"{name}: no row needs version 1 any more: it can be taken out." in told
        monkeypatch.setenv(name, json.dumps({"2": new}))
    settings = WorkerSettings()
    await require_known_keys(database, list(settings.key_rings()), schema="payments")
    for table in ("instruction", "prepared_account"):
        rows = await owner.fetch(f"SELECT household_id, account_sealed FROM payments.{table}")
        opened = {
            row["household_id"]: cipher_of_accounts(settings).decrypt(
                row["account_sealed"], bound_to=row["household_id"].bytes
            )
            for row in rows
        }
        assert opened == {each.household_id: each.account.encode() for each in given}
    sealed = await owner.fetchval("SELECT body_sealed FROM payments.webhook")
    assert cipher_of_bodies(settings).decrypt(sealed, bound_to=b"7") == b"said"


async def test_a_callback_key_that_was_taken_out_too_early_keeps_the_worker_from_starting(
    script: Script, world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = steps.wiring.database
    await require_known_keys(database, list(BothSettings().key_rings()), schema="payments")
    new = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("WEBHOOK_KEYS", json.dumps({"2": new}))
    with pytest.raises(KeyNeeded, match="WEBHOOK_KEYS is without a key"):
        await require_known_keys(database, list(WorkerSettings().key_rings()), schema="payments")
