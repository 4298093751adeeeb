"""Each kind of hostility is really met with, seen over HTTP; and the book tells the truth."""

import uuid
from collections import Counter
from pathlib import Path

import httpx
import orjson
import pytest

import sandbox
from sandbox.hostility import SAID_OF_THE_TRANSACTION, Channel, Hostility, Nature
from sandbox.options import SandboxOptions, parse_options
from tests.sandbox.conftest import PROVIDERS, StartSandbox
from tests.sandbox.hostile import (
    OUR_REFERENCE,
    Hostile,
    an_id,
    wait_until_the_while_is_over,
    wait_until_told_completed,
)
from tests.sandbox.running import eventually

pytestmark = pytest.mark.long

# -- who is met


def test_the_seed_and_the_id_decide() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(20_000)]
    nature = Nature(seed=7, kinds=tuple(Hostility), share=0.5)
    met = Counter(nature.kind(provider="mekong", correlation_id=each) for each in ids)
    assert met.pop(None) / len(ids) == pytest.approx(0.5, abs=0.02)
    assert set(met) == set(Hostility)
    again = Nature(seed=7, kinds=tuple(Hostility), share=0.5)
    assert all(
        nature.kind(provider="mekong", correlation_id=each)
        is again.kind(provider="tonle", correlation_id=each)
        for each in ids
    )


def test_a_provider_that_is_not_named_is_honest() -> None:
    nature = Nature(seed=7, kinds=tuple(Hostility), providers=("mekong",))
    some_id = str(uuid.UUID(int=1))
    assert nature.kind(provider="mekong", correlation_id=some_id)
    assert nature.kind(provider="tonle", correlation_id=some_id) is None


def test_no_kind_named_is_an_ordinary_provider() -> None:
    assert Nature(seed=7).kind(provider="mekong", correlation_id=str(uuid.UUID(int=1))) is None


def test_options_name_kinds_and_all() -> None:
    options = SandboxOptions(port=8010, storage=Path("book.sqlite"), providers=PROVIDERS)
    words = options.command()[3:]
    read = parse_options([*words, "--hostile", "all"], options.environment())
    assert read.hostile == tuple(Hostility)
    assert parse_options(read.command()[3:], read.environment()) == read


# -- ids


def test_ids_are_forgotten_and_booked_again(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.FORGETS_IDS)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    first = sandbox.disburse(correlation_id).json()["serverCorrelationId"]
    assert len(sandbox.booked(correlation_id)) == 1
    wait_until_the_while_is_over()
    assert sandbox.get(f"/responses/{correlation_id}").status_code == 404
    assert sandbox.get(f"/requeststates/{first}").status_code == 404
    second = sandbox.disburse(correlation_id).json()["serverCorrelationId"]
    assert second != first
    booked = sandbox.booked(correlation_id)
    assert len(booked) == 2
    assert len({row["transaction_reference"] for row in booked}) == 2
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)


def test_a_pending_payment_is_forgotten(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.FORGETS_PENDING)
    correlation_id = an_id(sandbox)
    with pytest.raises(httpx.TransportError):
        sandbox.disburse(correlation_id)
    assert sandbox.state_of(correlation_id)["status"] == "pending"
    wait_until_the_while_is_over()
    assert sandbox.get(f"/responses/{correlation_id}").status_code == 404
    with pytest.raises(httpx.TransportError):
        sandbox.disburse(correlation_id)
    assert len(sandbox.booked(correlation_id)) == 2
    assert sandbox.receiver.of(correlation_id) == []


def test_a_payment_is_not_known_at_first_although_it_is_booked(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.NOT_KNOWN_AT_FIRST)
    correlation_id, hasty = an_id(sandbox), an_id(sandbox)
    for each in (correlation_id, hasty):
        with pytest.raises(httpx.TransportError):
            sandbox.disburse(each)
        assert sandbox.get(f"/responses/{each}").status_code == 404
        assert len(sandbox.booked(each)) == 1
    with pytest.raises(httpx.TransportError):
        sandbox.disburse(hasty)
    assert len(sandbox.booked(hasty)) == 2
    wait_until_the_while_is_over()
    assert wait_until_told_completed(sandbox, correlation_id).status_code == 200
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 1


# -- what a transaction says


def is_said_of(kind: Hostility, content: dict[str, object], correlation_id: str) -> bool:
    amount, reference = content["amount"], str(content["transactionReference"])
    match kind:
        case Hostility.COMPLETED_WITHOUT_REFERENCE:
            return OUR_REFERENCE not in content
        case Hostility.COMPLETED_WITH_OTHER_REFERENCE:
            return content[OUR_REFERENCE] != correlation_id
        case Hostility.AMOUNT_WITH_EXPONENT:
            return amount == "1e9999999"
        case Hostility.AMOUNT_WITH_LARGE_EXPONENT:
            return amount == "1E+999999"
        case Hostility.AMOUNT_OF_FORTY_DIGITS:
            return amount == "9" * 40
        case Hostility.AMOUNT_AS_NUMBER:
            return amount == 96_000.0
        case Hostility.AMOUNT_AS_ARRAY:
            return amount == ["96000", "96000"]
        case Hostility.REFERENCE_WITH_NUL:
            return "\x00" in reference
        case Hostility.REFERENCE_OF_100_KB:
            return len(reference) == 100_000
        case _:
            return content["transactionStatus"] == "under-review"


