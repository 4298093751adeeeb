"""What 0.1 had stored, carried over to legs, enum types and forecasts; and back again."""

import json
from collections.abc import Callable
from typing import Any

import asyncpg
from alembic import command

from services.triggers.definitions.shipped import shipped_document
from tests.revisions import at_revision
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow

TRIGGER = "flood-reported-impact"

INDICATOR = """
INSERT INTO triggers.indicator (code, name, unit, kind, area_level, created_at, created_by) VALUES
    ('flood-affected-households', 'Floods', 'households', 'households_affected', 'province',
     now(), 'officer@old')
"""

DEFINITION = """
INSERT INTO triggers.trigger_definition
    (code, version, indicator_code, document, created_at, created_by)
VALUES ($1, 1, 'flood-affected-households', $2, now(), 'officer@old')
"""

EVIDENCE = """
INSERT INTO triggers.observation
    (indicator_code, observed_on, area_code, place, source, revision, value, published_on,
     recorded_at, recorded_by)
VALUES ('flood-affected-households', '2026-01-04', '02', '', 'HRF', 1, 19000, '2026-01-04',
        '2026-01-04T03:00:00Z', 'officer@old');
INSERT INTO triggers.activation
    (id, trigger_code, trigger_version, scheme, shock, severity, origin, state, reason,
     evidence_from, evidence_to, proposed_at, proposed_by, opened_on)
VALUES ('0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10', 'flood-reported-impact', 1, 'flood-2022', 'flood',
        'severe', 'declared', 'closed', 'Flash flood', '2025-10-01', '2025-10-02', now(),
        'officer@old', '2025-10-02');
INSERT INTO triggers.activation_move
    (activation_id, from_state, to_state, moved_at, moved_by, reason)
VALUES ('0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10', NULL, 'open', now(), 'officer@old', 'Flash flood');
INSERT INTO triggers.evaluation
    (id, event_id, trigger_code, trigger_version, judged_on, evaluated_at, stage, outcome,
     explanation, evidence)
VALUES ('0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11', '0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12',
        'flood-reported-impact', 1, '2025-10-02', now(), 'readiness', 'none', 'Not yet', '{}')
"""


def document_of_0_1() -> dict[str, Any]:
    """The shipped document in the shape that had no legs."""
    document = shipped_document(TRIGGER)
    (leg,) = document.pop("legs")
    del leg["holds_days"], document["season"]
    stages = document.pop("stages")
    del document["join"]
    return {**document, **leg, "approval": stages["activation"]["approval"]}


async def test_what_was_stored_is_carried_over_and_judged(
    flow: Flow, owner: asyncpg.Connection, database_url: str, run_worker: Callable[[str], Any]
) -> None:
    await at_revision(database_url, "triggers", command.downgrade, "0001")
    await owner.execute(INDICATOR)
    await owner.execute(DEFINITION, TRIGGER, json.dumps(document_of_0_1()))
    await owner.execute(EVIDENCE)
    await at_revision(database_url, "triggers", command.upgrade, "head")
    await owner.reload_schema_state()

    trigger = await flow.got(f"/triggers/{TRIGGER}")
    # Nobody had said up to where it may pay by itself.
    assert trigger["document"]["stages"]["activation"].pop("ceiling") is None
    shipped = shipped_document(TRIGGER)
    del shipped["stages"]["activation"]["ceiling"]
    assert trigger["document"] == shipped
    assert trigger["posted_by"] == "officer@old"
    (activation,) = await flow.activations()
    assert (activation["state"], activation["origin"]) == ("closed", "declared")
    assert [move["to_state"] for move in activation["moves"]] == ["open"]
    (evaluation,) = await flow.evaluations(TRIGGER)
    assert (evaluation["stage"], evaluation["outcome"]) == ("readiness", "none")

    row = {"source": "HRF", "observed_on": "2026-01-04", "published_on": "2026-01-04"}
    async with run_worker("triggers"):
        known = await flow.record(FLOOD_INDICATOR, [{**row, "area": "02", "value": 19_000}])
        assert known["unchanged"] == 1
        await flow.record(FLOOD_INDICATOR, [{**row, "area": "15", "value": 2_000}])
        await flow.caught_up()
    # What was there is judged once more, by what was known.
    assert sorted(each["outcome"] for each in await flow.evaluations(TRIGGER)) == [
        "none",
        "none",
        "proposed",
    ]
    (waiting,) = await flow.proposals("activation")
    assert "states no ceiling" in waiting["what"]


async def test_the_way_back_restores_the_documents_as_they_were(
    flow: Flow, owner: asyncpg.Connection, database_url: str
) -> None:
    await flow.set_up(FLOOD_INDICATOR, TRIGGER)
    await at_revision(database_url, "triggers", command.downgrade, "0001")
    stored = await owner.fetchrow(
        "SELECT document, indicator_code, created_by FROM triggers.trigger_definition"
    )
    assert stored is not None
    assert json.loads(stored["document"]) == document_of_0_1()
    assert (stored["indicator_code"], stored["created_by"]) == (
        FLOOD_INDICATOR["code"],
        "officer@test",
    )
