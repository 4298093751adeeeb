"""Each fault of batches does what the README says, and the book tells the truth of it."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.batch_faults import BatchFault, BatchNature
from sandbox.misbehaviour import AccountState
from tests.sandbox.batches import Batches, a_line, references
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import CUT_OFF, eventually

pytestmark = pytest.mark.long

WHILE_SECONDS = 1.5

Faulty = Callable[..., Batches]


@pytest.fixture
def faulty(start_sandbox: StartSandbox) -> Faulty:
    """``faulty(fault)`` is a client of a sandbox all of whose batches meet this fault."""

    def start(fault: BatchFault, **changes: object) -> Batches:
        given = {"batch_fault_seconds": WHILE_SECONDS, "missing_account_share": 0.0, **changes}
        return Batches(start_sandbox(batch_faults=(fault,), **given))

    return start


def paid(batches: Batches) -> list[str]:
    """The references of what the book says was paid."""
    return [row["requesting_reference"] for row in batches.sandbox.book()]


def known(batches: Batches, correlation_id: str) -> bool:
    return batches.sandbox.get(f"/responses/{correlation_id}").status_code == 200


def test_every_fault_is_documented() -> None:
    readme = (Path(__file__).parents[2] / "sandbox" / "README.md").read_text()
    for fault in BatchFault:
        assert f"| {fault} |" in readme


def test_same_seed_makes_the_same_faults_and_a_share_of_them() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(4_000)]
    nature = BatchNature(seed=3, kinds=tuple(BatchFault), share=0.25)
    found = [nature.kind(each) for each in ids]
    assert found == [
        BatchNature(seed=3, kinds=tuple(BatchFault), share=0.25).kind(each) for each in ids
    ]
    assert 800 < sum(kind is not None for kind in found) < 1_200
    assert {kind for kind in found if kind} == set(BatchFault)
    assert BatchNature(seed=3).kind(ids[0]) is None


def test_lost_before(faulty: Faulty) -> None:
    batches, correlation_id = faulty(BatchFault.LOST_BEFORE), str(uuid.uuid4())
    with pytest.raises(CUT_OFF):
        batches.post(correlation_id, [a_line()], batchStatus="approved")
    assert not known(batches, correlation_id)
    assert batches.post(correlation_id, [a_line()], batchStatus="approved").status_code == 202
    batches.completed(batches.named(correlation_id))
    assert len(paid(batches)) == 1


def test_lost_after(faulty: Faulty) -> None:
    batches, correlation_id = faulty(BatchFault.LOST_AFTER), str(uuid.uuid4())
    lines = [a_line()]
    with pytest.raises(CUT_OFF):
        batches.post(correlation_id, lines, batchStatus="approved")
    assert batches.post(correlation_id, lines, batchStatus="approved").status_code == 202
    batches.completed(batches.named(correlation_id))
    assert paid(batches) == references(lines)


@pytest.mark.parametrize(
    ("fault", "status", "again"),
    [
        (BatchFault.APPROVAL_LOST_BEFORE, "created", 204),
        (BatchFault.APPROVAL_LOST_AFTER, "completed", 400),
    ],
)
def test_approval_lost(faulty: Faulty, fault: BatchFault, status: str, again: int) -> None:
    batches = faulty(fault)
    batch_id = batches.take([a_line()])
    with pytest.raises(CUT_OFF):
        batches.approve(batch_id)
    eventually(lambda: batches.get(batch_id)["batchStatus"] == status)
    assert batches.approve(batch_id).status_code == again
    batches.completed(batch_id)
    assert len(paid(batches)) == 1


def test_not_known_at_first(faulty: Faulty) -> None:
    batches, correlation_id = faulty(BatchFault.NOT_KNOWN_AT_FIRST), str(uuid.uuid4())
    lines = [a_line()]
    with pytest.raises(CUT_OFF):
        batches.post(correlation_id, lines, batchStatus="approved")
    assert not known(batches, correlation_id)
    eventually(lambda: paid(batches))
    assert not known(batches, correlation_id)
    # Who does not wait has sent another batch, of lines that were paid before.
    assert batches.post(correlation_id, lines, batchStatus="approved").status_code == 202
    time.sleep(WHILE_SECONDS + 0.1)
    assert batches.completed(batches.named(correlation_id))["rejectionCount"] == 1
    assert paid(batches) == references(lines)


def test_partly_rejected(faulty: Faulty) -> None:
    batches = faulty(BatchFault.PARTLY_REJECTED)
    lines = [a_line() for _ in range(40)]
    batch_id = batches.take(lines, batchStatus="approved")
    batches.completed(batch_id)
    rejections = batches.results(batch_id, "rejections")
    assert 5 < len(rejections) < 35
    assert {row["rejectionReason"] for row in rejections} == {"requestDeclined: not today"}
    assert set(paid(batches)) == set(references(lines)) - set(references(rejections))


def test_refused_for_a_line(faulty: Faulty) -> None:
    batches = faulty(BatchFault.REFUSED_FOR_A_LINE, missing_account_share=0.3)
    party = batches.sandbox.missing_account(AccountState.CLOSED, at_once=True)
    right = next(
        account
        for account in (f"+85512{number:07d}" for number in range(99))
        if batches.sandbox.temperament.account(account).state is AccountState.OPEN
    )
    line = a_line(creditParty=[{"key": "msisdn", "value": right}])
    correlation_id = str(uuid.uuid4())
    answer = batches.post(correlation_id, [line, a_line(creditParty=party)])
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "incorrectState")
    assert not known(batches, correlation_id)
    batches.completed(batches.take([line], batchStatus="approved"))
    assert paid(batches) == references([line])


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (BatchFault.NO_FUNDS, 400, "insufficientFunds"),
        (BatchFault.TOO_MANY_REQUESTS, 429, "rateLimitError"),
        (BatchFault.MAINTENANCE, 503, "genericError"),
    ],
)
def test_not_taken_for_a_while(faulty: Faulty, fault: BatchFault, status: int, code: str) -> None:
    batches, correlation_id = faulty(fault), str(uuid.uuid4())
    for _ in range(2):
        answer = batches.post(correlation_id, [a_line()], batchStatus="approved")
        assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    if fault is BatchFault.MAINTENANCE:
        assert batches.sandbox.get("/batchtransactions/mekong-batch-00000001").status_code == 503
        assert batches.sandbox.get(f"/responses/{correlation_id}").status_code == 503
    if fault is not BatchFault.NO_FUNDS:
        assert int(answer.headers["retry-after"]) >= 1
    time.sleep(WHILE_SECONDS + 0.1)
    assert not known(batches, correlation_id)
    batches.post(correlation_id, [a_line()], batchStatus="approved")
    batches.completed(batches.named(correlation_id))
    assert len(paid(batches)) == 1


def test_half_read_pages(faulty: Faulty) -> None:
    batches = faulty(BatchFault.HALF_READ_PAGES)
    batch_id = batches.take([a_line() for _ in range(9)], batchStatus="approved")
    batches.completed(batch_id)
    with pytest.raises(CUT_OFF):
        batches.page(batch_id, "completions")
    time.sleep(WHILE_SECONDS + 0.1)
    assert len(batches.results(batch_id, "completions")) == 9


def test_shuffled_pages(faulty: Faulty) -> None:
    batches = faulty(BatchFault.SHUFFLED_PAGES)
    lines = [a_line() for _ in range(30)]
    batch_id = batches.take(lines, batchStatus="approved")
    batches.completed(batch_id)
    orders = [references(batches.page(batch_id, "completions").json()) for _ in range(3)]
    assert orders[0] != orders[1] != orders[2]
    assert set(orders[0]) == set(references(lines))
    time.sleep(WHILE_SECONDS + 0.1)
    assert len(set(references(batches.results(batch_id, "completions", limit=7)))) == 30


def test_nonsense(faulty: Faulty) -> None:
    batches, correlation_id = faulty(BatchFault.NONSENSE), str(uuid.uuid4())
    answers = [
        batches.post(correlation_id, [a_line()], batchStatus="approved"),
        *(batches.sandbox.get(f"/responses/{correlation_id}") for _ in range(9)),
    ]
    assert all("/batchtransactions/" not in answer.text for answer in answers)
    assert len({answer.content for answer in answers}) > 5
    eventually(lambda: len(paid(batches)) == 1)
    time.sleep(WHILE_SECONDS + 0.1)
    assert batches.get(batches.named(correlation_id))["batchStatus"] == "completed"


@pytest.mark.parametrize(
    ("fault", "count", "state"),
    [
        (BatchFault.CALLBACK_TWICE, 2, "delivered"),
        (BatchFault.CALLBACK_NEVER, 0, "withheld"),
        (BatchFault.CALLBACK_LATE, 1, "delivered"),
    ],
)
def test_callbacks(faulty: Faulty, fault: BatchFault, count: int, state: str) -> None:
    batches, correlation_id = faulty(fault), str(uuid.uuid4())
    batches.post(correlation_id, [a_line()], batchStatus="approved")
    began = time.monotonic()
    batches.completed(batches.named(correlation_id))
    summary = batches.sandbox.wait_until_at_rest()
    assert summary["batch_callbacks"] == {state: 1}
    callbacks = batches.sandbox.receiver.of(correlation_id)
    assert len({callback.webhook_id for callback in callbacks}) == len(callbacks) == count
    if fault is BatchFault.CALLBACK_LATE:
        assert callbacks[0].at - began > WHILE_SECONDS / 2
