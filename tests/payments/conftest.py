"""The payments service with its worker, a registry to fetch from, and the real sandbox."""

import csv
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest

from deploy.local.environment import LocalSecrets
from sandbox.options import SandboxOptions
from services.payments.settings import ApiSettings, WorkerSettings
from shared.ids import new_id
from tests.conftest import RunningService, ServeService
from tests.payments.announcing import CURRENCY, FUND, Announced, Entitlement, Registry
from tests.payments.steps import Steps, running_steps
from tests.programs import programs
from tests.server import PATIENCE_SECONDS, eventually, serving
from tests.two_persons import CHECKER, approved

QUICK = {
    "PAYMENTS_REST_SECONDS": "0.02",
    "PAYMENTS_DISPATCH_LEASE_SECONDS": "3",
    "PAYMENTS_PROVIDER_TIMEOUT_SECONDS": "1",
    "PAYMENTS_PROVIDER_PAUSE_SECONDS": "0.1",
    "PAYMENTS_PROVIDER_PAUSE_LONGEST_SECONDS": "0.5",
    "PAYMENTS_UNKNOWN_INQUIRY_SECONDS": "0.1",
    "PAYMENTS_PENDING_INQUIRY_SECONDS": "0.5",
    "PAYMENTS_INQUIRY_LONGEST_SECONDS": "1",
    "PAYMENTS_CHUNK_RETRY_SECONDS": "0.05",
    "PAYMENTS_WATCH_SECONDS": "0.2",
    "PAYMENTS_SWEEP_AGAIN_SECONDS": "1",
}
"""Every wait of the service made short."""


class BothSettings(ApiSettings, WorkerSettings):
    """What both processes are told: tests play the API, its worker, and the providers."""


def providers_with(environment: Mapping[str, str], **changes: Any) -> str:
    """``PAYMENTS_PROVIDERS`` with these settings of every provider changed."""
    providers = json.loads(environment["PAYMENTS_PROVIDERS"])
    return json.dumps([{**provider, **changes} for provider in providers])


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    quick = {
        **QUICK,
        "PAYMENTS_PROVIDERS": providers_with(environment, not_known_untrue_seconds=1),
    }
    for name, value in quick.items():
        monkeypatch.setenv(name, value)
    return {**environment, **quick}


@dataclass
class Sandbox:
    """The provider sandbox as a process, and its book."""

    options: SandboxOptions
    process: subprocess.Popen[bytes]

    def book(self) -> dict[str, dict[str, str]]:
        """What the provider has really paid, by correlation id."""
        lines = httpx.get(f"{self.options.url}/book").text.splitlines()
        names = lines[0].split(",")
        rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
        assert len({row["correlation_id"] for row in rows}) == len(rows)
        return {row["correlation_id"]: row for row in rows}


StartSandbox = Callable[..., Sandbox]


@pytest.fixture
def start_sandbox(
    environment: dict[str, str], local_secrets: LocalSecrets, tmp_path: Path
) -> Iterator[StartSandbox]:
    """``start_sandbox(misbehave=…)`` starts the provider where the settings say that it is."""
    port = urlsplit(json.loads(environment["PAYMENTS_PROVIDERS"])[0]["base_url"]).port
    assert port is not None
    options = SandboxOptions(
        port=port,
        storage=tmp_path / "book.sqlite",
        providers=local_secrets.providers(),
        misbehave=0,
        missing_account_share=0,
        completion_delay_ms=(0, 20),
    )
    with programs() as launch:

        def start(**changes: Any) -> Sandbox:
            chosen = replace(options, **changes)
            return Sandbox(chosen, launch(chosen))

        yield start


