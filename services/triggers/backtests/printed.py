"""A report as text: tables in Markdown, to be read in a terminal or kept in a document."""

from collections.abc import Iterable, Sequence

from services.triggers.backtests.report import Report
from services.triggers.backtests.wording import FATES, MET, amount, count, days, recurrence
from services.triggers.backtests.wording import share as share_of
from services.triggers.backtests.wording import years as years_of
from shared.wording.phrase import Phrase


def printed(report: Report) -> str:
    """The remarks, the scores, the events, the activations, how often, and the curve."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterable[str]:
    scores, money = report.scores, report.money
    yield f"{report.name} (`{report.code}`), decided from {report.first_on} to {report.last_on}."
    yield ""
    for remark in report.remarks:
        yield f"- {remark}"
    yield ""
    yield from _table(
        ["events hit", "missed", "activations", "false alarms", "POD", "FAR", "CSI", "median lead"],
        [
            [
                str(scores.hits),
                str(scores.misses),
                str(scores.activations),
                str(scores.false_alarms),
                share_of(scores.probability_of_detection),
                share_of(scores.false_alarm_ratio),
                share_of(scores.critical_success_index),
                days(scores.median_lead_days),
            ]
        ],
    )
    if scores.brier:
        yield (
            f"Brier score {scores.brier.value:.3f} (n = {scores.brier.n}); saying "
            f"{scores.brier.base_rate:.2f} each time comes to {scores.brier.of_base_rate:.3f}."
        )
        yield ""
    yield from _table(
        ["households", "cost", "of it to places not hit", "households missed"],
        [
            [
                count(money.households),
                amount(money.amount_minor, money.currency),
                amount(money.amount_not_hit_minor, money.currency),
                count(money.households_missed),
            ]
        ],
    )
    yield from _table(
        ["event", "from", "to", "what became of it", "lead", "readiness", "households missed"],
        [
            [
                each.event.name,
                str(each.event.first_on),
                str(each.event.last_on),
                FATES[each.fate],
                days(each.lead_days),
                days(each.ready_lead_days),
                count(each.households_missed),
            ]
            for each in report.events
        ],
    )
    yield from _table(
        ["decided on", "what it was", "evidence", "areas", "households", "cost", "because"],
        [
            [
                str(each.decided_on),
                MET[each.met],
                f"{each.evidence_from} to {each.evidence_to}",
                str(len(each.areas)) if len(each.areas) > 1 else each.areas[0],
                count(each.households),
                amount(each.amount_minor, money.currency),
                each.finding.replace("|", "\\|"),
            ]
            for each in report.activations
        ],
    )
    yield from _table(
        ["what was reached", "years (k)", "of years judged (n)", "once in"],
        [
            [recurrence(each), str(each.reached), str(each.years), years_of(each)]
            for each in report.recurrences
        ],
    )
    if report.curve:
        yield f"By `{report.pointer}`:"
        yield ""
        yield from _table(
            ["threshold", "activations", "POD", "FAR", "cost"],
            [
                [
                    f"{point.value:g}",
                    str(point.scores.activations),
                    share_of(point.scores.probability_of_detection),
                    share_of(point.scores.false_alarm_ratio),
                    amount(point.money.amount_minor if point.money else None, money.currency),
                ]
                if point.scores
                else [f"{point.value:g}", point.refused or "", "", "", ""]
                for point in report.curve
            ],
        )


def _table(head: Sequence[str], rows: Sequence[Sequence[str | Phrase]]) -> Iterable[str]:
    if rows:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = [cell.en if isinstance(cell, Phrase) else cell for cell in row]
        yield f"| {' | '.join(cells)} |"
    if rows:
        yield ""
