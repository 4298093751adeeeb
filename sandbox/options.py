"""What a sandbox is told at its start: its command line, and its secrets by the environment.

Whoever is on the machine may read the command line of every process, but not its environment.
"""

import argparse
import base64
import binascii
import enum
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from sandbox.account_lies import AccountLie, AccountLies
from sandbox.batch_faults import BatchFault, BatchNature
from sandbox.hostility import ALL, Hostility, Nature
from sandbox.misbehaviour import GREATEST_MISBEHAVE, Temperament

PROVIDER_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
LONGEST_DELAY_MS = 600_000
LONGEST_HOSTILE_SECONDS = 3_600
MOST_OPEN_BATCHES = 10_000
PROVIDERS_VARIABLE = "SANDBOX_PROVIDERS"

Kind = TypeVar("Kind", bound=enum.StrEnum)


@dataclass(frozen=True)
class Provider:
    """One provider: it answers under `/{code}/v1.2` to whoever knows `api_key`.

    `webhook_secret` is a Standard Webhooks secret: `whsec_` and base64.
    """

    code: str
    api_key: str
    webhook_secret: str


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """The settings of one sandbox process.

    `misbehave` multiplies the shares of `sandbox.misbehaviour.SHARES`: 0 is a perfect provider.
    `missing_account_share` is the part of all accounts (0 to 1) that cannot be paid.
    `completion_delay_ms` is the least and the most time from the 202 to the outcome.
    `synchronous` answers 201 with the outcome at once and never calls back.
    `most_open_batches` are taken at a time of each provider; more are answered 429.
    `answer_delay_ms` is how long every call of a client takes at least. After `rest_after` calls a
    provider asks once to be left alone, for `rest_seconds`: 429 with `Retry-After`; 0: never.
    `batch_faults` are the kinds of faults that a part of all batches (`batch_fault_share`, 0 to 1)
    meets; `batch_fault_seconds` is how long what does not last for ever lasts.
    `hostile` are the kinds of hostility that a part of all payments (`hostile_share`, 0 to 1)
    meets, at `hostile_providers` (none named: at all); `hostile_seconds` is how long what does not
    last for ever lasts. `clock_file` dates the book and the statements in an exercise on other
    days, by the file that the services go by; without one, the machine does.
    `hostile_accounts` are the ways in which questions about accounts are met.
    """

    port: int
    storage: Path
    providers: tuple[Provider, ...]
    host: str = "127.0.0.1"
    seed: int = 1
    misbehave: float = 1.0
    missing_account_share: float = 0.01
    completion_delay_ms: tuple[int, int] = (0, 300)
    synchronous: bool = False
    most_open_batches: int = 64
    answer_delay_ms: int = 0
    rest_after: int = 0
    rest_seconds: float = 5.0
    batch_faults: tuple[BatchFault, ...] = ()
    batch_fault_share: float = 1.0
    batch_fault_seconds: float = 30.0
    hostile: tuple[Hostility, ...] = ()
    hostile_share: float = 1.0
    hostile_seconds: float = 30.0
    hostile_providers: tuple[str, ...] = ()
    clock_file: Path | None = None
    hostile_accounts: tuple[AccountLie, ...] = ()

    @property
    def temperament(self) -> Temperament:
        """How the providers misbehave, and which accounts they have."""
        return Temperament(
            seed=self.seed,
            misbehave=self.misbehave,
            missing_account_share=self.missing_account_share,
            completion_delay_ms=self.completion_delay_ms,
        )

    @property
    def nature(self) -> Nature:
        """Whom the providers are hostile to, and how."""
        return Nature(
            seed=self.seed,
            kinds=self.hostile,
            share=self.hostile_share,
            seconds=self.hostile_seconds,
            providers=self.hostile_providers,
        )

    @property
    def account_lies(self) -> AccountLies:
        """What is said of accounts instead of the truth."""
        return AccountLies(
            seed=self.seed, kinds=self.hostile_accounts, seconds=self.hostile_seconds
        )

    @property
    def batch_nature(self) -> BatchNature:
        """Which batches go wrong, and how."""
        return BatchNature(
            seed=self.seed,
            kinds=self.batch_faults,
            share=self.batch_fault_share,
            seconds=self.batch_fault_seconds,
        )

    @property
    def url(self) -> str:
        """The address of the sandbox's own routes, such as `/book`."""
        return f"http://{self.host}:{self.port}"

    def base_url(self, code: str) -> str:
        """The address under which a provider's GSMA calls are found."""
        return f"{self.url}/{code}/v1.2"

    def command(self, *, python: str = sys.executable) -> list[str]:
        """The command line that starts this sandbox, together with ``environment()``."""
        shortest, longest = self.completion_delay_ms
        words = [python, "-m", "sandbox"]
        words += ["--host", self.host, "--port", str(self.port)]
        words += ["--storage", str(self.storage), "--seed", str(self.seed)]
        words += ["--misbehave", repr(self.misbehave)]
        words += ["--missing-account-share", repr(self.missing_account_share)]
        words += ["--completion-delay-ms", f"{shortest}..{longest}"]
        words += ["--most-open-batches", str(self.most_open_batches)]
        words += ["--answer-delay-ms", str(self.answer_delay_ms)]
        words += ["--rest-after", str(self.rest_after)]
        words += ["--rest-seconds", repr(self.rest_seconds)]
        if self.synchronous:
            words.append("--synchronous")
        if self.batch_faults:
            words += ["--batch-faults", ",".join(self.batch_faults)]
            words += ["--batch-fault-share", repr(self.batch_fault_share)]
            words += ["--batch-fault-seconds", repr(self.batch_fault_seconds)]
        if self.hostile:
            words += ["--hostile", ",".join(self.hostile)]
            words += ["--hostile-share", repr(self.hostile_share)]
        if self.hostile_accounts:
            words += ["--hostile-accounts", ",".join(self.hostile_accounts)]
        if self.hostile or self.hostile_accounts:
            words += ["--hostile-seconds", repr(self.hostile_seconds)]
        for code in self.hostile_providers:
            words += ["--hostile-provider", code]
        if self.clock_file is not None:
            words += ["--clock-file", str(self.clock_file)]
        return words

    def environment(self) -> dict[str, str]:
        """The variables that tell this sandbox its secrets."""
        return {PROVIDERS_VARIABLE: json.dumps([asdict(provider) for provider in self.providers])}


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its usage before the error; an operator needs the error alone."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sandbox: {message} (see python -m sandbox --help)\n")


