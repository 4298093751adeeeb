"""What all that a bank has said of a file means for it and for its lines. Pure.

Reports come in an order, and what comes later adds to what was said before: the results of a file
only ever grow at their end, so that they can be read by the page. Source of the words: ISO 20022
external code set, ExternalPaymentGroupStatus1Code and ExternalPaymentTransactionStatus1Code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.payments.providers.bankfile.initiation import read_reference
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file, as far as the bank has said it."""

    answer: BatchAnswer
    results: tuple[LineResult, ...]
    """In an order that keeps: another report only adds to its end."""

    def of_kind(self, kind: ResultKind) -> list[LineResult]:
        """Its results of a kind."""
        return [result for result in self.results if result.kind is kind]


def outcome(reports: Sequence[Report], lines: frozenset[UUID], *, message_id: str) -> Outcome:
    """What reports about a file mean, in the order in which they came; ``lines`` are the file's.

    What is said of a line that is not the file's is left out here, and listed where reports are
    taken. A word that nobody here knows ends nothing. A file that is refused whole before anything
    of it was accepted is refused; one that is refused whole later has its lines rejected.
    """
    begun, refusal = False, None
    results: dict[LineResult, None] = {}
    for report in reports:
        word = _of_all(report)
        if any(said.status in ACCEPTED for said in _words(report)):
            begun = True
        elif word is not None and word.reason not in DUPLICATES:
            refusal = refusal or word
        elif report.lines and refusal is None:
            begun = True
        results |= dict.fromkeys(_told_by_line(report, lines))
        if word is not None and begun:
            results |= dict.fromkeys(_told_of_all(report, word, lines))
    if lines <= {result.our_reference for result in results}:
        answer = BatchAnswer(BatchAnswerKind.COMPLETED)
    elif begun:
        answer = BatchAnswer(BatchAnswerKind.UNDER_WAY)
    elif refusal is not None:
        answer = _refused(refusal)
    elif any(word.status in TAKEN for report in reports for word in _of_file(report)):
        answer = BatchAnswer(BatchAnswerKind.PENDING)
    else:
        reason = "undecided_report" if reports else "no_report_yet"
        answer = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason=reason)
    return Outcome(replace(answer, provider_batch_id=message_id), tuple(results))


def foreign_lines(report: Report, lines: frozenset[UUID]) -> list[UUID | None]:
    """Of which lines a report speaks that are not the file's; None: by no reference of ours."""
    named = (read_reference(line.end_to_end_id) for line in report.lines)
    return [line_id for line_id in named if line_id not in lines]


def _refused(word: Word) -> BatchAnswer:
    reason = word.reason or "refused_without_reason"
    return BatchAnswer(
        BatchAnswerKind.REFUSED,
        reason=reason,
        passes=reason in _PASSING or reason.startswith(_PASSING_PREFIX),
    )


def _told_by_line(report: Report, lines: frozenset[UUID]) -> Iterator[LineResult]:
    for line in report.lines:
        line_id = read_reference(line.end_to_end_id)
        if line_id is not None and line_id in lines:
            yield from _result(line_id, line.word, line.bank_reference)


def _told_of_all(report: Report, word: Word, lines: frozenset[UUID]) -> Iterator[LineResult]:
    """An end of every line about which the report says nothing by itself."""
    named = {read_reference(line.end_to_end_id) for line in report.lines}
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
