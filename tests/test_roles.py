"""Who may call what: every route with every role and with bad tokens, held against the table.

The routes are those of the running applications: a new one is held against it by being there.
"""

import asyncio
import base64
import hashlib
import hmac
import importlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.routing import Mount, Route

from services.processes import SERVICES
from shared.auth import development
from shared.auth.roles import APPROVING, MACHINES, SCOPES, Role, scopes_of
from tests.checks.openapi import PROBES, SIGNED, Document, Operation, operations, resolve
from tests.checks.role_table import BESIDE, DOCUMENTATION
from tests.conftest import RunningService, ServeService

pytestmark = pytest.mark.long

AT_ONCE = 8
MADE_UP = {"string": "nothing-here", "integer": "999999"}
MADE_UP_ID = "00000000-0000-0000-0000-00000000dead"


@dataclass(frozen=True)
class Call:
    """An operation of a running service, with ids that nothing has and a body that says nothing."""

    service: RunningService
    operation: Operation

    @property
    def url(self) -> str:
        path = self.operation.path
        for parameter in self.operation.body.get("parameters", []):
            if parameter["in"] == "path":
                schema = resolve(self.service.app.openapi(), parameter["schema"])
                path = path.replace(f"{{{parameter['name']}}}", _made_up(schema))
        return self.service.url + path

    def __str__(self) -> str:
        return f"{self.service.name} {self.operation}"

    async def answered(self, http: aiohttp.ClientSession, authorization: str | None) -> int:
        """The status of the answer."""
        headers = {} if authorization is None else {"Authorization": authorization}
        takes_a_body = "requestBody" in self.operation.body
        async with http.request(
            self.operation.method, self.url, json={} if takes_a_body else None, headers=headers
        ) as answer:
            await answer.read()
            if answer.status == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer"), self
            return answer.status


def _made_up(schema: Document) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    return MADE_UP_ID if schema.get("format") == "uuid" else MADE_UP[schema["type"]]


@pytest.fixture
async def services(serve: ServeService, monkeypatch: pytest.MonkeyPatch) -> list[RunningService]:
    for service in SERVICES:
        # All the bad tokens come from here.
        monkeypatch.setenv(f"{service.upper()}_RATE_REFUSED_PER_MINUTE", "100000")
    return [await serve(service) for service in SERVICES]


@pytest.fixture
def calls(services: list[RunningService]) -> list[Call]:
    return [
        Call(service, operation)
        for service in services
        for operation in operations(service.app.openapi())
    ]


async def all_of(
    making: Iterable[Callable[[aiohttp.ClientSession], Awaitable[str | None]]],
) -> list[str]:
    """What is wrong with some of many calls, made a few at a time."""
    few = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession() as http:

        async def made(make: Callable[[aiohttp.ClientSession], Awaitable[str | None]]) -> Any:
            async with few:
                return await make(http)

        return [wrong for wrong in await asyncio.gather(*map(made, making)) if wrong]


async def test_each_role_opens_what_the_table_says_and_nothing_else(
    calls: list[Call], key_file: Path
) -> None:
    tokens = {role: development.mint_role(key_file, role, seconds=3600) for role in Role}
    # A provider is shown its own callbacks alone: this is the one that is asked about.
    itself = f"provider:{MADE_UP['string']}"
    tokens[Role.PROVIDER] = development.mint(
        key_file, subject=itself, scopes=SCOPES[Role.PROVIDER], seconds=3600, client=itself
    )

    def holding(call: Call, role: Role) -> Callable[..., Awaitable[str | None]]:
        async def make(http: aiohttp.ClientSession) -> str | None:
            status = await call.answered(http, f"Bearer {tokens[role]}")
            may = call.operation.opens_to(SCOPES[role])
            as_told = status < 500 and (status not in (401, 403) if may else status == 403)
            return None if as_told else f"{role}, {call}: {status}, and {may=}"

        return make

    guarded = [call for call in calls if call.operation.scopes]
    asked = {scope for call in guarded for needed in call.operation.scopes for scope in needed}
    assert asked | BESIDE.keys() == set(development.EVERY_SCOPE)
    assert await all_of(holding(call, role) for call in guarded for role in Role) == []


