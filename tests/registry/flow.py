"""The registry as its tests drive it: over HTTP, and by the events of the other services."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.registry.households.shape import HEADERS
from services.registry.schemes.shipped import shipped_document
from shared.clock import FileClock, set_clock
from shared.contracts import entitlements
from shared.contracts.events import ActivationCancelled, ActivationOpened, ActivationWidened
from shared.database import Database
from shared.events import Published, publish
from shared.ids import new_id
from tests.conftest import RunningService
from tests.server import eventually
from tests.two_persons import CHECKER, approved

BATTAMBANG = "02"
PURSAT = "15"
CSV = {"Content-Type": "text/csv"}

Ceiling = tuple[int | None, int | None]
"""Up to how many households, and how much, an activation pays by itself."""
FAR: Ceiling = (1_000_000, 10**12)


def told(ceiling: Ceiling) -> dict[str, int | None]:
    """A ceiling as triggers tells it."""
    return {"ceiling_households": ceiling[0], "ceiling_minor": ceiling[1]}


def proposes(answer: httpx.Response) -> bool:
    """Whether the answer is a proposal, which a second person decides."""
    return answer.status_code == 202 and "proposed_by" in answer.json()


@dataclass(frozen=True)
class Row:
    """One row of an import; the defaults are a household that is eligible and can be paid."""

    registration_number: str
    commune_code: str = "020101"
    poverty_status: str = "poor-1"
    members: object = 4
    children_0_5: object = 1
    pregnant: object = 0
    disabled: object = 0
    elderly_60: object = 0
    head_name: str = "Sok Chanthy"
    phone: str = ""
    id_number: str = ""
    provider_code: str = "mekong"
    account: str = "+85512000000"
    village_code: str = ""

    def cells(self) -> list[str]:
        return [str(getattr(self, header)) for header in HEADERS]


def rows(count: int, *, commune: str = "020101", begin: int = 0, **fields: Any) -> list[Row]:
    """``count`` households of one commune, each with a number and an account of its own."""
    return [
        replace(
            Row(
                registration_number=f"KH-{commune}-{number:06d}",
                commune_code=commune,
                account=f"+855{10_000_000 + int(commune) * 7 + number:08d}",
            ),
            **fields,
        )
        for number in range(begin, begin + count)
    ]


def body_of(given: Iterable[Row]) -> str:
    """An import's body."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADERS)
    writer.writerows(row.cells() for row in given)
    return text.getvalue()


