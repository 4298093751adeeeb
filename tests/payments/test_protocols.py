"""A provider is spoken to through its face alone: another protocol needs nothing else."""

import asyncio
import json
import re
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import event

from services.payments.providers import adapters
from services.payments.providers.adapters import ADAPTERS, VERIFIERS, UnknownProtocol, adapters_of
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.protocol import Capability, Order, Permit, Told
from services.payments.settings import ApiSettings, ProviderSettings, WorkerSettings, WrongPlace
from shared.ids import new_id
from shared.signatures import BadSignature
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps, running_steps

PROMISES = "promises-1.0"


class Promises:
    """A provider that says yes to everything at once, and later by callback that it has paid."""

    capabilities = frozenset({Capability.SINGLE})
    sent: list[Order] = []

    def __init__(self, provider: ProviderSettings, _: ApiSettings | WorkerSettings) -> None:
        self.code = provider.code

    async def send(self, order: Order, permit: Permit) -> Answer:
        self.sent.append(order)
        return Answer(AnswerKind.PENDING)

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        return Answer(AnswerKind.PENDING)

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
        if headers.get("promised") != "yes":
            raise BadSignature("promised is not yes.")
        return headers["number"]

    def read_callback(self, body: bytes) -> Told | None:
        said = json.loads(body)
        about = UUID(said["kept"])
        paid = Answer(
            AnswerKind.SETTLED, amount_minor=said["minor"], currency="KHR", our_reference=about
        )
        return Told(about, paid)

    async def close(self) -> None:
        pass


@pytest.fixture
def speaks_promises(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first provider speaks another protocol than the second."""
    monkeypatch.setattr(adapters, "ADAPTERS", {**ADAPTERS, PROMISES: Promises})
    monkeypatch.setattr(adapters, "VERIFIERS", {**VERIFIERS, PROMISES: Promises})
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    providers[0]["protocol"] = PROMISES
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(providers))
    monkeypatch.setattr(Promises, "sent", [])


async def test_a_payment_goes_out_and_is_settled_in_another_protocol(
    speaks_promises: None, world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [entitlement] = entitlements(1, provider="mekong")
    announced = await world.registry.announce([entitlement])
    await steps.raise_announced()
    assert await steps.step("send-mekong") == 1
    [order] = Promises.sent
    assert order.household_id == entitlement.household_id
    assert await world.count("pending") == 1

    path = "/providers/mekong/callbacks"
    body = json.dumps({"kept": str(order.instruction_id), "minor": 96_000}).encode()
    refused = await world.client.put(path, content=body, headers={"promised": "no"})
    assert (refused.status_code, refused.json()["detail"]) == (401, "promised is not yes.")
    taken = await world.client.put(path, content=body, headers={"promised": "yes", "number": "7"})
    assert taken.status_code == 204
    assert await steps.step("apply-callbacks") == 1
    assert await steps.step("close") == 1
    await world.until_chunk(announced, "settled")
    await world.proofs()


async def test_callbacks_of_a_provider_that_was_taken_out_wait_for_it(
    speaks_promises: None, world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    await steps.step("send-mekong")
    body = json.dumps({"kept": str(Promises.sent[0].instruction_id), "minor": 96_000}).encode()
    headers = {"promised": "yes", "number": "7"}
    await world.client.put("/providers/mekong/callbacks", content=body, headers=headers)
    without = world.settings.model_copy(update={"providers": world.settings.providers[1:]})
    async with running_steps(without) as others:
        assert await others.step("apply-callbacks") == 1
    [blocked] = (await world.get("/webhooks", status="blocked"))["items"]
    assert blocked["reason"] == "its provider is not configured"
    await world.owner.execute("UPDATE payments.webhook SET worked_at = now() - interval '1 minute'")
    assert await steps.step("match-callbacks") == 1
    assert await steps.step("apply-callbacks") == 1
    assert await world.count("settled") == 1


async def test_all_that_asks_when_a_process_begins_has_its_providers_registered_once(
    steps: Steps,
) -> None:
    wiring = steps.wiring
    directory = ProviderDirectory(wiring.database, wiring.settings.providers, clock=wiring.clock)
    kept: list[str] = []

    @event.listens_for(wiring.database.engine.sync_engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "INSERT INTO payments.provider " in statement:
            kept.append(statement)

    codes = frozenset(provider.code for provider in wiring.settings.providers)
    told = await asyncio.gather(*(directory.numbers() for _ in range(8)))
    assert {frozenset(numbers) for numbers in told} == {codes}
    assert len(kept) == len(codes) > 1


def test_a_protocol_that_nothing_speaks_is_refused_with_those_that_there_are(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps([{**providers[1], "protocol": "telex"}]))
    with pytest.raises(
        UnknownProtocol,
        match=re.escape(
            "choose from gsma-mobile-money-1.2, gsma-mobile-money-1.2-batches, "
            "iso20022-pain.001-files, cash-by-list."
        ),
    ):
        adapters_of(WorkerSettings())


def test_a_provider_speaks_gsma_where_its_settings_name_no_protocol(
    environment: dict[str, str],
) -> None:
    spoken = adapters_of(WorkerSettings())
    assert set(spoken) == {"mekong", "tonle"}
    assert {type(adapter) for adapter in spoken.values()} == {ADAPTERS["gsma-mobile-money-1.2"]}
    for adapter in spoken.values():
        assert adapter.capabilities == {Capability.SINGLE}
        assert adapter.read_callback(str(new_id()).encode()) is None


def test_a_provider_that_is_where_its_protocol_cannot_reach_it_is_refused(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [provider, *_] = json.loads(environment["PAYMENTS_PROVIDERS"])
    monkeypatch.setenv("PAYMENTS_PROVIDER_SIGNING_KEYS", json.dumps({"mekong": "A" * 43 + "="}))
    bank_file = {
        **{f"{name}_directory": f"/bank/{name}" for name in ("outgoing", "incoming", "state")},
        "debtor_name": "Social Protection Fund",
        "debtor_id": "nspc",
        "debtor_account": "000123456789",
        "debtor_agent_bic": "NCAMKHPP",
    }
    by_file = {**provider, "base_url": None, "bank_file": bank_file}
    for given, said in (
        ({**provider, "protocol": "iso20022-pain.001-files"}, "give it a bank_file"),
        (by_file, "give it a base_url"),
    ):
        monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps([given]))
        with pytest.raises(WrongPlace, match=said):
            adapters_of(WorkerSettings())
    monkeypatch.setenv("PAYMENTS_PROVIDER_SIGNING_KEYS", "{}")
    with pytest.raises(ValueError, match="PROVIDER_SIGNING_KEYS has nothing for mekong"):
        WorkerSettings()