def encoded(part: Any) -> str:
    words = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(words).rstrip(b"=").decode()


def bad_authorizations(key_file: Path) -> dict[str, str | None]:
    """Headers that open nothing, each with every scope and wrong in one respect alone."""
    key = development.read_key(key_file)
    now = int(time.time())
    good = {
        "iss": development.ISSUER,
        "aud": development.AUDIENCE,
        "sub": "officer@development",
        "scope": " ".join(development.EVERY_SCOPE),
        "iat": now,
        "exp": now + 3600,
    }
    header = {"kid": development.key_id(key)}
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def signed(headers: dict[str, Any] = header, by: Any = key, **changes: Any) -> str:
        claims = {name: value for name, value in {**good, **changes}.items() if value is not ...}
        return f"Bearer {jwt.encode(claims, by, algorithm='EdDSA', headers=headers)}"

    def by_hand(algorithm: str, signature: Callable[[bytes], bytes]) -> str:
        said = f"{encoded({**header, 'typ': 'JWT', 'alg': algorithm})}.{encoded(good)}"
        return f"Bearer {said}.{encoded(signature(said.encode()))}"

    return {
        "none": None,
        "empty": "Bearer ",
        "garbage": "Bearer garbage",
        "another scheme": signed().replace("Bearer", "Basic"),
        "cut short": signed()[:-20],
        "expired": signed(iat=now - 7200, exp=now - 3600),
        "not yet valid": signed(nbf=now + 3600),
        "for another system": signed(aud="another-system"),
        "of another issuer": signed(iss="https://issuer.example"),
        "signed by a stranger": signed(by=Ed25519PrivateKey.generate()),
        "of an unknown key": signed(headers={"kid": "unknown"}),
        "not signed": by_hand("none", lambda said: b""),
        "signed with what is public": by_hand(
            "HS256", lambda said: hmac.digest(public, said, hashlib.sha256)
        ),
        "without a subject": signed(sub=...),
        "without an end": signed(exp=...),
        "an odd subject": signed(sub="officer\nadmin"),
        "odd scopes": signed(scope={"funds:write": True}),
    }


def undocumented_paths(services: list[RunningService]) -> set[str]:
    """What the applications answer beside the operations that they document."""
    return {
        route.path
        for service in services
        for route in service.app.routes
        if isinstance(route, Route | Mount) and route.path not in service.app.openapi()["paths"]
    }


STANDARDS = {"/spdci/social", "/spdci/ibr"}
"""Applications that speak a standard of their own, with a document of their own."""


def messages_of_standards(services: Sequence[RunningService]) -> Iterator[str]:
    """Where messages of standards are sent."""
    for service in services:
        for route in service.app.routes:
            if isinstance(route, Mount) and route.path in STANDARDS:
                for path, operations in route.app.openapi()["paths"].items():  # type: ignore[attr-defined]
                    if "post" in operations:
                        yield f"{service.url}{route.path}{path}"


