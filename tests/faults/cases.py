"""The cases that ``make faults`` runs beside its storms: python -m tests.faults --case NAME."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from deploy.local.environment import PROVIDERS
from judge.words import PAYMENT_ENDS
from sandbox.hostility import SAID_OF_THE_TRANSACTION, Hostility
from services.processes import SERVICES
from services.registry.households.fields import Field
from services.registry.households.shape import (
    COMMUNE,
    HEADERS,
    MEMBERS,
    PROVIDER,
    REGISTRATION_NUMBER,
)
from shared.ids import new_id
from shared.version import API_PREFIX
from tests.faults import cases_of_batches, cases_of_statements
from tests.faults.case import LEFT_TO_PERSONS, FaultCase, asked, counted, options_of
from tests.faults.judge import book_of, half_paid
from tests.faults.losing import keep, lose_since
from tests.faults.patience import wait_until
from tests.faults.run import WORKER, Plan
from tests.faults.world import NotAcknowledged, World

_SMALL = Fraction(1, 1000)
"""678 households."""
_SEED = 1
_NOBODY = "wing"
"""A provider that payments does not know."""
_NOT_OURS = {
    Hostility.COMPLETED_WITHOUT_REFERENCE,
    Hostility.COMPLETED_WITH_OTHER_REFERENCE,
    Hostility.AMOUNT_WITH_EXPONENT,
    Hostility.AMOUNT_WITH_LARGE_EXPONENT,
    Hostility.AMOUNT_OF_FORTY_DIGITS,
    Hostility.AMOUNT_AS_NUMBER,
    Hostility.AMOUNT_AS_ARRAY,
}
_STATUSES = """
    SELECT instruction.id, provider.code, instruction.status::text
    FROM payments.instruction
    JOIN payments.provider ON provider.number = provider_number
