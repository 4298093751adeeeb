"""A backtest on a page, in both languages, alone or beside another, to be kept or printed.

The page holds its pictures and asks for nothing else, so it can be saved and sent. No script runs
in it, and whatever somebody wrote is escaped.
"""

import base64
from collections.abc import Sequence
from html import escape

from services.triggers.backtests.charts import curve, timeline
from services.triggers.backtests.report import Recurrence, Report
from services.triggers.backtests.wording import (
    FATES,
    MET,
    amount,
    count,
    days,
    recurrence,
    share,
    years,
)
from services.triggers.drawing.canvas import as_bytes
from services.triggers.drawing.pictures import Form
from shared.pages import document, words
from shared.wording import numbers
from shared.wording.phrase import Language, Phrase

_ROWS_SHOWN = 200


def page(reports: Sequence[Report]) -> str:
    """One report, or two of them side by side in one table of scores.

    It draws, for which no two threads may be: a service has it made in its studio.
    """
    title = " · ".join(dict.fromkeys(report.name for report in reports))
    return document(
        Phrase.same(title),
        f"{_both('h2', Phrase('How well it did', 'លទ្ធផល'))}{_scores(reports)}"
        f"{''.join(_report(report, several=len(reports) > 1) for report in reports)}",
    )


def pictures(report: Report) -> dict[str, bytes]:
    """Each picture of a report as PNG, by its name."""
    drawn = {
        f"timeline-{language}": as_bytes(timeline(report, language), Form.PNG)
        for language in Language
    }
    if any(point.scores for point in report.curve):
        drawn |= {
            f"curve-{language}": as_bytes(
                curve(report.curve, currency=report.money.currency, language=language), Form.PNG
            )
            for language in Language
        }
    return drawn


def _report(report: Report, *, several: bool) -> str:
    drawn = pictures(report)
    heading = f"{report.code}, {_version(report)}" if several else ""
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in report.remarks)
    curves = (
        f"{_both('h2', Phrase('A curve of thresholds', 'ខ្សែកោងនៃកម្រិត'))}"
        f"<p><code>{escape(report.pointer or '')}</code></p>"
        f"{''.join(_picture(drawn.get(f'curve-{each}')) for each in Language)}{_curve(report)}"
        if report.curve
        else ""
    )
    return (
        f"{f'<h1>{escape(heading)}</h1>' if heading else ''}"
        f"{_both('h2', Phrase('What to know first', 'អ្វីដែលត្រូវដឹងជាមុន'))}<ul>{remarks}</ul>"
        f"{_both('h2', Phrase('Over time', 'តាមពេលវេលា'))}"
        f"{''.join(_picture(drawn[f'timeline-{each}']) for each in Language)}"
        f"{_both('h2', Phrase('Events', 'ព្រឹត្តិការណ៍'))}{_events(report)}"
        f"{_both('h2', Phrase('Activations', 'ការបើកដំណើរការ'))}{_activations(report)}"
        f"{_both('h2', Phrase('How often', 'ញឹកញាប់ប៉ុនណា'))}{_recurrences(report)}"
        f"{curves}"
    )


