"""The registry's side of a payment: entitlements to announce, and chunks to be fetched."""

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.registry.names.likeness import most_alike
from shared.contracts.entitlements import ACCOUNT_CONTEXT, BINARY
from shared.contracts.events import EnrolmentCompleted, EntitlementsReady
from shared.contracts.holders import HolderChecked, HoldersCheck, HoldersChecked
from shared.events import Published
from shared.ids import new_id
from shared.personal_data import Cipher

FUND = "relief"
# PostgreSQL, "COPY", file formats, binary format: signature, flags, and no extension.
_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_END = struct.pack("!h", -1)
CURRENCY = "KHR"


@dataclass(frozen=True)
class Entitlement:
    """What one household is owed, and the account that it goes to."""

    account: str
    amount_minor: int = 96_000
    provider: str = "mekong"
    currency: str = CURRENCY
    announcement: int = 1
    area: str = "020103"
    entitlement_id: UUID = field(default_factory=new_id)
    household_id: UUID = field(default_factory=new_id)
    household: str = "as registered"
    """Stands for all that the registry knows of the household."""


@dataclass(frozen=True)
class Announced:
    """The ids under which entitlements were announced."""

    chunk_id: UUID
    enrolment_id: UUID
    activation_id: UUID


def _fingerprint(what: str) -> bytes:
    return hashlib.sha256(what.encode()).digest()[:8]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def copy_binary(rows: Iterable[Sequence[bytes | None]]) -> bytes:
    """Rows of fields, each in its type's binary form, as PostgreSQL's COPY takes them."""
    content = bytearray(_COPY_HEADER)
    for row in rows:
        content += struct.pack("!h", len(row))
        for value in row:
            content += struct.pack("!i", -1 if value is None else len(value)) + (value or b"")
    return bytes(content + _COPY_END)


