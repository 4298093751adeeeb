"""Each kind of hostility is really met with, seen over HTTP; and the book tells the truth."""

import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

import sandbox
from sandbox.hostility import SAID_OF_THE_TRANSACTION, Channel, Hostility, Nature
from sandbox.options import SandboxOptions, parse_options
from sandbox.rumours import old_secret
from tests.sandbox.conftest import PROVIDERS, StartSandbox
from tests.sandbox.running import RunningSandbox, eventually

WHILE_SECONDS = 2.0
OUR_REFERENCE = "requestingOrganisationTransactionReference"

Hostile = Callable[[Hostility], RunningSandbox]


@pytest.fixture
def hostile(start_sandbox: StartSandbox) -> Hostile:
    """``hostile(kind)`` is a sandbox that meets every payment so."""

    def start(kind: Hostility) -> RunningSandbox:
        return start_sandbox(
            hostile=(kind,), hostile_seconds=WHILE_SECONDS, missing_account_share=0.0
        )

    return start


def an_id(sandbox: RunningSandbox, channel: Channel | None = None) -> str:
    """A correlation id whose end is told by this way first."""
    while True:
        candidate = str(uuid.uuid4())
        if channel in (None, sandbox.options.nature.channel(candidate)):
            return candidate


def an_id_of_form(sandbox: RunningSandbox, form: int, *, among: int) -> str:
    while True:
        candidate = str(uuid.uuid4())
        if sandbox.options.nature.choice(candidate, among=6) % among == form:
            return candidate


def wait_until_the_while_is_over() -> None:
    time.sleep(WHILE_SECONDS + 0.1)


def link_of(sandbox: RunningSandbox, correlation_id: str) -> str:
    return str(sandbox.get(f"/responses/{correlation_id}").json()["link"])


def wait_until_told_completed(sandbox: RunningSandbox, correlation_id: str) -> httpx.Response:
    """The transaction, once an inquiry leads to it."""
    eventually(lambda: "/transactions/" in link_of(sandbox, correlation_id))
    return sandbox.get(link_of(sandbox, correlation_id))


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


# -- what is done to an answer


def is_well_again(sandbox: RunningSandbox, correlation_id: str) -> bool:
    wait_until_the_while_is_over()
    paid = wait_until_told_completed(sandbox, correlation_id).json()
    return bool(
        paid["transactionStatus"] == "completed"
        and len(sandbox.booked(correlation_id)) == 1
        and sandbox.receiver.callbacks == []
    )


def test_an_error_object_within_200(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.ERROR_WITHIN_200)
    correlation_id = an_id(sandbox)
    for answer in (sandbox.disburse(correlation_id), sandbox.get(f"/responses/{correlation_id}")):
        assert (answer.status_code, answer.json()["errorCategory"]) == (200, "businessRule")
    assert is_well_again(sandbox, correlation_id)


def test_html_of_three_statuses(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.HTML)
    for form, status in enumerate((200, 201, 202)):
        answer = sandbox.disburse(an_id_of_form(sandbox, form, among=3))
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    assert sandbox.get(f"/responses/{correlation_id}").text.startswith("<!DOCTYPE html>")
    assert is_well_again(sandbox, correlation_id)


def test_deeply_nested_json(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.DEEP_JSON)
    correlation_id = an_id(sandbox)
    answer = sandbox.disburse(correlation_id)
    assert answer.status_code == 201
    assert answer.content.count(b"[") == 100_000
    assert sandbox.get(f"/responses/{correlation_id}").content.count(b"[") == 100_000
    assert is_well_again(sandbox, correlation_id)


def request_of(
    sandbox: RunningSandbox, correlation_id: str, *, timeout: float = 5.0
) -> httpx.Request:
    return sandbox.client.build_request(
        "POST",
        f"{sandbox.options.base_url('mekong')}/transactions/type/disbursement",
        headers={
            "X-API-Key": sandbox.provider.api_key,
            "X-CorrelationID": correlation_id,
            "X-Callback-URL": sandbox.receiver.url,
        },
        content=orjson.dumps(sandbox.request_body(correlation_id)),
        timeout=timeout,
    )