def read(body: bytes) -> dict[str, object]:
    content: dict[str, object] = orjson.loads(body)
    return content


@pytest.mark.parametrize("kind", sorted(SAID_OF_THE_TRANSACTION))
def test_what_a_transaction_says_by_response_callback_and_inquiry(
    hostile: Hostile, kind: Hostility
) -> None:
    sandbox = hostile(kind)
    by_response, by_callback, by_inquiry = (an_id(sandbox, channel) for channel in Channel)
    answer = sandbox.disburse(by_response)
    assert answer.status_code == 201
    assert sandbox.disburse(by_callback).status_code == 202
    assert sandbox.disburse(by_inquiry).status_code == 202
    eventually(lambda: sandbox.receiver.of(by_callback))
    (callback,) = sandbox.receiver.of(by_callback)
    told = {
        by_response: answer.content,
        by_callback: callback.raw,
        by_inquiry: wait_until_told_completed(sandbox, by_inquiry).content,
    }
    for correlation_id, body in told.items():
        if kind is Hostility.REFERENCE_WITH_SURROGATE:
            assert b'"\\ud800"' in body
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(body)
        else:
            assert is_said_of(kind, read(body), correlation_id)
        (booked,) = sandbox.booked(correlation_id)
        assert (booked["amount"], booked["currency"]) == ("96000", "KHR")
    assert len(sandbox.receiver.callbacks) == 1


def test_the_other_reference_is_another_payments(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.COMPLETED_WITH_OTHER_REFERENCE)
    victim, correlation_id = an_id(sandbox), an_id(sandbox, Channel.RESPONSE)
    sandbox.disburse(victim)
    assert sandbox.disburse(correlation_id).json()[OUR_REFERENCE] == victim


@pytest.mark.parametrize(
    ("kind", "amount", "currency"),
    [(Hostility.OTHER_AMOUNT, "196000", "KHR"), (Hostility.OTHER_CURRENCY, "96000", "USD")],
)
def test_something_else_is_paid_and_said_and_booked(
    hostile: Hostile, kind: Hostility, amount: str, currency: str
) -> None:
    sandbox = hostile(kind)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    assert sandbox.disburse(correlation_id).status_code == 202
    told = wait_until_told_completed(sandbox, correlation_id).json()
    assert (told["amount"], told["currency"]) == (amount, currency)
    (booked,) = sandbox.booked(correlation_id)
    assert (booked["amount"], booked["currency"]) == (amount, currency)
    eventually(lambda: sandbox.receiver.of(correlation_id))


def test_pending_for_ever_and_nobody_calls_back(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.PENDING_FOR_EVER)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    wait_until_the_while_is_over()
    assert sandbox.state_of(correlation_id)["status"] == "pending"
    assert len(sandbox.booked(correlation_id)) == 1
    assert sandbox.receiver.callbacks == []


# -- minds that change


def test_late_success_by_response(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.LATE_SUCCESS_BY_RESPONSE)
    correlation_id = an_id(sandbox)
    answer = sandbox.disburse(correlation_id)
    (callback,) = sandbox.receiver.of(correlation_id)
    assert callback.body["errorCode"] == "incorrectState"
    assert (answer.status_code, answer.json()["transactionStatus"]) == (201, "completed")
    assert len(sandbox.booked(correlation_id)) == 1


def test_late_success_by_callback(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.LATE_SUCCESS_BY_CALLBACK)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 400
    assert sandbox.state_of(correlation_id)["status"] == "failed"
    eventually(lambda: sandbox.receiver.of(correlation_id))
    (callback,) = sandbox.receiver.of(correlation_id)
    assert callback.body["transactionStatus"] == "completed"
    assert len(sandbox.booked(correlation_id)) == 1


def test_late_success_by_inquiry(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.LATE_SUCCESS_BY_INQUIRY)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    eventually(lambda: sandbox.receiver.of(correlation_id))
    assert sandbox.receiver.of(correlation_id)[0].body["errorCode"] == "incorrectState"
    assert sandbox.state_of(correlation_id)["status"] == "failed"
    wait_until_the_while_is_over()
    assert sandbox.state_of(correlation_id)["transactionStatus"] == "completed"
    assert len(sandbox.booked(correlation_id)) == 1


def test_completed_then_rejected_was_never_paid(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.COMPLETED_THEN_REJECTED)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    assert sandbox.state_of(correlation_id)["transactionStatus"] == "completed"
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    paid, refused = sandbox.receiver.of(correlation_id)
    assert paid.body["transactionStatus"] == "completed"
    assert refused.body["errorCode"] == "incorrectState"
    assert sandbox.state_of(correlation_id)["status"] == "failed"
    assert sandbox.booked(correlation_id) == []


def test_nobody_else_is_met(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(hostile=tuple(Hostility), hostile_providers=("mekong",), misbehave=0.0)
    for _ in range(20):
        correlation_id = an_id(sandbox)
        assert sandbox.disburse(correlation_id, provider=1).status_code == 202
    summary = sandbox.wait_until_at_rest()
    assert (summary["count"], summary["misbehaviours"]) == (20, {})


def test_every_kind_has_its_line_in_the_readme() -> None:
    text = (Path(sandbox.__file__).parent / "README.md").read_text()
    assert [kind for kind in Hostility if f"| {kind} |" not in text] == []
