"""A provider that says of accounts what is none, and what becomes of names: they stay nowhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sandbox.account_lies import FOR_EVER, AccountLie
from sandbox.accounts import holder
from services.payments.providers.account_answers import Standing
from services.payments.providers.adapters import UnknownProtocol, account_askers_of
from services.payments.providers.gsma.accounts import read_name, read_status
from services.payments.settings.provider import AccountCheckSettings
from tests.payments.checked_accounts import CHECKED, called_rightly, checks, raised
from tests.payments.conftest import StartSandbox, World, entitlements, providers_with
from tests.payments.steps import Steps, running_steps
from tests.payments.test_privacy import dump
from tests.server import eventually

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NOT_KNOWN = json.dumps({"errorCategory": "identification", "errorCode": "identifierError"})


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    providers = providers_with(environment, **CHECKED)
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers)
    return {**environment, "PAYMENTS_PROVIDERS": providers}


async def test_whatever_is_said_of_accounts_each_payment_is_made_once_or_waits_for_persons(
    world: World, start_sandbox: StartSandbox
) -> None:
    lies = tuple(lie for lie in AccountLie if lie is not AccountLie.HUGE_BODY)
    sandbox = start_sandbox(hostile_accounts=lies, hostile_seconds=2)
    owed = entitlements(40)
    called_rightly(world, owed)
    await world.fund(20_000_000)
    told = sandbox.options.account_lies
    named_for_ever = [each for each in owed if told.kind(each.account) in FOR_EVER]
    nonsense = {AccountLie.NO_NAME, AccountLie.NONSENSE_NAME}
    held = sum(told.kind(each.account) in nonsense for each in named_for_ever)
    waiting = len(named_for_ever) - held
    assert held
    async with world.working():
        await world.registry.announce(owed)
        await world.until_count("settled", 40 - held - waiting)

        async def all_held() -> bool:
            holds = await world.get("/holds", rule="account_name", limit=100)
            return len(holds["items"]) == held

        await eventually(all_held)
    assert len(sandbox.book()) == 40 - held - waiting
    found = await checks(world)
    # A megabyte is not read: nothing was learnt, and nothing was sent.
    assert {check["reason"] for check in found if check["outcome"] is None} <= {"answer_too_long"}
    await world.proofs()


async def test_a_body_without_an_end_is_cut_off(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox(hostile_accounts=(AccountLie.HUGE_BODY,), hostile_seconds=600)
    await world.fund(20_000_000)
    await raised(world, steps, entitlements(2, provider="mekong"))
    await steps.step("check-accounts-mekong")
    assert {check["reason"] for check in await checks(world)} == {"answer_too_long"}
    assert await steps.claim() == []


async def test_no_name_comes_to_rest_in_payments(
    world: World,
    start_sandbox: StartSandbox,
    database_url: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    start_sandbox(missing_account_share=0.1)
    owed = entitlements(20)
    called_rightly(world, owed[:10])
    await world.fund(20_000_000)
    async with world.working():
        await world.registry.announce(owed)

        async def all_known() -> bool:
            found = await checks(world)
            return len(found) == 20 and all(check["outcome"] for check in found)

        await eventually(all_known)
    # What was handed over, was in the body.
    assert sum(len(asked.holders) for asked in world.registry.compared) > 10
    everywhere = dump(database_url) + "".join(capfd.readouterr())
    assert "payments.account_check" in everywhere
    for entitlement in owed:
        name = holder(entitlement.account)
        for spelling in (name["fullName"], name["nativeName"]):
            assert spelling not in everywhere
            assert spelling.split()[1] not in everywhere


async def test_after_some_tries_payments_go_on_unseen_where_they_are_to(
    world: World, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Any] = {**CHECKED, "account_checks_away": "go_on", "account_checks_tries": 2}
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers_with(environment, **changes))
    await world.fund(20_000_000)
    async with running_steps(type(world.settings)()) as steps:
        await raised(world, steps, entitlements(2, provider="mekong"))
        await steps.step("check-accounts-mekong")
        assert await steps.claim() == []
        while not await steps.claim():
            await steps.step("check-accounts-mekong")
    assert {(check["outcome"], check["tries"]) for check in await checks(world)} == {(None, 2)}


async def test_what_waits_goes_where_the_settings_ask_nothing_any_more(
    world: World, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    await world.fund(20_000_000)
    await raised(world, steps, entitlements(2, provider="mekong"))
    assert await steps.claim() == []
    monkeypatch.setenv("PAYMENTS_PROVIDERS", providers_with(environment, account_checks=[]))
    async with running_steps(type(world.settings)()) as later:
        await later.step("unseen-accounts")
        assert len(await later.claim()) == 2


async def test_a_protocol_that_cannot_be_asked_is_not_set_to_be(
    world: World, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    providers[0]["protocol"] = "iso20022-pain.001-files"
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(providers))
    with pytest.raises(UnknownProtocol, match="take its account_checks out"):
        account_askers_of(type(world.settings)())


@pytest.mark.parametrize(
    "given_settings",
    [{"account_checks": ["blood"]}, {"likeness_least": 101}, {"account_checks_away": "shrug"}],
)
def test_settings_that_are_none_are_refused(given_settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AccountCheckSettings(**given_settings)


@pytest.mark.parametrize(
    ("status", "body", "standing"),
    [
        (200, '{"accountStatus": "available"}', Standing.AVAILABLE),
        (200, '{"accountStatus": "unavailable", "subStatus": "closed"}', Standing.UNAVAILABLE),
        (200, '{"accountStatus": "unregistered"}', Standing.NOT_KNOWN),
        (404, NOT_KNOWN, Standing.NOT_KNOWN),
        # No word about the account.
        (200, '{"accountStatus": "asleep"}', None),
        (200, '{"accountStatus": ["available"]}', None),
        (404, '{"errorCategory": "internal"}', None),
        (404, "<html>", None),
        (500, NOT_KNOWN, None),
        (200, "", None),
    ],
)
def test_a_status_means_what_the_standard_says(
    status: int, body: str, standing: Standing | None
) -> None:
    answer = read_status(status, body.encode())
    assert answer.standing is standing
    assert (answer.reason is None) == (standing is not None)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ({"fullName": "Sok Dara"}, ("Sok Dara",)),
        ({"fullName": "Sok Dara", "nativeName": "សុខ តារា"}, ("Sok Dara", "សុខ តារា")),
        ({"firstName": "Dara", "lastName": "Sok"}, ("Sok Dara",)),
        ({"fullName": 7, "nativeName": ["x"], "firstName": None}, ()),
        ({"fullName": "a\u0000b", "nativeName": "\u200b"}, ()),
        ({"fullName": "x" * 5_000}, ("x" * 200,)),
        ({}, ()),
    ],
)
def test_a_name_is_taken_in_the_spellings_that_are_text(
    name: dict[str, Any], names: tuple[str, ...]
) -> None:
    body = json.dumps({"name": name}).encode()
    assert read_name(200, body, is_known=True).names == names


@given(st.integers(100, 599), st.one_of(st.binary(), JSON.map(lambda v: json.dumps(v).encode())))
def test_nothing_that_is_said_of_an_account_raises(status: int, body: bytes) -> None:
    read_status(status, body)
    read_name(status, body, is_known=True)


@given(JSON, JSON)
def test_no_name_raises(name: Any, status: Any) -> None:
    body = json.dumps({"name": name, "accountStatus": status}).encode()
    read_status(200, body)
    read_name(200, body, is_known=False)
