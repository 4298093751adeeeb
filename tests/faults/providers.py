"""The providers of a fault run: one of every kind, each with a book of its own.

One is paid through singly, one in batches, both in the sandbox; the third is a bank that takes
files, which is a program of its own.
"""

import base64
import csv
import io
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.environment import CURRENCY, PROVIDERS
from sandbox.bank.misbehaviour import Misbehaviour
from sandbox.bank.options import BankOptions
from services.registry.households.shape import HEADERS, PROVIDER

BATCH_PROVIDER = "tonle"
BANK_PROVIDER = "samaki"
OF_EVERY_KIND = (*PROVIDERS, BANK_PROVIDER)

QUICK_BATCHES = {
    "PAYMENTS_BATCH_LEASE_SECONDS": "4",
    "PAYMENTS_BATCH_PAGE_SIZE": "17",
    "PAYMENTS_BATCH_RESULTS_SECONDS": "0.2",
    "PAYMENTS_BATCH_RESULTS_LONGEST_SECONDS": "1",
}
"""Every wait about a batch made short, and pages small."""

HARMLESS = (
    Misbehaviour.LATE,
    Misbehaviour.PARTIAL,
    Misbehaviour.TWICE,
    Misbehaviour.HALF_WRITTEN,
    Misbehaviour.NO_LINES,
    Misbehaviour.ACCEPTED_ONLY,
)
"""How a bank may go wrong without leaving anything to a person."""

_OUR_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_BANKS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
_FOLDERS = ("outgoing", "incoming", "state")
_BATCH_LINES = 40
_THE_BANKS_SHARE = 3
_CHARGE_MINOR = 100
"""What each of those who are not the bank charges for a payment."""


def bank_of(directory: Path, *, seed: int) -> BankOptions:
    """The bank, its folders made; it pays nearly every account, and goes wrong now and then."""
    for name in _FOLDERS:
        _folder(directory, name).mkdir(parents=True, exist_ok=True)
    return BankOptions(
        fetch=_folder(directory, "outgoing"),
        tell=_folder(directory, "incoming"),
        storage=directory / "bank.sqlite",
        public_key=_public(_OUR_KEY),
        signing_key=_private(_BANKS_KEY),
        seed=seed,
        misbehave=HARMLESS,
        share=0.5,
        bad_account_share=0.01,
    )


def of_every_kind(singly: str, directory: Path) -> dict[str, str]:
    """What payments is told, where ``singly`` are the settings of those who are paid singly."""
    batches = {"protocol": "gsma-mobile-money-1.2-batches", "batch_lines": _BATCH_LINES}
    providers = [
        {
            **provider,
            "charge_fixed_minor": _CHARGE_MINOR,
            **(batches if provider["code"] == BATCH_PROVIDER else {}),
        }
        for provider in json.loads(singly)
    ]
    bank = {
        "code": BANK_PROVIDER,
        "name": "Samaki Bank (sandbox)",
        "currency": CURRENCY,
        "protocol": "iso20022-pain.001-files",
        "recognises_repeats_seconds": 86_400,
        "not_known_untrue_seconds": 1,
        "batch_lines": _BATCH_LINES,
        "bank_file": {
            **{f"{name}_directory": str(_folder(directory, name)) for name in _FOLDERS},
            "debtor_name": "Social Protection Fund",
            "debtor_id": "nspc",
            "debtor_account": "000123456789",
            "debtor_agent_bic": "NCAMKHPP",
            "bank_public_keys": [_public(_BANKS_KEY)],
        },
    }
    return {
        **QUICK_BATCHES,
        "PAYMENTS_PROVIDERS": json.dumps([*providers, bank]),
        "PAYMENTS_PROVIDER_SIGNING_KEYS": json.dumps({BANK_PROVIDER: _private(_OUR_KEY)}),
    }


def with_the_bank(file: bytes) -> bytes:
    """An import in which every third household that has an account has it at the bank."""
    place = HEADERS.index(PROVIDER.header)
    heading, *rows = csv.reader(io.StringIO(file.decode()))
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(heading)
    for number, row in enumerate(rows):
        if row[place] and number % _THE_BANKS_SHARE == 0:
            row[place] = BANK_PROVIDER
        writer.writerow(row)
    return written.getvalue().encode()


def _folder(directory: Path, name: str) -> Path:
    return directory.resolve() / "bank" / name


def _public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _private(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.private_bytes_raw()).decode()