@pytest.mark.parametrize("kind", [Hostility.HUGE_BODY, Hostility.ENDLESS_BODY])
def test_a_body_without_measure(hostile: Hostile, kind: Hostility) -> None:
    sandbox = hostile(kind)
    correlation_id, enough = an_id(sandbox), 8 * 1024 * 1024
    answer = sandbox.client.send(request_of(sandbox, correlation_id), stream=True)
    assert answer.status_code == 202
    if kind is Hostility.HUGE_BODY:
        assert answer.headers["content-length"] == str(300 * 1024 * 1024)
    read = 0
    for piece in answer.iter_raw():
        read += len(piece)
        if read > enough:
            break
    assert read > enough
    answer.close()
    assert is_well_again(sandbox, correlation_id)


def test_trickling_headers(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.TRICKLING_HEADERS)
    correlation_id = an_id(sandbox)
    request = request_of(sandbox, correlation_id)
    lines = [f"POST {request.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection(("127.0.0.1", sandbox.options.port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + request.content)
        began = time.monotonic()
        assert [connection.recv(64) for _ in range(3)] == [b"H", b"T", b"T"]
        assert 1.5 < time.monotonic() - began < 5
    assert is_well_again(sandbox, correlation_id)


def test_trickling_body(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.TRICKLING_BODY)
    correlation_id = an_id(sandbox)
    answer = sandbox.client.send(request_of(sandbox, correlation_id), stream=True)
    assert answer.status_code == 202
    pieces = answer.iter_raw()
    began = time.monotonic()
    assert [next(pieces) for _ in range(3)] == [b"{", b'"', b"s"]
    assert 1.5 < time.monotonic() - began < 5
    answer.close()
    assert is_well_again(sandbox, correlation_id)


def test_never_answered(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.NEVER_ANSWERED)
    correlation_id = an_id(sandbox)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.client.send(request_of(sandbox, correlation_id, timeout=1.0))
    assert is_well_again(sandbox, correlation_id)


def test_closed_in_the_body(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CLOSED_IN_BODY)
    correlation_id = an_id(sandbox)
    answer = sandbox.client.send(request_of(sandbox, correlation_id), stream=True)
    assert answer.status_code == 202
    with pytest.raises(httpx.RemoteProtocolError):
        answer.read()
    assert is_well_again(sandbox, correlation_id)


def test_wrong_content_length(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.WRONG_CONTENT_LENGTH)
    short = an_id_of_form(sandbox, 0, among=2)
    request = request_of(sandbox, short)
    # What follows a body that is shorter than it should be is not read as another answer.
    request.headers["Connection"] = "close"
    answer = sandbox.client.send(request)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)
    long = an_id_of_form(sandbox, 1, among=2)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.client.send(request_of(sandbox, long, timeout=1.0))
    assert is_well_again(sandbox, short)


def test_redirected_elsewhere(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.REDIRECT)
    correlation_id = an_id(sandbox)
    for answer in (sandbox.disburse(correlation_id), sandbox.get(f"/responses/{correlation_id}")):
        assert answer.status_code == 307
        assert answer.headers["location"].endswith("/elsewhere")
    assert is_well_again(sandbox, correlation_id)


def test_too_many_requests(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.TOO_MANY_REQUESTS)
    correlation_id = an_id(sandbox)
    answer = sandbox.disburse(correlation_id)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert sandbox.booked(correlation_id) == []
    wait_until_the_while_is_over()
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 1
    eventually(lambda: sandbox.receiver.of(correlation_id))


