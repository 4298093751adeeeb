"""The whole system, up and provided for, with as many households as a measurement needs."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from benchmarks.memory import MemoryWatch
from benchmarks.provider import BatchProvider
from demo.api import Api
from demo.show import Show
from deploy.local.environment import CURRENCY, PROVIDERS
from deploy.local.ports import free_port
from deploy.local.stack import Stack
from sandbox.options import SandboxOptions
from services.registry.schemes.shipped import shipped_document
from shared.auth.roles import Role

DIRECTORY = Path(".local/benchmarks")
DATABASE = "sangkroh_benchmark"
SCHEME = "flood-2022"
WORKER = "payments-worker"
FURTHER_WORKERS = tuple(f"{WORKER}-{nth}" for nth in range(2, 5))
"""Are not started until a measurement wants them."""
FURTHER_APIS = ("registry-api-2",)
"""As many processes of an API as the cluster has, with the first; started as the others are."""
_END_SECONDS = 30
_CONNECTIONS = {
    "REGISTRY_DATABASE_MAXIMUM_CONNECTIONS": "50",
    "TRIGGERS_DATABASE_MAXIMUM_CONNECTIONS": "40",
    "PAYMENTS_DATABASE_MAXIMUM_CONNECTIONS": "85",
}
"""Of four workers of payments, each with fifteen, and its API's eleven; an equal share is less."""
SEARCHED = {"REGISTRY_RATE_SEARCH_PER_MINUTE": "1000000"}
"""One caller searches for all of a country's officers."""
_INDICATOR = "affected-households"
_DEPOSIT_MINOR = 10**14
_MAXIMUM_PAYMENT_MINOR = 4_000_000
_IMPORT_SECONDS = 3_600
_SANDBOX = SandboxOptions(
    port=0,
    storage=DIRECTORY,
    providers=(),
    misbehave=0,
    missing_account_share=0,
    synchronous=True,
)


class DidNotEnd(Exception):
    """A process was told to end, and did not."""


