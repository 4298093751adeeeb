"""Statements as ISO 20022 `camt.053.001.08`, BankToCustomerStatement."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from sandbox.statements import ENTRIES, Account, Entry, Kind, Statement, open_statement

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

# The standard's Max35Text, Max34Text and Max140Text.
_LONGEST_ID = 35
_LONGEST_ACCOUNT = 34
_LONGEST_TEXT = 140

_TRANSACTION_CODES = {
    Kind.PAYMENT: ("ICDT", "DMCT"),
    Kind.RETURN: ("ICDT", "RRTN"),
    Kind.FLOAT: ("RCDT", "DMCT"),
    Kind.CHARGE: ("ICDT", "CHRG"),
}
"""Family and subfamily of the bank transaction code, in the domain of payments."""


def as_camt(
    path: Path, account: Account, *, now: datetime, entries: str = ENTRIES
) -> Iterator[bytes]:
    """A statement as one document, some entries at a time."""
    connection, statement = open_statement(path, account, entries=entries)
    with closing(connection):
        yield _beginning(statement, now=now).encode()
        for page in statement.entries():
            yield "".join(_ntry(entry, account.currency) for entry in page).encode()
        yield b"</Stmt></BkToCstmrStmt></Document>\n"


def end_to_end_id(requesting_reference: str | None) -> str:
    """The client's reference as EndToEndId: without hyphens, so that a UUID has room."""
    plain = (requesting_reference or "").replace("-", "").strip()
    return plain[:_LONGEST_ID] or "NOTPROVIDED"


def _beginning(statement: Statement, *, now: datetime) -> str:
    account, totals = statement.account, statement.totals
    currency, day = account.currency, account.day.isoformat()
    name = f"{account.provider}-{currency}-{account.day:%Y%m%d}"[-_LONGEST_ID:]
    created = _instant(now)
    count = totals.credit_count + totals.debit_count
    net = totals.credits - totals.debits
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>',
            f"<GrpHdr>{_tag('MsgId', name)}{_tag('CreDtTm', created)}</GrpHdr>",
            f"<Stmt>{_tag('Id', name)}{_tag('CreDtTm', created)}",
            f"<FrToDt>{_tag('FrDtTm', _instant(account.begins_at))}",
            f"{_tag('ToDtTm', _instant(account.ends_at))}</FrToDt>",
            f"<Acct><Id><Othr>{_tag('Id', _account_id(account))}</Othr></Id>",
            f"{_tag('Ccy', currency)}<Svcr><FinInstnId>",
            f"{_tag('Nm', account.provider)}</FinInstnId></Svcr></Acct>",
            _bal("OPBD", totals.opening, currency, day),
            _bal("CLBD", totals.closing, currency, day),
            f"<TxsSummry><TtlNtries>{_tag('NbOfNtries', str(count))}",
            f"{_tag('Sum', f'{totals.credits + totals.debits:f}')}",
            f"<TtlNetNtry>{_tag('Amt', f'{abs(net):f}')}{_direction(net)}</TtlNetNtry></TtlNtries>",
            f"<TtlCdtNtries>{_tag('NbOfNtries', str(totals.credit_count))}",
            f"{_tag('Sum', f'{totals.credits:f}')}</TtlCdtNtries>",
            f"<TtlDbtNtries>{_tag('NbOfNtries', str(totals.debit_count))}",
            f"{_tag('Sum', f'{totals.debits:f}')}</TtlDbtNtries></TxsSummry>\n",
        )
    )


def _bal(code: str, balance: Decimal, currency: str, day: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry>{_tag('Cd', code)}</CdOrPrtry></Tp>{_amt(balance, currency)}"
        f"{_direction(balance)}<Dt>{_tag('Dt', day)}</Dt></Bal>"
    )


def _ntry(entry: Entry, currency: str) -> str:
    family, subfamily = _TRANSACTION_CODES[entry.kind]
    money = _amt(entry.amount, currency) + _direction(entry.signed_amount)
    booked = entry.booked_at
    return "".join(
        (
            f"<Ntry>{_tag('NtryRef', entry.reference[-_LONGEST_ID:])}{money}",
            f"<Sts>{_tag('Cd', 'BOOK')}</Sts><BookgDt>{_tag('DtTm', _instant(booked))}</BookgDt>",
            f"<ValDt>{_tag('Dt', booked.date().isoformat())}</ValDt>",
            _tag("AcctSvcrRef", entry.reference[-_LONGEST_ID:]),
            f"<BkTxCd><Domn>{_tag('Cd', 'PMNT')}<Fmly>{_tag('Cd', family)}",
            f"{_tag('SubFmlyCd', subfamily)}</Fmly></Domn></BkTxCd>",
            f"<NtryDtls><TxDtls>{_refs(entry)}{money}{_details(entry)}</TxDtls></NtryDtls></Ntry>\n",
        )
    )


def _refs(entry: Entry) -> str:
    reference = _tag("AcctSvcrRef", entry.reference[-_LONGEST_ID:])
    if entry.transaction_reference is None:
        return f"<Refs>{reference}</Refs>"
    return (
        f"<Refs>{reference}{_tag('EndToEndId', end_to_end_id(entry.requesting_reference))}"
        f"{_tag('TxId', entry.transaction_reference[-_LONGEST_ID:])}</Refs>"
    )


def _details(entry: Entry) -> str:
    """Who was paid, what was said with it, and why it came back, in the standard's order."""
    parts = []
    if entry.account:
        account = _tag("Id", entry.account[:_LONGEST_ACCOUNT])
        parts.append(f"<RltdPties><CdtrAcct><Id><Othr>{account}</Othr></Id></CdtrAcct></RltdPties>")
    text = (entry.text or "").strip()
    if text and entry.kind is Kind.RETURN:
        parts.append(f"<RtrInf>{_tag('AddtlInf', text)}</RtrInf>")
    elif text:
        parts.append(f"<RmtInf>{_tag('Ustrd', text[:_LONGEST_TEXT])}</RmtInf>")
    return "".join(parts)


def _account_id(account: Account) -> str:
    return f"{account.provider[: _LONGEST_ACCOUNT - 4]}-{account.currency}"


def _amt(amount: Decimal, currency: str) -> str:
    return f'<Amt Ccy="{currency}">{abs(amount):f}</Amt>'


def _direction(amount: Decimal) -> str:
    return _tag("CdtDbtInd", "DBIT" if amount < 0 else "CRDT")


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(_printable(text))}</{name}>"


def _printable(text: str) -> str:
    """The text without what no XML document may hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