"""


# -- one bad value


def _with_bad_rows(file: bytes) -> bytes:
    """Three rows more: a provider that nobody knows, a commune that is none, no number."""
    lines = file.decode().splitlines()
    paid = next(line for line in lines[1:] if line.split(",")[_place(PROVIDER)])
    bad = []
    for number, (field, value) in enumerate(
        ((PROVIDER, _NOBODY), (COMMUNE, "999999"), (MEMBERS, "many")), start=1
    ):
        cells = paid.split(",")
        cells[_place(REGISTRATION_NUMBER)] = f"bad-row-{number}"
        cells[_place(field)] = value
        bad.append(",".join(cells))
    middle = len(lines) // 2
    return "\n".join([*lines[:middle], *bad, *lines[middle:], ""]).encode()


def _place(field: Field) -> int:
    return HEADERS.index(field.header)


def _two_rows_at_least_are_rejected(world: World) -> list[str]:
    # The third, whose provider nobody knows, is rejected once the registry was told of them.
    if world.rejected_rows in (2, 3):
        return []
    return [f"{world.rejected_rows} rows of the file were rejected, where three are wrong"]


def _poison_two_accounts(world: World) -> list[str]:
    """As if two bad values had come through every check: a provider, and a sealed account."""
    asyncio.run(
        _as_owner(
            world,
            f"""
            WITH chosen AS (
                SELECT id, row_number() OVER (ORDER BY id) AS place
                FROM registry.payee_account WHERE ended_at IS NULL ORDER BY id LIMIT 2
            )
            UPDATE registry.payee_account
            SET provider_code = CASE place WHEN 1 THEN '{_NOBODY}' ELSE provider_code END,
                account_sealed = CASE place WHEN 2 THEN sha256(account_sealed)
                    ELSE account_sealed END
            FROM chosen WHERE chosen.id = payee_account.id
            """,
        )
    )
    return []


def _report_places_that_are_none(world: World) -> list[str]:
    """Whether such a report is refused or not, everybody else has to be paid."""
    refused = 0
    for place in ("99", "០១"):
        try:
            world.report([place])
        except NotAcknowledged:
            refused += 1
    return [] if refused == 2 else [f"{2 - refused} of 2 reports of no place were taken"]


def _what_is_not_ours_is_held(world: World) -> list[str]:
    """Whoever says completed, and not of our payment, is not believed; and it is seen."""
    nature = options_of(world).nature
    rows = asyncio.run(asked(world, _STATUSES))
    others = [
        (identity, status)
        for identity, provider, status in rows
        if nature.kind(provider=str(provider), correlation_id=str(identity)) in _NOT_OURS
        and status != "held"
    ]
    if not others:
        return []
    identity, status = others[0]
    told = f"{len(others)} payments that were reported as paid otherwise are not held"
    return [f"{told}; for instance {identity} is {status}"]


def _sweep(world: World) -> list[str]:
    """Compare what has its end with the providers: some only say to whoever asks what they paid."""
    path = world.sweep()

    def is_finished() -> bool:
        with world.stack.client("payments") as client:
            return client.get(path).raise_for_status().json()["finished_at"] is not None

    if wait_until(is_finished, seconds=60):
        return []
    return ["the sweep over settled and rejected payments did not end"]


# -- a database that loses what it said


def _keep_payments(world: World) -> list[str]:
    """Every row of payments, as it is before the shock."""
    keep(world.stack, "payments", _kept(world))
    return []


def _lose_payments(world: World) -> list[str]:
    """Half is paid when payments forgets whatever it did since the shock."""
    found = []
    if not wait_until(lambda: half_paid(world), seconds=60):
        found.append("half was never paid: the case proves nothing")
    names = [name for name in world.stack.names if name.startswith("payments")]
    for name in names:
        world.stack.kill(name)
    lose_since(world.stack, "payments", _kept(world))
    for name in names:
        world.stack.restart(name)
    return found


def _kept(world: World) -> Path:
    return world.stack.directory / "payments.sql"


# -- late, forgetful and slow providers


def _stop_and_wake_workers(world: World) -> list[str]:
    """Each worker in turn is stopped for longer than its lease, in the midst of its work."""
    draw = random.Random(world.seed)
    names = [name for name in world.stack.names if name.startswith(WORKER)]
    wait_until(lambda: counted(world, "status::text <> 'ready'") > 0, seconds=40)
    until = monotonic() + 3 * _STOPPED_SECONDS
    while monotonic() < until:
        for name in names:
            process = world.stack.process_ids()[name]
            sleep(draw.uniform(0.1, 1.2))
            os.kill(process, signal.SIGSTOP)
            sleep(_STOPPED_SECONDS)
            os.kill(process, signal.SIGCONT)
    return []


def _top_up_when_it_is_stuck(world: World) -> list[str]:
    """Wait until the float is used up, and until late successes come; then give enough."""
    ready = "status::text = 'ready'"
    wait_until(lambda: counted(world, "status::text <> 'ready'") > 0, seconds=40)
    stuck = wait_until(lambda: _unmoved(world, ready), seconds=60)
    waiting = counted(world, ready)
    sleep(_WHILE_SECONDS)
    for provider in PROVIDERS:
        world.prefund(provider, 800_000_000)
    return [] if stuck and waiting else ["the float never ran out: the case proves nothing"]


def _no_success_is_lost(world: World) -> list[str]:
    """What the provider booked is settled or held: the float bears it now."""
    ids = _booked(world)
    rejected = asyncio.run(
        asked(
            world,
            "SELECT id FROM payments.instruction"
            " WHERE status::text = 'rejected' AND id = ANY($1::uuid[])",
            ids,
        )
    )
    if not rejected:
        return []
    return [f"{len(rejected)} booked payments are rejected here, for instance {rejected[0][0]}"]


def _others_are_not_kept_waiting(world: World) -> list[str]:
    """One provider is slow: the other's payments end, and the worker ends when it is told to."""
    found = []
    of_the_other = "provider.code = 'tonle' AND status::text <> ALL($1)"
    wait_until(lambda: counted(world, "provider.code = 'tonle'") > 0, seconds=40)
    wait_until(lambda: counted(world, "status::text = 'ready'") == 0, seconds=40)
    if not wait_until(lambda: not counted(world, of_the_other, list(PAYMENT_ENDS)), seconds=20):
        found.append("payments at the provider that is well waited for the one that is slow")
    began = monotonic()
    os.kill(world.stack.process_ids()[WORKER], signal.SIGTERM)
    if wait_until(lambda: not world.stack.is_running(WORKER), seconds=_TO_END_SECONDS):
        world.stack.restart(WORKER)
    else:
        found.append(f"the worker did not end within {monotonic() - began:.0f} s of SIGTERM")
    return found


