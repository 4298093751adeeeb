"""Whether whatever an API changed has a record of who did it: looked at by the database itself.

Every table of the services notes which transactions of an API wrote to it, by a trigger that is
there in tests alone.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.processes import SERVICES

BY_NO_CALLER = {
    # A provider's callback is kept whole and sealed, with who signed it.
    "webhook",
    # What the process knows from its settings when it starts, with the accounts of it.
    "provider",
    # What the registry answered, kept for when it is away.
    "known_area",
    # An import's rows come in blocks, and who sends them is recorded before the first.
    "household_import",
    # A file comes in pieces; that it was sent is recorded with the file.
    "import_piece",
    # How far the process has read the event log.
    "event_cursor",
}
"""What is written beside what callers ask for, or after it was recorded that they do."""
NOT_THE_FACT = {"alembic_version", "audit_link", "audit_record", "idempotency_key"}

_NOTING = """
    CREATE SCHEMA noted;
    CREATE TABLE noted.written (
        service text, "table" text, transaction_id xid8,
        UNIQUE (service, "table", transaction_id)
    );
    GRANT USAGE ON SCHEMA noted TO PUBLIC;
    GRANT SELECT, INSERT ON noted.written TO PUBLIC;
    CREATE FUNCTION noted.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') = TG_TABLE_SCHEMA || '-api' THEN
            INSERT INTO noted.written
            VALUES (TG_TABLE_SCHEMA, TG_TABLE_NAME, pg_current_xact_id()) ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END
    $$
"""


@pytest.fixture
async def nothing_unrecorded(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """Whatever an API writes while the test runs has its record in the same transaction."""
    await owner.execute(_NOTING)
    tables = await owner.fetch(
        "SELECT relnamespace::regnamespace::text AS service, relname AS name FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY($1)",
        list(SERVICES),
    )
    for table in tables:
        if table["name"] not in NOT_THE_FACT:
            await owner.execute(
                f"CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON "
                f"{table['service']}.{table['name']} FOR EACH ROW EXECUTE FUNCTION noted.note()"
            )
    yield
    records = " UNION ALL ".join(
        f"SELECT '{service}' AS service, transaction_id FROM {service}.audit_record"
        for service in SERVICES
    )
    written = await owner.fetch(
        f"""
        SELECT service, transaction_id::text, array_agg("table"::text) AS tables,
            EXISTS (
                SELECT FROM ({records}) AS record
                WHERE record.service = written.service
                  AND record.transaction_id = written.transaction_id
            ) AS is_recorded
        FROM noted.written AS written
        GROUP BY service, transaction_id
        """
    )
    assert written, "Nothing was written, so nothing was seen."
    unrecorded = [
        f"{row['service']}: {', '.join(row['tables'])}"
        for row in written
        if not row["is_recorded"] and BY_NO_CALLER.isdisjoint(row["tables"])
    ]
    assert not unrecorded, f"Written without a record of who did it: {unrecorded}"
