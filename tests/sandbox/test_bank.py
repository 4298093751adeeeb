"""The bank that takes files: what it refuses, what it pays once, and how it is started."""

import base64
import csv
import hashlib
import io
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from sandbox.bank.misbehaviour import Temperament as BankTemperament
from sandbox.bank.options import BankOptions
from sandbox.misbehaviour import AccountState, Temperament
from sandbox.statements import ZONE
from tests.sandbox import camt
from tests.server import eventually

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
TOLD = "{urn:iso:std:iso:20022:tech:xsd:pain.002.001.10}"


def order(message_id: str, lines: list[str], *, total: int | None = None) -> bytes:
    """A customer's file of payments of 100 riel each."""
    sums = (
        f"<NbOfTxs>{len(lines)}</NbOfTxs>"
        f"<CtrlSum>{100 * len(lines) if total is None else total}</CtrlSum>"
    )
    told = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{line}</EndToEndId></PmtId>"
        '<Amt><InstdAmt Ccy="KHR">100</InstdAmt></Amt>'
        f"<CdtrAcct><Id><Othr><Id>account-{line[:8]}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"
        for line in lines
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
        f"<GrpHdr><MsgId>{message_id}</MsgId>{sums}</GrpHdr><PmtInf>{sums}{told}</PmtInf>"
        "</CstmrCdtTrfInitn></Document>"
    ).encode()


@dataclass
class Bank:
    """The bank, its folders and its book."""

    options: BankOptions

    def give(
        self, content: bytes, *, signed: bytes | None = None, checksum: str | None = None
    ) -> None:
        path = self.options.fetch / f"{uuid.uuid4().hex}.xml"
        digest = checksum or hashlib.sha256(content).hexdigest()
        path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
        path.with_name(f"{path.name}.sig").write_bytes(
            KEY.sign(content if signed is None else signed)
        )
        path.with_name(f".{path.name}").write_bytes(content)
        path.with_name(f".{path.name}").rename(path)

    async def until_told(self, message_id: str, status: str, reason: str | None = None) -> None:
        """Wait until a report says this of the file as a whole."""

        async def there() -> bool:
            return (message_id, status, reason) in self.told()

        await eventually(there)

    def told(self) -> list[tuple[str, str, str | None]]:
        group = f"{TOLD}CstmrPmtStsRpt/{TOLD}OrgnlGrpInfAndSts"
        documents = [etree.parse(path) for path in self.options.tell.glob("[!.]*.xml")]
        return [
            (
                document.findtext(f"{group}/{TOLD}OrgnlMsgId"),
                document.findtext(f"{group}/{TOLD}GrpSts"),
                document.findtext(f"{group}/{TOLD}StsRsnInf/{TOLD}Rsn/{TOLD}Cd"),
            )
            for document in documents
        ]

    def paid(self) -> list[str]:
        connection = sqlite3.connect(self.options.storage)
        try:
            rows = connection.execute(
                "SELECT end_to_end_id FROM payment WHERE rejection IS NULL ORDER BY end_to_end_id"
            )
            return [name for (name,) in rows]
        finally:
            connection.close()


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    for name in ("fetch", "tell"):
        (tmp_path / name).mkdir()
    return Bank(
        BankOptions(
            fetch=tmp_path / "fetch",
            tell=tmp_path / "tell",
            storage=tmp_path / "bank.sqlite",
            public_key=PUBLIC,
            delay_seconds=0,
        )
    )


