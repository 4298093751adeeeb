"""What a bank says of a file: a CustomerPaymentStatusReport, pain.002.

Pure, and it never raises: a file is read whole, or it is ``Unreadable`` and says why. Any version
of the message from 3 on is taken: what is read here has kept its names and its meaning. Source:
ISO 20022, message definition pain.002.001.10 (CustomerPaymentStatusReportV10).
"""

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
from lxml import etree

from services.payments.providers.bankfile.references import read_reference

MAXIMUM_BYTES = 32 * 1024 * 1024
MAXIMUM_TAGS = 2_000_000
LONGEST_TEXT_CHARACTERS = 35
"""``Max35Text``: no identifier of the standard that is read here is longer."""
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.(?:0[3-9]|1[0-9])\}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,35}")
_LINE = "TxInfAndSts"

Element = Any
"""An element of lxml, which has no types."""


@dataclass(frozen=True, slots=True)
class Word:
    """A status as the bank writes it, and the code of its reason, where it gives one."""

    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LineWord:
    """What is said of one line."""

    line_id: UUID | None
    """None: it is named by no reference of ours."""
    word: Word
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What one file says of one of ours."""

    original_message_id: str
    group: Word | None
    """Of the file as a whole."""
    parts: tuple[Word, ...]
    """Of its parts, where the bank says something of one. Ours have one part."""
    lines: tuple[LineWord, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file says nothing: a code."""

    reason: str


def read_report(content: bytes) -> Report | Unreadable:
    """What a file says."""
    # Each element has a "<" at least: what has too many is not even parsed.
    if len(content) > MAXIMUM_BYTES or content.count(b"<") > MAXIMUM_TAGS:
        return Unreadable("too_long")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,  # libxml2 itself refuses what nests deeper than 256
        remove_comments=True,
        remove_pis=True,
    )
    try:
        document = etree.fromstring(content, parser)
    except (etree.LxmlError, ValueError, LookupError):
        return Unreadable("not_well_formed")
    information = document.getroottree().docinfo
    if information.doctype or information.internalDTD is not None:
        return Unreadable("defines_types")
    namespace = _NAMESPACE.fullmatch(str(document.tag).removesuffix("Document"))
    if namespace is None:
        return Unreadable("no_status_report")
    return _report(document, namespace.group())


def kept(report: Report) -> bytes:
    """A report as it is kept: what was read of it, and nothing of persons."""
    return orjson.dumps(report)


def read_kept(content: bytes) -> Report:
    """A report that was kept; raises ValueError, TypeError or LookupError where it is damaged."""
    told = orjson.loads(content)
    return Report(
        original_message_id=told["original_message_id"],
        group=None if told["group"] is None else Word(**told["group"]),
        parts=tuple(Word(**word) for word in told["parts"]),
        lines=tuple(
            LineWord(
                line["line_id"] and UUID(line["line_id"]),
                Word(**line["word"]),
                line["bank_reference"],
            )
            for line in told["lines"]
        ),
    )


def _report(document: Element, namespace: str) -> Report | Unreadable:
    """The message in a document; every status is read, or none is."""
    groups = document.findall(f"{namespace}CstmrPmtStsRpt/{namespace}OrgnlGrpInfAndSts")
    if len(groups) != 1:
        return Unreadable("no_original_group")
    message_id = _text(groups[0], f"{namespace}OrgnlMsgId")
    if message_id is None:
        return Unreadable("no_original_message")
    parts = document.findall(f"{namespace}CstmrPmtStsRpt/{namespace}OrgnlPmtInfAndSts")
    words = [_word(element, namespace, "GrpSts") for element in groups]
    words += [_word(element, namespace, "PmtInfSts") for element in parts]
    lines = [_line(line, namespace) for part in parts for line in part.iter(f"{namespace}{_LINE}")]
    return Report(
        original_message_id=message_id,
        group=words[0],
        parts=tuple(word for word in words[1:] if word is not None),
        lines=_without_shared_references([line for line in lines if line is not None]),
    )


def _line(element: Element, namespace: str) -> LineWord | None:
    word = _word(element, namespace, "TxSts")
    if word is None:
        return None
    return LineWord(
        line_id=read_reference(_text(element, f"{namespace}OrgnlEndToEndId")),
        word=word,
        bank_reference=_text(element, f"{namespace}AcctSvcrRef"),
    )


def _without_shared_references(lines: list[LineWord]) -> tuple[LineWord, ...]:
    """A reference of several lines is that of the booking of all of them, and names none."""
    owners: dict[str, set[UUID | None]] = {}
    for line in lines:
        if line.bank_reference is not None:
            owners.setdefault(line.bank_reference, set()).add(line.line_id)
    return tuple(
        replace(line, bank_reference=None)
        if line.bank_reference is not None and len(owners[line.bank_reference]) > 1
        else line
        for line in lines
    )


def _word(element: Element, namespace: str, name: str) -> Word | None:
    """A status with the first code among its reasons; None: nothing is said."""
    status = _code(_text(element, f"{namespace}{name}"))
    if status is None:
        return None
    reasons = (
        _code(_text(reason, f"{namespace}{kind}"))
        for reason in element.iterfind(f"{namespace}StsRsnInf/{namespace}Rsn")
        for kind in ("Cd", "Prtry")
    )
    return Word(status, next((reason for reason in reasons if reason is not None), None))


def _code(text: str | None) -> str | None:
    """A code, or None: free text, which may name a person, is none."""
    return text if text is not None and _CODE.fullmatch(text) else None


def _text(element: Element, name: str) -> str | None:
    """The short and printable text of a child, or None."""
    text = element.findtext(name)
    text = text.strip() if isinstance(text, str) else ""
    if not 0 < len(text) <= LONGEST_TEXT_CHARACTERS or not text.isprintable():
        return None
    return text
