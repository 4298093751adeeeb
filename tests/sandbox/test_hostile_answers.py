"""What a hostile provider does to an answer: the payment is made or not, whatever is said."""

import socket
import time

import httpx
import orjson
import pytest

from sandbox.hostility import Hostility
from tests.sandbox.hostile import (
    Hostile,
    an_id,
    an_id_of_form,
    wait_until_the_while_is_over,
    wait_until_told_completed,
)
from tests.sandbox.running import CUT_OFF, RunningSandbox, eventually

pytestmark = pytest.mark.long


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
        assert time.monotonic() - began > 1.5
    assert is_well_again(sandbox, correlation_id)


def test_trickling_body(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.TRICKLING_BODY)
    correlation_id = an_id(sandbox)
    answer = sandbox.client.send(request_of(sandbox, correlation_id), stream=True)
    assert answer.status_code == 202
    pieces = answer.iter_raw()
    began = time.monotonic()
    assert [next(pieces) for _ in range(3)] == [b"{", b'"', b"s"]
    assert time.monotonic() - began > 1.5
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
    with pytest.raises(CUT_OFF):
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
