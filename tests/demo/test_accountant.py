"""What is planted in a statement is the amount of one payment, and nothing else."""

from demo.accountant import mistyped
from demo.providers import StatementFile


def entry(amount: int, direction: str) -> bytes:
    money = f'<Amt Ccy="KHR">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
    return f"<Ntry>{money}<NtryDtls><TxDtls>{money}</TxDtls></NtryDtls></Ntry>\n".encode()


def camt(*entries: bytes) -> StatementFile:
    balance = b'<Stmt><Bal><Amt Ccy="KHR">160000</Amt><CdtDbtInd>DBIT</CdtDbtInd></Bal>\n'
    return StatementFile("application/xml", b"".join([balance, *entries, b"</Stmt>"]))


def test_the_first_payment_is_mistyped_wherever_its_entry_has_it() -> None:
    came = entry(160_000, "CRDT")
    file = camt(came, entry(160_000, "DBIT"), entry(160_000, "DBIT"))
    assert mistyped(file) == camt(came, entry(9_160_000, "DBIT"), entry(160_000, "DBIT"))


def test_what_has_no_payment_cannot_be_mistyped() -> None:
    assert mistyped(camt(entry(160_000, "CRDT"))) is None
