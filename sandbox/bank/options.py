"""What a sandbox bank is told at its start: its command line, and its secret by the environment."""

import argparse
import base64
import binascii
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sandbox.bank.misbehaviour import Misbehaviour

ALL = "all"
KEY_BYTES = 32
KEY_VARIABLE = "SANDBOX_BANK_SIGNING_KEY"


@dataclass(frozen=True, kw_only=True)
class BankOptions:
    """The settings of one bank.

    It fetches from `fetch`, writes what it says to `tell`, and keeps its book in `storage`.
    `public_key` is the customer's Ed25519 key, in base64. `share` of all files (0 to 1) go wrong in
    one of the ways `misbehave`; those with more than `most_lines` lines are refused whole (0: none
    is); `bad_account_share` of all accounts cannot be paid. `delay_seconds` is the time from
    fetching a file to its results; what is late is ten times as late. `signing_key` is the bank's
    own Ed25519 key, in base64: with it, each report is signed. `clock_file` dates the book in an
    exercise on other days, by the file that the services go by.
    """

    fetch: Path
    tell: Path
    storage: Path
    public_key: str
    seed: int = 1
    misbehave: tuple[Misbehaviour, ...] = ()
    share: float = 1.0
    most_lines: int = 0
    bad_account_share: float = 0.0
    delay_seconds: float = 0.1
    signing_key: str = ""
    clock_file: Path | None = None

    def command(self, *, python: str = sys.executable) -> list[str]:
        """The command line that starts this bank, together with ``environment()``."""
        words = [python, "-m", "sandbox.bank"]
        words += ["--fetch", str(self.fetch), "--tell", str(self.tell)]
        words += ["--storage", str(self.storage), "--public-key", self.public_key]
        words += ["--seed", str(self.seed), "--share", repr(self.share)]
        words += ["--most-lines", str(self.most_lines)]
        words += ["--bad-account-share", repr(self.bad_account_share)]
        words += ["--delay-seconds", repr(self.delay_seconds)]
        if self.misbehave:
            words += ["--misbehave", ",".join(self.misbehave)]
        if self.clock_file is not None:
            words += ["--clock-file", str(self.clock_file)]
        return words

    def environment(self) -> dict[str, str]:
        """The variables that tell this bank its secret."""
        return {KEY_VARIABLE: self.signing_key} if self.signing_key else {}


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its usage before the error; an operator needs the error alone."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sandbox.bank: {message} (see python -m sandbox.bank --help)\n")


def parse_options(arguments: Sequence[str], environment: Mapping[str, str]) -> BankOptions:
    """Read both. What is wrong ends the process: one line, exit status 2."""
    parser = _OneLineParser(
        prog="python -m sandbox.bank",
        description="A bank to test against: ISO 20022 pain.001.001.09 in, pain.002.001.10 out.",
        epilog=f"{KEY_VARIABLE} in the environment is the key that signs reports, if there is one.",
    )
    parser.add_argument("--fetch", type=_directory, required=True, help="where files are fetched")
    parser.add_argument("--tell", type=_directory, required=True, help="where reports are written")
    parser.add_argument("--storage", type=Path, required=True, help="file that keeps the book")
    parser.add_argument("--public-key", type=_key, required=True, help="Ed25519 key, in base64")
    parser.add_argument("--seed", type=int, default=1, help="decides what goes wrong (%(default)s)")
    parser.add_argument(
        "--misbehave",
        type=_kinds,
        default=(),
        metavar="KINDS",
        help=f"ways to go wrong with commas between them, or {ALL} (none)",
    )
    for option, default, what in (
        ("--share", 1.0, "part of all files that go wrong in one of them"),
        ("--bad-account-share", 0.0, "part of all accounts that cannot be paid"),
    ):
        parser.add_argument(option, type=_share, default=default, help=f"{what} (%(default)s)")
    parser.add_argument(
        "--most-lines", type=_lines, default=0, help="a file with more is refused whole (0: none)"
    )
    parser.add_argument("--delay-seconds", type=_delay, default=0.1, help="to the results")
    parser.add_argument("--clock-file", type=Path, help="dates the book in an exercise")
    values = vars(parser.parse_args(arguments))
    try:
        signing_key = _key(environment[KEY_VARIABLE]) if KEY_VARIABLE in environment else ""
    except argparse.ArgumentTypeError:
        # Without repeating it: it is a secret.
        parser.error(f"{KEY_VARIABLE} in the environment is not {KEY_BYTES} bytes in base64")
    return BankOptions(**values, signing_key=signing_key)


def _directory(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no directory")
    return path


def _key(text: str) -> str:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not {KEY_BYTES} bytes in base64")
    return text


def _kinds(text: str) -> tuple[Misbehaviour, ...]:
    if text == ALL:
        return tuple(Misbehaviour)
    try:
        return tuple(Misbehaviour(name) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; sandbox/README.md lists them") from None


def _lines(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def _share(text: str) -> float:
    return _number(text, most=1)


def _delay(text: str) -> float:
    return _number(text, most=3_600)


def _number(text: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to {most:g}")
    return number
