"""Cases that others met: a weak precursor before a crisis, and a flood that never came."""

import csv
from datetime import date, timedelta
from pathlib import Path

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import History
from services.triggers.evaluations.history import tell
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.price_spike.series import month_after
from services.triggers.methods.severity import Severity
from tests.triggers.data import rice_by_month

FOLDER = Path(__file__).parents[2] / "docs" / "backtests"
MONTHLY = Calendar(frequency=Frequency.MONTH, waits_days=10)


def told(document: TriggerDocument, figures: list[Figure], *, on: date) -> History:
    known = Known(calendar=MONTHLY, figures=Figures.of(figures))
    return tell(document, {document.legs[0].indicator: known}, on=on)


def rice(*, on: date) -> History:
    """What the shipped trigger says of WFP's prices by a day."""
    figures = [
        Figure(
            row["area"],
            row["place"],
            row["source"],
            date.fromisoformat(row["observed_on"]),
            date.fromisoformat(row["published_on"]),
            row["value"],
        )
        for _, rows in rice_by_month()
        for row in rows
    ]
    document = TriggerDocument.model_validate(shipped_document("rice-price-spike"))
    return told(document, figures, on=on)


def consumer_prices(*, on: date) -> History:
    """The same of the consumer prices, each out when its month has ended."""
    with (FOLDER / "consumer-price-index.csv").open() as file:
        figures = [
            Figure("KH", None, "NIS", month, month_after(month, months=1), float(row["value"]))
            for row in csv.DictReader(file)
            for month in [date.fromisoformat(f"{row['observed_on']}-01")]
        ]
    document = TriggerDocument.model_validate(shipped_document("consumer-prices"))
    return told(document, figures, on=on)


def test_the_rice_of_2023_grew_worse_and_its_precursor_did_not_use_up_the_crisis() -> None:
    (precursor,) = rice(on=date(2023, 3, 1)).episodes
    assert (precursor.first_on, precursor.severity) == (date(2023, 1, 1), Severity.SEVERE)
    # Its event went on, and what is said of it grew: June was the worst of it.
    (grown,) = rice(on=date(2023, 8, 1)).episodes
    assert (grown.first_on, grown.decided_on) == (precursor.first_on, precursor.decided_on)
    assert grown.severity is Severity.EXTREME
    # July was ready alone; the export ban's price is another event, decided as soon as it is out.
    _, crisis = rice(on=date(2023, 10, 1)).episodes
    assert (crisis.first_on, crisis.decided_on) == (date(2023, 8, 1), date(2023, 9, 10))
    assert crisis.because is not None
    assert crisis.because.startswith("7 months have passed")


def test_consumer_prices_that_came_back_in_2010_did_not_use_up_the_rise_of_2011() -> None:
    episodes = consumer_prices(on=date(2012, 2, 1)).episodes
    assert [(each.first_on.isoformat()[:7], each.severity) for each in episodes] == [
        ("2008-03", Severity.EXTREME),
        ("2010-01", Severity.MODERATE),
        ("2011-06", Severity.MODERATE),
    ]


PEAK = date(2021, 10, 20)


def issue(share: float, *, lead: int) -> list[Figure]:
    """A forecast of the peak, so many days before it, of ten members."""
    issued_on = PEAK - timedelta(days=lead)
    return [
        Figure("10", "Kratie", "GloFAS", PEAK, issued_on, 110.0 if at < share * 10 else 60.0, at)
        for at in range(10)
    ]


def forecast(*issues: list[Figure], on: date) -> History:
    document = TriggerDocument.model_validate(
        {
            **shipped_document("mekong-stage"),
            "legs": [
                {
                    "indicator": "forecast",
                    "method": {
                        "kind": "ensemble-share",
                        "levels": {"Kratie": {"level": 100}},
                        "readiness": {"share": 0.5, "lead_days_from": 6, "lead_days_to": 10},
                        "activation": {"share": 0.7, "lead_days_from": 1, "lead_days_to": 5},
                        "rearm": {"quiet_days": 5, "after_days": 60, "below_share": 0.2},
                    },
                }
            ],
        }
    )
    figures = Figures.of((figure for each in issues for figure in each), forecast=True)
    known = Known(calendar=Calendar(frequency=Frequency.DAY), figures=figures)
    return tell(document, {"forecast": known}, on=on)


def test_what_was_readied_on_a_forecast_stands_down_when_the_forecast_does() -> None:
    """As in Nepal in 2021, where the forecast of a flood readied a programme and then fell off."""
    rising = [issue(0.6, lead=8), issue(0.8, lead=7)]
    ready = forecast(*rising, on=PEAK - timedelta(days=6))
    assert [(each.decided_on, each.ended_on) for each in ready.readiness] == [
        (PEAK - timedelta(days=8), None)
    ]
    fell_off = forecast(*rising, issue(0.3, lead=6), issue(0.2, lead=5), on=PEAK)
    assert [(each.decided_on, each.ended_on) for each in fell_off.readiness] == [
        (PEAK - timedelta(days=8), PEAK - timedelta(days=6))
    ]
    assert fell_off.episodes == ()
    # Had it not fallen off, it would have been paid for five days before the peak.
    held = forecast(*rising, issue(0.8, lead=6), issue(0.8, lead=5), on=PEAK)
    (episode,) = held.episodes
    assert episode.decided_on == PEAK - timedelta(days=5)
