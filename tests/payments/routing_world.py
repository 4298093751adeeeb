"""Providers that may pay in each other's place, with a memory that no database can lose."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from judge.proofs.ledger import (
    commitments_add_up,
    money_with_providers_is_accounted_for,
    sums_to_zero,
)
from judge.proofs.payments import records_equal_the_book
from judge.records import BookLine
from judge.witnesses.database import read_records
from services.payments.providers.answers import Answer, AnswerKind
from tests.payments.conftest import World, providers_with
from tests.payments.singly import speak_singly
from tests.payments.steps import NOT_KNOWN, SILENCE, Steps, paid
from tests.payments.test_asking_first import begin_an_epoch

REASON = "Both reach every number by the national switch."


class Memory:
    """What each provider did, and how it meets what comes next."""

    def __init__(self) -> None:
        self.paid: dict[str, Counter[UUID]] = defaultdict(Counter)
        self.rejected: dict[str, dict[UUID, str]] = defaultdict(dict)
        self.sent: list[tuple[str, UUID]] = []
        self.asked: list[tuple[str, UUID]] = []
        self.meets: Callable[[str, UUID], str] = lambda provider, instruction_id: "pays"
        """``pays``, ``pays-silently``, ``loses``, or a code for which it rejects."""
        self.answers: Callable[[str], bool] = lambda provider: True
        """Whether it answers questions."""

    async def send(self, provider: str, instruction_id: UUID) -> Answer:
        self.sent.append((provider, instruction_id))
        if self.paid[provider][instruction_id]:
            return paid(instruction_id)
        if (code := self.rejected[provider].get(instruction_id)) is not None:
            return Answer(AnswerKind.REJECTED, reason=code)
        match self.meets(provider, instruction_id):
            case "loses":
                return SILENCE
            case "pays":
                self.paid[provider][instruction_id] += 1
                return paid(instruction_id)
            case "pays-silently":
                self.paid[provider][instruction_id] += 1
                return SILENCE
            case code:
                self.rejected[provider][instruction_id] = code
                return Answer(AnswerKind.REJECTED, reason=code)

    async def ask(self, provider: str, instruction_id: UUID) -> Answer:
        self.asked.append((provider, instruction_id))
        if not self.answers(provider):
            return SILENCE
        if self.paid[provider][instruction_id]:
            return paid(instruction_id)
        if (code := self.rejected[provider].get(instruction_id)) is not None:
            return Answer(AnswerKind.REJECTED, reason=code)
        return NOT_KNOWN


@pytest.fixture
def memory(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Memory:
    """Both providers are of one group, and have this memory."""
    memory = Memory()

    speak_singly(monkeypatch, send=memory.send, ask=memory.ask)
    changed = {
        "PAYMENTS_STAND_INS": '[["mekong", "tonle"]]',
        "PAYMENTS_PROVIDERS": providers_with(environment, recognises_repeats_seconds=1_000_000),
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return memory


def rule(**changes: Any) -> dict[str, Any]:
    """Tonle pays in mekong's place, where mekong is paused, down or was taken out."""
    return {
        "provider": "mekong",
        "instead": ["tonle"],
        "causes": ["paused", "down", "disabled"],
        "maximum_minor": 100_000_000,
        "reason": REASON,
        **changes,
    }


async def route(world: World, **changes: Any) -> Any:
    """Have two persons set the rule about mekong; its version as it is listed."""
    proposal = await world.propose("/routes", rule(**changes))
    await world.approve(proposal["id"])
    return (await world.get("/routes"))["items"][0]


async def pause(world: World, provider: str = "mekong") -> Any:
    return await world.post("/pauses", {"provider": provider, "reason": "They are moving."})