@pytest.fixture
def start(bank: Bank) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(bank.options.command(), stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert b"the book in" in process.stdout.readline()
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_what_nobody_signed_or_does_not_add_up_is_refused_and_pays_nobody(
    bank: Bank, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    start()
    lines = [uuid.uuid4().hex for _ in range(3)]
    bank.give(order("tampered", lines), signed=order("tampered", lines[:2]))
    bank.give(order("checksum", lines), checksum="0" * 64)
    bank.give(order("sum", lines, total=299))
    bank.give(order("twice", [lines[0], lines[0]]))
    for name, reason in (
        ("tampered", "DS0B"),
        ("checksum", "DS0B"),
        ("sum", "AM10"),
        ("twice", "DU04"),
    ):
        await bank.until_told(name, "RJCT", reason)
    assert bank.paid() == []


async def test_a_file_or_a_line_that_comes_again_is_paid_once(
    bank: Bank, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    process = start()
    lines = sorted(uuid.uuid4().hex for _ in range(3))
    bank.give(order("first", lines[:2]))
    await bank.until_told("first", "ACSC")
    process.kill()
    process.wait()
    bank.give(order("first", lines[:2]))
    bank.give(order("second", lines))
    process = start()
    await bank.until_told("first", "RJCT", "DU01")
    await bank.until_told("second", "PART")
    assert bank.paid() == lines
    process.terminate()
    assert process.wait(timeout=20) == 0


def asked(bank: Bank, *task: str) -> str:
    """What the bank's account tells."""
    storage = str(bank.options.storage)
    command = [sys.executable, "-m", "sandbox.bank.account", "--storage", storage, *task]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


async def test_the_account_tells_what_moved_on_it_by_the_book_alone(
    bank: Bank, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    start()
    lines = sorted(uuid.uuid4().hex for _ in range(2))
    for _ in range(2):
        asked(bank, "float", "1000", "Prefunding")
        asked(bank, "charge", "5", "Fee")
    bank.give(order("first", lines))
    await bank.until_told("first", "ACSC")
    today = datetime.now(ZONE).date().isoformat()
    document = camt.read(asked(bank, "statement", today).encode())
    entries = [
        (entry.findtext(f"{camt.NAMESPACE}CdtDbtInd"), entry.findtext(f"{camt.NAMESPACE}Amt"))
        for entry in document.iter(f"{camt.NAMESPACE}Ntry")
    ]
    assert entries == [("CRDT", "1000"), ("DBIT", "5"), ("DBIT", "100"), ("DBIT", "100")]
    told = [name.text or "" for name in document.iter(f"{camt.NAMESPACE}EndToEndId")]
    assert sorted(told) == lines
    balances = [
        bal.findtext(f"{camt.NAMESPACE}Amt") for bal in document.iter(f"{camt.NAMESPACE}Bal")
    ]
    assert balances == ["0", "795"]
    book = list(csv.DictReader(io.StringIO(asked(bank, "book"))))
    assert sorted(row["correlation_id"] for row in book) == lines
    assert {(row["provider"], row["amount"], row["currency"]) for row in book} == {
        ("ncb", "100", "KHR")
    }


def test_a_bank_and_a_wallet_of_one_seed_know_the_same_accounts() -> None:
    bank = BankTemperament(seed=3, kinds=(), share=0, bad_account_share=0.2)
    wallet = Temperament(
        seed=3, misbehave=1, missing_account_share=0.2, completion_delay_ms=(0, 300)
    )
    accounts = [f"+8552{number:07}" for number in range(500)]
    assert [bank.account_fault(account) is None for account in accounts] == [
        wallet.account(account).state is AccountState.OPEN for account in accounts
    ]
    assert {bank.account_fault(account) for account in accounts} == {None, "AC01", "AC04"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--fetch", "nowhere"], "'nowhere' is no directory"),
        (["--public-key", "c2hvcnQ="], "is not 32 bytes in base64"),
        (["--misbehave", "politely"], "is not a valid Misbehaviour"),
        (["--share", "2"], "2 is not from 0 to 1"),
        (["--most-lines", "-1"], "is not a number of lines"),
    ],
)
def test_a_wrong_option_is_a_line_and_status_2(bank: Bank, changed: list[str], said: str) -> None:
    ended = subprocess.run(
        [*bank.options.command(python=sys.executable), *changed],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
