"""Dispatching instructions with the ledger against the same HTTP client without a database."""

import asyncio
import base64
import json
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from benchmarks.database import owner, quiet
from benchmarks.figures import (
    Bound,
    Figure,
    Pair,
    Reach,
    median_bare,
    median_measured,
    median_ratio,
    spread,
)
from benchmarks.measurements.activation import released
from benchmarks.measurements.measured import Setting, run_client
from benchmarks.world import DIRECTORY, provider_codes
from deploy.local.environment import CURRENCY
from services.payments.providers.gsma import messages
from services.payments.settings import WorkerSettings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.ids import new_id
from shared.money import Money
from shared.personal_data import Cipher
from shared.version import API_PREFIX

NAME = "dispatch"
HOUSEHOLDS = 50_000
"""How many it takes: each pair sends instructions that were not sent before."""

_PAIRS = 9
_INSTRUCTIONS = 3_000
_WARM_UP_INSTRUCTIONS = 1_000
_LONGEST = timedelta(seconds=300)
_LOOK_SECONDS = 0.02
_STILL = timedelta(seconds=1)
_CONCURRENCY = WorkerSettings.model_fields["dispatch_concurrency"].default
_TIMEOUT_SECONDS = WorkerSettings.model_fields["provider_timeout_seconds"].default
_DEBIT_PARTY = WorkerSettings.model_fields["debit_party"].default

_READY = """
    SELECT provider.code, count(*) AS count, avg(amount_minor)::float8 AS mean_minor
    FROM payments.instruction JOIN payments.provider ON provider.number = provider_number
    WHERE instruction.status = 'ready' GROUP BY provider.code
"""
_MONEY = """
    SELECT clock_timestamp() AS at,
        sum(debits_minor - credits_minor) FILTER (WHERE code = 'IN_TRANSIT') AS in_transit,
        sum(debits_minor) FILTER (WHERE code = 'GRANTS_PAID') AS paid
    FROM payments.account
"""
_SENT = """
    SELECT provider.code, household_id, amount_minor, account_sealed, sent_at
    FROM payments.instruction JOIN payments.provider ON provider.number = provider_number
    WHERE instruction.status = 'settled' AND sent_at >= $1
"""


class NotDispatched(Exception):
    """Instructions that should have been sent were not. Says how many."""


def measure(setting: Setting) -> list[Figure]:
    """Let the worker pay instructions until its float is used up, then send the same bodies."""
    world = setting.world
    asyncio.run(_provide_instructions(setting))
    pairs = []
    with (
        world.show.phase("dispatch: with the ledger, and bare", total=_PAIRS + 1) as phase,
        world.only("payments-api", "payments-worker", "sandbox"),
    ):
        asyncio.run(_measure_pair(setting, _WARM_UP_INSTRUCTIONS))
        for done in range(1, _PAIRS + 1):
            phase.reach(done)
            pairs.append(asyncio.run(_measure_pair(setting, _INSTRUCTIONS)))
    return [
        setting.figure(
            NAME,
            path="dispatch, with the ledger",
            limit="the same HTTP client sending the same bodies with no database",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_LEAST, value=0.7),
            measured=f"{median_measured(pairs):,.0f} payments/s",
            bare=f"{median_bare(pairs):,.0f} payments/s",
            details=[
                f"""
                About {_INSTRUCTIONS:,} ready instructions a time, at two providers in one
                sandbox that answers at once and never misbehaves. The worker claims them,
                commits each intent, posts to the ledger, opens the accounts, sends, and
                records the outcomes with their postings; the clock runs from the
                first claim until the last outcome is committed.
                """,
                f"""
                The limit: aiohttp with the worker's settings ({_CONCURRENCY} requests under
                way at each provider) under uvloop in a process of its own, sending the same
                bodies under new ids to the same sandbox, and reading the answers.
                """,
                "Everything but payments, the sandbox and PostgreSQL stands still meanwhile.",
                spread(pairs),
            ],
        )
    ]


