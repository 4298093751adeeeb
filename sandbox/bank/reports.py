"""Writing what the bank says of a file: pain.002.001.10, and the ways in which it goes wrong."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from sandbox.bank.book import Booked, Saying
from sandbox.bank.misbehaviour import Misbehaviour

LATE_TIMES = 10
_PIECES = 3


def refusal(message_id: str, reason: str, *, now: float, delay: float) -> list[Saying]:
    """What is said of a file that is refused whole."""
    content = _report(message_id, group="RJCT", reason=reason, lines=[], now=now)
    return [Saying(_name(), content, now + delay)]


def results(
    message_id: str,
    booked: Sequence[Booked],
    *,
    wrong: Misbehaviour | None,
    now: float,
    delay: float,
) -> list[Saying]:
    """Everything that is said of a file that was booked, when it is due."""
    if wrong is Misbehaviour.LATE:
        delay *= LATE_TIMES
    pieces = [list(booked)]
    if wrong is Misbehaviour.PARTIAL:
        backwards = list(reversed(booked))
        size = -(-len(backwards) // _PIECES)
        pieces = [backwards[at : at + size] for at in range(0, len(backwards), size)]
    if wrong is Misbehaviour.BATCH_BOOKED:
        booking = uuid.uuid4().hex
        pieces = [[_with_reference(each, booking) for each in piece] for piece in pieces]
    sayings = list(_accepted(message_id, wrong, now=now, delay=delay))
    for number, piece in enumerate(pieces, start=1):
        content = _report(
            message_id,
            group=_group(booked) if number == len(pieces) else "PART",
            lines=[] if wrong is Misbehaviour.NO_LINES and _is_paid(booked) else piece,
            foreign=2 if wrong is Misbehaviour.UNKNOWN_LINES else 0,
            now=now,
        )
        sayings += _said(content, wrong, due_at=now + delay * number)
    if wrong is Misbehaviour.UNKNOWN_FILE:
        content = _report(uuid.uuid4().hex, group="ACSC", lines=[], now=now)
        sayings.append(Saying(_name(), content, now + delay))
    return sayings


def _accepted(
    message_id: str, wrong: Misbehaviour | None, *, now: float, delay: float
) -> Iterator[Saying]:
    words = ["ACTC", "ACCP", "ACSP"] if wrong is Misbehaviour.ACCEPTED_ONLY else ["ACTC"]
    for number, word in enumerate(words):
        content = _report(message_id, group=word, lines=[], now=now)
        yield Saying(_name(), content, now + delay * number / (len(words) + 1))


def _said(content: bytes, wrong: Misbehaviour | None, *, due_at: float) -> Iterator[Saying]:
    whole = Saying(_name(), content, due_at)
    half = content[: len(content) // 2]
    if wrong is Misbehaviour.HALF_WRITTEN:
        yield replace(whole, content=half, due_at=due_at - 0.05)
    if wrong is Misbehaviour.BROKEN_OFF:
        yield Saying(_name(), half, due_at)
    yield whole
    if wrong is Misbehaviour.TWICE:
        yield replace(whole, name=_name())


def _with_reference(booked: Booked, reference: str) -> Booked:
    return replace(booked, reference=reference) if booked.reference else booked


def _is_paid(booked: Sequence[Booked]) -> bool:
    return all(each.rejection is None for each in booked)


def _group(booked: Sequence[Booked]) -> str:
    if _is_paid(booked):
        return "ACSC"
    return "PART" if any(each.rejection is None for each in booked) else "RJCT"


def _report(
    message_id: str,
    *,
    group: str,
    lines: Sequence[Booked],
    now: float,
    reason: str | None = None,
    foreign: int = 0,
) -> bytes:
    told = [_line(each) for each in lines]
    told += [_line(Booked(uuid.uuid4().hex, None, uuid.uuid4().hex[:16])) for _ in range(foreign)]
    name = escape(message_id)
    made_at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    within = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{name}</OrgnlPmtInfId>{''.join(told)}"
        "</OrgnlPmtInfAndSts>"
        if told
        else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{uuid.uuid4().hex}</MsgId><CreDtTm>{made_at}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{name}</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<GrpSts>{group}</GrpSts>{_reason(reason)}</OrgnlGrpInfAndSts>"
        f"{within}</CstmrPmtStsRpt></Document>\n"
    ).encode()


def _line(booked: Booked) -> str:
    name = escape(booked.end_to_end_id)
    status = "RJCT" if booked.rejection else "ACSC"
    reference = f"<AcctSvcrRef>{booked.reference}</AcctSvcrRef>" if booked.reference else ""
    return (
        f"<TxInfAndSts><OrgnlInstrId>{name}</OrgnlInstrId><OrgnlEndToEndId>{name}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{_reason(booked.rejection)}{reference}</TxInfAndSts>"
    )


def _reason(code: str | None) -> str:
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""


def _name() -> str:
    return f"pain002-{uuid.uuid4().hex}.xml"
