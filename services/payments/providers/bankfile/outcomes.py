"""What all that a bank has said of a file means for it and for its lines. Pure.

Reports come in an order, and what comes later adds to what was said before: the results of a file
only ever grow at their end, so that they can be read by the page. Source of the words: ISO 20022
external code set, ExternalPaymentGroupStatus1Code and ExternalPaymentTransactionStatus1Code.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from services.payments.providers.bankfile.reports import Report, Word
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    LineResult,
    ResultKind,
)

PAID = frozenset({"ACSC", "ACCC"})
"""Settled on the debtor's account, or on the creditor's: the only words that mean paid."""
REFUSED = "RJCT"
ACCEPTED = PAID | {"ACCP", "ACSP", "ACWC", "ACFC", "ACWP", "PART"}
"""The bank carries it out, or has: from here on it is not refused whole."""
TAKEN = frozenset({"RCVD", "ACTC", "PATC", "PDNG"})
"""The bank has it and has not decided."""

DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})
"""Of a refusal: the bank has the same already. It tells no end of what it has."""
_PASSING = frozenset({"AM04", "TM01"})
"""Too little on our account, or too late in the day: not about the lines."""
_PASSING_PREFIX = "DS"
"""The signature, or who signed."""


class Outcome:
    """What became of a file, as far as the bank has said it; ``lines`` are the file's.

    What is said of a line that is not the file's is left out here, and listed where reports are
    taken. A word that nobody here knows ends nothing. A file that is refused whole before anything
    of it was accepted is refused; one that is refused whole later has its lines rejected.
    """

    def __init__(self, lines: frozenset[UUID], *, message_id: str) -> None:
        self._lines = lines
        self._message_id = message_id
        self._begun = False
        self._taken = False
        self._refusal: Word | None = None
        self._results: dict[LineResult, None] = {}
        self._ended: set[UUID | None] = set()
        self._counts = [0]

    @property
    def reports(self) -> int:
        """How many reports it was made of."""
        return len(self._counts) - 1

    def add(self, report: Report) -> None:
        """Take what another report says, in the order in which they came."""
        word = _of_all(report)
        if any(said.status in ACCEPTED for said in _words(report)):
            self._begun = True
        elif word is not None and word.reason not in DUPLICATES:
            self._refusal = self._refusal or word
        elif report.lines and self._refusal is None:
            self._begun = True
        self._taken |= any(said.status in TAKEN for said in _of_file(report))
        told = list(_told_by_line(report, self._lines))
        if word is not None and self._begun:
            told += _told_of_all(report, word, self._lines)
        self._results |= dict.fromkeys(told)
        self._ended |= {result.our_reference for result in told}
        self._counts.append(len(self._results))

    def answer(self) -> BatchAnswer:
        """What the bank says of the file as a whole."""
        if self.reports and self._lines <= self._ended:
            answer = BatchAnswer(BatchAnswerKind.COMPLETED)
        elif self._begun:
            answer = BatchAnswer(BatchAnswerKind.UNDER_WAY)
        elif self._refusal is not None:
            answer = _refused(self._refusal)
        elif self._taken:
            answer = BatchAnswer(BatchAnswerKind.PENDING)
        else:
            reason = "undecided_report" if self.reports else "no_report_yet"
            answer = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason=reason)
        return replace(answer, provider_batch_id=self._message_id)

    def results(self) -> list[LineResult]:
        """How its lines ended, in an order that keeps: another report only adds to its end."""
        return list(self._results)

    def brought_by(self, number: int) -> list[LineResult]:
        """The results that no report before that one had told; the first report is number 1."""
        return self.results()[self._counts[number - 1] : self._counts[number]]


def speaks_of_others(report: Report, lines: frozenset[UUID]) -> bool:
    """Whether a report speaks of lines that are not the file's."""
    return any(line.line_id not in lines for line in report.lines)


def _refused(word: Word) -> BatchAnswer:
    reason = word.reason or "refused_without_reason"
    return BatchAnswer(
        BatchAnswerKind.REFUSED,
        reason=reason,
        passes=reason in _PASSING or reason.startswith(_PASSING_PREFIX),
    )


def _told_by_line(report: Report, lines: frozenset[UUID]) -> Iterator[LineResult]:
    for line in report.lines:
        if line.line_id is not None and line.line_id in lines:
            yield from _result(line.line_id, line.word, line.bank_reference)


def _told_of_all(report: Report, word: Word, lines: frozenset[UUID]) -> Iterator[LineResult]:
    """An end of every line about which the report says nothing by itself."""
    named = {line.line_id for line in report.lines}
    for line_id in sorted(lines - named):
        yield from _result(line_id, word)


def _result(line_id: UUID, word: Word, bank_reference: str | None = None) -> Iterator[LineResult]:
    """How a line ended; nothing: it has not, or nobody here knows the word."""
    if word.status in PAID:
        yield LineResult(ResultKind.COMPLETIONS, line_id, transaction_reference=bank_reference)
    elif word.status == REFUSED and word.reason not in DUPLICATES:
        reason = word.reason or "rejected_without_reason"
        yield LineResult(ResultKind.REJECTIONS, line_id, reason=reason)


def _of_file(report: Report) -> Iterator[Word]:
    """What a report says of a file as a whole: of the group, and of its only part."""
    if report.group is not None:
        yield report.group
    if len(report.parts) == 1:
        yield report.parts[0]


def _of_all(report: Report) -> Word | None:
    """An end that a report tells of every line about which it says nothing by itself."""
    ends = (word for word in _of_file(report) if word.status in PAID or word.status == REFUSED)
    return next(ends, None)


def _words(report: Report) -> Iterator[Word]:
    yield from _of_file(report)
    yield from (line.word for line in report.lines)