# -- callers who hold on to what they are given


def _crowd_the_registry(world: World) -> list[str]:
    """Readers who do not read and senders who do not send, for as long as payments are made."""
    found = []
    if not wait_until(lambda: bool(asyncio.run(asked(world, _A_CHUNK))), seconds=60):
        found.append("no chunk was announced: the case proves nothing")
    with world.stack.client("registry") as client, ExitStack() as stack:
        for target in _slowly(world, client):
            connection = socket.create_connection(("127.0.0.1", client.base_url.port or 80))
            stack.enter_context(connection)
            connection.sendall(target)
        unready: set[str] = set()

        def is_paid() -> bool:
            unready.update(_unready(world))
            return half_paid(world)

        if not wait_until(is_paid, seconds=60):
            found.append("half was not paid while others read and sent slowly")
    return found + [f"{service} was not ready meanwhile" for service in sorted(unready)]


def _slowly(world: World, client: httpx.Client) -> Iterator[bytes]:
    """The beginnings of requests whose sender stops there."""
    ((chunk_id, *_), *_) = asyncio.run(asked(world, _A_CHUNK))
    for _ in range(_OF_EACH_KIND):
        made = client.post("/imports", json={"source": "slow"}, headers=_new_key())
        import_id = made.raise_for_status().json()["id"]
        body = "Content-Length: 900000\r\n\r\nregistration_number,"
        typed = "Content-Type: text/csv\r\n"
        for line, rest in (
            (f"GET {API_PREFIX}/entitlement-chunks/{chunk_id}/entitlements", "\r\n"),
            (f"PUT {API_PREFIX}/imports/{import_id}/rows", typed + body),
            (f"POST {API_PREFIX}/imports", body),
            ("GET /live", "X-Unfinished: "),
        ):
            token = client.headers["Authorization"]
            yield f"{line} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{rest}".encode()


def _unready(world: World) -> Iterator[str]:
    for service in SERVICES:
        with world.stack.client(service) as client:
            if not client.get(client.base_url.copy_with(path="/ready")).is_success:
                yield service


def _new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(new_id())}


# -- asking and waiting


def _unmoved(world: World, condition: str) -> bool:
    """Whether as many payments are so as two seconds before, and some are."""
    before = counted(world, condition)
    sleep(2)
    return counted(world, condition) == before > 0


def _booked(world: World) -> list[UUID]:
    return [line.correlation_id for line in book_of(world).lines()]


