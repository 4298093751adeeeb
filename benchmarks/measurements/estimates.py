"""Estimating a scheme for the whole country against the bare aggregate in SQL."""

import asyncio
import time
from collections.abc import Callable

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
from benchmarks.measurements.measured import Setting
from benchmarks.world import SCHEME
from services.registry.households.shape import CHILDREN, DISABLED, ELDERLY, MEMBERS

NAME = "estimates"
_PAIRS = 7

_PAID_FOR = " + ".join(field.name for field in (MEMBERS, CHILDREN, DISABLED, ELDERLY))

# The flood scheme by hand: households, persons and money by province, and whose account is missing.
_BARE = f"""
    SELECT left(household.area_code, 2) AS province, count(*) AS households,
           sum(members) AS persons,
           sum(80000 + 16000 * ({_PAID_FOR})::bigint) AS minor,
           count(*) FILTER (WHERE account.id IS NULL) AS without_account
    FROM registry.household
    LEFT JOIN registry.payee_account AS account
        ON account.household_id = household.id AND account.ended_at IS NULL
    WHERE poverty_status IN ('poor-1', 'poor-2')
    GROUP BY 1 ORDER BY 1
"""


def measure(setting: Setting) -> list[Figure]:
    """Both, in turn; the first of each is not counted."""
    with setting.world.show.phase("estimates: over HTTP, and in bare SQL", total=_PAIRS) as phase:
        pairs, households = asyncio.run(_pairs(setting, phase.reach))
    return [
        setting.figure(
            NAME,
            path="estimate of a scheme, whole country",
            limit="bare aggregate in SQL",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_MOST, value=1.5),
            measured=f"{median_measured(pairs):.2f} s",
            bare=f"{median_bare(pairs):.2f} s",
            details=[
                f"""
                `POST /v1/schemes/{SCHEME}/estimate` over {households:,} eligible households: by
                area, round and provider, with missing accounts, the fund's cover and the
                providers' floats, which payments is asked for first; the clock runs from the
                request to its answer. It should take 2 s at most.
                """,
                """
                The limit: one SELECT with the scheme's rule and amounts written by hand, with the
                same join of accounts, over one connection.
                """,
                spread(pairs),
            ],
        )
    ]


async def _pairs(setting: Setting, reach: Callable[[int], None]) -> tuple[list[Pair], int]:
    registry = setting.world.api("registry")
    pairs = []
    households = 0
    async with owner(setting.world.stack.database_url) as connection:
        await quiet(connection, "registry.household", "registry.payee_account")
        await connection.execute("SET jit = off")
        for done in range(_PAIRS + 1):
            began = time.perf_counter()
            found = await asyncio.to_thread(
                registry.post, f"/schemes/{SCHEME}/estimate", {"areas": ["KH"]}
            )
            measured = time.perf_counter() - began
            began = time.perf_counter()
            rows = await connection.fetch(_BARE)
            bare = time.perf_counter() - began
            households = found["households"]
            assert households == sum(row["households"] for row in rows)
            assert found["rounds"][0]["amount_minor"] == sum(row["minor"] for row in rows)
            if done:
                pairs.append(Pair(measured, bare))
                reach(done)
    return pairs, households