def parse_options(arguments: Sequence[str], environment: Mapping[str, str]) -> SandboxOptions:
    """Read both. What is wrong ends the process: one line, exit status 2."""
    parser = _OneLineParser(
        prog="python -m sandbox",
        description="A mobile-money provider to test against (GSMA Mobile Money API 1.2).",
        epilog=f"{PROVIDERS_VARIABLE} in the environment says which providers it plays, as a JSON "
        'list: [{"code": "mekong", "api_key": "...", "webhook_secret": "whsec_..."}]',
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, required=True, help="port to listen on")
    parser.add_argument("--storage", type=Path, required=True, help="file that keeps the book")
    parser.add_argument("--seed", type=int, default=1, help="decides who misbehaves (%(default)s)")
    parser.add_argument(
        "--misbehave", type=_misbehave, default=1.0, help="0 perfect, 1 as documented (%(default)s)"
    )
    parser.add_argument(
        "--missing-account-share",
        type=_share,
        default=0.01,
        help="part of all accounts that cannot be paid, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--completion-delay-ms",
        type=_delay,
        default=(0, 300),
        metavar="LEAST..MOST",
        help="time from the 202 to the outcome (0..300)",
    )
    parser.add_argument(
        "--synchronous", action="store_true", help="answer 201 at once, never call back"
    )
    parser.add_argument(
        "--most-open-batches",
        type=_most_open_batches,
        default=64,
        metavar="NUMBER",
        help="batches of a provider that are taken at a time (%(default)s)",
    )
    parser.add_argument(
        "--answer-delay-ms",
        type=_whole,
        default=0,
        metavar="MS",
        help="how long every call takes at least (%(default)s)",
    )
    parser.add_argument(
        "--rest-after",
        type=_whole,
        default=0,
        metavar="CALLS",
        help="calls after which a provider asks to be left alone, once; 0: never (%(default)s)",
    )
    parser.add_argument(
        "--rest-seconds",
        type=_hostile_seconds,
        default=5.0,
        help="for how long it asks that (%(default)s)",
    )
    parser.add_argument(
        "--batch-faults",
        type=_batch_faults,
        default=(),
        metavar="KINDS",
        help=f"faults of batches with commas between them, or {ALL} (none)",
    )
    parser.add_argument(
        "--batch-fault-share",
        type=_share,
        default=1.0,
        help="part of all batches that meets one, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--batch-fault-seconds",
        type=_hostile_seconds,
        default=30.0,
        help="how long what does not last for ever lasts (%(default)s)",
    )
    parser.add_argument(
        "--hostile",
        type=_hostile,
        default=(),
        metavar="KINDS",
        help=f"kinds of hostility with commas between them, or {ALL} (none)",
    )
    parser.add_argument(
        "--hostile-share",
        type=_share,
        default=1.0,
        help="part of all payments that meets it, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--hostile-seconds",
        type=_hostile_seconds,
        default=30.0,
        help="how long what does not last for ever lasts (%(default)s)",
    )
    parser.add_argument(
        "--hostile-provider",
        action="append",
        default=[],
        metavar="CODE",
        help="a provider that is hostile; none named: each is",
    )
    parser.add_argument("--clock-file", type=Path, help="dates the book in an exercise")
    parser.add_argument(
        "--hostile-accounts",
        type=_account_lies,
        default=(),
        metavar="KINDS",
        help=f"what is said of accounts, with commas between, or {ALL} (the truth)",
    )
    values = parser.parse_args(arguments)
    try:
        providers = _providers(environment.get(PROVIDERS_VARIABLE, ""))
    except argparse.ArgumentTypeError as error:
        parser.error(f"{PROVIDERS_VARIABLE} in the environment {error}")
    return SandboxOptions(
        host=values.host,
        port=values.port,
        storage=values.storage,
        providers=providers,
        seed=values.seed,
        misbehave=values.misbehave,
        missing_account_share=values.missing_account_share,
        completion_delay_ms=values.completion_delay_ms,
        synchronous=values.synchronous,
        most_open_batches=values.most_open_batches,
        answer_delay_ms=values.answer_delay_ms,
        rest_after=values.rest_after,
        rest_seconds=values.rest_seconds,
        batch_faults=values.batch_faults,
        batch_fault_share=values.batch_fault_share,
        batch_fault_seconds=values.batch_fault_seconds,
        hostile=values.hostile,
        hostile_share=values.hostile_share,
        hostile_seconds=values.hostile_seconds,
        hostile_providers=tuple(values.hostile_provider),
        clock_file=values.clock_file,
        hostile_accounts=values.hostile_accounts,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def _most_open_batches(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_OPEN_BATCHES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_OPEN_BATCHES}")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) > LONGEST_DELAY_MS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {LONGEST_DELAY_MS}")
    return int(text)


