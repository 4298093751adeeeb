"""Another ministry's system, as the tests drive it: it signs by itself, as the page says."""

import base64
import hashlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.registry.flow import Flow
from tests.registry.spdci.schemas import hold_answer, hold_request
from tests.server import serving

SENDER = "spmis.example.org"
SUBJECT = "ministry-of-tests"
RECEIVER = "registry.sangkroh"


def base64url(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def signature(
    private: Ed25519PrivateKey,
    header: Any,
    message: Any,
    *,
    key_id: str = "key-1",
    created: int | None = None,
    seconds: int = 600,
    sender_id: str = SENDER,
) -> str:
    created = int(time.time()) if created is None else created
    digest = hashlib.sha256(rfc8785.dumps({"header": header, "message": message})).digest()
    content = (
        f"(created): {created}\n(expires): {created + seconds}\n"
        f"digest: SHA-256={base64.b64encode(digest).decode()}"
    )
    signed = base64.b64encode(private.sign(content.encode())).decode()
    return (
        f'Signature: namespace="spdci", kidId="{sender_id}|{key_id}|ed25519", '
        f'algorithm="ed25519", created="{created}", expires="{created + seconds}", '
        f'headers="(created) (expires) digest", signature="{signed}"'
    )


@dataclass
class Partner:
    """A registered partner with its key, and a client that holds its token."""

    flow: Flow
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    scopes: tuple[str, ...] = ("spdci:social", "households:read-personal")

    @property
    def public(self) -> dict[str, str]:
        raw = self.private.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw), "kid": "key-1"}

    async def registered(self, **changes: Any) -> "Partner":
        body = {
            "sender_id": SENDER,
            "name": "Ministry of tests",
            "subject": SUBJECT,
            "keys": [self.public],
            "callback_url": None,
            "reason": "An agreement.",
        }
        await self.flow.post("/partners", body | changes)
        return self

    def header(self, action: str, total: int, /, **changes: Any) -> dict[str, Any]:
        header = {
            "version": "1.0.0",
            "message_id": str(uuid4()),
            "message_ts": datetime.now(UTC).isoformat(),
            "action": action,
            "sender_id": SENDER,
            "receiver_id": RECEIVER,
            "total_count": total,
            "is_msg_encrypted": False,
        } | changes
        return {name: value for name, value in header.items() if value is not None}

    async def send(
        self, path: str, envelope: dict[str, Any], *, scopes: tuple[str, ...] | None = None
    ) -> httpx.Response:
        given = self.scopes if scopes is None else scopes
        async with self.flow.service.client(*given, subject=SUBJECT) as client:
            url = client.base_url.join(path)
            answer = await client.post(url, json=envelope)
        _, _, register, own = path.split("/", 3)
        hold_answer(register, f"/{own}", answer.status_code, answer.json())
        return answer

    def envelope(
        self, action: str, total: int, message: dict[str, Any], **header: Any
    ) -> dict[str, Any]:
        """A message, signed."""
        head = self.header(action, total, **header)
        return {
            "signature": signature(self.private, head, message),
            "header": head,
            "message": message,
        }

    def search_envelope(self, *requests: dict[str, Any], **header: Any) -> dict[str, Any]:
        message = {"transaction_id": "t-1", "search_request": list(requests)}
        head = self.header("search", len(requests), **header)
        return {
            "signature": signature(self.private, head, message),
            "header": head,
            "message": message,
        }

    async def asked_later(self, *requests: dict[str, Any], **header: Any) -> dict[str, Any]:
        """What is acknowledged of what is answered later."""
        answer = await self.send(
            "/spdci/social/registry/search", self.search_envelope(*requests, **header)
        )
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()["message"]
        return said

    async def status(self, **by: Any) -> httpx.Response:
        """What is said of what was asked."""
        txn_type = by.pop("txn_type", "search")
        ((kind, value),) = by.items()
        message = {
            "transaction_id": "t-2",
            "txnstatus_request": {
                "reference_id": "s-1",
                "txn_type": txn_type,
                "attribute_type": kind,
                "attribute_value": value,
            },
        }
        head = self.header("txn-status", 1)
        envelope = {
            "signature": signature(self.private, head, message),
            "header": head,
            "message": message,
        }
        return await self.send("/spdci/social/registry/sync/txn/status", envelope)

    async def search(self, *requests: dict[str, Any], **header: Any) -> dict[str, Any]:
        """What is answered at once."""
        answer = await self.send(
            "/spdci/social/registry/sync/search", self.search_envelope(*requests, **header)
        )
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def found(self, **criteria: Any) -> dict[str, Any]:
        """The answer to one search."""
        said = await self.search(search(**criteria))
        (answer,) = said["message"]["search_response"]
        return dict(answer)


def search(reference_id: str = "1", **criteria: Any) -> dict[str, Any]:
    """One search of a message."""
    return {
        "reference_id": reference_id,
        "timestamp": datetime.now(UTC).isoformat(),
        "search_criteria": {
            "version": "1.0.0",
            "reg_type": "ns:org:RegistryType:Social",
            "response_entity": "Group",
        }
        | criteria,
    }


@dataclass
class Receiver:
    """The partner's own side: takes what is sent to it, and remembers it."""

    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What it answers with, one after the other; then 200."""
    register: str = "social"

    async def take(self, request: Request) -> Response:
        body = await request.json()
        hold_request(self.register, request.url.path.removeprefix("/spdci"), body)
        self.received.append((request.url.path, body))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its address, for as long as it runs."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = Starlette(routes=[Route("/spdci/{rest:path}", self.take, methods=["POST"])])
        async with serving(app, port) as url:  # type: ignore[arg-type]
            yield f"{url}/spdci"
