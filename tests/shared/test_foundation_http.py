"""What every service's API promises, tried on a small app made of the same parts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.settings import Settings
from shared.application import create_application
from shared.auth import Caller, require
from shared.database import Database, Session
from shared.errors import Conflict, problem_responses
from shared.events import Consumer, Event, Published, StoredEvent, append
from shared.events.routes import router as events
from shared.idempotency import Once
from shared.ids import new_id
from shared.pagination import PageOf, PageQuery
from shared.values import Text
from shared.version import API_PREFIX, VERSION
from tests.conftest import RunningService
from tests.server import serving

router = APIRouter(prefix="/things")
ThingsRead = Annotated[Caller, require("things:read")]
ThingsWrite = Annotated[Caller, require("things:write")]


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Text(longest=200)]
    size: int = 1

    @field_validator("size")
    @classmethod
    def _has_a_size(cls, size: int) -> int:
        if size < 1:
            raise ValueError("a thing has a size")
        return size


@router.post("", status_code=201, responses=problem_responses(409))
async def create(body: Thing, caller: ThingsWrite, session: Session, once: Once) -> Response:
    async def effect() -> Thing:
        await asyncio.sleep(0.02)
        await session.execute(
            text("INSERT INTO registry.thing (name) VALUES (:name)"), {"name": body.name}
        )
        return body

    return await once.reply(body, effect)


@router.get("")
async def list_things(caller: ThingsRead, session: Session, page: PageQuery) -> PageOf[Thing]:
    rows = await session.execute(
        text("SELECT name FROM registry.thing WHERE name > :after ORDER BY name LIMIT :limit"),
        {"after": page.after(str) or "", "limit": page.fetch_limit},
    )
    things = [Thing(name=row.name) for row in rows]
    return page.of(things, key=lambda thing: (thing.name,))


@router.get("/conflict")
async def conflict(caller: ThingsRead) -> None:
    raise Conflict("It is closed. Open it first.", closed_by="somebody")


@router.get("/broken")
async def broken(caller: ThingsRead, session: Session) -> None:
    await session.execute(text("SELECT CAST('Sok Dara 012 345 678' AS integer)"))


@pytest.fixture
async def things(
    environment: dict[str, str], owner: asyncpg.Connection, key_file: Path
) -> AsyncIterator[RunningService]:
    # Deferred, so that the failure comes with the commit and not with the statement.
    await owner.execute(
        """
        CREATE TABLE registry.thing (name text UNIQUE DEFERRABLE INITIALLY DEFERRED);
        GRANT SELECT, INSERT ON registry.thing TO sangkroh_registry;
        """
    )
    settings = Settings()
    app = create_application(
        title="Things", summary="s", description="d", settings=settings, routers=[router, events]
    )
    async with serving(app, settings.port) as url:
        yield RunningService("things", app, url, key_file)


async def test_the_reply_leaves_after_the_commit(
    things: RunningService, owner: asyncpg.Connection
) -> None:
    """A commit that fails is an error to the caller, not a 201 for a thing that is not there."""
    await owner.execute("INSERT INTO registry.thing VALUES ('taken')")
    async with things.client("things:write") as client:
        answer = await client.post(
            "/things", json={"name": "taken"}, headers={"Idempotency-Key": "1"}
        )

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Nothing was saved" in answer.json()["detail"]
    assert await owner.fetchval("SELECT count(*) FROM registry.thing") == 1
    assert await owner.fetchval("SELECT count(*) FROM registry.idempotency_key") == 0


async def test_a_repeated_post_creates_once_and_is_answered_alike(
    things: RunningService, owner: asyncpg.Connection
) -> None:
    async with things.client("things:write") as client:
        headers = {"Idempotency-Key": "same"}
        answers = await asyncio.gather(
            *(client.post("/things", json={"name": "one"}, headers=headers) for _ in range(8))
        )

    assert {answer.status_code for answer in answers} == {201}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 7
    assert await owner.fetchval("SELECT count(*) FROM registry.thing") == 1


async def test_a_key_is_refused_with_another_body_and_missed_when_absent(
    things: RunningService,
) -> None:
    async with things.client("things:write") as client:
        headers = {"Idempotency-Key": "same"}
        await client.post("/things", json={"name": "one"}, headers=headers)
        other = await client.post("/things", json={"name": "two"}, headers=headers)
        none = await client.post("/things", json={"name": "three"})
    async with things.client("things:write", subject="somebody@else") as client:
        elsewhere = await client.post("/things", json={"name": "four"}, headers=headers)

    assert (other.status_code, none.status_code, elsewhere.status_code) == (422, 400, 201)
    assert "new key" in other.json()["detail"]
    assert "Idempotency-Key" in none.json()["detail"]


async def test_pages_follow_one_another_and_end(
    things: RunningService, owner: asyncpg.Connection
) -> None:
    await owner.executemany(
        "INSERT INTO registry.thing VALUES ($1)", [(f"{number:03}",) for number in range(25)]
    )
    seen: list[str] = []
    cursor: str | None = None
    async with things.client("things:read") as client:
        while True:
            parameters = {"limit": "10"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/things", params=parameters)).json()
            seen += [thing["name"] for thing in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        forged = await client.get("/things", params={"cursor": "Zm9v"})

    assert seen == [f"{number:03}" for number in range(25)]
    assert forged.status_code == 400


async def test_every_error_is_a_problem_document_without_the_input(
    things: RunningService, capfd: pytest.CaptureFixture[str]
) -> None:
    async with things.client("things:read", "things:write") as client:
        answers = {
            "invalid": await client.post("/things", json={"name": 5, "size": "Sok Dara"}),
            "garbage": await client.post("/things", content=b"{Sok Dara"),
            "broken": await client.get("/things/broken"),
            "conflict": await client.get("/things/conflict"),
            "missing": await client.get("/nowhere"),
            "method": await client.delete("/things"),
        }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "invalid": 422,
        "garbage": 422,
        "broken": 500,
        "conflict": 409,
        "missing": 404,
        "method": 405,
    }
    for answer in answers.values():
        document = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert document["status"] == answer.status_code
        assert document["type"].startswith("urn:sangkroh:problem:")
        assert document["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
        assert len(document["detail"]) > 20
        assert "Sok Dara" not in answer.text
    assert [fault["pointer"] for fault in answers["invalid"].json()["errors"]] == [
        "/body/name",
        "/body/size",
    ]
    assert answers["conflict"].json()["closed_by"] == "somebody"
    written = capfd.readouterr()
    assert "Sok Dara" not in written.out + written.err


async def test_a_token_must_be_there_ours_current_and_sufficient(things: RunningService) -> None:
    stranger = Ed25519PrivateKey.generate()
    good = things.token("things:read")
    kid = jwt.get_unverified_header(good)["kid"]
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = jwt.encode(claims, stranger, algorithm="EdDSA", headers={"kid": kid})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": kid})
    statuses = {}
    async with httpx.AsyncClient(base_url=things.url + API_PREFIX) as client:
        for name, token in {
            "good": good,
            "forged": forged,
            "unsigned": unsigned,
            "garbage": "x.y.z",
            "other scope": things.token("households:read"),
        }.items():
            answer = await client.get("/things", headers={"Authorization": f"Bearer {token}"})
            statuses[name] = answer.status_code
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"] == "Bearer"
        statuses["none"] = (await client.get("/things")).status_code
        probes = [(await client.get(things.url + path)).status_code for path in ("/live", "/ready")]

    assert statuses == {
        "good": 200,
        "forged": 401,
        "unsigned": 401,
        "garbage": 401,
        "other scope": 403,
        "none": 401,
    }
    assert probes == [200, 200]


async def test_a_query_parameter_that_an_operation_does_not_take_is_refused(
    things: RunningService,
) -> None:
    """Ignored, a filter with a slip of the pen in its name would answer with everything."""
    async with things.client("things:read") as client:
        known = await client.get("/things", params={"limit": 5})
        unknown = await client.get("/things", params={"limit": 5, "changed_since": "2020-10-12"})
        without_parameters = await client.get("/things/conflict", params={"a": ""})

    assert known.status_code == 200
    assert unknown.status_code == 422
    (fault,) = unknown.json()["errors"]
    assert fault["pointer"] == "/query/changed_since"
    assert fault["detail"] == "There is no such parameter. It takes cursor, limit."
    assert "2020-10-12" not in unknown.text
    assert without_parameters.status_code == 422


async def test_a_query_parameter_is_given_once(things: RunningService) -> None:
    """Which of two counts is told by no standard: a proxy and a service may differ."""
    async with things.client("things:read") as client:
        twice = await client.get("/things?limit=1&limit=2")
        same = await client.get("/things?limit=1&limit=1&cursor=")
        many = await client.get("/things?" + "&".join(f"a{number}=" for number in range(2_000)))

    assert {answer.status_code for answer in (twice, same, many)} == {422}
    assert twice.json()["errors"] == [
        {"pointer": "/query/limit", "detail": "It is given more than once. Give it once."}
    ]
    assert len(many.content) < 2_000


NESTED = 80_000
BODIES: dict[bytes, tuple[int, str]] = {
    b'{"name": "a", "name": "b"}': (422, "one name twice"),
    b'{"name": "a", "of": [{"b": 1, "b": 1}]}': (422, "one name twice"),
    b'{"name": "a", "size": NaN}': (422, "NaN"),
    b'{"name": "a", "size": -Infinity}': (422, "Infinity"),
    b'{"name": "a", "size": ' + b"9" * 10_000 + b"}": (400, "cannot be read"),
    b'{"name": ' + b"[" * NESTED + b"]" * NESTED + b"}": (400, "cannot be read"),
    b'{"a":' * NESTED + b"1" + b"}" * NESTED: (400, "cannot be read"),
    b'{"name": "a", "of": ' + b"[" * 500 + b"]" * 500 + b"}": (422, "fields"),
    b'{"name": "\xff"}': (400, "cannot be read"),
    b'{"name": "a\\ud800"}': (422, "fields"),
    b'{"name": "a", "\\ud800\\u0000\\u202e": 1}': (422, "fields"),
    b'{"name": "a", "' + b"x" * 50_000 + b'": 1}': (422, "fields"),
    b"null": (422, "fields"),
    b"": (422, "fields"),
}


async def test_a_body_is_read_as_everybody_would_or_refused(things: RunningService) -> None:
    headers = {"Idempotency-Key": "1", "Content-Type": "application/json"}
    async with things.client("things:write") as client:
        for body, (status, told) in BODIES.items():
            answer = await client.post("/things", content=body, headers=headers)
            assert answer.status_code == status, (body[:60], answer.text)
            assert told in answer.json()["detail"], body[:60]
            assert len(answer.content) < 1_000, body[:60]
        many = {"name": "a"} | {f"field/{number}~": 1 for number in range(5_000)}
        answer = await client.post("/things", json=many, headers=headers)

    assert answer.json()["errors"][0]["pointer"] == "/body/field~10~0"
    assert len(answer.json()["errors"]) == 100
    assert "Another 4900 are not listed" in answer.json()["detail"]


async def test_a_key_is_printable_ascii(things: RunningService) -> None:
    keys = [b"x" * 129, "ключ".encode(), b"a\x80", b"a\tb"]
    async with things.client("things:write") as client:
        answers = [
            await client.post("/things", json={"name": "a"}, headers={b"Idempotency-Key": key})
            for key in keys
        ]

    assert {answer.status_code for answer in answers} == {422}


async def test_head_and_options_are_answered_and_allow_is_complete(things: RunningService) -> None:
    async with things.client("things:read") as client:
        read = await client.get("/things")
        head = await client.head("/things")
        options = await client.options("/things")
        wrong = await client.delete("/things")
        nowhere = await client.options("/nothing")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == read.headers["content-length"]
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert nowhere.status_code == 404


async def test_the_document_tells_what_any_operation_may_answer(things: RunningService) -> None:
    async with httpx.AsyncClient() as client:
        document = (await client.get(things.url + "/openapi.json")).json()

    assert document["info"]["version"] == VERSION
    creating = document["paths"]["/v1/things"]["post"]
    assert {"400", "422", "503"} <= creating["responses"].keys()
    (key,) = (
        parameter for parameter in creating["parameters"] if parameter["name"] == "Idempotency-Key"
    )
    assert key["required"]
    assert "400" not in document["paths"]["/v1/things"]["get"]["responses"]


async def test_our_own_validators_speak_for_themselves(things: RunningService) -> None:
    async with things.client("things:write") as client:
        answer = await client.post(
            "/things", json={"name": "x", "size": 0}, headers={"Idempotency-Key": "1"}
        )

    (fault,) = answer.json()["errors"]
    assert fault == {"pointer": "/body/size", "detail": "a thing has a size"}


async def test_progress_tells_whether_everything_was_worked(
    things: RunningService, environment: dict[str, str]
) -> None:
    """Whoever posted something sees when it has been worked."""
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    told_at = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
    event = Event(type="org.sangkroh.test.v1", source="/test", subject="s", time=told_at, data={})
    consumer = Consumer(database, name="test", schema="registry", handlers={})
    await consumer.run_once()

    async with things.client("events:read") as client:
        before = (await client.get("/events/progress")).json()
        async with database.transaction() as session:
            await append(session, [event])
        waiting = (await client.get("/events/progress")).json()
        await consumer.run_once()
        after = (await client.get("/events/progress")).json()
    await database.dispose()

    assert before["all_worked"]
    assert not waiting["all_worked"]
    assert datetime.fromisoformat(waiting["worked_up_to"]) == told_at
    (of_the_consumer,) = waiting["consumers"]
    assert (of_the_consumer["consumer"], of_the_consumer["waiting"]) == ("test", 1)
    assert after["all_worked"]


class Measured(Published):
    type: ClassVar[str] = "org.sangkroh.test.measured.v1"
    source: ClassVar[str] = "/test"

    phone: int

    @property
    def subject(self) -> str:
        return "s"


async def on_measured(_: AsyncSession, event: StoredEvent) -> None:
    Measured.of(event)
    raise KeyError("+85510000001")


async def test_an_event_that_failed_says_what_is_wrong_and_is_given_up_with_a_reason(
    things: RunningService, environment: dict[str, str]
) -> None:
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    unreadable, unforeseen = (
        Event(
            type=Measured.type,
            source=Measured.source,
            subject=f"about-{number}",
            time=datetime.now(UTC),
            data=data,
        )
        for number, data in enumerate(({"phone": "+855 10 000 001"}, {"phone": 1}))
    )
    consumer = Consumer(database, name="test", schema="registry", handlers={Measured: on_measured})
    await consumer.run_once()
    async with database.transaction() as session:
        await append(session, [unreadable, unforeseen])
    await consumer.run_once()

    async with things.client("events:read", "events:replay", subject="dara@nspc") as client:

        async def letters(**query: Any) -> dict[str, dict[str, Any]]:
            answer = await client.get("/dead-letters", params=query)
            return {letter["event_id"]: letter for letter in answer.json()["items"]}

        async def failed() -> int:
            (progress,) = (await client.get("/events/progress")).json()["consumers"]
            return int(progress["failed"])

        waiting = await letters()
        assert await failed() == 2
        discard = f"/dead-letters/{unreadable.id}/discard"
        without = await client.post(discard, json={"reason": "  "})
        discarded = await client.post(discard, json={"reason": "Told again as it should be"})
        again = await client.post(discard, json={"reason": "Told again as it should be"})
        replayed = await client.post(f"/dead-letters/{unreadable.id}/replay")
        unknown = await client.post(f"/dead-letters/{new_id()}/discard", json={"reason": "None"})
        left, given_up = await letters(), await letters(discarded=True)
        assert await failed() == 1
    await consumer.run_once()
    await database.dispose()

    words = waiting[str(unreadable.id)]["error"]
    assert words.startswith("What the event holds is not what its type promises (phone: Input ")
    assert words.endswith("/test, has to tell it again as it should be; then discard this event.")
    words = waiting[str(unforeseen.id)]["error"]
    assert words.startswith("An error that nobody foresaw: KeyError at tests/shared/")
    assert words.endswith("replay this event once it is mended, or discard it with a reason.")
    assert "855" not in str(waiting)
    assert waiting[str(unforeseen.id)]["subject"] == "about-1"
    assert 0 <= waiting[str(unforeseen.id)]["waited_seconds"] < 60

    assert (without.status_code, unknown.status_code) == (422, 404)
    (letter,) = discarded.json()
    assert letter["discarded_by"] == "dara@nspc"
    assert letter["discard_reason"] == "Told again as it should be"
    assert letter["discarded_at"]
    assert again.status_code == replayed.status_code == 409
    assert again.json()["detail"].startswith("The event was discarded by dara@nspc at 20")
    assert left.keys() == {str(unforeseen.id)}
    assert given_up == {str(unreadable.id): letter}