def _misbehave(text: str) -> float:
    return _number(text, least=0, most=GREATEST_MISBEHAVE)


def _share(text: str) -> float:
    return _number(text, least=0, most=1)


def _hostile_seconds(text: str) -> float:
    return _number(text, least=0, most=LONGEST_HOSTILE_SECONDS)


def _hostile(text: str) -> tuple[Hostility, ...]:
    return _kinds(text, Hostility)


def _account_lies(text: str) -> tuple[AccountLie, ...]:
    return _kinds(text, AccountLie)


def _batch_faults(text: str) -> tuple[BatchFault, ...]:
    return _kinds(text, BatchFault)


def _kinds(text: str, known: type[Kind]) -> tuple[Kind, ...]:
    if text == ALL:
        return tuple(known)
    try:
        return tuple(known(name) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; sandbox/README.md lists them") from None


def _number(text: str, *, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
    return number


def _delay(text: str) -> tuple[int, int]:
    least, _, most = text.partition("..")
    if not (least.isdecimal() and (most or least).isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not milliseconds such as 0..300 or 50")
    delay = int(least), int(most or least)
    if not delay[0] <= delay[1] <= LONGEST_DELAY_MS:
        raise argparse.ArgumentTypeError(f"{text} must rise and end at {LONGEST_DELAY_MS} or less")
    return delay


def _providers(text: str) -> tuple[Provider, ...]:
    try:
        entries = json.loads(text)
        providers = tuple(Provider(**entry) for entry in entries)
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError(
            "is not a JSON list of objects with code, api_key and webhook_secret"
        ) from None
    if not providers:
        raise argparse.ArgumentTypeError("names no provider")
    if len({provider.code for provider in providers}) < len(providers):
        raise argparse.ArgumentTypeError("names a provider twice")
    for provider in providers:
        _check_provider(provider)
    return providers


def _check_provider(provider: Provider) -> None:
    if not (isinstance(provider.code, str) and PROVIDER_CODE.fullmatch(provider.code)):
        raise argparse.ArgumentTypeError(
            f"has the code {provider.code!r}, which is not lower-case letters, digits and hyphens"
        )
    if not (isinstance(provider.api_key, str) and provider.api_key):
        raise argparse.ArgumentTypeError(f"gives provider {provider.code} no api_key")
    secret = provider.webhook_secret
    prefix, _, encoded = secret.partition("_") if isinstance(secret, str) else ("", "", "")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if prefix != "whsec" or not key:
        raise argparse.ArgumentTypeError(
            f"gives provider {provider.code} a webhook_secret that is not whsec_ and base64"
        )