class Keeping:
    """Keeps the service's tables as they are, and puts them back: what came since is lost."""

    _LEFT = frozenset({"known_key", "alembic_version", "provider", "event_cursor"})

    def __init__(self, owner: asyncpg.Connection) -> None:
        self._owner = owner
        self._columns: dict[str, str] = {}

    async def keep(self) -> None:
        """As of now. The rules and who the providers are is durable, like what others hold."""
        await self._owner.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        rows = await self._owner.fetch(
            "SELECT columns.table_name, string_agg(quote_ident(column_name), ', ') AS names "
            "FROM information_schema.columns JOIN information_schema.tables "
            "USING (table_schema, table_name) WHERE table_schema = 'payments' "
            "AND is_generated = 'NEVER' AND table_type = 'BASE TABLE' GROUP BY 1"
        )
        self._columns = {
            row["table_name"]: row["names"] for row in rows if row["table_name"] not in self._LEFT
        }
        for table, names in self._columns.items():
            await self._owner.execute(
                f"CREATE TABLE kept.{table} AS SELECT {names} FROM payments.{table}"
            )
        await self._owner.execute("CREATE TABLE kept.event_cursor AS TABLE payments.event_cursor")

    async def lose(self) -> None:
        """As a failover to a server does that lacked the last commits."""
        async with self._owner.transaction():
            await self._owner.execute("SET LOCAL session_replication_role = replica")
            for table, names in self._columns.items():
                await self._owner.execute(f"DELETE FROM payments.{table}")
                await self._owner.execute(
                    f"INSERT INTO payments.{table} ({names}) OVERRIDING SYSTEM VALUE "
                    f"SELECT {names} FROM kept.{table}"
                )
            await self._owner.execute(
                "UPDATE payments.event_cursor AS cursor SET epoch = kept.epoch, "
                "transaction_id = kept.transaction_id, sequence = kept.sequence "
                "FROM kept.event_cursor AS kept WHERE cursor.consumer = kept.consumer"
            )
        await begin_an_epoch(self._owner)


async def judged(owner: asyncpg.Connection, memory: Memory) -> None:
    """The judge's own proofs of what was paid, by what the providers did and not by our books."""
    async with owner.transaction():
        records = await read_records(owner)
    # There is no registry here to say what is owed, and that it is paid.
    instructions = {
        each.id: replace(
            each,
            owed_minor=each.amount_minor,
            entitlement_status="paid" if each.paid else None,
        )
        for each in records.instructions.values()
    }
    book = [
        BookLine(
            provider=provider,
            correlation_id=instruction_id,
            amount_minor=instructions[instruction_id].amount_minor,
            currency="KHR",
            account="",
        )
        for provider, paid_there in memory.paid.items()
        for instruction_id in paid_there.elements()
    ]
    for finding in (
        records_equal_the_book(instructions, book),
        sums_to_zero(records.accounts, transfers=records.transfers),
        money_with_providers_is_accounted_for(records.providers),
        commitments_add_up(records.funds),
    ):
        assert not finding.evidence, finding


async def let_time_pass(owner: asyncpg.Connection) -> None:
    """Whatever waits for its time has waited, and what a provider does not know is true."""
    await owner.execute(
        "UPDATE payments.instruction SET next_action_at = now(), "
        "sent_at = sent_at - interval '1 hour' "
        "WHERE status IN ('sending', 'unknown', 'pending') OR next_action_at IS NOT NULL"
    )
    await owner.execute("UPDATE events.epoch SET begun_at = begun_at - interval '1 hour'")


async def work(steps: Steps, owner: asyncpg.Connection, *, times: int = 4) -> None:
    """Everything that a worker does about payments, again and again."""
    known = {loop.name for loop in steps.worker.loops}
    for _ in range(times):
        await let_time_pass(owner)
        await steps.raise_announced()
        for name in ("reroute", "leases", "apply-answers", "ask-further"):
            await steps.step(name)
        for provider in ("mekong", "tonle"):
            for name in ("ask-elsewhere", "ask-first", "inquire", "send"):
                # Whoever is in no group asks nobody else.
                if f"{name}-{provider}" in known:
                    await steps.step(f"{name}-{provider}")
    await steps.close_all()
