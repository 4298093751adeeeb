"""Estimating a scheme for the whole country against the bare aggregate in SQL."""

import asyncio
import time
from collections.abc import Callable, Mapping
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
from benchmarks.measurements.measured import Setting
from benchmarks.members import ABOUT_MEMBERS, DAY
from benchmarks.world import SCHEME
from demo.api import Api
from services.registry.schemes.shipped import shipped_document

NAME = "estimates"
_PAIRS = 7

# The flood scheme by hand: households, persons and money by province, and whose account is missing,
# by the members that there are on the day.
_BARE = """
    SELECT left(household.area_code, 2) AS province, count(*) AS households,
           sum(counted.members) AS persons,
           sum(80000 + 16000 * (counted.members + counted.children + counted.disabled
                                + counted.elderly)) AS minor,
           count(*) FILTER (WHERE account.id IS NULL) AS without_account
    FROM registry.household
    JOIN (
        SELECT household_id, count(*) AS members,
               count(*) FILTER (WHERE birth_date > $1::date - interval '6 years') AS children,
               count(*) FILTER (WHERE disability) AS disabled,
               count(*) FILTER (WHERE birth_date <= $1::date - interval '60 years') AS elderly,
               {more}
        FROM registry.member
        WHERE (joined_on IS NULL OR joined_on <= $1) AND (left_on IS NULL OR left_on > $1)
        GROUP BY household_id
    ) AS counted ON counted.household_id = household.id
    LEFT JOIN registry.payee_account AS account
        ON account.household_id = household.id AND account.ended_at IS NULL
    WHERE poverty_status IN ('poor-1', 'poor-2') AND archived_at IS NULL AND {rule}
    GROUP BY 1 ORDER BY 1
"""
_BY_COUNTS = _BARE.format(more="true AS fits", rule="fits")
_BY_MEMBERS = _BARE.format(
    more="""bool_or(birth_date > $1::date - interval '18 years' AND sex = 'female'
                       AND schooling = 'lower-secondary') AS fits""",
    rule="fits",
)


def measure(setting: Setting) -> list[Figure]:
    """Both, in turn; the first of each is not counted. So for a rule about members too."""
    with setting.world.show.phase("estimates: over HTTP, and in bare SQL", total=2) as phase:
        posted, households = asyncio.run(_pairs(setting, _estimate_posted, _BY_COUNTS))
        phase.reach(1)
        asked, fitting = asyncio.run(_pairs(setting, _estimate_document, _BY_MEMBERS))
        phase.reach(2)
    return [
        setting.figure(
            NAME,
            path="estimate of a scheme, whole country",
            limit="bare aggregate in SQL",
            value=median_ratio(posted),
            unit="×",
            reach=Reach(bound=Bound.AT_MOST, value=1.5),
            measured=f"{median_measured(posted):.2f} s",
            bare=f"{median_bare(posted):.2f} s",
            details=[
                f"""
                `POST /v1/schemes/{SCHEME}/estimate` over {households:,} eligible households, whose
                members are rows and are counted on the day: by
                area, round and provider, with missing accounts, the fund's cover and the
                providers' floats, which payments is asked for first; the clock runs from the
                request to its answer. It should take 2 s at most.
                """,
                """
                The limit: one SELECT with the scheme's rule and amounts written by hand, with the
                same counts of members and the same join of accounts, over one connection.
                """,
                f"""
                With a rule that asks about members ({fitting:,} households have a girl in lower
                secondary school): {median_measured(asked):.2f} s, where the bare SELECT takes
                {median_bare(asked):.2f} s, {median_ratio(asked):.2f} ×.
                """,
                spread(posted),
                f"with the rule about members, {spread(asked)}",
            ],
        )
    ]


def _estimate_posted(registry: Api) -> Mapping[str, Any]:
    found: Mapping[str, Any] = registry.post(
        f"/schemes/{SCHEME}/estimate", {"areas": ["KH"], "opened_on": DAY.isoformat()}
    )
    return found


def _estimate_document(registry: Api) -> Mapping[str, Any]:
    document = {**shipped_document(SCHEME), "eligibility": ABOUT_MEMBERS}
    found: Mapping[str, Any] = registry.post(
        "/schemes/estimate",
        {"document": document, "areas": ["KH"], "opened_on": DAY.isoformat()},
    )
    return found


async def _pairs(
    setting: Setting, estimate: Callable[[Api], Mapping[str, Any]], bare: str
) -> tuple[list[Pair], int]:
    registry = setting.world.api("registry")
    pairs = []
    households = 0
    async with owner(setting.world.stack.database_url) as connection:
        await quiet(connection, "registry.household", "registry.payee_account", "registry.member")
        for done in range(_PAIRS + 1):
            began = time.perf_counter()
            found = await asyncio.to_thread(estimate, registry)
            measured = time.perf_counter() - began
            began = time.perf_counter()
            rows: list[asyncpg.Record] = await connection.fetch(bare, DAY)
            took = time.perf_counter() - began
            households = found["households"]
            assert households == sum(row["households"] for row in rows)
            assert found["persons"] == sum(row["persons"] for row in rows)
            assert found["rounds"][0]["amount_minor"] == sum(row["minor"] for row in rows)
            if done:
                pairs.append(Pair(measured, took))
    return pairs, households
