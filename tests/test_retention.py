"""What is kept for a time is removed by a command, and nothing that is still needed."""

import asyncio
import importlib
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from services.__main__ import main
from services.processes import SERVICES
from shared import retention
from shared.migrations import role_of

_COUNTS = {
    "idempotency_key": "SELECT count(*) FROM {}.idempotency_key",
    "dead_letter": "SELECT count(*) FROM {}.dead_letter",
    "events": "SELECT count(*) FROM events.event",
}
_OF_EACH = """
    INSERT INTO {0}.idempotency_key (caller, route, key, request_digest, created_at)
    SELECT 'officer', 'POST /v1/things', number::text, '', now() - make_interval(days => number)
    FROM generate_series(0, 59) AS number;
    INSERT INTO {0}.dead_letter (consumer, event_id, type, error, first_failed_at, discarded_at,
        discarded_by, discard_reason)
    SELECT 'reader', uuidv7(), 'type', 'error', now() - interval '3 years', discarded_at,
        CASE WHEN discarded_at IS NOT NULL THEN 'officer' END,
        CASE WHEN discarded_at IS NOT NULL THEN 'reason' END
    FROM (VALUES (NULL), (now() - interval '1 day'), (now() - interval '2 years'))
        AS letter (discarded_at);
    INSERT INTO events.event (id, type, source, subject, time, data)
    VALUES (uuidv7(), 'type', '/source', 'subject', now() - interval '5 years', '{{}}');
"""
_OF_PAYMENTS = """
    INSERT INTO payments.webhook
        (provider_number, webhook_id, body_sealed, status, received_at, worked_at)
    SELECT 1, status::text || age, '', status, now() - make_interval(years => age),
        now() - make_interval(years => age)
    FROM unnest(enum_range(NULL::payments.webhook_status)) AS status, generate_series(0, 2) AS age
"""
_OF_PROVIDERS = """
    INSERT INTO payments.provider_minute (provider_number, minute, replies, failures, sent_minor)
    SELECT 1, now() - make_interval(days => days), 1, 0, 0 FROM generate_series(0, 99) AS days
"""
_OF_REGISTRY = """
    WITH import AS (
        INSERT INTO registry.household_import
            (id, source, note, status, created_at, created_by, begun_at, ended_at, rows_read,
            households_added, households_changed, households_unchanged, rows_rejected)
        SELECT uuidv7(), 'list', '', 'completed', now(), 'officer', now(),
            now() - make_interval(years => age), 1, 0, 0, 0, 1
        FROM generate_series(0, 2) AS age RETURNING id
    )
    INSERT INTO registry.import_rejection (import_id, line, column_name, code, detail)
    SELECT id, 2, 'phone', 'malformed', 'detail' FROM import
"""


def asked(url: str, *statements: str) -> list[Any]:
    """What each statement answers, as the database's owner."""

    async def run() -> list[Any]:
        plain = make_url(url).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            return [
                await connection.fetchval(statement)
                if statement.startswith("SELECT")
                else await connection.execute(statement)
                for statement in statements
            ]
        finally:
            await connection.close()

    return asyncio.run(run())


def prune(monkeypatch: pytest.MonkeyPatch, *arguments: str, fails: bool = False) -> None:
    # Its log would go to the output of this test alone, and outlive it.
    monkeypatch.setattr("services.__main__.configure_logging", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["services", "prune", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert bool(ended.value.code) == fails


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_old_goes_and_what_is_needed_stays(
    environment: dict[str, str],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    service: str,
) -> None:
    monkeypatch.setattr(retention, "_BLOCKS_AT_ONCE", 1)
    counts = [count.format(service) for count in _COUNTS.values()]
    more = {"payments": [_OF_PAYMENTS, _OF_PROVIDERS], "registry": [_OF_REGISTRY]}
    asked(database_url, _OF_EACH.format(service), *more.get(service, []))

    prune(monkeypatch, service, "--dry-run")
    assert f"{service}.idempotency_key: 30 would be removed" in capsys.readouterr().out
    assert asked(database_url, *counts) == [60, 3, 1]
    prune(monkeypatch, service)
    said = capsys.readouterr().out
    assert f"{service}.idempotency_key: 30 removed" in said
    assert f"{service.upper()}_IDEMPOTENCY_DAYS=30" in said
    assert asked(database_url, *counts) == [30, 2, 1]
    if service == "payments":
        # What was not applied stays, however old; what was applied or is none, for a year.
        assert asked(database_url, "SELECT count(*) FROM payments.provider_minute") == [90]
        kept = "SELECT string_agg(webhook_id, ' ' ORDER BY webhook_id) FROM payments.webhook"
        [names] = asked(database_url, kept)
        assert names == (
            "applied0 blocked0 blocked1 blocked2 malformed0 received0 received1 received2 "
            "unmatched0 unmatched1 unmatched2"
        )
    if service == "registry":
        assert asked(database_url, "SELECT count(*) FROM registry.import_rejection") == [1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_remove_whatever_it_keeps_for_a_time(
    environment: dict[str, str], database_url: str, service: str
) -> None:
    settings = importlib.import_module(f"services.{service}.settings").Settings()
    keeping = importlib.import_module(f"services.{service}.upkeep.keeping")
    tables = [kept.table for kept in keeping.kept_for_a_time(settings)]
    may = "SELECT has_table_privilege('{}', '{}', 'DELETE')"
    role = role_of(service)
    assert asked(database_url, *(may.format(role, table) for table in tables)) == [True] * len(
        tables
    )


def test_what_cannot_be_removed_is_told_and_the_rest_goes(
    environment: dict[str, str],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = "REVOKE DELETE ON triggers.idempotency_key FROM sangkroh_triggers"
    asked(database_url, _OF_EACH.format("triggers"), refused)
    prune(monkeypatch, "triggers", fails=True)
    said = capsys.readouterr().out
    assert "triggers.idempotency_key: NOT removed (answers to POSTs" in said
    assert "Migrate, and prune again." in said
    assert "triggers.dead_letter: 1 removed" in said
    left = [_COUNTS[name].format("triggers") for name in ("idempotency_key", "dead_letter")]
    assert asked(database_url, *left) == [60, 2]


def test_answers_are_kept_for_as_long_as_a_client_may_retry(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERS_IDEMPOTENCY_DAYS", "1")
    # Its log would go to the output of this test alone, and outlive it.
    monkeypatch.setattr("services.__main__.configure_logging", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["services", "prune", "triggers"])
    with pytest.raises(SystemExit, match="TRIGGERS_IDEMPOTENCY_DAYS: Input should be greater"):
        main()