async def refusal_of(url: str, authorization: str | None) -> str | None:
    """What is wrong with how a message without a good token is answered; None: nothing is."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with aiohttp.ClientSession() as http, http.post(url, json={}, headers=headers) as answer:
        return None if answer.status == 401 else f"{url}: {answer.status}"


async def test_no_bad_token_opens_any_route(
    calls: list[Call], services: list[RunningService], key_file: Path
) -> None:
    bad = bad_authorizations(key_file)

    def holding(call: Call, kind: str) -> Callable[..., Awaitable[str | None]]:
        async def make(http: aiohttp.ClientSession) -> str | None:
            status = await call.answered(http, bad[kind])
            return None if status == 401 else f"{kind}, {call}: {status}"

        return make

    guarded = [call for call in calls if call.operation.scopes]
    assert {call.operation.path for call in calls if call not in guarded} == PROBES | SIGNED
    assert undocumented_paths(services) == DOCUMENTATION | STANDARDS
    assert [
        told
        for url in messages_of_standards(services)
        for kind in bad
        if (told := await refusal_of(url, bad[kind]))
    ] == []
    assert await all_of(holding(call, kind) for call in guarded for kind in bad) == []


def test_nobody_both_proposes_and_approves() -> None:
    approving = {role: scopes for role, scopes in SCOPES.items() if scopes & APPROVING}

    assert approving.keys() == {Role.CHECKER}
    for scopes in approving.values():
        assert {scope for scope in scopes - APPROVING if not scope.endswith(":read")} == set()
    assert not APPROVING & set(development.WITHOUT_APPROVING)


def test_no_machine_approves_or_sees_persons() -> None:
    held = scopes_of(MACHINES)

    assert not held & APPROVING
    # A partner, whom two persons let in, has persons told by SPDCI alone: what would list them
    # otherwise it may not call.
    assert {role for role in MACHINES if "households:read-personal" in SCOPES[role]} == {
        Role.PARTNER
    }
    assert not SCOPES[Role.PARTNER] & {"households:read", "households:search", "payees:read"}
    assert {role for role in Role if "observations:publish" in SCOPES[role]} == {Role.PUBLISHER}


SEES_NO_HOUSEHOLD = (Role.MONITOR, Role.MINISTRY, Role.PUBLISHER)
"""Of whom it is promised that no household is told to them, or whose work has none."""
_OF_A_HOUSEHOLD = {
    "household_id",
    "household_ids",
    "households",
    "member_id",
    "members",
    "entitlement_id",
    "instruction_id",
    "registration_number",
    "head_name",
    "phone",
}
OF_IDS = {"/v1/events"}
"""What tells of households by ids and kinds of change alone, on purpose."""
_COUNTED = {"integer", "number"}
"""Types of what is counted, whatever it is called."""


def fields_of(document: Document, schema: Document, seen: frozenset[str]) -> Iterator[str]:
    """The names of what an answer tells, however deep, without those of plain counts."""
    reference = schema.get("$ref")
    if reference in seen:
        return
    seen |= {reference} if reference else frozenset()
    schema = resolve(document, schema)
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, []):
            yield from fields_of(document, part, seen)
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from fields_of(document, part, seen)
    for name, part in schema.get("properties", {}).items():
        kinds = {kind.get("type") for kind in part.get("anyOf", [part])} - {"null"}
        if not kinds <= _COUNTED:
            yield name
        yield from fields_of(document, part, seen)


def tells_of_households(service: str, document: Document, operation: Operation) -> set[str]:
    """By which fields of its path or of its answers an operation tells of single households."""
    if service != "triggers" and operation.path.startswith("/v1/approvals"):
        # Of what is proposed somebody's words say why, and whom it is about.
        return {"reason"}
    told = set(re.findall(r"\{([^}]+)\}", operation.path))
    for status, response in operation.body["responses"].items():
        if status.startswith("2"):
            for content in response.get("content", {}).values():
                told |= set(fields_of(document, content.get("schema", {}), frozenset()))
    return told & _OF_A_HOUSEHOLD


def test_no_role_that_is_promised_to_see_no_household_opens_what_tells_of_one(
    environment: dict[str, str],
) -> None:
    telling: dict[str, set[Role]] = {}
    for service in SERVICES:
        app = importlib.import_module(f"services.{service}.app").create_app
        document = app().openapi()
        for operation in operations(document):
            is_read = operation.method == "get" and operation.path not in OF_IDS
            if (
                is_read
                and operation.scopes
                and (by := tells_of_households(service, document, operation))
            ):
                opened = {role for role in SEES_NO_HOUSEHOLD if operation.opens_to(SCOPES[role])}
                telling[f"{service} {operation} by {sorted(by)}"] = opened
    assert len(telling) > 40
    assert {operation: roles for operation, roles in telling.items() if roles} == {}