def _scores(reports: Sequence[Report]) -> str:
    rows: list[tuple[Phrase, list[Phrase]]] = [
        (
            Phrase("span", "រយៈពេល"),
            [numbers.span(report.first_on, report.last_on) for report in reports],
        ),
        (
            Phrase("events: hit, missed", "ព្រឹត្តិការណ៍៖ រកឃើញ ខកខាន"),
            [
                Phrase(
                    f"{report.scores.hits}, {report.scores.misses}",
                    numbers.khmer_digits(f"{report.scores.hits}, {report.scores.misses}"),
                )
                for report in reports
            ],
        ),
        (
            Phrase("activations", "ការបើកដំណើរការ"),
            [count(report.scores.activations) for report in reports],
        ),
        (
            Phrase("false alarms", "ការជូនដំណឹងខុស"),
            [count(report.scores.false_alarms) for report in reports],
        ),
        (
            Phrase("POD, the share of events that were hit", "POD ភាគនៃព្រឹត្តិការណ៍ដែលរកឃើញ"),
            [share(report.scores.probability_of_detection) for report in reports],
        ),
        (
            Phrase("FAR, the share of activations for nothing", "FAR ភាគនៃការជូនដំណឹងខុស"),
            [share(report.scores.false_alarm_ratio) for report in reports],
        ),
        (
            Phrase("CSI, hits of all that was, or seemed, one", "CSI សន្ទស្សន៍ជោគជ័យ"),
            [share(report.scores.critical_success_index) for report in reports],
        ),
        (
            Phrase("median lead", "ពេលដឹងមុន (មធ្យម)"),
            [days(report.scores.median_lead_days) for report in reports],
        ),
        (
            Phrase("activates once in", "បើកដំណើរការម្ដងក្នុង"),
            [years(_activating(report)) for report in reports],
        ),
        (
            Phrase("households enrolled", "គ្រួសារដែលចុះឈ្មោះ"),
            [count(report.money.households) for report in reports],
        ),
        (
            Phrase("cost", "ការចំណាយ"),
            [amount(report.money.amount_minor, report.money.currency) for report in reports],
        ),
        (
            Phrase("of it, to places that were not hit", "ក្នុងនោះ ទៅកន្លែងដែលមិនរងគ្រោះ"),
            [
                amount(report.money.amount_not_hit_minor, report.money.currency)
                for report in reports
            ],
        ),
        (
            Phrase("households missed", "គ្រួសារដែលខកខាន"),
            [count(report.money.households_missed) for report in reports],
        ),
    ]
    if any(report.scores.brier for report in reports):
        rows.append(
            (
                Phrase("Brier score", "ពិន្ទុ Brier"),
                [
                    Phrase.same(
                        f"{report.scores.brier.value:.3f} ({report.scores.brier.n})"
                        if report.scores.brier
                        else "–"
                    )
                    for report in reports
                ],
            )
        )
    head = "".join(
        f"<th>{escape(report.code)}<br>{escape(_version(report))}</th>" for report in reports
    )
    body = "".join(
        f"<tr><th>{words(name)}</th>{''.join(map(_figure, values))}</tr>" for name, values in rows
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def _events(report: Report) -> str:
    rows = [
        [
            escape(event.event.name),
            words(numbers.span(event.event.first_on, event.event.last_on)),
            words(FATES[event.fate]),
            words(days(event.lead_days)),
            words(days(event.ready_lead_days)),
            words(count(event.households_missed)),
            escape(event.event.source or ""),
        ]
        for event in report.events
    ]
    return _table(
        [
            Phrase("event", "ព្រឹត្តិការណ៍"),
            Phrase("days", "ថ្ងៃ"),
            Phrase("what became of it", "លទ្ធផល"),
            Phrase("lead", "ដឹងមុន"),
            Phrase("lead of readiness", "ត្រៀមខ្លួនមុន"),
            Phrase("households missed", "គ្រួសារដែលខកខាន"),
            Phrase("source", "ប្រភព"),
        ],
        rows,
    )


def _activations(report: Report) -> str:
    currency = report.money.currency
    rows = [
        [
            words(numbers.day(activation.decided_on)),
            words(MET[activation.met]),
            escape(", ".join(activation.events)),
            words(days(activation.lead_days)),
            escape(", ".join(activation.areas[:30])),
            words(count(activation.households)),
            words(amount(activation.amount_minor, currency)),
            words(amount(activation.amount_not_hit_minor, currency)),
            escape(activation.finding)
            + (
                f"<br>{words(_withdrawn(numbers.day(activation.withdrawn_on)))}"
                if activation.withdrawn_on
                else ""
            ),
        ]
        for activation in report.activations
    ]
    return _table(
        [
            Phrase("decided on", "សម្រេចនៅ"),
            Phrase("what it was", "ប្រភេទ"),
            Phrase("of", "នៃ"),
            Phrase("lead", "ដឹងមុន"),
            Phrase("areas", "តំបន់"),
            Phrase("households", "គ្រួសារ"),
            Phrase("cost", "ការចំណាយ"),
            Phrase("to places not hit", "ទៅកន្លែងមិនរងគ្រោះ"),
            Phrase("because", "មូលហេតុ"),
        ],
        rows,
    )


def _withdrawn(day: Phrase) -> Phrase:
    return Phrase(f"Figures of {day.en} said otherwise.", f"តួលេខនៅ{day.km} បានបង្ហាញផ្សេង។")


def _recurrences(report: Report) -> str:
    return _table(
        [
            Phrase("what was reached", "អ្វីដែលបានដល់"),
            Phrase("years reached (k)", "ឆ្នាំដែលដល់ (k)"),
            Phrase("years judged (n)", "ឆ្នាំដែលវាយតម្លៃ (n)"),
            Phrase("once in, (n + 1)/k", "ម្ដងក្នុង (n + 1)/k"),
        ],
        [
            [
                words(recurrence(each)),
                words(count(each.reached)),
                words(count(each.years)),
                words(years(each)),
            ]
            for each in report.recurrences
        ],
    )


def _curve(report: Report) -> str:
    rows = []
    for point in report.curve:
        value = words(numbers.number(point.value))
        if point.scores is None:
            rows.append([value, escape(point.refused or ""), "", "", "", ""])
            continue
        money = point.money
        rows.append(
            [
                value,
                words(count(point.scores.activations)),
                words(share(point.scores.probability_of_detection)),
                words(share(point.scores.false_alarm_ratio)),
                words(amount(money.amount_minor if money else None, report.money.currency)),
                words(amount(money.amount_not_hit_minor if money else None, report.money.currency)),
            ]
        )
    return _table(
        [
            Phrase("threshold", "កម្រិត"),
            Phrase("activations", "ការបើកដំណើរការ"),
            Phrase("POD", "POD"),
            Phrase("FAR", "FAR"),
            Phrase("cost", "ការចំណាយ"),
            Phrase("to places not hit", "ទៅកន្លែងមិនរងគ្រោះ"),
        ],
        rows,
    )


def _table(head: Sequence[Phrase], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return f"<p>{words(Phrase('None.', 'គ្មាន។'))}</p>"
    cells = "".join(f"<th>{words(phrase)}</th>" for phrase in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[:_ROWS_SHOWN]
    )
    more = len(rows) - _ROWS_SHOWN
    left = f"<p>{more} more are in the report.</p>" if more > 0 else ""
    return f"<table><tr>{cells}</tr>{body}</table>{left}"


def _figure(value: Phrase) -> str:
    return f'<td class="figure">{words(value)}</td>'


def _picture(content: bytes | None) -> str:
    if content is None:
        return ""
    data = base64.b64encode(content).decode()
    return f'<figure><img alt="" src="data:image/png;base64,{data}"></figure>'


def _both(tag: str, phrase: Phrase) -> str:
    return f"<{tag}>{words(phrase, between=' · ')}</{tag}>"


def _version(report: Report) -> str:
    return "not posted" if report.version is None else f"version {report.version}"


def _activating(report: Report) -> Recurrence:
    return next(each for each in report.recurrences if each.activates)
