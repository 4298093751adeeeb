"""Batches: taken once, paid when approved, and each line told by its result and by the book."""

import uuid
from typing import Any

import pytest

from sandbox.misbehaviour import AccountState
from tests.sandbox.batches import Batches, a_line, references
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox, eventually


@pytest.fixture
def batches(sandbox: RunningSandbox) -> Batches:
    return Batches(sandbox)


def booked(sandbox: RunningSandbox, lines: list[dict[str, object]]) -> list[dict[str, str]]:
    wanted = set(references(lines))
    return [row for row in sandbox.book() if row["requesting_reference"] in wanted]


def test_batch_of_two_steps_pays_nothing_until_it_is_approved(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    lines = [a_line() for _ in range(5)]
    correlation_id = str(uuid.uuid4())
    answer = batches.post(correlation_id, lines, batchStatus="created")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    state_path = f"/requeststates/{answer.json()['serverCorrelationId']}"
    eventually(lambda: sandbox.get(state_path).json()["status"] == "completed")
    batch_id = sandbox.get(state_path).json()["objectReference"]
    assert batches.named(correlation_id) == batch_id
    assert batches.get(batch_id)["batchStatus"] == "created"
    assert batches.results(batch_id, "completions") == []
    assert booked(sandbox, lines) == []
    assert batches.approve(batch_id, str(uuid.uuid4())).status_code == 204
    batch = batches.completed(batch_id)
    assert (batch["completedCount"], batch["rejectionCount"]) == (5, 0)
    completions = batches.results(batch_id, "completions", limit=2)
    assert sorted(references(completions)) == sorted(references(lines))
    rows = booked(sandbox, lines)
    assert [row["correlation_id"] for row in rows] == references(lines)
    assert {row["transaction_reference"] for row in rows} == {
        row["transactionReference"] for row in completions
    }
    assert {row["amount"] for row in rows} == {"96000"}
    transaction = sandbox.get(completions[0]["link"]).json()
    assert (transaction["amount"], transaction["transactionStatus"]) == ("96000", "completed")


def test_batch_of_one_step_is_paid_without_another_word(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    lines = [a_line() for _ in range(3)]
    batch_id = batches.take(lines, batchStatus="approved")
    assert batches.completed(batch_id)["completedCount"] == 3
    assert len(booked(sandbox, lines)) == 3


def test_same_batch_again_is_the_same_batch(sandbox: RunningSandbox, batches: Batches) -> None:
    lines = [a_line() for _ in range(3)]
    correlation_id = str(uuid.uuid4())
    first = batches.post(correlation_id, lines, batchStatus="approved")
    again = batches.post(correlation_id.upper(), lines, batchStatus="approved")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    batches.completed(batches.named(correlation_id))
    assert len(booked(sandbox, lines)) == 3
    other = batches.post(correlation_id, lines[:2], batchStatus="approved")
    assert (other.status_code, other.json()["errorCode"]) == (400, "duplicateRequest")


def test_line_that_was_paid_before_is_rejected_as_a_duplicate(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    lines = [a_line() for _ in range(3)]
    paid = batches.take(lines, batchStatus="approved")
    batches.completed(paid)
    again = batches.take([*lines[:2], a_line()], batchStatus="approved")
    batches.completed(again)
    rejections = batches.results(again, "rejections")
    assert sorted(references(rejections)) == sorted(references(lines[:2]))
    for rejection in rejections:
        code, words = rejection["rejectionReason"].split(": ")
        assert (code, bool(words)) == ("duplicateRequest", True)
        before = sandbox.get(f"/transactions/{rejection['transactionReference']}").json()
        assert references([before]) == references([rejection])
    assert len(booked(sandbox, lines)) == 3


def test_line_that_stands_twice_in_a_batch_is_paid_once(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    line = a_line()
    batch = batches.completed(batches.take([line, line], batchStatus="approved"))
    assert (batch["completedCount"], batch["rejectionCount"]) == (1, 1)
    assert len(booked(sandbox, [line])) == 1


def test_line_that_was_rejected_may_be_paid_later(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    reference = str(uuid.uuid4())
    party = sandbox.missing_account(AccountState.CLOSED, at_once=True)
    rejected = batches.take([a_line(reference, creditParty=party)], batchStatus="approved")
    batches.completed(rejected)
    batches.completed(batches.take([a_line(reference)], batchStatus="approved"))
    assert len(booked(sandbox, [a_line(reference)])) == 1


def test_one_bad_line_concerns_one_line(sandbox: RunningSandbox, batches: Batches) -> None:
    unknown = sandbox.missing_account(AccountState.UNKNOWN, at_once=True)
    closed = sandbox.missing_account(AccountState.CLOSED, at_once=False)
    bad = [
        ("identifierError", a_line(creditParty=unknown)),
        ("incorrectState", a_line(creditParty=closed)),
        ("formatError", a_line(amount="096")),
        ("currencyNotSupported", a_line(currency="EUR")),
        ("lessThanTransactionMinValue", a_line(amount="0")),
        ("transactionTypeError", a_line(type="transfer")),
        ("formatError", a_line("a reference\x00with NUL")),
    ]
    good = [a_line(), a_line(requestingOrganisationTransactionReference="not a UUID")]
    batch_id = batches.take([*(line for _, line in bad), *good], batchStatus="approved")
    batches.completed(batch_id)
    told = {
        row["requestingOrganisationTransactionReference"]: row["rejectionReason"].split(": ")[0]
        for row in batches.results(batch_id, "rejections")
    }
    assert told == {references([line])[0]: code for code, line in bad}
    assert len(batches.results(batch_id, "completions")) == 2
    assert booked(sandbox, [line for _, line in bad]) == []
    assert len(booked(sandbox, good)) == 2


def test_pages_add_up_to_all_results_and_say_how_many_there_are(batches: Batches) -> None:
    lines = [a_line() for _ in range(120)]
    batch_id = batches.take(lines, batchStatus="approved")
    batches.completed(batch_id)
    first = batches.page(batch_id, "completions")
    assert len(first.json()) == 50
    assert first.headers["x-records-available-count"] == "120"
    assert first.headers["x-records-returned-count"] == "50"
    read = references(batches.results(batch_id, "completions", limit=7))
    assert len(read) == 120
    assert set(read) == set(references(lines))
    assert len(batches.page(batch_id, "completions", "?limit=999999").json()) == 120
    assert batches.page(batch_id, "completions", "?offset=120").json() == []
    for query in ("?offset=-1", "?offset=x", "?limit=0", "?limit=many"):
        answer = batches.page(batch_id, "completions", query)
        assert answer.status_code == 400


def test_approval_is_given_once_and_may_be_repeated(batches: Batches) -> None:
    correlation_id, approval_id = str(uuid.uuid4()), str(uuid.uuid4())
    batches.post(correlation_id, [a_line()])
    batch_id = batches.named(correlation_id)
    own = batches.approve(batch_id, correlation_id)
    assert (own.status_code, own.json()["errorCode"]) == (400, "duplicateRequest")
    assert batches.get(batch_id)["batchStatus"] == "created"
    for _ in range(2):
        assert batches.approve(batch_id, approval_id).status_code == 204
    other = batches.approve(batch_id, str(uuid.uuid4()))
    assert (other.status_code, other.json()["errorCode"]) == (400, "incorrectState")
    assert batches.completed(batch_id)["completedCount"] == 1
    unnamed = batches.take([a_line()])
    assert batches.approve(unnamed).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        [{"op": "remove", "path": "/batchStatus", "value": "approved"}],
        [{"op": "replace", "path": "/batchTitle", "value": "approved"}],
        [{"op": "replace", "path": "/batchStatus", "value": "completed"}],
    ],
)
def test_another_change_of_a_batch_is_refused(batches: Batches, body: object) -> None:
    batch_id = batches.take([a_line()])
    assert batches.approve(batch_id, body=body).status_code == 400
    assert batches.get(batch_id)["batchStatus"] == "created"


@pytest.mark.parametrize(
    ("lines", "changes", "code"),
    [
        ([], {}, "lengthError"),
        ("none", {}, "lengthError"),
        (["none"], {}, "formatError"),
        ([a_line(creditParty=None)], {}, "mandatoryValueNotSupplied"),
        ([a_line(debitParty=None)], {}, "mandatoryValueNotSupplied"),
        ([a_line(descriptionText="x" * 161)], {}, "lengthError"),
        ([a_line()], {"batchStatus": "completed"}, "formatError"),
    ],
)
def test_malformed_batch_is_refused_whole_and_not_kept(
    sandbox: RunningSandbox, batches: Batches, lines: object, changes: dict[str, Any], code: str
) -> None:
    correlation_id = str(uuid.uuid4())
    answer = batches.post(correlation_id, lines, **changes)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert sandbox.get(f"/responses/{correlation_id}").status_code == 404


def test_batches_that_nobody_gave_are_not_known(sandbox: RunningSandbox, batches: Batches) -> None:
    given = batches.take([a_line()])
    for name in ("mekong-batch-99999999", given.replace("mekong", "tonle"), "7", "%00"):
        answer = sandbox.get(f"/batchtransactions/{name}")
        assert (answer.status_code, answer.json()["errorCategory"]) == (404, "identification")
        assert batches.page(name, "rejections").status_code == 404
        assert batches.approve(name).status_code == 404


def test_callbacks_tell_that_a_batch_was_made_and_that_it_is_completed(
    sandbox: RunningSandbox, batches: Batches
) -> None:
    correlation_id = str(uuid.uuid4())
    batches.post(correlation_id, [a_line(), a_line()])
    batch_id = batches.named(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 1)
    batches.approve(batch_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    bodies = [callback.body for callback in sandbox.receiver.of(correlation_id)]
    assert [body["batchStatus"] for body in bodies] == ["created", "completed"]
    assert bodies[1] == batches.get(batch_id)
    assert len({callback.webhook_id for callback in sandbox.receiver.of(correlation_id)}) == 2


def test_more_batches_than_are_taken_at_a_time_come_later(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(most_open_batches=1)
    batches = Batches(sandbox)
    batch_id = batches.take([a_line()])
    correlation_id = str(uuid.uuid4())
    answer = batches.post(correlation_id, [a_line()])
    assert answer.status_code == 429
    error = answer.json()
    assert (error["errorCategory"], error["errorCode"]) == ("serviceUnavailable", "rateLimitError")
    assert int(answer.headers["retry-after"]) >= 1
    batches.approve(batch_id)
    batches.completed(batch_id)
    assert batches.post(correlation_id, [a_line()]).status_code == 202


def test_batch_goes_on_after_sigkill(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(completion_delay_ms=(500, 1_000))
    batches = Batches(sandbox)
    lines = [a_line() for _ in range(20)]
    correlation_id = str(uuid.uuid4())
    batches.post(correlation_id, lines, batchStatus="approved")
    sandbox.kill()
    sandbox.start()
    batch_id = batches.named(correlation_id)
    sandbox.kill()
    sandbox.start()
    assert batches.completed(batch_id)["completedCount"] == 20
    summary = sandbox.wait_until_at_rest()
    assert (summary["count"], summary["batches"]) == (20, {"completed": 1})
    assert summary["batch_callbacks"] == {"delivered": 1}
    assert summary["duplicate_references"] == 0
