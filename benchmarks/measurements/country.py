"""The country, end to end: from an observation to the last household's payment."""

import asyncio
from dataclasses import dataclass
from typing import Any

from benchmarks.database import owner
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
from benchmarks.measurements.bare_payment import BarePayment, pay_bare
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.paid import PaidRun, pay
from benchmarks.world import SCHEME
from deploy.local.environment import CURRENCY
from shared.auth.roles import Role
from shared.clock import SystemClock

NAMES = ("country", "country-seconds")
_PAIRS = 3
_INDICATOR: dict[str, Any] = {
    "name": "Households reported by provinces",
    "unit": "households",
    "kind": "households_affected",
    "area_level": "province",
}
_PROVINCES = [f"{province:02}" for province in range(1, 26)]
_HOUSEHOLDS_A_PROVINCE = 20_000
_MOST_HOUSEHOLDS = 10_000_000
_MOST_MINOR = 10**13
_LONGEST_SECONDS = 120


@dataclass(frozen=True)
class _Measured:
    run: PaidRun
    bare: BarePayment


def measure(setting: Setting) -> list[Figure]:
    """Let reports of all provinces come in, and wait until the country is paid."""
    measured = []
    with setting.world.show.phase("country: paid, and by bare SQL", total=_PAIRS) as phase:
        for done in range(1, _PAIRS + 1):
            measured.append(asyncio.run(_measure(setting, done)))
            phase.reach(done)
    pairs = [Pair(each.run.together, each.bare.together) for each in measured]
    last = measured[-1]
    details = [
        f"""
        {setting.households:,} households are registered. A publisher posts reports of
        {len(_PROVINCES)} provinces; the trigger judges them and opens its activation by itself,
        within its ceiling; households are enrolled and entitled, chunks announced and fetched,
        instructions raised, the round released, batches sent and approved, their results read, and
        chunks closed. The clock runs from the POST to the last chunk's end. The provider is one
        lean process on the same cores, and by its own memory paid each once.
        """,
        f"""
        Of the last run: {last.run.activation:.1f} s to the release, {last.run.dispatch:.1f} s from
        the first claim to the last approval, {last.run.settlement:.1f} s more to the last result;
        barely {last.bare.activation:.1f} s, {last.bare.dispatch:.1f} s and
        {last.bare.settlement:.1f} s. Processor time of all processes but the provider's:
        {last.run.worked:.1f} s.
        """,
        spread(pairs),
    ]
    seconds = median_measured(pairs)
    paid = last.run.payments
    return [
        setting.figure(
            NAMES[0],
            path=f"the country, end to end: observation → {paid:,} settled",
            limit="the sum of the bare limits: instructions, claims and settlements by bare SQL",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_MOST, value=1.5),
            measured=f"{seconds:.1f} s",
            bare=f"{median_bare(pairs):.1f} s",
            details=details,
        ),
        setting.figure(
            NAMES[1],
            path="the same in seconds",
            limit="absolute",
            value=seconds,
            unit="s",
            reach=Reach(bound=Bound.AT_MOST, value=_LONGEST_SECONDS),
            measured=f"{paid / seconds:,.0f} payments/s",
            bare="",
            details=[],
        ),
    ]


async def _measure(setting: Setting, number: int) -> _Measured:
    world = setting.world
    code = f"benchmark-country-{number}"
    await asyncio.to_thread(_provide, setting, code)
    publisher = world.api("triggers", Role.PUBLISHER)
    async with owner(world.stack.database_url) as connection:
        run = await pay(
            setting, connection, lambda: publisher.post("/observations", _reports(code))
        )
        with world.only():
            bare = await pay_bare(connection, run.activation_id, before=run.before)
    return _Measured(run, bare)


def _provide(setting: Setting, code: str) -> None:
    triggers = setting.world.api("triggers")
    triggers.post("/indicators", {"code": code, **_INDICATOR})
    triggers.post("/triggers", _trigger(code))


def _reports(code: str) -> dict[str, Any]:
    today = SystemClock().today().isoformat()
    return {
        "indicator": code,
        "unit": _INDICATOR["unit"],
        "observations": [
            {
                "area": province,
                "source": "NCDM",
                "observed_on": today,
                "published_on": today,
                "value": _HOUSEHOLDS_A_PROVINCE,
            }
            for province in _PROVINCES
        ],
    }


def _trigger(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": "The country",
        "scheme": SCHEME,
        "shock": "flood",
        "areas": ["KH"],
        "area_filter": None,
        "enabled": True,
        "judge_within_days": 30,
        "legs": [
            {
                "indicator": code,
                "method": {
                    "kind": "reported-impact",
                    "readiness": {"national_threshold_households": 10_000},
                    "activation": {
                        "national_threshold_households": 20_000,
                        "area_threshold_households": 1_000,
                    },
                    "unquantified": "include",
                    "rearm": {"days_without_reports": 30},
                },
            }
        ],
        "join": "any",
        "stages": {
            "activation": {
                "approval": "automatic",
                "ceiling": {
                    "households": _MOST_HOUSEHOLDS,
                    "amount_minor": _MOST_MINOR,
                    "currency": CURRENCY,
                },
            }
        },
    }
