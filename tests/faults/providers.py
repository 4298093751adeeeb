"""The providers of a fault run: one of every kind, each with a book of its own.

One is paid through singly, one in batches, both in the sandbox; the third is a bank that takes
files, which is a program of its own.
"""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.local import every_kind
from deploy.local.environment import LocalSecrets
from deploy.local.every_kind import BANK, SPOKEN_TO
from sandbox.bank.misbehaviour import Misbehaviour
from sandbox.bank.options import BankOptions
from sandbox.options import SandboxOptions
from services.registry.households.shape import HEADERS, PROVIDER

OF_EVERY_KIND = tuple(SPOKEN_TO)

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

_BATCH_LINES = 40
_THE_BANKS_SHARE = 3
_SETTLING_SECONDS = 60
"""A bank whose machine stands still for a while has not left half a file for good."""
_CHARGE_MINOR = 100
"""What each of those who are not the bank charges for a payment."""


def bank_of(directory: Path, kept: LocalSecrets, *, like: SandboxOptions) -> BankOptions:
    """The bank, its folders made; it pays nearly every account, and goes wrong now and then."""
    return replace(
        every_kind.bank_of(directory.resolve(), kept, like=like),
        misbehave=HARMLESS,
        share=0.5,
        bad_account_share=0.01,
    )


def of_every_kind(singly: str, directory: Path, kept: LocalSecrets) -> dict[str, str]:
    """What payments is told, where ``singly`` are the settings of those who are paid singly."""
    told = every_kind.of_every_kind({"PAYMENTS_PROVIDERS": singly}, directory.resolve(), kept)
    providers = [
        _tried(provider)
        for provider in json.loads(told["PAYMENTS_PROVIDERS"])
        if provider["code"] in OF_EVERY_KIND
    ]
    return {**QUICK_BATCHES, **told, "PAYMENTS_PROVIDERS": json.dumps(providers)}


def _tried(provider: dict[str, Any]) -> dict[str, Any]:
    """As a provider is in a run: batches are small, and who is not the bank takes a fee."""
    changes: dict[str, Any] = {"batch_lines": _BATCH_LINES} if "batch_lines" in provider else {}
    if provider["code"] != BANK:
        return {**provider, **changes, "charge_fixed_minor": _CHARGE_MINOR}
    files = {**provider["bank_file"], "settling_seconds": _SETTLING_SECONDS}
    return {**provider, **changes, "not_known_untrue_seconds": 1, "bank_file": files}


def with_the_bank(file: bytes) -> bytes:
    """An import in which every third household that has an account has it at the bank."""
    place = HEADERS.index(PROVIDER.header)
    heading, *rows = csv.reader(io.StringIO(file.decode()))
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(heading)
    for number, row in enumerate(rows):
        if row[place] and number % _THE_BANKS_SHARE == 0:
            row[place] = BANK
        writer.writerow(row)
    return written.getvalue().encode()
