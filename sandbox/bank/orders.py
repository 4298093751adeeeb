"""Reading a customer's file: whether it is the customer's, and what it orders."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from lxml import etree

NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """One payment that a file orders, as it is written there."""

    end_to_end_id: str
    account: str
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class File:
    """What a file orders. `fault`: why the bank refuses it, as a code. `written_at`: when the
    customer had written it, in Unix seconds."""

    message_id: str
    sha256: str
    written_at: float
    lines: tuple[OrderedLine, ...]
    fault: str | None = None


def read_file(path: Path, key: Ed25519PublicKey) -> File:
    """A file with its checksum and its signature beside it."""
    content = path.read_bytes()
    written_at = path.stat().st_mtime
    sha256 = hashlib.sha256(content).hexdigest()
    fault = _sealing_fault(path, content, sha256, key)
    try:
        document = etree.fromstring(content, etree.XMLParser(resolve_entities=False))
        message_id = _only(document, "CstmrCdtTrfInitn/GrpHdr/MsgId")
        lines = tuple(_line(line) for line in document.iter(f"{NAMESPACE}CdtTrfTxInf"))
        fault = fault or _sum_fault(document, lines)
    except (etree.LxmlError, ValueError, InvalidOperation):
        return File(path.stem, sha256, written_at, (), fault or "FF01")
    return File(message_id, sha256, written_at, lines, fault)


def _sealing_fault(path: Path, content: bytes, sha256: str, key: Ed25519PublicKey) -> str | None:
    try:
        checksum = path.with_name(f"{path.name}.sha256").read_text()
        signature = path.with_name(f"{path.name}.sig").read_bytes()
        key.verify(signature, content)
    except (OSError, InvalidSignature):
        return "DS0B"
    return None if checksum == f"{sha256}  {path.name}\n" else "DS0B"


def _sum_fault(document: Any, lines: tuple[OrderedLine, ...]) -> str | None:
    total = sum((Decimal(line.amount) for line in lines), Decimal())
    for place in ("CstmrCdtTrfInitn/GrpHdr", "CstmrCdtTrfInitn/PmtInf"):
        if int(_only(document, f"{place}/NbOfTxs")) != len(lines):
            return "AM18"
        if Decimal(_only(document, f"{place}/CtrlSum")) != total:
            return "AM10"
    doubled = [name for name, count in Counter(x.end_to_end_id for x in lines).items() if count > 1]
    return "DU04" if doubled else None


def _line(line: Any) -> OrderedLine:
    amount = line.find(f"{NAMESPACE}Amt/{NAMESPACE}InstdAmt")
    if amount is None:
        raise ValueError("a line has no amount")
    return OrderedLine(
        end_to_end_id=_only(line, "PmtId/EndToEndId"),
        account=_only(line, "CdtrAcct/Id/Othr/Id"),
        amount=str(amount.text),
        currency=str(amount.get("Ccy")),
    )


def _only(element: Any, path: str) -> str:
    found = element.findall("/".join(f"{NAMESPACE}{name}" for name in path.split("/")))
    if len(found) != 1 or not found[0].text:
        raise ValueError(f"there is not one {path}")
    return str(found[0].text)