@dataclass
class Flow:
    """The running service, and what the tests do to it."""

    service: RunningService
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    triggers: Database
    payments: Database
    clock_file: Path
    _keys: int = field(default=0)

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        """Send it; where that needs two persons, what came of it once the second approved."""
        answer = await self.client.post(path, json=body, headers=self.key())
        if status == 201 and proposes(answer):
            return await self.approve(answer.json())
        assert answer.status_code == status, answer.text
        return answer.json()

    async def approve(self, proposal: dict[str, Any]) -> Any:
        """What came of a proposal, once the second person approved it."""
        return await approved(self.service.client(subject=CHECKER), proposal)

    async def decided(
        self, answer: httpx.Response, decision: str = "approval", *, by: str = CHECKER
    ) -> httpx.Response:
        """What a person is answered who decides a proposal."""
        async with self.service.client(subject=by) as client:
            return await client.post(
                f"/approvals/{answer.json()['id']}/{decision}", json={"reason": "Checked."}
            )

    async def change_account(self, household_id: str, *, provider: str, account: str) -> None:
        """Where a household is paid; the second person approves where that takes one."""
        answer = await self.client.put(
            f"/households/{household_id}/payee-account",
            json={"provider_code": provider, "account": account},
        )
        if proposes(answer):
            await self.approve(answer.json())
        else:
            assert answer.status_code == 200, answer.text

    def key(self) -> dict[str, str]:
        """An Idempotency-Key that was not used before."""
        self._keys += 1
        return {"Idempotency-Key": f"key-{self._keys}"}

    async def load_gazetteer(self) -> None:
        answer = await self.client.put("/gazetteer", json={"edition": "ncdd-2022"})
        assert answer.status_code == 200, answer.text

    async def post_scheme(self, code: str = "flood-2022", **changes: Any) -> None:
        await self.post("/schemes", shipped_document(code) | changes)

    async def let_activations_pay_both(self) -> None:
        """A version of the flood scheme that has every activation pay whom others pay as well."""
        document = shipped_document("flood-2022") | {"overlapping": "paid"}
        await self.post("/schemes/flood-2022/versions", document)

    async def register(self, given: Sequence[Row]) -> dict[str, Any]:
        """Import rows; the import as it ended."""
        return await self.register_body(body_of(given))

    async def register_body(self, body: str) -> dict[str, Any]:
        """Import what a file says; the import as it ended."""
        made = await self.post("/imports", {"source": "test"})
        return await self.send(made["id"], body)

    async def send(self, import_id: str, body: str | bytes) -> dict[str, Any]:
        answer = await self.client.put(f"/imports/{import_id}/rows", content=body, headers=CSV)
        assert answer.status_code == 200, answer.text
        ended: dict[str, Any] = answer.json()
        for batch in ended["account_changes"]:
            if batch["status"] == "waiting":
                await self._change_accounts(import_id, batch["approval_id"])
        return ended

    async def _change_accounts(self, import_id: str, approval_id: str) -> None:
        """The second person approves the accounts of an import, and the worker changes them."""
        await self.approve({"id": approval_id})

        async def finished() -> bool:
            batches = (await self.get(f"/imports/{import_id}"))["account_changes"]
            return all(batch["finished_at"] for batch in batches)

        await eventually(finished)

    async def household_id(self, registration_number: str) -> str:
        answer = await self.client.post(
            "/households/search", json={"registration_number": registration_number}
        )
        (found,) = answer.json()["items"]
        return str(found["id"])

    async def open(
        self,
        *areas: str,
        scheme: str = "flood-2022",
        area_filter: str | None = None,
        activation_id: UUID | None = None,
        opened_on: date | None = None,
        ceiling: Ceiling = FAR,
    ) -> UUID:
        """Triggers opens an activation."""
        activation_id = activation_id or new_id()
        await self.from_triggers(
            ActivationOpened(
                **self._activation(activation_id, areas, scheme, area_filter, opened_on),
                **told(ceiling),
            )
        )
        return activation_id

    async def widen(
        self,
        activation_id: UUID,
        *areas: str,
        scheme: str = "flood-2022",
        area_filter: str | None = None,
        ceiling: Ceiling = FAR,
    ) -> None:
        """Triggers adds areas to an activation."""
        await self.from_triggers(
            ActivationWidened(
                **self._activation(activation_id, areas, scheme, area_filter, None),
                **told(ceiling),
            )
        )

    async def cancel(self, activation_id: UUID) -> None:
        """Triggers tells that an officer cancelled an activation."""
        today = FileClock(self.clock_file).today()
        await self.from_triggers(
            ActivationCancelled(activation_id=activation_id, cancelled_on=today)
        )

    def _activation(
        self,
        activation_id: UUID,
        areas: Sequence[str],
        scheme: str,
        area_filter: str | None,
        opened_on: date | None,
    ) -> dict[str, Any]:
        today = FileClock(self.clock_file).today()
        return {
            "activation_id": activation_id,
            "trigger": "flood-reported-households",
            "trigger_version": 1,
            "scheme": scheme,
            "shock": "flood",
            "areas": list(areas),
            "area_filter": area_filter,
            "severity": "severe",
            "opened_on": opened_on or today,
            "observed_on": today,
        }

    async def from_triggers(self, data: Published) -> None:
        """Triggers publishes an event."""
        await self._publish(self.triggers, data)

    async def from_payments(self, data: Published) -> None:
        """Payments publishes an event."""
        await self._publish(self.payments, data)

    async def _publish(self, database: Database, data: Published) -> None:
        async with database.transaction() as session:
            await publish(session, data, clock=FileClock(self.clock_file))

    async def worked(self, activation_id: UUID, *, runs: int = 1) -> dict[str, Any]:
        """The activation once ``runs`` runs of it are complete."""
        activation: dict[str, Any] = {}

        async def complete() -> bool:
            answer = await self.client.get(f"/activations/{activation_id}")
            if answer.status_code != 200:
                return False
            activation.update(answer.json())
            done = [run for run in activation["runs"] if run["completed_at"]]
            return len(done) == len(activation["runs"]) == runs

        await eventually(complete)
        return activation

    async def chunks(self, activation_id: UUID) -> list[dict[str, Any]]:
        page = await self.get(f"/activations/{activation_id}/chunks", limit=500)
        return list(page["items"])

    async def chunk_rows(self, chunk_id: str) -> list[list[str]]:
        """A chunk as a person fetches it."""
        answer = await self.client.get(f"/entitlement-chunks/{chunk_id}/entitlements")
        assert answer.status_code == 200, answer.text
        return list(csv.reader(io.StringIO(answer.text)))

    async def chunk_rows_in_binary(self, chunk_id: str) -> list[list[str]]:
        """The same as payments fetches it, read by PostgreSQL, in the text of CSV."""
        path = f"/entitlement-chunks/{chunk_id}/entitlements"
        answer = await self.client.get(path, headers={"Accept": entitlements.BINARY})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == entitlements.BINARY
        async with self.owner.transaction():
            await self.owner.execute(
                "CREATE TEMPORARY TABLE fetched (entitlement_id uuid, household_id uuid, "
                "area_code text, amount_minor bigint, currency text, provider_code text, "
                "account_sealed bytea, announcement smallint, account_fingerprint bytea, "
                "household_fingerprint bytea) "
                "ON COMMIT DROP"
            )
            await self.owner.copy_to_table(
                "fetched",
                source=io.BytesIO(answer.content),
                columns=entitlements.COLUMNS,
                format="binary",
            )
            found = await self.owner.fetch("SELECT * FROM fetched")
        return [
            [f"\\x{value.hex()}" if isinstance(value, bytes) else str(value) for value in row]
            for row in found
        ]

    async def events(self, type_part: str) -> list[dict[str, Any]]:
        """The data of the published events of one type, in order."""
        feed = await self.get("/events", limit=500)
        return [event["data"] for event in feed["items"] if type_part in event["type"]]

    def set_clock(self, instant: datetime) -> None:
        set_clock(self.clock_file, instant)
