"""Whoever looks for what is due looks it up, and does not go through all that waits."""

import re

import asyncpg
import pytest
from sqlalchemy import TextClause

from services.payments.account_checks import statements as account_checks
from services.payments.answers import repository as answers
from services.payments.batches import repository as batches
from services.payments.deliveries import repository as deliveries
from services.payments.dispatch import repository as dispatch
from services.payments.instructions.moves import Waits
from services.payments.sweeps import repository as sweeps
from services.registry.spdci.later import repository as later
from shared.retry import Backoff

_WAITS = Backoff(first_seconds=1, longest_seconds=60)
_LITERALS = {
    "provider_number": "1",
    "size": "100",
    "room": "8",
    "most": "8",
    "besides": "'{}'",
    "busy": "'{}'",
    "rooms": "'{}'",
}
LOOKS: dict[str, tuple[TextClause | str, str]] = {
    "senders that did not come back": (dispatch._PICK_EXPIRED, "next_action_at"),
    "payments to ask about": (
        dispatch._pick_due(Waits(lease_seconds=30, pending=_WAITS, unknown=_WAITS)),
        "next_action_at",
    ),
    "batches": (batches._PICK_DUE, "next_action_at"),
    "answers": (answers._PICK, "try_at"),
    "deliveries": (deliveries._CLAIM, "next_attempt_at"),
    "accounts": (account_checks.PICK_DUE, "ask_at"),
    "payments of a sweep": (sweeps._PICK, "ask_at"),
    "whether payments come before a sweep": (sweeps._IS_BUSY, "next_action_at"),
    "partners' answers": (later._CLAIM, "next_attempt_at"),
}


@pytest.mark.parametrize("name", LOOKS)
async def test_what_is_due_is_looked_up(owner: asyncpg.Connection, name: str) -> None:
    statement, column = LOOKS[name]
    given = re.sub(r"(?<!:):([a-z_]+)", lambda match: _LITERALS.get(match[1], "30"), str(statement))
    # Few rows are gone through as fast: what matters is whether the index can be asked.
    await owner.execute(
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"
    )
    plan = [row[0] for row in await owner.fetch(f"EXPLAIN {given}")]
    asked = [line for line in plan if "Index Cond" in line and f"{column} <=" in line]
    assert asked, "\n".join(plan)
    assert all("InitPlan" in line for line in asked)
