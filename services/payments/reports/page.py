"""A report on a page, to be printed, signed and filed. Whatever somebody wrote is escaped."""

from collections.abc import Set
from datetime import datetime
from html import escape

from services.payments.amounts import readable
from services.payments.reports.schemas import ReconciliationOut
from shared.clock import COUNTRY_ZONE
from shared.pages import document
from shared.wording.phrase import Phrase


def page(report: ReconciliationOut) -> str:
    """The page of a report."""
    title = Phrase.same(f"Reconciliation: {report.provider}, {report.day}")
    return document(
        title,
        f'<p class="verdict">{escape(report.verdict)}</p>'
        f"{_statement(report)}{_totals(report)}{_balances(report)}{_open(report)}"
        f"{_differences(report)}{_resolved(report)}{_set_aside(report)}{_SIGNATURES}",
    )


_SIGNATURES = (
    '<table class="signatures"><tr><td>Prepared by, date</td><td>Checked by, date</td></tr></table>'
)


def _statement(report: ReconciliationOut) -> str:
    statement = report.statement
    if statement is None:
        return ""
    rows = [
        ["Statement", str(statement.id)],
        ["Sent", f"{_instant(statement.uploaded_at)} by {statement.uploaded_by}"],
        ["SHA-256 of the file", statement.content_sha256],
    ]
    rows += [
        [
            "Took the place of",
            f"{earlier.id}, sent {_instant(earlier.uploaded_at)} by {earlier.uploaded_by}",
        ]
        for earlier in report.superseded
    ]
    return _table([], rows)


def _totals(report: ReconciliationOut) -> str:
    rows = [["Paid by our books", f"{report.paid_count:,}", _money(report, report.paid_minor)]]
    if statement := report.statement:
        rows += [
            [
                "Out on the statement",
                f"{statement.out_count:,}",
                _money(report, statement.out_minor),
            ],
            ["In on the statement", f"{statement.in_count:,}", _money(report, statement.in_minor)],
            ["Lines that agree", f"{report.agreeing_count:,}", ""],
            ["Lines set aside", f"{statement.set_aside_count:,}", ""],
            ["Differences that ended by themselves", f"{report.explained_count:,}", ""],
            ["Differences that two persons ended", f"{report.resolved_count:,}", ""],
        ]
    return "<h2>Both sides</h2>" + _table(["", "count", "amount"], rows, figures={1, 2})


def _balances(report: ReconciliationOut) -> str:
    balances = report.balances
    if balances is None:
        return ""
    rows = [
        ["Closing of the day before", _money(report, balances.closing_before_minor)],
        ["Opening", _money(report, balances.opening_minor)],
        ["Lines", _money(report, balances.net_minor)],
        ["Closing", _money(report, balances.closing_minor)],
        ["PROVIDER_FLOAT when the day ended", _money(report, balances.float_minor)],
        ["IN_TRANSIT when the day ended", _money(report, balances.in_transit_minor)],
        ["Gone by then, and booked later", _money(report, balances.told_later_minor)],
        ["Expected by our books", _money(report, balances.expected_minor)],
    ]
    return "<h2>Balances</h2>" + _table(["", "amount"], rows, figures={1})


def _open(report: ReconciliationOut) -> str:
    if not report.open:
        return ""
    rows = [
        [
            kind.kind.value,
            f"{kind.count:,}",
            _money(report, kind.statement_minor),
            _money(report, kind.ledger_minor),
            _money(report, kind.suspense_minor),
            _age(kind.oldest_age_seconds),
            kind.what_to_do,
        ]
        for kind in report.open
    ]
    heads = ["open", "count", "statement", "our books", "in suspense", "oldest", "what to do"]
    return "<h2>What does not match</h2>" + _table(heads, rows, figures={1, 2, 3, 4})


def _differences(report: ReconciliationOut) -> str:
    if not report.differences:
        return ""
    rows = [
        [
            str(found.number),
            found.kind.value,
            "" if found.line is None else str(found.line),
            found.reference or "",
            "" if found.instruction_id is None else str(found.instruction_id),
            _money(report, found.statement_minor),
            _money(report, found.ledger_minor),
            _age(found.age_seconds),
            found.assigned_to or "",
        ]
        for found in report.differences
    ]
    heads = [
        "number",
        "kind",
        "line",
        "reference",
        "payment",
        "statement",
        "our books",
        "age",
        "assigned to",
    ]
    more = "" if report.is_whole else "<p>There are more: GET /v1/differences lists them all.</p>"
    return "<h2>Each of them</h2>" + _table(heads, rows, figures={0, 2, 5, 6}) + more


def _resolved(report: ReconciliationOut) -> str:
    if not report.resolved:
        return ""
    rows = [
        [
            str(ended.number),
            ended.reference or "",
            _money(report, ended.statement_minor),
            _money(report, ended.ledger_minor),
            f"{ended.what} {ended.reason or ''}",
            f"{ended.proposed_by}, {ended.approved_by}",
            _instant(ended.resolved_at),
        ]
        for ended in report.resolved
    ]
    heads = ["number", "reference", "statement", "our books", "what was decided", "by", "on"]
    return "<h2>Ended by two persons</h2>" + _table(heads, rows, figures={0, 2, 3})


def _set_aside(report: ReconciliationOut) -> str:
    if not report.set_aside:
        return ""
    rows = [[str(line.line), line.field, line.reason] for line in report.set_aside]
    return "<h2>Lines set aside</h2>" + _table(["line", "field", "why"], rows, figures={0})


def _table(heads: list[str], rows: list[list[str]], *, figures: Set[int] = frozenset()) -> str:
    def cells(tag: str, row: list[str]) -> str:
        return "".join(
            f'<{tag} class="figure">{escape(cell)}</{tag}>'
            if at in figures
            else f"<{tag}>{escape(cell)}</{tag}>"
            for at, cell in enumerate(row)
        )

    head = f"<tr>{cells('th', heads)}</tr>" if heads else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _money(report: ReconciliationOut, amount_minor: int | None) -> str:
    return "not told" if amount_minor is None else readable(amount_minor, report.currency)


def _age(seconds: int) -> str:
    days, hours = seconds // 86_400, seconds // 3_600
    return f"{days} days" if days > 1 else f"{hours} hours"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(COUNTRY_ZONE):%Y-%m-%d %H:%M}"
