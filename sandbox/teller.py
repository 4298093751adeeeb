"""Takes disbursements, many in one transaction, and says what became of each."""

import asyncio
import enum
import sqlite3
from dataclasses import dataclass, replace

from sandbox import clock
from sandbox.book import Book, Payment
from sandbox.hostility import OTHERWISE_ORDINARY, WITH_ORDINARY_CALLBACK, Hostility, Nature
from sandbox.misbehaviour import (
    WITHOUT_CALLBACK,
    AccountConduct,
    AccountState,
    Conduct,
    Misbehaviour,
    Temperament,
)
from sandbox.validation import DECIMALS, Disbursement

# An early callback is sent by whoever took the disbursement. If that process dies first, the
# courier of the next one finds it due.
EARLY_CALLBACK_LEASE_MS = 3_000


class Reception(enum.Enum):
    """What became of one request for a disbursement."""

    TAKEN = enum.auto()
    REPEATED = enum.auto()
    CONFLICTING = enum.auto()
    REFUSED = enum.auto()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The reception of a request, with the payment in the book unless it was refused."""

    reception: Reception
    conduct: Conduct
    payment: Payment | None


class Teller:
    """Collects the requests of one turn of the event loop and commits them together."""

    def __init__(
        self, *, book: Book, temperament: Temperament, nature: Nature, synchronous: bool
    ) -> None:
        self._book = book
        self._temperament = temperament
        self._nature = nature
        self._synchronous = synchronous
        self._waiting: list[tuple[Disbursement, asyncio.Future[Receipt]]] = []

    def take(self, disbursement: Disbursement) -> asyncio.Future[Receipt]:
        """Return the receipt once the disbursement is on disk; sqlite3.Error if it cannot be."""
        loop = asyncio.get_running_loop()
        receipt: asyncio.Future[Receipt] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((disbursement, receipt))
        return receipt

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        now = clock.now()
        try:
            with self._book.transaction():
                receipts = [self._receive(disbursement, now=now) for disbursement, _ in batch]
        except sqlite3.Error as error:
            for _, receipt in batch:
                if not receipt.done():
                    receipt.set_exception(error)
            return
        for (_, receipt), result in zip(batch, receipts, strict=True):
            if not receipt.done():
                receipt.set_result(result)

    def _receive(self, disbursement: Disbursement, *, now: int) -> Receipt:
        kind = self._nature.kind(
            provider=disbursement.provider, correlation_id=disbursement.correlation_id
        )
        asked = _as_paid(disbursement, kind)
        conduct = self._temperament.conduct(asked.correlation_id)
        if kind and kind not in OTHERWISE_ORDINARY:
            conduct = replace(conduct, misbehaviour=None, refusals=0, extra_callbacks=0)
        payment = self._book.find_by_correlation_id(
            provider=asked.provider, correlation_id=asked.correlation_id
        )
        if payment is not None and self._does_not_know(payment, kind, now=now):
            self._book.forget(payment)
            payment = None
        if payment is not None:
            if not payment.is_for(asked):
                return Receipt(Reception.CONFLICTING, conduct, payment)
            self._book.count_request(payment)
            return Receipt(Reception.REPEATED, conduct, payment)
        if conduct.refusals and self._book.count_refusal(asked) <= conduct.refusals:
            return Receipt(Reception.REFUSED, conduct, None)
        payment = self._add(asked, conduct=conduct, kind=kind, now=now)
        return Receipt(Reception.TAKEN, conduct, payment)

    def _does_not_know(self, payment: Payment, kind: Hostility | None, *, now: int) -> bool:
        """Whether a repeated id finds nothing: too late, or too soon."""
        early = self._nature.still(payment.received_at, now=now)
        match kind:
            case Hostility.FORGETS_IDS | Hostility.FORGETS_PENDING:
                return not early
            case Hostility.NOT_KNOWN_AT_FIRST:
                return early
        return False

    def _add(
        self, disbursement: Disbursement, *, conduct: Conduct, kind: Hostility | None, now: int
    ) -> Payment:
        account = self._account(disbursement, kind)
        rejected = account.state is not AccountState.OPEN
        at_once = self._synchronous or (rejected and account.rejected_at_once)
        early = False
        withheld = (
            conduct.misbehaviour in WITHOUT_CALLBACK
            if kind is None or kind in OTHERWISE_ORDINARY
            else kind not in WITH_ORDINARY_CALLBACK
        )
        if at_once or disbursement.callback_url is None:
            callback_state = "none"
        elif withheld:
            callback_state = "withheld"
        else:
            callback_state = "waiting"
            early = conduct.misbehaviour is Misbehaviour.EARLY_CALLBACK
        return self._book.add(
            disbursement,
            conduct=conduct,
            fault=conduct.misbehaviour or kind,
            account=account.state,
            rejected_at_once=rejected and at_once,
            now=now,
            completes_at=None if at_once or early else now + conduct.completion_delay_ms,
            callback_state=callback_state,
            callback_at=now + EARLY_CALLBACK_LEASE_MS if early else None,
        )

    def _account(self, disbursement: Disbursement, kind: Hostility | None) -> AccountConduct:
        """A hostile provider pays whomever it is told to, whatever it says; but for one kind."""
        if kind is None or kind in OTHERWISE_ORDINARY:
            return self._temperament.account(disbursement.account)
        paid = kind is not Hostility.COMPLETED_THEN_REJECTED
        return AccountConduct(
            state=AccountState.OPEN if paid else AccountState.CLOSED, rejected_at_once=False
        )


def _as_paid(disbursement: Disbursement, kind: Hostility | None) -> Disbursement:
    """The disbursement as it is really made: of another amount or currency, for two kinds."""
    match kind:
        case Hostility.OTHER_AMOUNT:
            return replace(disbursement, amount=f"1{disbursement.amount}")
        case Hostility.OTHER_CURRENCY:
            other = next(code for code in DECIMALS if code != disbursement.currency)
            return replace(disbursement, currency=other, amount=disbursement.amount.split(".")[0])
    return disbursement
