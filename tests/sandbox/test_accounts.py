"""What the provider says of an account agrees with whether it pays into it."""

import pytest

from sandbox.misbehaviour import AccountState
from tests.sandbox.running import RunningSandbox

OPEN = "+85512000000"


def ask(
    sandbox: RunningSandbox, account: str, asked_for: str, kind: str = "msisdn"
) -> tuple[int, dict[str, object]]:
    answer = sandbox.get(f"/accounts/{kind}/{account}/{asked_for}")
    return answer.status_code, answer.json()


def test_an_account_that_can_be_paid_is_available(sandbox: RunningSandbox) -> None:
    assert sandbox.temperament.account(OPEN).state is AccountState.OPEN
    assert ask(sandbox, OPEN, "status") == (200, {"accountStatus": "available"})


@pytest.mark.parametrize("at_once", [True, False])
def test_a_closed_account_is_unavailable_and_has_a_holder(
    sandbox: RunningSandbox, at_once: bool
) -> None:
    [party] = sandbox.missing_account(AccountState.CLOSED, at_once=at_once)
    closed = {"accountStatus": "unavailable", "subStatus": "closed"}
    assert ask(sandbox, party["value"], "status") == (200, closed)
    assert ask(sandbox, party["value"], "accountname")[0] == 200


def test_an_account_that_is_none_is_not_known(sandbox: RunningSandbox) -> None:
    [party] = sandbox.missing_account(AccountState.UNKNOWN, at_once=True)
    for asked_for in ("status", "accountname"):
        status, error = ask(sandbox, party["value"], asked_for)
        assert (status, error["errorCode"]) == (404, "identifierError")


def test_a_holder_has_one_name_in_two_scripts(sandbox: RunningSandbox) -> None:
    status, body = ask(sandbox, OPEN, "accountname")
    assert (status, body) == ask(sandbox, OPEN, "accountname")
    name = body["name"]
    assert isinstance(name, dict)
    assert name["fullName"] == f"{name['lastName']} {name['firstName']}"
    assert not name["nativeName"].isascii()
    others = [ask(sandbox, f"+8551200{number:04d}", "accountname")[1] for number in range(40)]
    assert len({str(other.get("name")) for other in others}) > 10


def test_what_is_no_account_is_refused(sandbox: RunningSandbox) -> None:
    assert ask(sandbox, OPEN, "status", "shoesize")[1]["errorCode"] == "formatError"
    assert ask(sandbox, "9" * 300, "status")[1]["errorCode"] == "lengthError"
    assert ask(sandbox, OPEN, "balance")[0] == 404
