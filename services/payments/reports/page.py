"""A report on a page, in one language, to be printed, signed and filed.

Whatever somebody wrote is escaped, and stands as they wrote it.
"""

from collections.abc import Sequence, Set
from datetime import datetime
from html import escape

from services.payments.amounts import readable
from services.payments.reports import wording
from services.payments.reports.schemas import ReconciliationOut
from shared.clock import COUNTRY_ZONE
from shared.money import UnknownCurrency
from shared.pages import document
from shared.wording import numbers
from shared.wording.phrase import Language, Phrase

_EMPTY = Phrase.same("")


def page(report: ReconciliationOut, language: Language) -> str:
    """The page of a report."""
    return _Page(report, language).whole()


class _Page:
    """A page as it is written."""

    def __init__(self, report: ReconciliationOut, language: Language) -> None:
        self._report = report
        self._language = language

    def whole(self) -> str:
        report = self._report
        title = Phrase(
            f"{wording.TITLE.en}: {report.provider}, {report.day}",
            f"{wording.TITLE.km}៖ {report.provider} {numbers.day(report.day).km}",
        )
        return document(
            Phrase.same(title.in_language(self._language)),
            f'<p class="verdict">{self._told(self._verdict())}</p>'
            f"{self._statement()}{self._totals()}{self._balances()}{self._open()}"
            f"{self._differences()}{self._resolved()}{self._set_aside()}"
            f'<table class="signatures"><tr><td>{self._told(wording.PREPARED)}</td>'
            f"<td>{self._told(wording.CHECKED)}</td></tr></table>",
            language=self._language,
            is_wide=True,
        )

    def _verdict(self) -> Phrase:
        report = self._report
        if report.statement is None:
            return wording.no_statement(report.provider, f"{report.day}")
        return wording.verdict(
            report.statement,
            open_count=sum(kind.count for kind in report.open),
            resolved_count=report.resolved_count,
        )

    def _statement(self) -> str:
        statement = self._report.statement
        if statement is None:
            return ""
        rows = [
            [wording.STATEMENT, Phrase.same(str(statement.id))],
            [wording.SENT, wording.sent_by(_instant(statement.uploaded_at), statement.uploaded_by)],
            [wording.SHA_256, Phrase.same(statement.content_sha256)],
        ]
        rows += [
            [
                wording.SUPERSEDED,
                wording.superseded(
                    str(earlier.id), _instant(earlier.uploaded_at), earlier.uploaded_by
                ),
            ]
            for earlier in self._report.superseded
        ]
        return self._table([], rows)

    def _totals(self) -> str:
        report = self._report
        rows = [[wording.PAID, _count(report.paid_count), self._money(report.paid_minor)]]
        if statement := report.statement:
            rows += [
                [wording.OUT, _count(statement.out_count), self._money(statement.out_minor)],
                [wording.IN, _count(statement.in_count), self._money(statement.in_minor)],
                [wording.AGREEING, _count(report.agreeing_count), _EMPTY],
                [wording.SET_ASIDE_COUNT, _count(statement.set_aside_count), _EMPTY],
                [wording.EXPLAINED, _count(report.explained_count), _EMPTY],
                [wording.RESOLVED, _count(report.resolved_count), _EMPTY],
            ]
        heads = [_EMPTY, wording.COUNT, wording.AMOUNT]
        return self._headed(wording.BOTH_SIDES, heads, rows, figures={1, 2})

    def _balances(self) -> str:
        balances = self._report.balances
        if balances is None:
            return ""
        rows = [
            [name, self._money(amount_minor)]
            for name, amount_minor in (
                (wording.CLOSING_BEFORE, balances.closing_before_minor),
                (wording.OPENING, balances.opening_minor),
                (wording.LINES, balances.net_minor),
                (wording.CLOSING, balances.closing_minor),
                (wording.FLOAT, balances.float_minor),
                (wording.IN_TRANSIT, balances.in_transit_minor),
                (wording.TOLD_LATER, balances.told_later_minor),
                (wording.EXPECTED, balances.expected_minor),
            )
        ]
        return self._headed(wording.BALANCES, [_EMPTY, wording.AMOUNT], rows, figures={1})

    def _open(self) -> str:
        rows = [
            [
                wording.kind_of(kind.kind),
                _count(kind.count),
                self._money(kind.statement_minor),
                self._money(kind.ledger_minor),
                self._money(kind.suspense_minor),
                wording.age(kind.oldest_age_seconds),
                wording.way_of(kind.kind),
            ]
            for kind in self._report.open
        ]
        heads = [
            wording.OPEN,
            wording.COUNT,
            wording.ON_STATEMENT,
            wording.OUR_BOOKS,
            wording.IN_SUSPENSE,
            wording.OLDEST,
            wording.WHAT_TO_DO,
        ]
        return self._headed(wording.NO_MATCH, heads, rows, figures={1, 2, 3, 4})

    def _differences(self) -> str:
        rows = [
            [
                Phrase.same(str(found.number)),
                wording.kind_of(found.kind),
                Phrase.same("" if found.line is None else str(found.line)),
                Phrase.same(found.reference or ""),
                Phrase.same("" if found.instruction_id is None else str(found.instruction_id)),
                self._side(found.statement_minor),
                self._side(found.ledger_minor),
                wording.age(found.age_seconds),
                Phrase.same(found.assigned_to or ""),
            ]
            for found in self._report.differences
        ]
        heads = [
            wording.NUMBER,
            wording.KIND,
            wording.LINE,
            wording.REFERENCE,
            wording.PAYMENT,
            wording.ON_STATEMENT,
            wording.OUR_BOOKS,
            wording.AGE,
            wording.ASSIGNED,
        ]
        more = "" if self._report.is_whole or not rows else f"<p>{self._told(wording.MORE)}</p>"
        return self._headed(wording.EACH, heads, rows, figures={0, 2, 5, 6}) + more

    def _resolved(self) -> str:
        rows = [
            [
                Phrase.same(str(ended.number)),
                Phrase.same(ended.reference or ""),
                self._side(ended.statement_minor),
                self._side(ended.ledger_minor),
                Phrase.same(f"{ended.what} {ended.reason or ''}"),
                Phrase.same(f"{ended.proposed_by}, {ended.approved_by}"),
                Phrase.same(_instant(ended.resolved_at)),
            ]
            for ended in self._report.resolved
        ]
        heads = [
            wording.NUMBER,
            wording.REFERENCE,
            wording.ON_STATEMENT,
            wording.OUR_BOOKS,
            wording.DECIDED,
            wording.BY,
            wording.ON,
        ]
        return self._headed(wording.ENDED, heads, rows, figures={0, 2, 3})

    def _set_aside(self) -> str:
        rows = [
            [Phrase.same(str(line.line)), Phrase.same(line.field), Phrase.same(line.reason)]
            for line in self._report.set_aside
        ]
        heads = [wording.LINE, wording.FIELD, wording.WHY]
        return self._headed(wording.SET_ASIDE, heads, rows, figures={0})

    def _headed(
        self,
        heading: Phrase,
        heads: Sequence[Phrase],
        rows: Sequence[Sequence[Phrase]],
        *,
        figures: Set[int],
    ) -> str:
        """A table below its heading; nothing where there are no rows."""
        if not rows:
            return ""
        return f"<h2>{self._told(heading)}</h2>" + self._table(heads, rows, figures=figures)

    def _table(
        self,
        heads: Sequence[Phrase],
        rows: Sequence[Sequence[Phrase]],
        *,
        figures: Set[int] = frozenset(),
    ) -> str:
        def cells(tag: str, row: Sequence[Phrase]) -> str:
            return "".join(
                f'<{tag} class="figure">{self._told(cell)}</{tag}>'
                if at in figures
                else f"<{tag}>{self._told(cell)}</{tag}>"
                for at, cell in enumerate(row)
            )

        head = f"<tr>{cells('th', heads)}</tr>" if heads else ""
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
        return f"<table>{head}{body}</table>"

    def _money(self, amount_minor: int | None) -> Phrase:
        if amount_minor is None:
            return wording.NOT_TOLD
        try:
            return numbers.money(amount_minor, self._report.currency)
        except UnknownCurrency:
            return Phrase.same(readable(amount_minor, self._report.currency))

    def _side(self, amount_minor: int | None) -> Phrase:
        """What one side has of a difference, where it has anything."""
        return _EMPTY if amount_minor is None else self._money(amount_minor)

    def _told(self, phrase: Phrase) -> str:
        return escape(phrase.in_language(self._language))


def _count(count: int) -> Phrase:
    return numbers.number(count)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(COUNTRY_ZONE):%Y-%m-%d %H:%M}"
