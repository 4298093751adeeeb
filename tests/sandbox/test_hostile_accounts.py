"""What a hostile provider says of accounts: each kind, for a while or for ever."""

import httpx
import pytest

from sandbox.account_lies import FOR_EVER, AccountLie, AccountLies
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox

ACCOUNT = "+85512000000"
KEPT_WAITING = (AccountLie.NEVER_ANSWERED, AccountLie.HUGE_BODY)
ALL = tuple(AccountLie)


@pytest.mark.parametrize("kind", [kind for kind in AccountLie if kind not in KEPT_WAITING])
def test_each_kind_says_something_else_than_the_truth(
    sandbox: RunningSandbox, start_sandbox: StartSandbox, kind: AccountLie
) -> None:
    asked_for = "status" if kind is AccountLie.UNKNOWN_STATUS else "accountname"
    path = f"/accounts/msisdn/{ACCOUNT}/{asked_for}"
    told = start_sandbox(hostile_accounts=(kind,), hostile_seconds=600).get(path)
    truth = sandbox.get(path)
    assert (told.status_code, told.content) != (truth.status_code, truth.content)


def test_every_account_meets_one_kind_and_always_the_same() -> None:
    accounts = [f"+85512{number:06d}" for number in range(400)]
    first, again = (
        {account: AccountLies(seed=1, kinds=ALL).kind(account) for account in accounts}
        for _ in range(2)
    )
    assert first == again
    assert set(first.values()) == set(AccountLie)
    assert set(AccountLie) > FOR_EVER


def test_what_lasts_a_while_ends_in_the_truth(
    sandbox: RunningSandbox, start_sandbox: StartSandbox
) -> None:
    lying = start_sandbox(hostile_accounts=(AccountLie.HTML,), hostile_seconds=0)
    path = f"/accounts/msisdn/{ACCOUNT}/accountname"
    assert lying.get(path).json() == sandbox.get(path).json()


def test_nothing_is_said_until_the_client_has_had_enough(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(hostile_accounts=(AccountLie.NEVER_ANSWERED,), hostile_seconds=600)
    with pytest.raises(httpx.TimeoutException):
        httpx.get(
            f"{sandbox.options.url}/{sandbox.options.providers[0].code}/v1.2/accounts/msisdn/"
            f"{ACCOUNT}/status",
            headers={"X-API-Key": sandbox.options.providers[0].api_key},
            timeout=0.5,
        )
