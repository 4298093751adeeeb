"""Every adapter in the unmodified service, with the sandbox that plays its provider, by its book.

The sandbox misbehaves, and some accounts cannot be paid: each household is paid once, what the
provider charges is in the books, and no account is in any log or event.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.bank.misbehaviour import Misbehaviour
from services.payments.providers.adapters import ADAPTERS
from tests.payments.bank import KEY, bank_provider, folders, private
from tests.payments.batch_world import QUICK_BATCHES
from tests.payments.conformance.spoken import BY_HAND
from tests.payments.conftest import StartSandbox, World, entitlements, providers_with
from tests.payments.test_bank_sandbox import StartBank, start_bank

pytestmark = pytest.mark.long

__all__ = ["folders", "start_bank"]

CHARGE_MINOR = 150
COUNT = 40

Environment = dict[str, str]
Book = Mapping[str, tuple[str, int]]
"""What the provider really paid: account and amount, by our id without its hyphens."""


@dataclass(frozen=True)
class Played:
    """How a protocol's providers are configured, and who plays them."""

    configure: Callable[[Environment, dict[str, Path]], Environment]
    start: Callable[[pytest.FixtureRequest], Callable[[], Book]]


def _over_http(protocol: str) -> Played:
    def configure(environment: Environment, _: dict[str, Path]) -> Environment:
        providers = providers_with(
            environment,
            protocol=protocol,
            charge_fixed_minor=CHARGE_MINOR,
            recognises_repeats_seconds=3_600,
        )
        return {**QUICK_BATCHES, "PAYMENTS_PROVIDERS": providers}

    def start(request: pytest.FixtureRequest) -> Callable[[], Book]:
        start_sandbox: StartSandbox = request.getfixturevalue("start_sandbox")
        sandbox = start_sandbox(misbehave=8, missing_account_share=0.2)

        def book() -> Book:
            return {
                name.replace("-", ""): (row["account"], int(row["amount"]))
                for name, row in sandbox.book().items()
            }

        return book

    return Played(configure, start)


def _by_files() -> Played:
    def configure(environment: Environment, folders: dict[str, Path]) -> Environment:
        first, second = json.loads(environment["PAYMENTS_PROVIDERS"])
        bank = bank_provider(first, folders, keys=[], charge_fixed_minor=CHARGE_MINOR)
        return {
            "PAYMENTS_PROVIDERS": json.dumps([bank, second]),
            "PAYMENTS_PROVIDER_SIGNING_KEYS": json.dumps({first["code"]: private(KEY)}),
        }

    def start(request: pytest.FixtureRequest) -> Callable[[], Book]:
        start_bank: StartBank = request.getfixturevalue("start_bank")
        bank = start_bank(misbehave=(Misbehaviour.TWICE,), bad_account_share=0.2)

        def book() -> Book:
            return {name: (account, int(minor)) for name, (account, minor) in bank.paid().items()}

        return book

    return Played(configure, start)


PLAYED = {
    "gsma-mobile-money-1.2": _over_http("gsma-mobile-money-1.2"),
    "gsma-mobile-money-1.2-batches": _over_http("gsma-mobile-money-1.2-batches"),
    "iso20022-pain.001-files": _by_files(),
}


@pytest.fixture(params=sorted(PLAYED))
def played(request: pytest.FixtureRequest) -> Played:
    return PLAYED[request.param]


@pytest.fixture
def environment(
    environment: Environment,
    played: Played,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Environment:
    changed = played.configure(environment, folders)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return {**environment, **changed}


async def test_each_household_is_paid_once_as_the_providers_book_says(
    world: World,
    played: Played,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
) -> None:
    book_of = played.start(request)
    owed = entitlements(COUNT, provider="mekong")
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    book, outcomes = book_of(), await world.outcomes(announced)
    assert {outcome for outcome, _ in outcomes.values()} == {"paid", "failed"}
    for entitlement in owed:
        outcome, _ = outcomes[str(entitlement.entitlement_id)]
        instruction = await world.instruction_of(entitlement.entitlement_id)
        paid = book.get(instruction["id"].replace("-", ""))
        expected = (entitlement.account, entitlement.amount_minor) if outcome == "paid" else None
        assert paid == expected
    paid_count = sum(outcome == "paid" for outcome, _ in outcomes.values())
    assert paid_count == len(book)
    provider = await world.get("/providers/mekong")
    assert provider["charges_minor"] == paid_count * CHARGE_MINOR
    await world.proofs()
    events = json.dumps([dict(row) for row in await _events(world)], default=str)
    written = "".join(capfd.readouterr()) + events
    assert not [owing for owing in owed if owing.account.removeprefix("+855") in written]


async def _events(world: World) -> list[Any]:
    return list(await world.owner.fetch("SELECT type, subject, data FROM events.event"))


def test_every_adapter_of_the_registry_is_played_by_a_sandbox() -> None:
    assert set(PLAYED) == set(ADAPTERS) - BY_HAND
