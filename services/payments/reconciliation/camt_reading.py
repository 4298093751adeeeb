"""Reading a bank's statement in ISO 20022 camt.053 as it comes in, an entry at a time.

Source: ISO 20022, Bank-to-Customer Statement, camt.053.001.02 and later: the elements that are
read are the same in all of them. Entities, definitions of types and anything from elsewhere are
not: a document that has them is refused. What is read of an entry is let go at its end.
"""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Any

from lxml import etree

from services.payments.reconciliation import values
from services.payments.reconciliation.kinds import Direction
from services.payments.reconciliation.lines import (
    NOTHING,
    Fault,
    StatementRead,
    StatementRefused,
)
from shared.money import minor_digits

Element = Any
"""An element of lxml, which has no types."""

_READ = ("Bal", "Ntry", "Stmt", "TxDtls")
_MAXIMUM_BYTES_OF_AN_ELEMENT = 512 * 1024
_SLICE_BYTES = 64 * 1024
_BLOCK_LINES = 8_192
_DIRECTIONS = {"CRDT": Direction.IN, "DBIT": Direction.OUT}
_BOOKED = ("BOOK", None)
_OPENING = ("OPBD", "PRCD")
_CLOSING = "CLBD"
_ZONED_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})")
_DAY_CHARACTERS = 10


