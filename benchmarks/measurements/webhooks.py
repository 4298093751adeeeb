"""Taking callbacks durably against the same app's no-op route."""

import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from benchmarks.clients.load import write_requests
from benchmarks.figures import (
    Bound,
    Figure,
    Pair,
    Reach,
    median_bare,
    median_measured,
    median_ratio,
    spread,
)
from benchmarks.measurements.measured import Setting, run_client
from benchmarks.world import DIRECTORY, provider_codes
from shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.version import API_PREFIX

NAME = "webhooks"
_PAIRS = 15
_REQUESTS = 4_000
_CONNECTIONS = 128
_NO_OP = "GET /live"


def measure(setting: Setting) -> list[Figure]:
    """Signed callbacks, and as many no-ops with the same bodies and headers, in turn."""
    pairs = []
    world = setting.world
    with (
        world.show.phase("webhooks: stored, and no-ops", total=_PAIRS + 1) as phase,
        world.only("payments-api"),
    ):
        _measure_pair(setting)  # warms both up
        for done in range(1, _PAIRS + 1):
            phase.reach(done)
            pairs.append(_measure_pair(setting))
    return [
        setting.figure(
            NAME,
            path="webhook intake, durable",
            limit="the same app's no-op route",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_LEAST, value=0.6),
            measured=f"{median_measured(pairs):,.0f} requests/s",
            bare=f"{median_bare(pairs):,.0f} requests/s",
            details=[
                f"""
                {_REQUESTS:,} callbacks a time over {_CONNECTIONS} kept connections to one
                payments-api process, from a lean client in a process of its own: verified,
                sealed, committed with synchronous_commit, then answered 204.
                """,
                f"""
                The limit: `{_NO_OP}`, the one route of the app that does nothing, with the
                same headers and the same body in each request, from the same client.
                """,
                """
                The worker that applies callbacks stands still meanwhile, as does everything
                else but PostgreSQL.
                """,
                spread(pairs),
            ],
        )
    ]


def _measure_pair(setting: Setting) -> Pair:
    requests = _requests(setting)
    stored = _rate(setting, [_head(path) + rest for path, rest in requests], status=204)
    idle = _rate(setting, [f"{_NO_OP} HTTP/1.1\r\n".encode() + rest for _, rest in requests], 200)
    return Pair(stored, idle)


def _head(path: str) -> bytes:
    return f"PUT {path} HTTP/1.1\r\n".encode()


def _requests(setting: Setting) -> list[tuple[str, bytes]]:
    """The path of each callback, and everything after the request line."""
    provider = provider_codes()[0]
    secret = setting.world.stack.secrets.provider_webhook_secrets[provider]
    made = []
    for _ in range(_REQUESTS):
        body = orjson.dumps(
            {
                "transactionReference": f"{provider}-{uuid.uuid4().hex[:10]}",
                "transactionStatus": "completed",
                "type": "disbursement",
                "amount": "96000",
                "currency": "KHR",
                "creditParty": [{"key": "msisdn", "value": "+85520000000"}],
                "debitParty": [{"key": "organisationid", "value": "nspc"}],
                "requestingOrganisationTransactionReference": str(uuid.uuid4()),
            }
        )
        message_id = f"msg_{uuid.uuid4().hex}"
        timestamp = int(time.time())
        headers = {
            "host": "payments",
            "content-type": "application/json",
            "content-length": str(len(body)),
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(secret, message_id=message_id, timestamp=timestamp, body=body),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        made.append(
            (f"{API_PREFIX}/providers/{provider}/callbacks", f"{lines}\r\n".encode() + body)
        )
    return made


def _rate(setting: Setting, requests: list[bytes], status: int) -> float:
    """Answers a second; every one has to have the status."""
    path: Path = DIRECTORY / "requests"
    write_requests(path, requests)
    address = urlsplit(setting.world.stack.urls["payments"])
    done = run_client(
        "load", str(address.hostname), str(address.port), str(_CONNECTIONS), str(path)
    )
    path.unlink()
    assert done["statuses"] == {str(status): len(requests)}, done
    rate: float = len(requests) / done["seconds"]
    return rate