async def _as_owner(world: World, statement: str) -> None:
    url = make_url(world.stack.database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


_A_CHUNK = "SELECT chunk_id FROM payments.chunk ORDER BY number LIMIT 1"
_OF_EACH_KIND = 10
_WHILE_SECONDS = 5.0
_RECOGNISES_SECONDS = 8
_STOPPED_SECONDS = 14.0
"""Longer than the lease, and than a provider remembers what another worker sent after it."""
_TO_END_SECONDS = 15


def hostile(*kinds: Hostility, share: float, **options: object) -> dict[str, object]:
    """The sandbox's options for a part of all payments."""
    return {
        "hostile": kinds,
        "hostile_share": share,
        "hostile_seconds": _WHILE_SECONDS,
        **options,
    }


CASES = {
    "poisoned-row": FaultCase(
        says="Three rows of the import are wrong: the others are paid.",
        plan=Plan(seed=_SEED, scale=_SMALL),
        file=_with_bad_rows,
        before=_two_rows_at_least_are_rejected,
    ),
    "poisoned-account": FaultCase(
        says="An account names a provider that nobody knows, another does not open.",
        plan=Plan(seed=_SEED, scale=_SMALL),
        before=_poison_two_accounts,
        rests=False,
        but=LEFT_TO_PERSONS,
        open_payments=1,
    ),
    "poisoned-area": FaultCase(
        says="Reports name places that are none: who lives elsewhere is paid.",
        plan=Plan(seed=_SEED, scale=_SMALL),
        meanwhile=_report_places_that_are_none,
    ),
    "poisoned-answer": FaultCase(
        says="A few answers cannot be read: the other payments end.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            sandbox=hostile(
                *sorted(
                    SAID_OF_THE_TRANSACTION | {Hostility.DEEP_JSON, Hostility.ERROR_WITHIN_200}
                ),
                share=0.03,
            ),
        ),
        after=_what_is_not_ours_is_held,
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=_WHILE_SECONDS,
    ),
    "lost-payments": FaultCase(
        says="Payments forgets what it did since the shock, and does it again.",
        plan=Plan(seed=_SEED, scale=_SMALL),
        before=_keep_payments,
        meanwhile=_lose_payments,
        but={"Every acknowledged callback is stored"},
    ),
    "forgetful-provider": FaultCase(
        says="A provider forgets ids, or does not know what it booked: nobody is paid twice.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            misbehave=0,
            sandbox=hostile(
                Hostility.FORGETS_IDS,
                Hostility.FORGETS_PENDING,
                Hostility.NOT_KNOWN_AT_FIRST,
                share=0.3,
            ),
            provider={"recognises_repeats_seconds": 0, "not_known_untrue_seconds": 6},
        ),
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=3 * _WHILE_SECONDS,
    ),
    "stopped-workers": FaultCase(
        says="Workers are stopped past their lease and woken, at a provider that forgets.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            misbehave=25,
            sandbox=hostile(
                Hostility.FORGETS_IDS, share=1.0, hostile_seconds=float(_RECOGNISES_SECONDS)
            ),
            provider={
                "recognises_repeats_seconds": _RECOGNISES_SECONDS,
                "not_known_untrue_seconds": 1,
            },
            # One line to each provider, and slow answers on it: a queue is always there.
            environment={
                "PAYMENTS_DISPATCH_CONCURRENCY": "1",
                "PAYMENTS_DISPATCH_LEASE_SECONDS": "2.5",
                "PAYMENTS_PROVIDER_TIMEOUT_SECONDS": "1",
            },
            workers=2,
        ),
        meanwhile=_stop_and_wake_workers,
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=float(_RECOGNISES_SECONDS),
    ),
    "empty-float": FaultCase(
        says="The float runs out under late successes and is topped up: none is lost.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            misbehave=0,
            sandbox=hostile(
                Hostility.LATE_SUCCESS_BY_RESPONSE,
                Hostility.LATE_SUCCESS_BY_CALLBACK,
                share=0.4,
            ),
            prefunding_minor=16_000_000,
        ),
        meanwhile=_top_up_when_it_is_stuck,
        after=_no_success_is_lost,
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=8 * _WHILE_SECONDS,
    ),
    "slow-answers": FaultCase(
        says="One provider answers a byte a second, or never: the other is not kept waiting.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            misbehave=0,
            sandbox=hostile(
                Hostility.TRICKLING_HEADERS,
                Hostility.TRICKLING_BODY,
                Hostility.NEVER_ANSWERED,
                Hostility.ENDLESS_BODY,
                share=0.1,
                hostile_providers=("mekong",),
            ),
        ),
        meanwhile=_others_are_not_kept_waiting,
    ),
    "slow-callers": FaultCase(
        says="Readers do not read and senders do not send: everybody is paid, and all stay ready.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            environment={"PAYMENTS_DISPATCH_CONCURRENCY": "2"},
        ),
        meanwhile=_crowd_the_registry,
    ),
    "hostile-all": FaultCase(
        says="Every kind of hostility that the sandbox knows, amid ordinary payments.",
        plan=Plan(
            seed=_SEED,
            scale=_SMALL,
            sandbox=hostile(*Hostility, share=0.4),
            provider={"recognises_repeats_seconds": 0, "not_known_untrue_seconds": 6},
            environment={
                "PAYMENTS_DISPATCH_CONCURRENCY": "16",
                "PAYMENTS_SWEEP_AGAIN_SECONDS": "1",
            },
            workers=2,
            misbehave=0,
            rest_seconds=180,
        ),
        after=_sweep,
        # A burst of 503 meets everybody, and this provider recognises no repeat.
        unknown_because={"repeats_not_recognised"},
        rests=False,
        but=LEFT_TO_PERSONS,
        least_seconds=6 * _WHILE_SECONDS,
    ),
    **cases_of_batches.CASES,
    **cases_of_statements.CASES,
}