class Registry:
    """Serves chunks as the registry does, and writes its events; counts what is fetched."""

    def __init__(self, owner: asyncpg.Connection, account_keys: dict[int, bytes]) -> None:
        self._owner = owner
        self._cipher = Cipher(account_keys, context=ACCOUNT_CONTEXT)
        self.chunks: dict[UUID, bytes] = {}
        self.announcements: dict[UUID, EntitlementsReady] = {}
        self.status = 200
        self.areas = {"01", "0102", "010203", "0103", "02", "0203", "020301", "10"}
        self.known: set[str] | None = None
        """Schemes, activations and areas that there are; None: it does not say."""
        self.area_names: dict[str, tuple[str, str]] = {}
        """How areas are called, in Latin and in Khmer script."""
        self.asked_names: list[str] = []
        self.prepared: list[Entitlement] = []
        """Whom a trigger that is ready would pay."""
        self.prepared_status = 200
        self.media_type = BINARY
        self.fetches = 0
        self.names: dict[UUID, str] = {}
        """How the heads of households are called."""
        self.compared: list[HoldersCheck] = []
        self.on_compare: Response | None = None
        """What whoever asks about names is answered instead."""
        self.app = Starlette(
            routes=[
                Route("/v1/areas", self._areas),
                Route("/v1/preparations/{readiness_id:uuid}/accounts", self._prepared),
                Route("/v1/{_:str}/{named:str}", self._named),
                Route("/v1/entitlement-chunks/{chunk_id:uuid}/entitlements", self._entitlements),
                Route("/v1/checks/account-holders", self._holders, methods=["POST"]),
            ]
        )

    async def _areas(self, request: Request) -> Response:
        if self.status != 200 or not request.headers["authorization"].startswith("Bearer "):
            return Response(status_code=self.status)
        asked = request.query_params["codes"].split(",")
        known = [{"code": code} for code in sorted(asked) if code in self.areas]
        return Response(json.dumps({"items": known, "next_cursor": None}))

    async def _prepared(self, request: Request) -> Response:
        """A page as the registry tells it."""
        if self.prepared_status != 200:
            return Response(status_code=self.prepared_status)
        asked = request.query_params
        limit, after = int(asked["limit"]), asked.get("after", "")
        chosen = sorted(
            (
                each
                for each in self.prepared
                if each.provider in asked.getlist("provider") and str(each.household_id) > after
            ),
            key=lambda each: each.household_id,
        )
        items = [
            {
                "household_id": str(each.household_id),
                "provider": each.provider,
                "account_sealed": _base64(
                    self._cipher.encrypt(each.account.encode(), bound_to=each.household_id.bytes)
                ),
                "account_fingerprint": _base64(_fingerprint(each.account)),
                "household_fingerprint": _base64(_fingerprint(each.household)),
            }
            for each in chosen[:limit]
        ]
        more = items[-1]["household_id"] if chosen[limit:] else None
        return Response(json.dumps({"items": items, "next_after": more}))

    async def _named(self, request: Request) -> Response:
        if (names := self.area_names.get(request.path_params["named"])) is not None:
            self.asked_names.append(request.path_params["named"])
            return Response(json.dumps({"name_en": names[0], "name_km": names[1]}))
        if self.known is None:
            return Response(status_code=503)
        if request.path_params["named"] in self.known:
            return Response("{}", media_type="application/json")
        return Response("{}", 404, media_type="application/problem+json")

    async def _entitlements(self, request: Request) -> Response:
        self.fetches += 1
        if self.status != 200 or not request.headers["authorization"].startswith("Bearer "):
            return Response(status_code=self.status)
        content = self.chunks.get(request.path_params["chunk_id"])
        if content is None:
            return Response(status_code=404)
        return Response(content, media_type=self.media_type)

    async def _holders(self, request: Request) -> Response:
        """Compares as the registry does, with the names that the test gave."""
        asked = HoldersCheck.model_validate_json(await request.body())
        self.compared.append(asked)
        if self.on_compare is not None:
            return self.on_compare
        checked = []
        for holder in asked.holders:
            name = self.names.get(holder.household_id, "")
            found = most_alike(holder.names, name)
            pair = hashlib.sha256("|".join([name, *holder.names]).encode()).hexdigest()[:16]
            checked.append(
                HolderChecked(
                    household_id=holder.household_id,
                    verdict=found.verdict,
                    likeness=found.percent,
                    method=found.method,
                    pair=pair,
                )
            )
        body = HoldersChecked(holders=checked).model_dump_json()
        return Response(body, media_type="application/json")

    def content_of(
        self, entitlements: Sequence[Entitlement], *, sealed_for: Sequence[UUID] | None = None
    ) -> bytes:
        """The agreed rows, with every account sealed for its household, or for another."""
        households = sealed_for or [entitlement.household_id for entitlement in entitlements]
        return copy_binary(
            [
                entitlement.entitlement_id.bytes,
                entitlement.household_id.bytes,
                entitlement.area.encode(),
                struct.pack("!q", entitlement.amount_minor),
                entitlement.currency.encode(),
                entitlement.provider.encode(),
                self._cipher.encrypt(entitlement.account.encode(), bound_to=household_id.bytes),
                struct.pack("!h", entitlement.announcement),
                _fingerprint(entitlement.account),
                _fingerprint(entitlement.household),
            ]
            for entitlement, household_id in zip(entitlements, households, strict=True)
        )

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
        budget_line: str | None = None,
        currency: str = CURRENCY,
    ) -> Announced:
        """Announce one chunk; ``count``, ``total_minor`` and ``content`` may lie."""
        announced = Announced(
            chunk_id=new_id(),
            enrolment_id=enrolment_id or new_id(),
            activation_id=activation_id or new_id(),
        )
        self.chunks[announced.chunk_id] = (
            self.content_of(entitlements) if content is None else content
        )
        total = sum(entitlement.amount_minor for entitlement in entitlements)
        ready = EntitlementsReady(
            chunk_id=announced.chunk_id,
            enrolment_id=announced.enrolment_id,
            activation_id=announced.activation_id,
            scheme="flood",
            round=round,
            fund=fund,
            currency=currency,
            count=len(entitlements) if count is None else count,
            total_minor=total if total_minor is None else total_minor,
            budget_line=budget_line,
        )
        self.announcements[announced.chunk_id] = ready
        await self.publish(ready)
        return announced

    async def announce_again(
        self,
        announced: Announced,
        changes: Mapping[str, int] | None = None,
        *,
        content: bytes | None = None,
    ) -> None:
        """Announce a chunk once more; other figures or ``content`` may be given."""
        if content is not None:
            self.chunks[announced.chunk_id] = content
        await self.publish(
            self.announcements[announced.chunk_id].model_copy(update=dict(changes or {}))
        )

    async def complete(
        self,
        announced: Announced,
        entitlements: Sequence[Entitlement],
        *,
        chunk_count: int = 1,
        fund: str = FUND,
        round: int = 1,
        budget_line: str | None = None,
        currency: str = CURRENCY,
    ) -> None:
        """Say that these were all the chunks of the enrolment's round."""
        await self.publish(
            EnrolmentCompleted(
                enrolment_id=announced.enrolment_id,
                activation_id=announced.activation_id,
                scheme="flood",
                round=round,
                fund=fund,
                currency=currency,
                chunk_count=chunk_count,
                households=len(entitlements),
                entitlements=len(entitlements),
                total_minor=sum(entitlement.amount_minor for entitlement in entitlements),
                unpayable=0,
                budget_line=budget_line,
            )
        )

    async def announce(
        self,
        entitlements: Sequence[Entitlement],
        *,
        fund: str = FUND,
        activation_id: UUID | None = None,
        content: bytes | None = None,
        budget_line: str | None = None,
        currency: str = CURRENCY,
    ) -> Announced:
        """Announce entitlements as the only chunk of an enrolment."""
        announced = await self.announce_chunk(
            entitlements,
            fund=fund,
            activation_id=activation_id,
            content=content,
            budget_line=budget_line,
            currency=currency,
        )
        await self.complete(
            announced, entitlements, fund=fund, budget_line=budget_line, currency=currency
        )
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