async def _provide_instructions(setting: Setting) -> None:
    """Have enough of them ready, in a released round."""
    world = setting.world
    wanted = (_INSTRUCTIONS * _PAIRS + _WARM_UP_INSTRUCTIONS) * 5 // 4
    async with owner(world.stack.database_url) as connection:
        if sum(row["count"] for row in await connection.fetch(_READY)) >= wanted:
            return
        activation_id = world.propose(["KH"])
        world.open(activation_id)
        await released(connection, activation_id)


async def _measure_pair(setting: Setting, instructions: int) -> Pair:
    async with owner(setting.world.stack.database_url) as connection:
        shares = await connection.fetch(_READY)
        together = sum(row["count"] for row in shares)
        floats = {
            row["code"]: round(instructions * row["count"] / together * row["mean_minor"])
            for row in shares
        }
        await quiet(connection)
        since: datetime = await connection.fetchval("SELECT clock_timestamp()")
        before = await connection.fetchrow(_MONEY)
        for provider, amount_minor in floats.items():
            await asyncio.to_thread(setting.world.prefund, provider, amount_minor)
        ended = await _until_paid(connection, before, sum(floats.values()))
        sent = await connection.fetch(_SENT, since)
        seconds = (ended - min(row["sent_at"] for row in sent)).total_seconds()
        if len(sent) < instructions * 0.9:
            raise NotDispatched(f"Only {len(sent):,} of about {instructions:,} were paid.")
        await quiet(connection)
    bare = await asyncio.to_thread(_send_bare, setting, sent)
    return Pair(len(sent) / seconds, len(sent) / bare)


async def _until_paid(
    connection: asyncpg.Connection, before: asyncpg.Record, float_minor: int
) -> datetime:
    """When the last outcome was committed: the float is used up and nothing is in transit.

    What is left is less than the next instruction needs, so the end is known by its stillness.
    """
    last = now = before
    while now["at"] - before["at"] < _LONGEST:
        await asyncio.sleep(_LOOK_SECONDS)
        now = await connection.fetchrow(_MONEY)
        if (now["in_transit"], now["paid"]) != (last["in_transit"], last["paid"]):
            last = now
        elif (
            now["in_transit"] == 0
            and now["paid"] - before["paid"] > float_minor * 0.9
            and now["at"] - last["at"] > _STILL
        ):
            ended: datetime = last["at"]
            return ended
    raise NotDispatched(f"The float was not used up within {_LONGEST}.")


def _send_bare(setting: Setting, sent: list[asyncpg.Record]) -> float:
    """Seconds to send the bodies of these instructions, under new ids."""
    stack = setting.world.stack
    assert stack.sandbox is not None
    accounts = Cipher({1: base64.b64decode(stack.secrets.account_key)}, context=ACCOUNT_CONTEXT)
    providers: list[dict[str, Any]] = []
    for code in provider_codes():
        orders = []
        for row in sent:
            if row["code"] != code:
                continue
            instruction_id = new_id()
            account = accounts.decrypt(row["account_sealed"], bound_to=row["household_id"].bytes)
            body = messages.disbursement(
                instruction_id=instruction_id,
                money=Money(row["amount_minor"], CURRENCY),
                account=account.decode(),
                debit_party=_DEBIT_PARTY,
                description="Emergency cash transfer",
            )
            orders.append([str(instruction_id), body.decode()])
        providers.append(
            {
                "url": f"{stack.sandbox.base_url(code)}/transactions/type/disbursement",
                "api_key": stack.secrets.provider_api_keys[code],
                "callback_url": f"{stack.urls['payments']}{API_PREFIX}/providers/{code}/callbacks",
                "orders": orders,
            }
        )
    path = DIRECTORY / "orders.json"
    path.write_text(
        json.dumps(
            {
                "providers": providers,
                "concurrency": _CONCURRENCY,
                "timeout_seconds": _TIMEOUT_SECONDS,
            }
        )
    )
    done = run_client("disburse", str(path))
    path.unlink()
    if done["statuses"] != {"201": len(sent)}:
        raise NotDispatched(f"The sandbox answered {done['statuses']}.")
    seconds: float = done["seconds"]
    return seconds
