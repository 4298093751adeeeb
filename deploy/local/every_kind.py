"""A provider of each kind on one machine: of single requests, of batches, of files, by hand.

What their settings mean, and how each is spoken to: docs/providers.md.
"""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.environment import CURRENCY, PROVIDERS, LocalSecrets
from sandbox.bank.options import BankOptions
from sandbox.options import SandboxOptions
from shared.version import API_PREFIX

BATCHES = "tonle"
BANK = "ncb"
BY_HAND = "commune-offices"
SPOKEN_TO = {**PROVIDERS, BANK: "National Commercial Bank (sandbox)"}
"""By code. Mekong takes single requests, Tonle takes batches, and the bank takes files."""
OF_EVERY_KIND = {**SPOKEN_TO, BY_HAND: "Commune offices"}
"""These, and cash that people pay out from lists."""

_MET_IN = ("outgoing", "incoming")
_BATCH_LINES = 2_000
_BATCHES_AT_ONCE = 4
_RECOGNISES_REPEATS_SECONDS = 604_800
_SETTLING_SECONDS = 5


def bank_of(directory: Path, kept: LocalSecrets, *, like: SandboxOptions) -> BankOptions:
    """The bank of a deployment, in folders of its own, which are made.

    It has the same accounts as the wallets of ``like``, and lives on the same day.
    """
    folders = bank_folders(directory)
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return BankOptions(
        fetch=folders["outgoing"],
        tell=folders["incoming"],
        storage=directory / "bank" / "book.sqlite",
        public_key=_public(kept.file_key),
        signing_key=kept.bank_key,
        seed=like.seed,
        bad_account_share=like.missing_account_share,
        clock_file=like.clock_file,
    )


def bank_folders(directory: Path) -> dict[str, Path]:
    """Where files are exchanged with the bank, and what payments keeps of them."""
    return {name: directory / "bank" / name for name in (*_MET_IN, "state")}


def how_paid(directory: Path, *, sandbox_url: str, payments_url: str) -> dict[str, tuple[str, str]]:
    """By code, how each is paid through, and where that is done or seen."""
    folders = bank_folders(directory)
    wallets = {
        code: (
            "batches" if code == BATCHES else "single requests",
            f"{sandbox_url}/{code}/v1.2",
        )
        for code in PROVIDERS
    }
    return {
        **wallets,
        BANK: ("files", ", ".join(os.path.relpath(folders[name]) for name in _MET_IN)),
        BY_HAND: ("cash, by lists", f"{payments_url}{API_PREFIX}/cash-lists"),
    }


def of_every_kind(
    environment: Mapping[str, str], directory: Path, kept: LocalSecrets
) -> dict[str, str]:
    """What the services are told otherwise, where ``environment`` has wallets of one kind."""
    wallets = json.loads(environment["PAYMENTS_PROVIDERS"])
    [not_known_untrue_seconds] = {wallet["not_known_untrue_seconds"] for wallet in wallets}
    batches = {
        "protocol": "gsma-mobile-money-1.2-batches",
        "batch_lines": _BATCH_LINES,
        "batches_at_once": _BATCHES_AT_ONCE,
    }
    folders = bank_folders(directory)
    bank = {
        "code": BANK,
        "name": OF_EVERY_KIND[BANK],
        "currency": CURRENCY,
        "protocol": "iso20022-pain.001-files",
        "batch_lines": _BATCH_LINES,
        "batches_at_once": _BATCHES_AT_ONCE,
        "recognises_repeats_seconds": _RECOGNISES_REPEATS_SECONDS,
        "not_known_untrue_seconds": not_known_untrue_seconds,
        "bank_file": {
            **{f"{name}_directory": str(folder) for name, folder in folders.items()},
            "debtor_name": "National Social Protection Council",
            "debtor_id": "nspc",
            "debtor_account": "000123456789",
            "debtor_agent_bic": "NCBKKHPP",
            "bank_public_keys": [_public(kept.bank_key)],
            "settling_seconds": _SETTLING_SECONDS,
        },
    }
    by_hand = {
        "code": BY_HAND,
        "name": OF_EVERY_KIND[BY_HAND],
        "currency": CURRENCY,
        "protocol": "cash-by-list",
        "cash_list": {"paid_at": "village-office"},
    }
    told = [{**wallet, **(batches if wallet["code"] == BATCHES else {})} for wallet in wallets]
    return {
        "PAYMENTS_PROVIDERS": json.dumps([*told, bank, by_hand]),
        "PAYMENTS_PROVIDER_SIGNING_KEYS": json.dumps({BANK: kept.file_key, BY_HAND: kept.file_key}),
    }


def _public(private_key: str) -> str:
    """The public half of an Ed25519 key, both in base64."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