class CamtReader:
    """Reads one statement; raises StatementRefused."""

    def __init__(self, *, currency: str, zone: tzinfo) -> None:
        self._currency = currency
        self._digits = minor_digits(currency)
        self._zone = zone
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{*}}{name}" for name in (*_READ, "Document")],
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,  # libxml2 itself refuses what nests deeper than 256
            remove_comments=True,
            remove_pis=True,
        )
        self._unread_bytes = 0
        self._statements = 0
        self._line = 0
        self._details: list[dict[str, str]] = []
        self._lines: list[tuple[int, Direction, int, str, str, str]] = []
        self._balances: dict[str, int] = {}
        self._read = StatementRead()

    def feed(self, part: bytes) -> None:
        """Read the next part of the document."""
        for at in range(0, len(part), _SLICE_BYTES):
            self._feed(part[at : at + _SLICE_BYTES])

    def _feed(self, part: bytes) -> None:
        try:
            self._parser.feed(part)
            self._unread_bytes += len(part)
            for event, element in self._parser.read_events():
                self._unread_bytes = 0
                self._take(event, element)
        except etree.XMLSyntaxError:
            raise self._no_xml() from None
        if self._unread_bytes > _MAXIMUM_BYTES_OF_AN_ELEMENT:
            raise StatementRefused("It has more in one place than an entry of a statement has.")

    def end(self) -> StatementRead:
        """What was read, once the document has ended."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError:
            raise self._no_xml() from None
        if not self._statements:
            raise StatementRefused("It holds no statement (Stmt): it is no camt.053.")
        self._keep()
        self._read.opening_minor = next(
            (self._balances[code] for code in _OPENING if code in self._balances), None
        )
        self._read.closing_minor = self._balances.get(_CLOSING)
        return self._read

    def _no_xml(self) -> StatementRefused:
        return StatementRefused(
            "It is no well-formed XML, nests too deeply, or was cut off: send the whole file. A "
            "document in XML is whole or none, so nothing of it is read."
        )

    def _take(self, event: str, element: Element) -> None:
        name = _local_name(element)
        if event == "start":
            self._begin(name, element)
            return
        match name:
            case "Bal":
                self._balance(_texts(element))
            case "TxDtls":
                self._details.append(_texts(element))
            case "Ntry":
                self._entry(_texts(element))
                self._details = []
        if name != "Document":
            _let_go(element)

    def _begin(self, name: str, element: Element) -> None:
        if element.getparent() is None:
            information = element.getroottree().docinfo
            if information.doctype or information.internalDTD is not None:
                raise StatementRefused(
                    "It defines types or entities (DOCTYPE), which a statement never needs."
                )
        if name == "Stmt":
            self._statements += 1
            if self._statements > 1:
                raise StatementRefused(
                    "It holds several statements (Stmt). Send each account and day by itself."
                )

    def _balance(self, texts: dict[str, str]) -> None:
        code = texts.get("Tp/CdOrPrtry/Cd", "")
        if code not in (*_OPENING, _CLOSING):
            return
        try:
            direction, minor = self._money(texts, "Amt")
        except Fault:
            raise StatementRefused(f"Its balance {code} cannot be read.") from None
        self._balances[code] = minor if direction is Direction.IN else -minor
        if code == _CLOSING:
            self._read.about_day = self._day(texts)

    def _day(self, texts: dict[str, str]) -> str | None:
        """The day that a balance is of; None: it tells none. At midnight a day ends."""
        day = _plain(texts.get("Dt/Dt", ""))
        told = day or texts.get("Dt/DtTm")
        if not told:
            return None
        try:
            [instant] = values.times([told], format=None, zone=self._zone)
        except Fault:
            raise StatementRefused("The day of its closing balance cannot be read.") from None
        at = datetime.fromisoformat(instant).astimezone(self._zone)
        return str((at if day else at - timedelta(microseconds=1)).date())

    def _entry(self, texts: dict[str, str]) -> None:
        """One line for an entry, or for each of its transactions where each tells its amount."""
        details = self._details
        if len(details) < 2 or not all(_amount_key(detail) for detail in details):
            detail = details[0] if len(details) == 1 else {}
            self._add(texts, {**detail, "Amt": texts.get("Amt", "")}, amount_key="Amt", whole=texts)
            return
        for detail in details:
            self._add(texts, detail, amount_key=_amount_key(detail), whole=detail)

    def _add(
        self,
        entry: dict[str, str],
        detail: dict[str, str],
        *,
        amount_key: str,
        whole: dict[str, str],
    ) -> None:
        self._line += 1
        try:
            if entry.get("Sts", entry.get("Sts/Cd")) not in _BOOKED:
                raise Fault("status", "It is not booked, so it is no part of the balance.")
            direction, minor = self._money(
                {"CdtDbtInd": entry.get("CdtDbtInd", ""), **whole}, amount_key
            )
            if minor == 0:
                raise Fault("amount", "It is nothing: a line of a statement moves money.")
            line = (
                self._line,
                direction,
                minor,
                self._time(entry),
                self._our_id(detail),
                self._reference(entry, detail),
            )
        except Fault as fault:
            self._read.set_aside(self._line, fault.field, fault.reason)
            return
        self._lines.append(line)
        if len(self._lines) >= _BLOCK_LINES:
            self._keep()

    def _money(self, texts: dict[str, str], amount_key: str) -> tuple[Direction, int]:
        if texts.get(f"{amount_key}@Ccy") != self._currency:
            raise Fault("currency", f"It is not {self._currency}, which the provider's account is.")
        direction = _DIRECTIONS.get(texts.get("CdtDbtInd", ""))
        if direction is None:
            raise Fault("direction", "It is neither CRDT nor DBIT.")
        [minor] = values.amounts([texts.get(amount_key, "")], digits=self._digits, field="amount")
        if minor < 0:
            raise Fault("amount", "It is below nothing, where CdtDbtInd says which way it goes.")
        return direction, minor

    def _time(self, entry: dict[str, str]) -> str:
        told = entry.get("BookgDt/DtTm") or _plain(entry.get("BookgDt/Dt", ""))
        return values.times([told], format=None, zone=self._zone)[0] if told else NOTHING

    def _our_id(self, detail: dict[str, str]) -> str:
        """EndToEndId has 35 characters: our id stands there without its hyphens."""
        for key in ("Refs/EndToEndId", "Refs/InstrId"):
            [found] = values.our_ids([detail.get(key, "")])
            if found != NOTHING:
                return found
        return NOTHING

    def _reference(self, entry: dict[str, str], detail: dict[str, str]) -> str:
        told = (
            detail.get("Refs/AcctSvcrRef"),
            detail.get("Refs/TxId"),
            entry.get("AcctSvcrRef"),
            entry.get("NtryRef"),
        )
        [found] = values.references([next((text for text in told if text), "")])
        return found

    def _keep(self) -> None:
        if not self._lines:
            return
        lines, directions, amounts, times, ids, references = zip(*self._lines, strict=True)
        self._lines = []
        self._read.keep(
            lines=lines,
            directions=directions,
            amounts=amounts,
            balances=[NOTHING] * len(lines),
            times=times,
            ids=ids,
            references=references,
        )


def _amount_key(detail: dict[str, str]) -> str:
    """Where a transaction tells its own amount; empty: nowhere."""
    return next((key for key in ("Amt", "AmtDtls/TxAmt/Amt") if key in detail), "")


def _plain(day: str) -> str:
    """A day without its zone (XML Schema 1.1 part 2, 3.3.9), which it may be told with."""
    return day[:_DAY_CHARACTERS] if _ZONED_DAY.fullmatch(day) else day


def _texts(element: Element) -> dict[str, str]:
    """The texts below an element by their path, the first of each: ``Refs/EndToEndId``.

    An amount's currency is beside it: ``Amt@Ccy``. Transactions are read by themselves.
    """
    texts: dict[str, str] = {}
    waiting = [(element, "")]
    while waiting:
        parent, path = waiting.pop()
        for child in parent:
            if not isinstance(child.tag, str) or _local_name(child) == "TxDtls":
                continue
            at = f"{path}{_local_name(child)}"
            if len(child):
                waiting.append((child, f"{at}/"))
            elif at not in texts:
                texts[at] = (child.text or "").strip()
                if currency := child.get("Ccy"):
                    texts[f"{at}@Ccy"] = currency
    return texts


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _let_go(element: Element) -> None:
    """Free what is read, and what came before it: a statement has as many entries as payments."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