class World:
    """A running system. Money is in the fund, and none at the providers: nothing is sent.

    With a provider of batches there is no sandbox: it is in its place.
    """

    def __init__(
        self, stack: Stack, show: Show, *, batch_provider: BatchProvider | None = None
    ) -> None:
        self.stack = stack
        self.show = show
        self._batch_provider = batch_provider
        self.memory = MemoryWatch(stack.process_ids)
        self._clients: dict[tuple[str, Role | None], httpx.Client] = {}
        self._triggers_made = 0
        self._proposals: dict[str, str] = {}

    @property
    def batch_provider(self) -> BatchProvider:
        """The provider of batches, in a world that has one."""
        assert self._batch_provider is not None
        return self._batch_provider

    def api(self, service: str, role: Role | None = None) -> Api:
        """One service's API, as the officer or as whoever has ``role``."""
        return Api(service, self._client(service, role), self._client(service, Role.CHECKER))

    def _client(self, service: str, role: Role | None) -> httpx.Client:
        key = (service, role)
        if key not in self._clients:
            self._clients[key] = self.stack.client(service, role)
        return self._clients[key]

    def service_url(self, service: str) -> str:
        """The database's URL, as a service's own role."""
        url = make_url(self.stack.database_url).set(
            username=f"sangkroh_{service}",
            password=self.stack.secrets.database_passwords[service],
        )
        return url.render_as_string(hide_password=False)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    @contextmanager
    def beside(self, names: Sequence[str]) -> Iterator[None]:
        """Further processes, such as payments-worker-2, that run meanwhile.

        Raises DidNotEnd where one does not end in good order.
        """
        for name in names:
            self.stack.start_process(name)
        self.stack.wait_ready(names)
        yield
        for name in names:
            os.kill(self.stack.process_ids()[name], signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while any(self.stack.is_running(name) for name in names):
            if time.monotonic() > deadline:
                raise DidNotEnd(f"A process of {', '.join(names)} did not end in {_END_SECONDS} s.")
            time.sleep(0.1)

    def provide(self) -> None:
        """Places, the scheme, the indicator and the fund."""
        self.api("registry").put("/gazetteer", {"edition": "ncdd-2022"})
        # The same households are paid by one activation after the other here.
        document = {**shipped_document(SCHEME), "overlapping": "paid"}
        self.api("registry").post("/schemes", document)
        self.api("triggers").post(
            "/indicators",
            {
                "code": _INDICATOR,
                "name": "Households affected",
                "unit": "households",
                "kind": "households_affected",
                "area_level": "province",
            },
        )
        payments = self.api("payments")
        fund = document["fund"]
        payments.post(
            "/funds",
            {
                "code": fund,
                "name": "Relief",
                "currency": CURRENCY,
                "maximum_payment_minor": _MAXIMUM_PAYMENT_MINOR,
                "maximum_round_minor": _DEPOSIT_MINOR,
            },
        )
        payments.post(
            f"/funds/{fund}/deposits", {"amount_minor": _DEPOSIT_MINOR, "reference": "Budget"}
        )

    def prefund(self, provider: str, amount_minor: int) -> None:
        """Let ``provider`` pay out so much."""
        self.api("payments").post(
            f"/providers/{provider}/prefundings",
            {"amount_minor": amount_minor, "reference": "Float"},
        )

    def import_households(self, path: Path) -> None:
        """Send one file through the registry's import; every row has to be taken."""
        registry = self.api("registry")
        made = registry.post("/imports", {"source": "Synthetic households", "note": path.name})
        with path.open("rb") as file:
            done = registry.send_csv(
                f"/imports/{made['id']}/rows",
                iter(lambda: file.read(2**18), b""),
                timeout_seconds=_IMPORT_SECONDS,
            )
        assert done["rows_rejected"] == 0, done

    def propose(self, areas: Sequence[str]) -> str:
        """Declare an activation of a trigger of its own; its id. A second person opens it."""
        self._triggers_made += 1
        triggers = self.api("triggers")
        code = f"benchmark-{self._triggers_made}"
        triggers.post("/triggers", _trigger(code))
        declared = triggers.propose(
            "/activations",
            {
                "trigger": code,
                "areas": list(areas),
                "severity": "severe",
                "observed_on": datetime.now(ZoneInfo("Asia/Phnom_Penh")).date().isoformat(),
                "reason": "Benchmark",
            },
        )
        activation_id: str = declared["document"]["activation_id"]
        self._proposals[activation_id] = declared["id"]
        return activation_id

    def open(self, activation_id: str) -> None:
        """Approve it, as another person: the reply comes after the commit of ActivationOpened."""
        self.api("triggers").approve(self._proposals[activation_id])

    @contextmanager
    def only(self, *running: str) -> Iterator[None]:
        """All processes but these (and PostgreSQL) stand still meanwhile."""
        stopped = [
            process_id
            for name, process_id in self.stack.process_ids().items()
            if name not in (*running, "postgres")
        ]
        for process_id in stopped:
            os.kill(process_id, signal.SIGSTOP)
        try:
            yield
        finally:
            for process_id in stopped:
                os.kill(process_id, signal.SIGCONT)


@contextmanager
def running_world(
    show: Show,
    *,
    database_url: str | None,
    by_batches: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A fresh system: nothing is left of an earlier one. ``environment`` is told to each process.

    ``by_batches``: its providers take batches, and are one lean process; else they take single
    payments, and are the sandbox.
    """
    provider = BatchProvider(free_port()) if by_batches else None
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for path in DIRECTORY.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "process.lock":
            path.unlink()
    stack = Stack(
        DIRECTORY,
        sandbox=None if provider else _SANDBOX,
        environment={
            **({"PAYMENTS_PROVIDERS": provider.settings, **_CONNECTIONS} if provider else {}),
            **(environment or {}),
        },
        database_url=database_url,
        database=DATABASE,
    )
    if provider:
        provider.start(stack.secrets.provider_webhook_secrets)
    try:
        with show.phase("Starting PostgreSQL and the services"):
            stack.start()
        world = World(stack, show, batch_provider=provider)
        with world.memory:
            world.provide()
            yield world
        world.close()
    finally:
        # A second Ctrl-C would leave processes behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stack.stop()
        if provider:
            provider.stop()
        # Another world may follow.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)


async def database_made_anew(server_url: str) -> str:
    """Drop the benchmarks' database on a server of one's own, and make it; its URL."""
    url = make_url(server_url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, timeout=10)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    return url.set(database=DATABASE).render_as_string(hide_password=False)


def provider_codes() -> tuple[str, ...]:
    return tuple(PROVIDERS)


def _trigger(code: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        """
        {
            "shock": "flood", "areas": ["KH"], "area_filter": null, "enabled": true,
            "judge_within_days": 92,
            "legs": [{
                "indicator": "affected-households",
                "method": {
                    "kind": "reported-impact",
                    "readiness": {"national_threshold_households": 10000},
                    "activation": {
                        "national_threshold_households": 20000, "area_threshold_households": 1000
                    },
                    "unquantified": "include",
                    "extreme_from_households": 1000000,
                    "rearm": {"days_without_reports": 30}
                }
            }],
            "stages": {"activation": {"approval": "second-person"}}
        }
        """
    )
    return {**document, "code": code, "name": "Benchmark", "scheme": SCHEME}
