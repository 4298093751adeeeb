"""Every body that the provider sends is one that GSMA Mobile Money API 1.2 describes."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sandbox.misbehaviour import AccountState, Misbehaviour
from tests.sandbox.batches import APPROVAL, Batches, a_line
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox, eventually

SPECIFICATION = Path(__file__).parent / "gsma-mobile-money-1.2.0-disbursements.yaml"

Conforms = Callable[[str, Any], None]


@pytest.fixture(scope="module")
def conforms() -> Conforms:
    """``conforms("errorObject", body)`` fails unless the body is a valid one."""
    components = yaml.load(SPECIFICATION.read_bytes(), Loader=yaml.CSafeLoader)["components"]

    def check(schema: str, body: Any) -> None:
        # OpenAPI 3.0 writes exclusiveMinimum as JSON Schema draft 4 did.
        jsonschema.Draft4Validator(
            {"allOf": [{"$ref": f"#/components/schemas/{schema}"}], "components": components}
        ).validate(body)

    return check


def test_schemas_refuse_what_is_wrong(conforms: Conforms) -> None:
    with pytest.raises(jsonschema.ValidationError):
        conforms("errorObject", {"errorCategory": "identification", "errorCode": "noSuchCode"})
    with pytest.raises(jsonschema.ValidationError):
        conforms("requestStateObject", {"status": "pending", "serverCorrelationId": "7"})


def test_requests_of_these_tests_conform(sandbox: RunningSandbox, conforms: Conforms) -> None:
    conforms("requestTransactionType", sandbox.request_body("reference"))


def test_bodies_of_a_payment_conform(sandbox: RunningSandbox, conforms: Conforms) -> None:
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id, debitParty=None)
    conforms("requestStateObject", answer.json())
    eventually(lambda: sandbox.receiver.of(correlation_id))
    conforms("responseTransaction", sandbox.receiver.of(correlation_id)[0].body)
    link = sandbox.get(f"/responses/{correlation_id}").json()
    conforms("responseResponse", link)
    conforms("responseTransaction", sandbox.get(link["link"]).json())
    state = sandbox.get(f"/requeststates/{answer.json()['serverCorrelationId']}").json()
    assert state["status"] == "completed"
    conforms("requestStateObject", state)
    conforms("responseHeartbeat", sandbox.get("/heartbeat").json())


@pytest.mark.parametrize("state", [AccountState.UNKNOWN, AccountState.CLOSED])
@pytest.mark.parametrize("reference", [None, "", "a reference"])
def test_bodies_of_a_rejection_conform(
    sandbox: RunningSandbox, conforms: Conforms, state: AccountState, reference: str | None
) -> None:
    naming: dict[str, Any] = {"requestingOrganisationTransactionReference": reference}
    party = sandbox.missing_account(state, at_once=True)
    answer = sandbox.disburse(sandbox.new_id(), creditParty=party, **naming)
    conforms("errorObject", answer.json())
    correlation_id = sandbox.new_id()
    party = sandbox.missing_account(state, at_once=False)
    sandbox.disburse(correlation_id, creditParty=party, **naming)
    eventually(lambda: sandbox.receiver.of(correlation_id))
    conforms("errorObject", sandbox.receiver.of(correlation_id)[0].body)
    conforms("requestStateObject", sandbox.state_of(correlation_id))


def test_bodies_of_errors_conform(sandbox: RunningSandbox, conforms: Conforms) -> None:
    failing = sandbox.new_id(Misbehaviour.ERROR_AFTER_BOOKING)
    repeated = sandbox.new_id()
    sandbox.disburse(repeated)
    answers = [
        sandbox.disburse(failing),
        sandbox.disburse(repeated, amount="1"),
        sandbox.disburse(sandbox.new_id(), amount="x"),
        sandbox.disburse(sandbox.new_id(), api_key="wrong"),
        sandbox.get("/transactions/mekong-0000099999"),
        sandbox.get("/requeststates/not-one"),
        sandbox.get("/nothing"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert answer.headers["x-date"].endswith("Z")
        conforms("errorObject", answer.json())


@pytest.mark.parametrize("status", ["created", "approved"])
def test_bodies_of_a_batch_conform(
    sandbox: RunningSandbox, conforms: Conforms, status: str
) -> None:
    batches = Batches(sandbox)
    party = sandbox.missing_account(AccountState.CLOSED, at_once=True)
    paid = a_line()
    batches.completed(batches.take([paid], batchStatus="approved"))
    lines = [a_line(), a_line(creditParty=party), paid]
    conforms("requestBatchTransaction", {"transactions": lines, "batchStatus": status})
    correlation_id = str(uuid.uuid4())
    answer = batches.post(correlation_id, lines, batchStatus=status, batchTitle="Round 1")
    conforms("requestStateObject", answer.json())
    batch_id = batches.named(correlation_id)
    state_path = f"/requeststates/{answer.json()['serverCorrelationId']}"
    conforms("requestStateObject", sandbox.get(state_path).json())
    conforms("responseResponse", sandbox.get(f"/responses/{correlation_id}").json())
    conforms("responseBatchTransaction", batches.get(batch_id))
    if status == "created":
        conforms("requestGenericPatchArray", APPROVAL)
        assert batches.approve(batch_id).content == b""
    conforms("responseBatchTransaction", batches.completed(batch_id))
    (completion,) = batches.results(batch_id, "completions")
    conforms("responseBatchTransactionCompletion", completion)
    rejections = batches.results(batch_id, "rejections")
    assert len(rejections) == 2
    for rejection in rejections:
        conforms("responseBatchTransactionRejection", rejection)
    eventually(lambda: sandbox.receiver.of(correlation_id))
    for callback in sandbox.receiver.of(correlation_id):
        conforms("responseBatchTransaction", callback.body)
    refused = [
        batches.post(correlation_id, lines[:1]),
        batches.approve(batch_id, str(uuid.uuid4())),
        batches.page(batch_id, "completions", "?offset=-1"),
    ]
    for error in refused:
        assert error.status_code == 400
        conforms("errorObject", error.json())


def test_body_of_a_synchronous_answer_conforms(
    start_sandbox: StartSandbox, conforms: Conforms
) -> None:
    sandbox = start_sandbox(synchronous=True, misbehave=0.0)
    conforms("responseTransactionType", sandbox.disburse(sandbox.new_id()).json())
