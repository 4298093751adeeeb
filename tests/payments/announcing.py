"""The registry's side of a payment: entitlements to announce, and chunks to be fetched."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.contracts.entitlements import ACCOUNT_CONTEXT, MEDIA_TYPE
from shared.contracts.events import EnrolmentCompleted, EntitlementsReady, Published
from shared.ids import new_id
from shared.personal_data import Cipher

FUND = "relief"
CURRENCY = "KHR"


@dataclass(frozen=True)
class Entitlement:
    """What one household is owed, and the account that it goes to."""

    account: str
    amount_minor: int = 96_000
    provider: str = "mekong"
    currency: str = CURRENCY
    entitlement_id: UUID = field(default_factory=new_id)
    household_id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class Announced:
    """The ids under which entitlements were announced."""

    chunk_id: UUID
    enrolment_id: UUID
    activation_id: UUID


class Registry:
    """Serves chunks as the registry does, and writes its events; counts what is fetched."""

    def __init__(self, owner: asyncpg.Connection, account_keys: dict[int, bytes]) -> None:
        self._owner = owner
        self._cipher = Cipher(account_keys, context=ACCOUNT_CONTEXT)
        self.chunks: dict[UUID, bytes] = {}
        self.status = 200
        self.fetches = 0
        self.app = Starlette(
            routes=[Route("/entitlement-chunks/{chunk_id:uuid}/entitlements", self._entitlements)]
        )

    async def _entitlements(self, request: Request) -> Response:
        self.fetches += 1
        if self.status != 200 or not request.headers["authorization"].startswith("Bearer "):
            return Response(status_code=self.status)
        return Response(self.chunks[request.path_params["chunk_id"]], media_type=MEDIA_TYPE)

    def csv_of(self, entitlements: Sequence[Entitlement]) -> bytes:
        """The agreed CSV, with every account sealed for its household."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for one in entitlements:
            sealed = self._cipher.encrypt(one.account.encode(), bound_to=one.household_id.bytes)
            writer.writerow(
                [
                    one.entitlement_id,
                    one.household_id,
                    "020103",
                    one.amount_minor,
                    one.currency,
                    one.provider,
                    f"\\x{sealed.hex()}",
                ]
            )
        return text.getvalue().encode()

    async def announce_chunk(
        self,
        entitlements: Sequence[Entitlement],
        *,
        activation_id: UUID | None = None,
        enrolment_id: UUID | None = None,
        count: int | None = None,
        total_minor: int | None = None,
        content: bytes | None = None,
        fund: str = FUND,
        round: int = 1,
    ) -> Announced:
        """Announce one chunk; ``count``, ``total_minor`` and ``content`` may lie."""
        announced = Announced(
            chunk_id=new_id(),
            enrolment_id=enrolment_id or new_id(),
            activation_id=activation_id or new_id(),
        )
        self.chunks[announced.chunk_id] = self.csv_of(entitlements) if content is None else content
        total = sum(one.amount_minor for one in entitlements)
        await self.publish(
            EntitlementsReady(
                chunk_id=announced.chunk_id,
                enrolment_id=announced.enrolment_id,
                activation_id=announced.activation_id,
                scheme="flood",
                round=round,
                fund=fund,
                currency=CURRENCY,
                count=len(entitlements) if count is None else count,
                total_minor=total if total_minor is None else total_minor,
            )
        )
        return announced

    async def complete(
        self,
        announced: Announced,
        entitlements: Sequence[Entitlement],
        *,
        chunk_count: int = 1,
        fund: str = FUND,
        round: int = 1,
    ) -> None:
        """Say that these were all the chunks of the enrolment's round."""
        await self.publish(
            EnrolmentCompleted(
                enrolment_id=announced.enrolment_id,
                activation_id=announced.activation_id,
                scheme="flood",
                round=round,
                fund=fund,
                currency=CURRENCY,
                chunk_count=chunk_count,
                households=len(entitlements),
                entitlements=len(entitlements),
                total_minor=sum(one.amount_minor for one in entitlements),
                unpayable=0,
            )
        )

    async def announce(self, entitlements: Sequence[Entitlement], *, fund: str = FUND) -> Announced:
        """Announce entitlements as the only chunk of an enrolment."""
        announced = await self.announce_chunk(entitlements, fund=fund)
        await self.complete(announced, entitlements, fund=fund)
        return announced

    async def publish(self, data: Published) -> None:
        event = data.model_dump(mode="json")
        await self._owner.execute(
            "INSERT INTO events.event (id, type, source, subject, time, data) "
            "VALUES ($1, $2, '/registry', 'test', $3, $4)",
            new_id(),
            data.type,
            datetime.now(UTC),
            json.dumps(event),
        )
