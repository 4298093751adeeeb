"""The accountant: each provider's statement of each day is held against our books.

Some of what the statements say is wrong on purpose. It has to be found, and what cannot end by
itself is ended by two persons, until every report says that everything matches. Amounts are in
riel.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from demo.api import Api
from demo.providers import BANKED_WITH, Providers, StatementFile
from demo.shocks import OFFICE_OPENS
from demo.show import Show

MAPPING: dict[str, Any] = {
    "code": "mekong",
    "columns": {
        "our_id": "requesting_reference",
        "reference": "entry_reference",
        "amount": "amount",
        "currency": "currency",
        "booked_at": "booked_at",
        "balance": "balance",
    },
}
"""How the CSV of the sandbox is read: an amount with a minus went out."""

CHARGED = "mekong"
FEE_MINOR = 25_000
MISTAKEN = "ncb"
MISTAKE_MINOR = 96_000
MISTYPED = "tonle"

_SECONDS = 600
_ASSIGNED_TO = "treasurer@development"


@dataclass(frozen=True, kw_only=True)
class Day:
    """One provider's statement of one day, as its report tells it in the end.

    ``closing_minor`` is the provider's, ``expected_minor`` what our books expect it to be.
    """

    provider: str
    day: date
    media_type: str
    line_count: int
    paid_count: int
    paid_minor: int
    closing_minor: int | None
    expected_minor: int | None
    verdict: str
    everything_matches: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """A difference, and how it came to its end."""

    provider: str
    day: date
    kind: str
    statement_minor: int | None
    ledger_minor: int | None
    end: str


@dataclass(kw_only=True)
class Reconciled:
    """What came of the statements. ``trial`` are both columns of each book."""

    days: list[Day] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    trial: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every statement matches, and the books balance."""
        return (
            bool(self.days)
            and all(day.everything_matches for day in self.days)
            and all(debit == credit for _, debit, credit in self.trial)
        )


class Accountant:
    """Sends statements and ends differences; the second person of ``payments`` approves."""

    def __init__(self, payments: Api, providers: Providers, show: Show) -> None:
        self._payments = payments
        self._providers = providers
        self._show = show
        self._sent: list[tuple[str, date, str]] = []
        self._found: dict[int, dict[str, Any]] = {}

    def map_columns(self) -> None:
        """Say once how the CSV is read."""
        self._payments.post("/statement-mappings", MAPPING)

    def reconcile(
        self, days: Iterable[date], *, last_day: date, set_clock: Callable[[datetime], None]
    ) -> Reconciled:
        """Hold the statements of ``days`` against our books, and of ``last_day``, when a fee is
        taken and a mistake is made; the day after, the bank puts its mistake right."""
        self._providers.charge(CHARGED, FEE_MINOR, reference="Fee of the year")
        self._providers.charge(MISTAKEN, MISTAKE_MINOR, reference="Order of another customer")
        morning = last_day + timedelta(days=1)
        set_clock(datetime.combine(morning, OFFICE_OPENS))
        for day in (*days, last_day):
            for provider in BANKED_WITH:
                file = self._providers.statement(provider, day)
                if provider == MISTYPED and not self._found and (spoilt := mistyped(file)):
                    self._send(provider, day, spoilt)
                    self._expect("other_amount", "closing_differs")
                self._send(provider, day, file)
        charge, mistake = self._expect("unknown_payment", "unknown_payment")
        self._end(charge, "charged", "Its fee of the year, by its invoice.")
        self._providers.receive(MISTAKEN, MISTAKE_MINOR, reference="Mistake of yesterday")
        self._end(mistake, "released", "The bank put it back this morning, by its letter.")
        set_clock(datetime.combine(morning + timedelta(days=1), OFFICE_OPENS))
        self._send(MISTAKEN, morning, self._providers.statement(MISTAKEN, morning))
        [receipt] = self._expect("unknown_receipt")
        self._end(receipt, "accepted", "The other half of the bank's mistake, which is booked.")
        self._expect()
        return self._told()

    def _send(self, provider: str, day: date, file: StatementFile) -> None:
        self._payments.post_file(
            "/statements",
            iter([file.content]),
            media_type=file.media_type,
            timeout_seconds=_SECONDS,
            provider=provider,
            day=day.isoformat(),
        )
        if (provider, day, file.media_type) not in self._sent:
            self._sent.append((provider, day, file.media_type))

    def _expect(self, *kinds: str) -> list[dict[str, Any]]:
        """The open differences, in the order of ``kinds``; raises Unexpected."""
        found = list(self._payments.pages("/differences", status="open"))
        for difference in found:
            self._found.setdefault(difference["number"], difference)
        if sorted(difference["kind"] for difference in found) != sorted(kinds):
            told = ", ".join(
                f"{each['kind']} of {each['provider']} on {each['day']} (number {each['number']})"
                for each in found
            )
            raise Unexpected(
                f"The statements and our books differ otherwise than was planted: {told or 'not'}; "
                f"planted: {', '.join(kinds) or 'nothing'}. GET /differences of payments says more."
            )
        return sorted(found, key=lambda each: (kinds.index(each["kind"]), each["provider"]))

    def _end(self, difference: dict[str, Any], outcome: str, reason: str) -> None:
        """Give it to a person, who proposes; another approves."""
        number = difference["number"]
        self._payments.put(f"/differences/{number}/assignment", {"assigned_to": _ASSIGNED_TO})
        self._payments.post(
            f"/differences/{number}/resolution", {"outcome": outcome, "reason": reason}
        )

    def _told(self) -> Reconciled:
        told = Reconciled()
        for provider, day, media_type in self._sent:
            report = self._payments.get("/reconciliations", provider=provider, day=day.isoformat())
            balances = report["balances"] or {}
            told.days.append(
                Day(
                    provider=provider,
                    day=day,
                    media_type=media_type,
                    line_count=report["statement"]["line_count"],
                    paid_count=report["paid_count"],
                    paid_minor=report["paid_minor"],
                    closing_minor=balances.get("closing_minor"),
                    expected_minor=balances.get("expected_minor"),
                    verdict=report["verdict"],
                    everything_matches=report["everything_matches"],
                )
            )
        for number in sorted(self._found):
            difference = self._payments.get(f"/differences/{number}")
            told.found.append(
                Found(
                    provider=difference["provider"],
                    day=date.fromisoformat(difference["day"]),
                    kind=difference["kind"],
                    statement_minor=difference["statement_minor"],
                    ledger_minor=difference["ledger_minor"],
                    end=f"{difference['closure']}: {difference['closed_reason']}",
                )
            )
        trial = self._payments.get("/trial-balance")
        told.trial = [
            (total["book"], total["debit_minor"], total["credit_minor"])
            for total in trial["totals"]
        ]
        return told


class Unexpected(Exception):
    """A difference that nobody planted, or none where one was; in one line."""


_FIRST_PAYMENT = re.compile(
    rb'(<Ntry>(?:(?!</Ntry>).)*?<Amt Ccy="KHR">)([0-9]+)'
    rb'(</Amt><CdtDbtInd>DBIT(?:(?!</Ntry>).)*?<Amt Ccy="KHR">)\2(</Amt>)',
    re.DOTALL,
)


def mistyped(file: StatementFile) -> StatementFile | None:
    """A camt.053 in which somebody at the provider typed the first payment's amount wrongly.

    None where it has no payment.
    """
    spoilt, count = _FIRST_PAYMENT.subn(rb"\g<1>9\g<2>\g<3>9\g<2>\g<4>", file.content, count=1)
    return StatementFile(file.media_type, spoilt) if count else None
