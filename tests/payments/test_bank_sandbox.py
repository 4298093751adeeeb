"""Payments by files with a bank that keeps its own book, and is judged by it."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from sandbox.bank.misbehaviour import Misbehaviour
from sandbox.bank.options import BankOptions
from tests.payments.announcing import Announced, Entitlement
from tests.payments.bank import (
    BANKS_KEY,
    KEY,
    bank_keys,
    environment,
    folders,
    more_settings,
    private,
    public,
)
from tests.payments.conftest import World, entitlements
from tests.programs import programs
from tests.server import eventually

pytestmark = pytest.mark.long

__all__ = ["bank_keys", "environment", "folders", "more_settings"]


@dataclass
class Bank:
    """The bank as a process, and its book."""

    options: BankOptions
    process: subprocess.Popen[bytes]

    def paid(self) -> dict[str, tuple[str, str]]:
        """Account and amount of each line that the bank has really paid."""
        return {
            name: (account, amount)
            for name, account, amount in self._rows(
                "SELECT end_to_end_id, account, amount FROM payment WHERE rejection IS NULL"
            )
        }

    def rejected(self) -> dict[str, str]:
        """Why, of each line that the bank has not paid."""
        rows = self._rows(
            "SELECT end_to_end_id, rejection FROM payment WHERE rejection IS NOT NULL"
        )
        return dict(rows)

    def refusals(self) -> list[str | None]:
        """Of each file, why it was refused whole."""
        return [refusal for (refusal,) in self._rows("SELECT refusal FROM file")]

    def _rows(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.options.storage)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()


StartBank = Callable[..., Bank]


@pytest.fixture
def start_bank(folders: dict[str, Path], tmp_path: Path) -> Iterator[StartBank]:
    """``start_bank(misbehave=…)`` starts the bank that the settings exchange files with."""
    options = BankOptions(
        fetch=folders["outgoing"],
        tell=folders["incoming"],
        storage=tmp_path / "bank.sqlite",
        public_key=public(KEY),
        delay_seconds=0.05,
    )
    with programs() as launch:

        def start(**changes: Any) -> Bank:
            chosen = replace(options, **changes)
            return Bank(chosen, launch(chosen))

        yield start


async def settled_by_the_book(
    world: World, bank: Bank, announced: Announced, owed: list[Entitlement]
) -> None:
    """Each entitlement ended as the bank's book says, and was paid what it is owed."""
    outcomes = await world.outcomes(announced)
    paid, rejected = bank.paid(), bank.rejected()
    for entitlement in owed:
        outcome, reason = outcomes[str(entitlement.entitlement_id)]
        instruction = await world.instruction_of(entitlement.entitlement_id)
        name = instruction["id"].replace("-", "")
        if outcome == "paid":
            assert paid[name] == (entitlement.account, str(entitlement.amount_minor))
        else:
            assert (outcome, reason) == ("failed", rejected[name])
    assert sum(outcome == "paid" for outcome, _ in outcomes.values()) == len(paid)
    await world.proofs()


async def test_a_chunk_is_paid_by_file_as_the_banks_book_says(
    world: World, start_bank: StartBank
) -> None:
    bank = start_bank(bad_account_share=0.2)
    await world.fund(100_000_000)
    owed = entitlements(30, provider="mekong")
    announced = await world.registry.announce(owed)
    async with world.working():
        await world.until_chunk(announced, "settled")
    assert bank.rejected()
    await settled_by_the_book(world, bank, announced, owed)


@pytest.mark.parametrize("bank_keys", [[public(BANKS_KEY)]])
async def test_a_bank_that_signs_is_believed(world: World, start_bank: StartBank) -> None:
    bank = start_bank(signing_key=private(BANKS_KEY), misbehave=(Misbehaviour.HALF_WRITTEN,))
    await world.fund(100_000_000)
    owed = entitlements(3, provider="mekong")
    announced = await world.registry.announce(owed)
    async with world.working():
        await world.until_chunk(announced, "settled")
    await settled_by_the_book(world, bank, announced, owed)


@pytest.mark.parametrize("kind", Misbehaviour)
async def test_however_the_bank_goes_wrong_each_line_ends_as_its_book_says(
    world: World, start_bank: StartBank, kind: Misbehaviour
) -> None:
    bank = start_bank(misbehave=(kind,), bad_account_share=0.2, delay_seconds=0.1)
    await world.fund(100_000_000)
    owed = entitlements(12, provider="mekong")
    announced = await world.registry.announce(owed)
    async with world.working():
        await world.until_chunk(announced, "settled")
    await settled_by_the_book(world, bank, announced, owed)


async def test_a_bank_that_refuses_files_whole_gets_smaller_ones(
    world: World, start_bank: StartBank
) -> None:
    bank = start_bank(most_lines=5)
    await world.fund(100_000_000)
    owed = entitlements(12, provider="mekong")
    announced = await world.registry.announce(owed)
    async with world.working():
        await world.until_chunk(announced, "settled")
    assert sorted(bank.refusals(), key=str) == ["FF01", *[None] * 10]
    await settled_by_the_book(world, bank, announced, owed)
    assert len(bank.paid()) == 12


async def test_a_bank_that_is_killed_and_started_again_pays_once(
    world: World, start_bank: StartBank
) -> None:
    await world.fund(100_000_000)
    owed = entitlements(12, provider="mekong")
    announced = await world.registry.announce(owed)
    async with world.working():
        await world.until_count("sending", 12)
        first = start_bank(delay_seconds=0.5)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        bank = start_bank()
        await world.until_chunk(announced, "settled")
    await settled_by_the_book(world, bank, announced, owed)


@pytest.fixture
def short_leases(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds a batch of a worker that died need not wait long."""
    monkeypatch.setenv("PAYMENTS_BATCH_LEASE_SECONDS", "3")


@pytest.mark.parametrize("more_settings", [{"batch_lines": 4, "batches_at_once": 64}])
async def test_workers_that_are_killed_at_every_batch_have_each_line_paid_once(
    short_leases: None, world: World, start_bank: StartBank, owner: asyncpg.Connection
) -> None:
    bank = start_bank(misbehave=(Misbehaviour.TWICE,), share=0.5, bad_account_share=0.2)
    await world.fund(100_000_000)
    owed = entitlements(40, provider="mekong")
    announced = await world.registry.announce(owed)

    async def batches() -> int:
        return int(await owner.fetchval("SELECT count(*) FROM payments.batch"))

    for _ in range(3):
        before = await batches()
        worker = subprocess.Popen(
            [sys.executable, "-m", "services", "payments-worker"], stdout=subprocess.DEVNULL
        )

        async def has_made(before: int = before) -> bool:
            return await batches() > before

        await eventually(has_made)
        worker.kill()
        worker.wait()
    async with world.working():
        await world.until_chunk(announced, "settled")
    await settled_by_the_book(world, bank, announced, owed)