class World:
    """The service as its neighbours see it."""

    def __init__(
        self,
        *,
        service: RunningService,
        client: httpx.AsyncClient,
        registry: Registry,
        owner: asyncpg.Connection,
        settings: BothSettings,
        run_worker: Callable[[str], Any],
    ) -> None:
        self.service = service
        self.client = client
        self.registry = registry
        self.owner = owner
        self.settings = settings
        self._run_worker = run_worker

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The unmodified worker, meanwhile."""
        async with self._run_worker("payments"):
            yield

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any], *, status: int = 201) -> Any:
        """Send it; where that needs two persons, what came of it once the second approved."""
        answer = await self.client.post(path, json=body, headers={"Idempotency-Key": str(new_id())})
        if status == 201 and answer.status_code == 202:
            return await approved(self.checker(), answer.json())
        assert answer.status_code == status, answer.text
        return answer.json()

    async def propose(self, path: str, body: dict[str, Any]) -> Any:
        """The proposal, which waits for the second person."""
        return await self.post(path, body, status=202)

    async def approve(self, approval_id: str, *, status: int = 200) -> Any:
        """Have a second person approve a proposal."""
        async with self.checker() as checker:
            answer = await checker.post(
                f"/approvals/{approval_id}/approval", json={"reason": "Compared, and agreed."}
            )
        assert answer.status_code == status, answer.text
        return answer.json()

    def checker(self) -> httpx.AsyncClient:
        """A client of the second person's."""
        return self.service.client(subject=CHECKER)

    async def resolve(self, instruction_id: Any, outcome: str, **more: Any) -> Any:
        """Have two persons decide about a payment; it is carried out by the worker."""
        body = {"outcome": outcome, "reason": "On the statement.", **more}
        return await self.post(f"/instructions/{instruction_id}/resolution", body)

    async def open_fund(self, **changes: Any) -> None:
        """Open the fund, with wide bounds unless others are given."""
        await self.post(
            "/funds",
            {
                "code": FUND,
                "name": "Relief",
                "currency": CURRENCY,
                "maximum_payment_minor": 1_000_000,
                "maximum_round_minor": 1_000_000_000,
                **changes,
            },
        )

    async def fund(self, amount_minor: int, *, prefund_minor: int | None = None) -> None:
        """Open the fund if need be, pay into it, and prefund both providers."""
        if (await self.client.get(f"/funds/{FUND}")).status_code == 404:
            await self.open_fund()
        money = {"amount_minor": amount_minor, "reference": "test"}
        await self.post(f"/funds/{FUND}/deposits", money)
        share = amount_minor // 2 if prefund_minor is None else prefund_minor
        for provider in ("mekong", "tonle"):
            if share:
                body = {"amount_minor": share, "reference": "test"}
                await self.post(f"/providers/{provider}/prefundings", body)

    async def chunk(self, announced: Announced) -> Any:
        return await self.get(f"/chunks/{announced.chunk_id}")

    async def until_chunk(
        self, announced: Announced, status: str, *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until the chunk is in ``status``."""

        async def there() -> bool:
            answer = await self.client.get(f"/chunks/{announced.chunk_id}")
            return answer.status_code == 200 and answer.json()["status"] == status

        await eventually(there, seconds=seconds)

    async def until_count(
        self, status: str, count: int, *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until ``count`` instructions are in ``status``."""

        async def there() -> bool:
            return await self.count(status) == count

        await eventually(there, seconds=seconds)

    async def count(self, status: str) -> int:
        found = await self.owner.fetchval(
            "SELECT count(*) FROM payments.instruction WHERE status::text = $1", status
        )
        return int(found)

    async def instruction_of(self, entitlement_id: UUID) -> Any:
        """The latest instruction for an entitlement, with its history."""
        page = await self.get("/instructions", entitlement_id=str(entitlement_id))
        latest = max(page["items"], key=lambda item: (item["announcement"], item["attempt"]))
        return await self.get(f"/instructions/{latest['id']}")

    async def proofs(self) -> Any:
        """Every proof, each of which holds."""
        found = await self.get("/proofs")
        assert [proof for proof in found["proofs"] if not proof["holds"]] == []
        return {proof["name"]: proof["numbers"] for proof in found["proofs"]}

    async def outcomes(self, announced: Announced) -> dict[str, tuple[str, str]]:
        """How each entitlement of a chunk ended, and why, as the registry fetches it."""
        answer = await self.client.get(f"/chunks/{announced.chunk_id}/outcomes")
        rows = list(csv.reader(answer.text.splitlines()))
        ends = {entitlement_id: (outcome, reason) for entitlement_id, outcome, reason, _ in rows}
        assert len(ends) == len(rows)
        return ends

    async def events(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT data FROM events.event WHERE type = $1 ORDER BY sequence", kind
        )
        return [json.loads(row["data"]) for row in rows]


@pytest.fixture
async def world(
    serve: ServeService, owner: asyncpg.Connection, run_worker: Callable[[str], Any]
) -> AsyncIterator[World]:
    """The unmodified service over HTTP, and a registry that it can fetch from."""
    service = await serve("payments")
    settings = BothSettings()
    keys = {version: key.get_secret_value() for version, key in settings.account_keys.items()}
    registry = Registry(owner, keys)
    port = urlsplit(settings.registry_url).port
    assert port is not None
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(registry.app, port))  # type: ignore[arg-type]
        client = await stack.enter_async_context(service.client())
        yield World(
            service=service,
            client=client,
            registry=registry,
            owner=owner,
            settings=settings,
            run_worker=run_worker,
        )


@pytest.fixture
async def steps(world: World) -> AsyncIterator[Steps]:
    """The worker's steps, one at a time."""
    async with running_steps(world.settings) as steps:
        yield steps


def entitlements(count: int, **common: Any) -> list[Entitlement]:
    """``count`` entitlements, in turn at both providers, each into an account of its own."""
    return [
        Entitlement(
            **{
                "account": f"+85512{number:07d}",
                "provider": ("mekong", "tonle")[number % 2],
                **common,
            }
        )
        for number in range(count)
    ]
