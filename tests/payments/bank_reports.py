"""Status reports as a bank writes them: for tests that choose every word."""

from collections.abc import Sequence
from uuid import UUID

VERSION = "pain.002.001.10"


def line(
    line_id: UUID | str, status: str, *, reason: str | None = None, reference: str | None = None
) -> str:
    """What is said of one line."""
    name = line_id.hex if isinstance(line_id, UUID) else line_id
    return (
        f"<TxInfAndSts><OrgnlInstrId>{name}</OrgnlInstrId>"
        f"<OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>{_reason(reason)}"
        + (f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else "")
        + "</TxInfAndSts>"
    )


def report(
    batch_id: UUID | str,
    *,
    group: str | None = None,
    reason: str | None = None,
    part: str | None = None,
    lines: Sequence[str] = (),
    number: int = 1,
    version: str = VERSION,
) -> bytes:
    """A report about the file of a batch; ``part`` is the status of its payment information."""
    name = batch_id.hex if isinstance(batch_id, UUID) else batch_id
    within = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{name}</OrgnlPmtInfId>"
        + (f"<PmtInfSts>{part}</PmtInfSts>" if part else "")
        + "".join(lines)
        + "</OrgnlPmtInfAndSts>"
        if lines or part
        else ""
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>report-{number}</MsgId><CreDtTm>2020-10-17T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{name}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
{f"<GrpSts>{group}</GrpSts>" if group else ""}{_reason(reason)}</OrgnlGrpInfAndSts>
{within}</CstmrPmtStsRpt></Document>
""".encode()


def _reason(code: str | None) -> str:
    if code is None:
        return ""
    kind = "Cd" if len(code) <= 4 else "Prtry"
    return f"<StsRsnInf><Rsn><{kind}>{code}</{kind}></Rsn></StsRsnInf>"
