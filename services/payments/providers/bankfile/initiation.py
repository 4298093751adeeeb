"""The file that a bank gets: a CustomerCreditTransferInitiation, pain.001.001.09.

Pure: no folder here. The same batch with the same lines gives the same bytes, however often and
whenever it is written: every date in it follows from the batch's id. Source: ISO 20022, message
definition pain.001.001.09 (CustomerCreditTransferInitiationV09).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from lxml import etree

from services.payments.providers.bankfile.references import reference_of
from services.payments.settings import BankFileSettings
from shared.clock import COUNTRY_ZONE
from shared.money import Money

Element = Any
"""An element of lxml, which has no types."""
Content: TypeAlias = Sequence[tuple[str, "str | Content"]]
"""Names of elements, each with its text or with what is within it."""

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
LONGEST_ACCOUNT_CHARACTERS = 34
"""``Max34Text``, of ``GenericAccountIdentification1``."""
_ACCOUNT = re.compile(rf"[!-~]{{1,{LONGEST_ACCOUNT_CHARACTERS}}}")
_PURPOSE = "SSBE"
"""Social security benefit. Source: ISO 20022 external code set ExternalPurpose1Code."""
_REMITTANCE = "Emergency cash transfer"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line of a file, with its account opened."""

    instruction_id: UUID
    money: Money
    account: str


def fits(account: str) -> bool:
    """Whether the standard has room for an account: printable ASCII, 34 characters at most."""
    return _ACCOUNT.fullmatch(account) is not None


def initiation(
    batch_id: UUID, transfers: Sequence[Transfer], *, currency: str, bank: BankFileSettings
) -> bytes:
    """The file of a batch. Each account fits, and there is a transfer at least.

    No person is named: payments does not know who they are, and the standard asks for none.
    """
    made_at = made_at_of(batch_id)
    message_id = reference_of(batch_id)
    total_minor = sum(transfer.money.amount_minor for transfer in transfers)
    totals: Content = [
        ("NbOfTxs", str(len(transfers))),
        ("CtrlSum", _amount(Money(total_minor, currency))),
    ]
    debtor: Content = [
        ("Nm", bank.debtor_name),
        ("Id", [("OrgId", [("Othr", [("Id", bank.debtor_id)])])]),
    ]
    document = etree.Element(_named("Document"), nsmap={None: NAMESPACE})
    root = etree.SubElement(document, _named("CstmrCdtTrfInitn"))
    header: Content = [
        ("MsgId", message_id),
        ("CreDtTm", made_at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        *totals,
        ("InitgPty", debtor),
    ]
    payments: Content = [
        ("PmtInfId", message_id),
        ("PmtMtd", "TRF"),
        *totals,
        ("ReqdExctnDt", [("Dt", made_at.astimezone(COUNTRY_ZONE).date().isoformat())]),
        ("Dbtr", debtor),
        ("DbtrAcct", [*_account(bank.debtor_account), ("Ccy", currency)]),
        ("DbtrAgt", [("FinInstnId", [("BICFI", bank.debtor_agent_bic)])]),
    ]
    _write(root, [("GrpHdr", header), ("PmtInf", payments)])
    for transfer in transfers:
        _write_transfer(root[-1], transfer)
    written: bytes = etree.tostring(document, encoding="UTF-8", xml_declaration=True)
    return written + b"\n"


def _write_transfer(payments: Element, transfer: Transfer) -> None:
    reference = reference_of(transfer.instruction_id)
    _write(
        payments,
        [
            (
                "CdtTrfTxInf",
                [
                    ("PmtId", [("InstrId", reference), ("EndToEndId", reference)]),
                    ("Amt", [("InstdAmt", _amount(transfer.money))]),
                    ("CdtrAcct", _account(transfer.account)),
                    ("Purp", [("Cd", _PURPOSE)]),
                    ("RmtInf", [("Ustrd", _REMITTANCE)]),
                ],
            )
        ],
    )
    payments[-1][1][0].set("Ccy", transfer.money.currency)


def _write(parent: Element, children: Content) -> None:
    for name, content in children:
        child = etree.SubElement(parent, _named(name))
        if isinstance(content, str):
            child.text = content
        else:
            _write(child, content)


def _named(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def made_at_of(batch_id: UUID) -> datetime:
    """When a batch was made, to the second, from its id: a UUIDv7 (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((batch_id.int >> 80) // 1000, UTC)


def _amount(money: Money) -> str:
    """In major units, with the currency's own number of decimals."""
    return f"{money.to_decimal():f}"


def _account(identifier: str) -> Content:
    return [("Id", [("Othr", [("Id", identifier)])])]
