"""Trying a trigger on twenty years of monthly prices of 76 markets."""

import math
import random
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta

from benchmarks.figures import Bound, Figure, Reach
from benchmarks.measurements.measured import Setting
from services.triggers.backtests.document import RealEvent, Window
from services.triggers.backtests.places import Place, Places
from services.triggers.backtests.trial import Trial
from services.triggers.backtests.trying import backtest
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.methods import figures
from services.triggers.methods.calendar import Calendar, Frequency

NAME = "backtests"
_RUNS = 5
_FIRST_YEAR, _YEARS, _MARKETS = 2005, 20, 76
_PROVINCES = 25
_OUT_AFTER_DAYS = 15


def measure(setting: Setting) -> list[Figure]:
    """The same trial several times, in this process, on a history that was made up."""
    document = TriggerDocument.model_validate(shipped_document("rice-price-spike"))
    (indicator,) = document.indicators
    trial = Trial(
        document=document,
        first_on=date(_FIRST_YEAR, 1, 1),
        last_on=date(_FIRST_YEAR + _YEARS, 12, 31),
        events=[
            RealEvent(
                name=str(year),
                first_on=date(year, 6, 1),
                last_on=date(year, 9, 30),
                areas=["KH"],
            )
            for year in range(_FIRST_YEAR, _FIRST_YEAR + _YEARS, 4)
        ],
        window=Window(),
    )
    history = figures.Figures.of(_prices())
    known = {
        indicator: Known(
            calendar=Calendar(frequency=Frequency.MONTH, waits_days=10), figures=history
        )
    }
    places = Places(by_area={"KH": Place(households=1, amount_minor=1)}, currency="KHR")
    took = []
    with setting.world.show.phase("backtests: twenty years", total=_RUNS) as phase:
        for done in range(1, _RUNS + 1):
            began = time.perf_counter()
            report = backtest(trial, known, places)
            took.append((time.perf_counter() - began) * 1_000)
            phase.reach(done)
    return [
        setting.figure(
            NAME,
            path="backtest of twenty years of monthly prices in 76 markets",
            limit="absolute",
            value=statistics.median(took),
            unit="ms",
            reach=Reach(bound=Bound.AT_MOST, value=2_000),
            measured=f"{len(history):,} figures, {report.legs[0].periods} months",
            bare="",
            details=[
                f"""
                Each month is told on the day on which it came out, by what was out then; the runs
                took {", ".join(f"{run:,.0f} ms" for run in took)}.
                """
            ],
        )
    ]


def _prices() -> Iterator[figures.Figure]:
    """A trend, a season and noise; every fourth year a spike. All of a month comes out at once."""
    chance = random.Random(1)
    for count in range(_YEARS * 12):
        month = date(_FIRST_YEAR + count // 12, count % 12 + 1, 1)
        out_on = month + timedelta(days=31 + _OUT_AFTER_DAYS)
        spike = 0.2 if count % 48 in range(5, 9) else 0.0
        level = 0.4 + 0.0005 * count + 0.02 * math.sin(count * math.tau / 12) + spike
        for market in range(_MARKETS):
            yield figures.Figure(
                area=f"{market % _PROVINCES + 1:02}",
                place=f"market {market}",
                source="WFP",
                observed_on=month,
                published_on=out_on,
                value=level + chance.gauss(0, 0.01),
            )