def test_a_burst_of_503_meets_everybody(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.BURSTS_OF_503)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 503
    assert sandbox.get("/heartbeat").status_code == 503
    assert sandbox.disburse(correlation_id, provider=1).status_code == 202
    wait_until_the_while_is_over()
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 2


# -- callbacks


def moment(timestamp: str) -> datetime:
    return datetime.fromtimestamp(int(timestamp), UTC)


def verified(sandbox: RunningSandbox, correlation_id: str) -> list[dict[str, object]]:
    """What was told rightly signed."""
    secret = Webhook(PROVIDERS[0].webhook_secret)
    return [
        secret.verify(callback.raw, dict(callback.headers))
        for callback in sandbox.receiver.of(correlation_id)
    ]


def both_told(sandbox: RunningSandbox, correlation_id: str) -> list[dict[str, object]]:
    """What two callbacks say, in the order in which they came."""
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    return verified(sandbox, correlation_id)


def test_callbacks_tripled_under_new_ids(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_DOUBLED)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    assert len({callback.webhook_id for callback in sandbox.receiver.callbacks}) == 3
    assert len(sandbox.booked(correlation_id)) == 1


def test_callback_before_the_response(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_BEFORE_RESPONSE)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    (told,) = verified(sandbox, correlation_id)
    assert told["transactionStatus"] == "completed"


def test_contradictory_callbacks_in_either_order(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_CONTRADICTORY)
    first_words = set()
    for _ in range(12):
        correlation_id = an_id(sandbox)
        sandbox.disburse(correlation_id)
        said = ["errorCode" in told for told in both_told(sandbox, correlation_id)]
        assert sorted(said) == [False, True]
        first_words.add(said[0])
        assert len(sandbox.booked(correlation_id)) == 1
    assert first_words == {False, True}


def test_callbacks_for_another_providers_payment(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_FOR_OTHER_PROVIDER)
    victim, correlation_id = an_id(sandbox), an_id(sandbox)
    sandbox.disburse(victim, provider=1)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    about = [orjson.dumps(told) for told in verified(sandbox, correlation_id)]
    assert sum(victim.encode() in told for told in about) == 2


def test_callbacks_of_an_unknown_id(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_OF_UNKNOWN_ID)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    about = [orjson.dumps(told) for told in verified(sandbox, correlation_id)]
    assert sum(correlation_id.encode() in told for told in about) == 1


def test_malformed_callbacks_that_are_signed(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_MALFORMED)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 8)
    secret = Webhook(PROVIDERS[0].webhook_secret)
    unreadable = 0
    for callback in sandbox.receiver.of(correlation_id):
        signature = secret.sign(
            msg_id=callback.webhook_id,
            timestamp=moment(callback.headers["webhook-timestamp"]),
            data=callback.raw.decode(),
        )
        assert callback.headers["webhook-signature"] == signature
        try:
            orjson.loads(callback.raw)
        except orjson.JSONDecodeError:
            unreadable += 1
    assert unreadable >= 2


def test_a_callback_signed_with_an_old_secret(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_WITH_OLD_SECRET)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    (forged,) = [
        callback
        for callback in sandbox.receiver.of(correlation_id)
        if callback.webhook_id.endswith("forged")
    ]
    with pytest.raises(WebhookVerificationError):
        Webhook(PROVIDERS[0].webhook_secret).verify(forged.raw, dict(forged.headers))
    told = Webhook(old_secret(PROVIDERS[0].webhook_secret)).verify(forged.raw, dict(forged.headers))
    assert told["errorCode"] == "incorrectState"


def test_a_very_late_callback(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_VERY_LATE)
    correlation_id = an_id(sandbox)
    began = time.monotonic()
    sandbox.disburse(correlation_id)
    assert sandbox.state_of(correlation_id)["status"] == "pending"
    eventually(lambda: sandbox.receiver.of(correlation_id))
    assert time.monotonic() - began >= WHILE_SECONDS
    assert verified(sandbox, correlation_id)[0]["transactionStatus"] == "completed"


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
