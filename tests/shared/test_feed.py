"""The feed of events: what a reader wants of it comes whole, in order, and as it is described."""

import inspect
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from shared.contracts import events
from shared.contracts.catalogue import EXAMPLES
from shared.database import Database
from shared.events import Event, Published, append, repository
from shared.ids import new_id
from tests.conftest import RunningService, ServeService
from tests.server import eventually

TOLD_FROM = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)


_BEHIND_THE_FENCE = text(
    "SELECT EXISTS (SELECT FROM events.event "
    "WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot()))"
)


def told() -> list[Event]:
    """Three events of every type, an hour apart, about things of their own."""
    return [
        Event(
            type=fact.type,
            source=fact.source,
            subject=f"{fact.model_validate(example).subject} {turn}",
            time=TOLD_FROM + timedelta(hours=turn),
            data=fact.model_validate(example).model_dump(mode="json"),
        )
        for turn in range(3)
        for fact, example in EXAMPLES.items()
    ]


@pytest.fixture
async def service(serve: ServeService) -> RunningService:
    served: RunningService = await serve("registry")
    return served


@pytest.fixture
async def reader(service: RunningService) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client("event-log:read", subject="ministry@test") as client:
        yield client


@pytest.fixture
async def log(service: RunningService) -> Sequence[Event]:
    """What was told, in order."""
    written = told()
    database: Database = service.app.state.database
    for turn in range(3):
        async with database.transaction() as session:
            await append(session, written[turn::3])

    async def all_is_told() -> bool:
        # It waits for transactions that are older than it: the process has work of its own.
        async with database.reading() as session:
            return not await session.scalar(_BEHIND_THE_FENCE)

    await eventually(all_is_told)
    return [event for turn in range(3) for event in written[turn::3]]


async def followed(
    reader: httpx.AsyncClient, *, limit: int, **only: str
) -> tuple[list[dict[str, Any]], int]:
    """Everything that the feed gives until it says that there is no more, and in how many pages."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for pages in range(1, 200):
        answer = await reader.get("/events", params={**only, **cursor, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = {"cursor": page["next_cursor"]}
        if not page["more"]:
            return items, pages
    raise AssertionError("The feed has no end.")


def test_every_type_that_is_published_is_described() -> None:
    published = {
        fact
        for _, fact in inspect.getmembers(events, inspect.isclass)
        if issubclass(fact, Published) and fact is not Published
    }

    assert set(EXAMPLES) == published
    assert len({fact.type for fact in published}) == len(published)


@pytest.mark.parametrize("limit", [1, 2, 5, 500])
@pytest.mark.parametrize("most_searched", [1, 4, 10_000])
async def test_whatever_is_wanted_comes_once_and_in_order(
    reader: httpx.AsyncClient,
    log: Sequence[Event],
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    most_searched: int,
) -> None:
    monkeypatch.setattr(repository, "MOST_SEARCHED", most_searched)
    later = TOLD_FROM + timedelta(hours=1)
    wishes: list[tuple[dict[str, str], list[Event]]] = [
        ({}, list(log)),
        (
            {"type": events.ActivationOpened.type},
            [event for event in log if event.type == events.ActivationOpened.type],
        ),
        ({"subject": log[7].subject}, [event for event in log if event.subject == log[7].subject]),
        ({"since": later.isoformat()}, [event for event in log if event.time >= later]),
        (
            {"type": events.ChunkRefused.type, "since": later.isoformat()},
            [
                event
                for event in log
                if event.type == events.ChunkRefused.type and event.time >= later
            ],
        ),
        ({"type": "org.sangkroh.nothing.v1"}, []),
    ]
    for only, wanted in wishes:
        items, _ = await followed(reader, limit=limit, **only)
        assert [item["id"] for item in items] == [str(event.id) for event in wanted], only


async def test_a_reader_of_a_rare_type_goes_on_behind_what_was_looked_at(
    reader: httpx.AsyncClient, log: Sequence[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_SEARCHED", 10)

    items, pages = await followed(reader, limit=50, type=events.FundBounded.type)

    assert len(items) == 3
    assert pages == len(log) // 10 + 1


async def test_what_is_told_later_comes_behind_the_last_cursor(
    service: RunningService, reader: httpx.AsyncClient, log: Sequence[Event]
) -> None:
    only = {"type": events.FeedRecovered.type}
    page = (await reader.get("/events", params=only)).json()
    fact = events.FeedRecovered(feed="wfp-rice-price", version=3)
    database: Database = service.app.state.database
    async with database.transaction() as session:
        await append(session, [fact.to_event(clock=service.app.state.clock)])

    async def told() -> list[dict[str, Any]]:
        answer = await reader.get("/events", params={**only, "cursor": page["next_cursor"]})
        return [item["data"] for item in answer.json()["items"]]

    await eventually(told)
    assert await told() == [{"feed": "wfp-rice-price", "version": 3}]


async def test_every_event_is_as_its_schema_says(
    service: RunningService, reader: httpx.AsyncClient, log: Sequence[Event]
) -> None:
    document = service.app.openapi()
    schema = {"$ref": "#/components/schemas/Feed", "components": document["components"]}
    validator = Draft202012Validator(schema)
    page = (await reader.get("/events", params={"limit": 500})).json()

    assert list(validator.iter_errors(page)) == []
    for item in page["items"]:
        changed = {**page, "items": [{**item, "data": {}}]}
        assert list(validator.iter_errors(changed)), (
            f"{item['type']} has data that are not described"
        )


async def test_the_feed_has_a_scope_of_its_own(service: RunningService) -> None:
    async with service.client("events:read", "events:replay") as operator:
        refused = await operator.get("/events")
    async with service.client("event-log:read") as ministry:
        dead_letters = await ministry.get("/dead-letters")

    assert (refused.status_code, dead_letters.status_code) == (403, 403)
    assert "event-log:read" in refused.json()["detail"]


async def test_what_is_no_filter_is_refused(reader: httpx.AsyncClient) -> None:
    for wrong in (
        {"type": "Activation Opened"},
        {"since": "yesterday"},
        {"since": "2026-01-05T05:00:00"},
        {"subject": "\x00"},
        {"kind": "x"},
    ):
        answer = await reader.get("/events", params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await reader.get("/events", params={"subject": str(new_id())})).json()["items"] == []
