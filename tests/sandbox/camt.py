"""The shape of ISO 20022 camt.053.001.08, as far as the sandbox uses it, and whether it is kept.

Written from the message definition: an element's children in their order, each with how often it
may come, and what its text has to match.
"""

import re
from xml.etree import ElementTree

NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"

# Each child with a mark behind it: none is once, ? at most once, * any number of times.
CHILDREN = {
    "Document": "BkToCstmrStmt",
    "BkToCstmrStmt": "GrpHdr Stmt",
    "GrpHdr": "MsgId CreDtTm MsgRcpt? MsgPgntn? OrgnlBizQry? AddtlInf?",
    "Stmt": "Id StmtPgntn? ElctrncSeqNb? RptgSeq? LglSeqNb? CreDtTm? FrToDt? CpyDplctInd? RptgSrc?"
    " Acct RltdAcct? Intrst* Bal* TxsSummry? Ntry* AddtlStmtInf?",
    "FrToDt": "FrDtTm ToDtTm",
    "Acct": "Id? Tp? Ccy? Nm? Prxy? Ownr? Svcr?",
    "Stmt/Acct/Id": "Othr",
    "CdtrAcct": "Id? Tp? Ccy? Nm? Prxy?",
    "CdtrAcct/Id": "Othr",
    "Othr": "Id SchmeNm? Issr?",
    "Svcr": "FinInstnId BrnchId?",
    "FinInstnId": "BICFI? ClrSysMmbId? LEI? Nm? PstlAdr? Othr?",
    "Bal": "Tp CdtLine* Amt CdtDbtInd Dt Avlbty*",
    "Bal/Tp": "CdOrPrtry SubTp?",
    "CdOrPrtry": "Cd",
    "Bal/Dt": "Dt",
    "TxsSummry": "TtlNtries? TtlCdtNtries? TtlDbtNtries? TtlNtriesPerBkTxCd*",
    "TtlNtries": "NbOfNtries? Sum? TtlNetNtry?",
    "TtlNetNtry": "Amt CdtDbtInd",
    "TtlCdtNtries": "NbOfNtries? Sum?",
    "TtlDbtNtries": "NbOfNtries? Sum?",
    "Ntry": "NtryRef? Amt CdtDbtInd RvslInd? Sts BookgDt? ValDt? AcctSvcrRef? Avlbty* BkTxCd"
    " ComssnWvrInd? AddtlInfInd? AmtDtls? Chrgs? TechInptChanl? Intrst? CardTx? NtryDtls*"
    " AddtlNtryInf?",
    "Sts": "Cd",
    "BookgDt": "DtTm",
    "ValDt": "Dt",
    "BkTxCd": "Domn? Prtry?",
    "Domn": "Cd Fmly",
    "Fmly": "Cd SubFmlyCd",
    "NtryDtls": "Btch? TxDtls*",
    "TxDtls": "Refs? Amt? CdtDbtInd? AmtDtls? Avlbty* BkTxCd? Chrgs? Intrst? RltdPties? RltdAgts?"
    " LclInstrm? Purp? RltdRmtInf* RmtInf? RltdDts? RltdPric? RltdQties* FinInstrmId? Tax? RtrInf?",
    "Refs": "MsgId? AcctSvcrRef? PmtInfId? InstrId? EndToEndId? UETR? TxId? MndtId?",
    "RltdPties": "InitgPty? Dbtr? DbtrAcct? UltmtDbtr? Cdtr? CdtrAcct? UltmtCdtr?",
    "RmtInf": "Ustrd*",
    "RtrInf": "OrgnlBkTxCd? Orgtr? Rsn? AddtlInf*",
}

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT = _DAY + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_TEXT_35, _AMOUNT = r".{1,35}", r"[0-9]{1,18}(\.[0-9]{1,5})?"

TEXTS = {
    **dict.fromkeys(("MsgId", "NtryRef", "AcctSvcrRef", "EndToEndId", "TxId"), _TEXT_35),
    **dict.fromkeys(("CreDtTm", "FrDtTm", "ToDtTm", "DtTm"), _INSTANT),
    "Stmt/Id": _TEXT_35,
    "Othr/Id": r".{1,34}",
    "Dt": _DAY,
    "Ccy": r"[A-Z]{3}",
    "Amt": _AMOUNT,
    "Sum": _AMOUNT,
    "NbOfNtries": r"[0-9]{1,15}",
    "CdtDbtInd": r"CRDT|DBIT",
    "CdOrPrtry/Cd": r"OPBD|CLBD",
    "Sts/Cd": r"BOOK",
    "Domn/Cd": r"PMNT",
    "Fmly/Cd": r"ICDT|RCDT",
    "SubFmlyCd": r"DMCT|RRTN|CHRG",
    "Nm": r".{1,140}",
    "Ustrd": r".{1,140}",
    "AddtlInf": r".{1,105}",
}


def read(body: bytes) -> ElementTree.Element:
    """A document that has the message's shape; fails where it has another."""
    root = ElementTree.fromstring(body)  # noqa: S314 (our own program wrote it)
    assert root.tag == NAMESPACE + "Document"
    _check(root, "", "")
    return root


def _check(element: ElementTree.Element, parent: str, grandparent: str) -> None:
    assert element.tag.startswith(NAMESPACE), element.tag
    name = element.tag.removeprefix(NAMESPACE)
    paths = (f"{grandparent}/{parent}/{name}", f"{parent}/{name}", name)
    children = next((CHILDREN[path] for path in paths if path in CHILDREN), None)
    if len(element) or (children is not None and not any(path in TEXTS for path in paths)):
        assert children is not None, f"{parent}/{name} has children"
        pattern = "".join(_repeated(child) for child in children.split())
        names = "".join(f"<{child.tag.removeprefix(NAMESPACE)}>" for child in element)
        assert re.fullmatch(pattern, names), f"{name}: {names}"
        for child in element:
            _check(child, name, parent)
        return
    pattern = next((TEXTS[path] for path in paths if path in TEXTS), "")
    assert pattern, f"{parent}/{name} is in no table"
    assert re.fullmatch(pattern, element.text or ""), f"{name}: {element.text!r}"
    expected = {"Ccy"} if name == "Amt" and parent != "TtlNetNtry" else set()
    assert set(element.attrib) == expected


def _repeated(child: str) -> str:
    mark = child[-1] if child[-1] in "?*" else ""
    return f"(<{child.removesuffix(mark)}>){mark}"
