"""What the payments service is told by its environment."""

import base64
import binascii
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.payments.account_check_settings import AccountCheckSettings
from services.payments.cash_settings import PaysByList
from services.payments.provider_settings import ProviderPace, ProviderPatience
from services.payments.stand_ins import StandInSettings
from shared.errors import Explained
from shared.known_keys import KeyRing, versions
from shared.money import MAXIMUM_AMOUNT_MINOR, CurrencyCode
from shared.outbound import Judge, is_public, is_public_or_loopback
from shared.production import Secret, https_fault
from shared.retry import Backoff
from shared.settings import (
    CallingSettings,
    KeyVersions,
    ServiceSettings,
    WebhookSecret,
    secrets_of_keys,
)
from shared.signatures import key_of

SIGNING_KEY_BYTES = 32
MOST_LINES_OF_A_FILE = 20_000
"""A report about all of them is shorter than what is read of one."""


def is_signing_key(text: str) -> bool:
    """Whether a text is a key of Ed25519: 32 bytes in base64 (RFC 8032, section 5.1.5)."""
    try:
        return len(base64.b64decode(text, validate=True)) == SIGNING_KEY_BYTES
    except (binascii.Error, ValueError):
        return False


class BankFileSettings(BaseModel):
    """How a bank takes files: where they are exchanged, and who pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outgoing_directory: Path
    """Where the bank fetches what we write."""
    incoming_directory: Path
    """Where the bank writes what it says of it."""
    state_directory: Path
    """Ours alone: which files left, what came in, and what was set aside. It outlives processes,
    and all workers share it."""

    debtor_name: str = Field(min_length=1, max_length=140)
    debtor_id: str = Field(min_length=1, max_length=35)
    """The organisation's identifier at the bank."""
    debtor_account: str = Field(pattern="^[!-~]{1,34}$")
    """The account that is debited: the one that is prefunded."""
    debtor_agent_bic: str = Field(pattern="^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")

    bank_public_keys: tuple[str, ...] = ()
    """Ed25519 keys of the bank, in base64; several while one is being rotated. Without any,
    whoever can write into the incoming directory is believed."""
    settling_seconds: float = Field(default=60, gt=0)
    """How long a file that came in has to be unchanged, until one that cannot be read is not taken
    for half-written any more."""

    @model_validator(mode="after")
    def _keeps_apart(self) -> Self:
        places = [self.outgoing_directory, self.incoming_directory, self.state_directory]
        if not all(place.is_absolute() for place in places):
            raise ValueError("give the directories of a bank file as absolute paths")
        if len(set(places)) < len(places):
            raise ValueError("outgoing, incoming and state are three directories")
        if not all(is_signing_key(key) for key in self.bank_public_keys):
            raise ValueError("a key of bank_public_keys is 32 bytes in base64")
        return self


class WrongPlace(Explained):
    """A provider's settings say that it is where its protocol cannot reach it."""


class ProviderSettings(AccountCheckSettings, ProviderPace, ProviderPatience, PaysByList):
    """One provider: what it speaks, and where it is. Its secrets are with who uses them, below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _tells_no_secret(cls, given: Any) -> Any:
        if isinstance(given, dict) and (found := {"api_key", "webhook_secrets"} & given.keys()):
            raise ValueError(
                f"take {' and '.join(sorted(found))} out: keys are given by provider in "
                "PAYMENTS_PROVIDER_API_KEYS, secrets in PAYMENTS_PROVIDER_WEBHOOK_SECRETS"
            )
        return given

    code: str = Field(pattern="^[a-z0-9-]{1,32}$")
    name: str
    protocol: str = "gsma-mobile-money-1.2"
    """Which adapter speaks to it: a name in ``providers/adapters.py``."""
    base_url: str | None = None
    """Where one is that is spoken to over HTTP."""
    bank_file: BankFileSettings | None = None
    """Of one that takes files instead."""
    currency: CurrencyCode

    # What it is known to do. The defaults assume the worst that is common.
    recognises_repeats_seconds: int = Field(default=0, ge=0)
    """How long it recognises a request that is sent again with the same id, and pays it once.
    0: it is not known to, and nothing is ever sent to it again by machine."""
    not_known_untrue_seconds: int = Field(default=300, ge=0)
    """How long after a request it may still say that it knows nothing of it, and pay it yet."""
    returns_our_reference: bool = True
    """Whether what it paid carries our reference. Without it, such an answer is not believed."""

    # What it charges for a payment that it made, in minor units of its currency: both together.
    charge_fixed_minor: int = Field(default=0, ge=0, le=MAXIMUM_AMOUNT_MINOR)
    charge_basis_points: int = Field(default=0, ge=0, le=10_000)
    """Hundredths of a percent of what was paid, rounded down to whole minor units."""

    # Of one that takes batches.
    batch_lines: int = Field(default=10_000, ge=1, le=100_000)
    """Payments in one batch, at most."""
    batches_at_once: int = Field(default=4, ge=1, le=64)
    """Batches that are open at it, at most, by all workers together."""
    batch_maximum_minor: int | None = Field(default=None, ge=1)
    """The sum of a batch, at most; a payment that is above it by itself is rejected."""
    batch_two_steps: bool = True
    """Whether it takes a batch first, and pays it once we approve it."""

    @property
    def url(self) -> str:
        """Where it is spoken to over HTTP; raises WrongPlace of any other."""
        if self.base_url is None:
            raise WrongPlace(
                f"Provider {self.code} has no base_url, and its protocol {self.protocol!r} is "
                "spoken over HTTP. In PAYMENTS_PROVIDERS, give it a base_url, or another protocol."
            )
        return self.base_url

    @property
    def files(self) -> BankFileSettings:
        """How it takes files; raises WrongPlace of any other."""
        if self.bank_file is None:
            raise WrongPlace(
                f"Provider {self.code} has no bank_file, and its protocol {self.protocol!r} takes "
                "files. In PAYMENTS_PROVIDERS, give it a bank_file, or another protocol."
            )
        return self.bank_file

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if [self.base_url, self.bank_file, self.cash_list].count(None) != 2:
            raise ValueError(
                "give base_url of a provider that is spoken to over HTTP, or bank_file of one that "
                "takes files, or cash_list of one that pays by hand"
            )
        if self.bank_file is not None and self.batch_lines > MOST_LINES_OF_A_FILE:
            raise ValueError(f"a file has {MOST_LINES_OF_A_FILE} lines at most: lower batch_lines")
        return self


class Settings(StandInSettings, ServiceSettings):
    """What both processes of payments read: prefix ``PAYMENTS_``."""

    model_config = SettingsConfigDict(env_prefix="PAYMENTS_")

    service: ClassVar[str] = "payments"

    port: int = 8003
    webhook_keys: KeyVersions = Field(validation_alias=AliasChoices("WEBHOOK_KEYS", "webhook_keys"))
    """The API seals callbacks as they come, the worker opens them; and so with the keys that sign
    what is sent to subscribers, which the API shows to whoever made them."""

    registry_url: str = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("REGISTRY_URL", "registry_url"),
    )
    providers: list[ProviderSettings] = []

    # Fetching chunks from the registry.
    chunk_fetchers: int = Field(default=3, ge=1, le=16)
    chunk_maximum_bytes: int = 64 * 1024 * 1024
    chunk_lease_seconds: float = 120
    chunk_retry_seconds: float = Field(default=1, gt=0)
    chunk_retry_longest_seconds: float = 300
    chunk_fetches_before_refusal: int = Field(default=5, ge=1)
    """How often a chunk is fetched that is not what was announced, until it is refused for good."""

    progress_seconds: float = Field(default=30, gt=0)
    """How often the registry is told how far a chunk is that has payments open for that long."""

    ask_first_seconds: float = Field(default=3600, ge=0)
    """For how long after the database may have lost commits what is announced is asked about before
    it is sent: it may have been announced, and sent, before."""

    # Sending. A lease is longer than a request may take together with its wait in line.
    dispatch_concurrency: int = Field(default=32, ge=1)
    """Requests under way at one provider, at most."""
    dispatch_claim_size: int = Field(default=400, ge=1, le=5_000)
    dispatch_outcomes_size: int = Field(default=200, ge=1, le=5_000)
    dispatch_outcomes_wait_seconds: float = 0.05
    dispatch_lease_seconds: float = 90
    provider_timeout_seconds: float = 20
    provider_pause_seconds: float = Field(default=0.5, gt=0)
    """How long a provider that does not answer is left alone; longer, by chance, each time."""
    provider_pause_longest_seconds: float = 60

    # How providers answer.
    provider_health_seconds: float = Field(default=2, gt=0)
    """How often a worker keeps what it noted of its providers."""
    provider_down_seconds: float = Field(default=15, gt=0)
    """For how long a provider may answer nothing that can be used until that is an alarm: counted
    from its first failure on, which may itself take ``provider_timeout_seconds``."""
    provider_minutes_days: int = Field(default=90, ge=1)
    """How long it is kept how often providers answered in each minute."""

    # Batches. A lease is longer than sending one may take, or reading a page of its results.
    batch_lease_seconds: float = 180
    batch_page_size: int = Field(default=5_000, ge=1, le=10_000)
    """Results that are read, and applied, together."""
    batch_results_seconds: float = Field(default=1, gt=0)
    """From reading a batch's results to looking for more; doubled each time there are none."""
    batch_results_longest_seconds: float = 60
    batch_readings: int = Field(default=2, ge=1, le=10)
    """How often all results of a batch are read until what has none is a payment of which nobody
    knows what became of it."""

    files_size: int = Field(default=20, ge=1, le=1_000)
    """Files of a provider that answers by files, taken in together."""

    # Asking what became of instructions without an answer.
    inquiry_size: int = Field(default=200, ge=1, le=5_000)
    unknown_inquiry_seconds: float = Field(default=5, gt=0)
    """From losing an answer to asking for it; doubled each time that tells nothing new."""
    pending_inquiry_seconds: float = Field(default=60, gt=0)
    """From "pending" to asking, where no callback comes; doubled each time."""
    inquiry_longest_seconds: float = 900

    # Callbacks.
    webhook_maximum_bytes: int = 64 * 1024
    webhook_batch_size: int = Field(default=500, ge=1, le=5_000)
    """Callbacks stored in one commit, or applied in one, at most."""
    callback_days: int = Field(default=365, ge=30)
    """How long a callback is kept after it was applied, or found to be none."""

    # Events that are sent to subscribers.
    subscribers_on_loopback: bool = False
    """Whether events may be sent to this machine, by http as well: for a laptop and for tests."""
    subscriptions_maximum: int = Field(default=100, ge=1, le=1_000)
    """How many are active, at most: each has requests of its own under way."""
    delivery_days: int = Field(default=90, ge=7)
    """How long a delivery is kept after it was made, or given up."""

    # What has no end. By the domain's clock, from its first sending on.
    not_sent_too_long_seconds: float = Field(default=900, gt=0)
    """From when on, after its round was released, a payment that was not sent is listed."""
    pending_too_long_seconds: float = Field(default=6 * 3600, gt=0)
    """From when on a payment that the provider has not decided on is an alarm."""
    unknown_too_long_seconds: float = Field(default=3600, gt=0)
    """From when on a payment of which nobody knows what became of it is an alarm."""
    unknown_status_seconds: float = Field(default=900, gt=0)
    """From when on a status word that is not known here is an alarm."""
    watch_seconds: float = Field(default=10, gt=0)
    """How often that is looked at."""
    watch_size: int = Field(default=1_000, ge=1, le=10_000)
    """Alarms of a kind that are raised, or cleared, in one transaction, at most."""

    # Asking about payments that have their end, behind all other work.
    sweep_size: int = Field(default=100, ge=1, le=1_000)
    """Payments of a provider that are asked about in one step."""
    sweep_concurrency: int = Field(default=4, ge=1)
    """Questions under way at one provider, at most."""
    sweep_again_seconds: float = Field(default=60, gt=0)
    """From asking in vain to asking again."""

    # Statements of providers.
    statement_maximum_bytes: int = Field(default=128 * 1024 * 1024, ge=1_024)
    """A statement has no more: 700,000 lines take about 70 megabytes."""

    # What persons decide.
    resolution_size: int = Field(default=500, ge=1, le=5_000)
    """Payments of a resolution that are moved in one transaction, at most."""

    return_claim_days: int = Field(default=90, ge=0, le=3_650)
    """For so long money that came back is kept for its household, unless two persons name it."""

    rest_seconds: float = Field(default=0.1, gt=0)
    """How long a loop without work sleeps before it looks again; up to ten times as long, but no
    longer than a second, where it finds nothing again and again."""

    @property
    def subscriber_judge(self) -> Judge:
        """Where events may be sent."""
        return is_public_or_loopback if self.subscribers_on_loopback else is_public

    @property
    def chunk_retry(self) -> Backoff:
        """From failing to fetch a chunk to asking for it again."""
        return Backoff(
            first_seconds=self.chunk_retry_seconds,
            longest_seconds=self.chunk_retry_longest_seconds,
        )

    @property
    def provider_pause(self) -> Backoff:
        """For how long a provider that does not answer is left alone."""
        return Backoff(
            first_seconds=self.provider_pause_seconds,
            longest_seconds=self.provider_pause_longest_seconds,
        )

    @property
    def unknown_inquiry(self) -> Backoff:
        """From losing an answer to asking for it."""
        return Backoff(
            first_seconds=self.unknown_inquiry_seconds, longest_seconds=self.inquiry_longest_seconds
        )

    @property
    def pending_inquiry(self) -> Backoff:
        """From "pending" to asking, where no callback comes."""
        return Backoff(
            first_seconds=self.pending_inquiry_seconds, longest_seconds=self.inquiry_longest_seconds
        )

    @property
    def batch_results(self) -> Backoff:
        """From reading a batch's results to looking for more."""
        return Backoff(
            first_seconds=self.batch_results_seconds,
            longest_seconds=self.batch_results_longest_seconds,
        )

    @property
    def progress_rest(self) -> Backoff:
        """For how long the loop sleeps that tells how far chunks are."""
        seconds = self.progress_seconds / 10
        return Backoff(first_seconds=seconds, longest_seconds=seconds)

    @property
    def rest(self) -> Backoff:
        """For how long a loop without work sleeps."""
        return Backoff(
            first_seconds=self.rest_seconds,
            longest_seconds=max(self.rest_seconds, min(1, 10 * self.rest_seconds)),
        )

    @property
    def health_rest(self) -> Backoff:
        """How often a worker keeps what it noted of its providers."""
        seconds = self.provider_health_seconds
        return Backoff(first_seconds=seconds, longest_seconds=seconds)

    @property
    def watch_rest(self) -> Backoff:
        """How often is looked for what has had no end for too long."""
        return Backoff(first_seconds=self.watch_seconds, longest_seconds=self.watch_seconds)

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        for first, longest in (
            ("chunk_retry_seconds", "chunk_retry_longest_seconds"),
            ("provider_pause_seconds", "provider_pause_longest_seconds"),
            ("unknown_inquiry_seconds", "inquiry_longest_seconds"),
            ("pending_inquiry_seconds", "inquiry_longest_seconds"),
            ("batch_results_seconds", "batch_results_longest_seconds"),
        ):
            if getattr(self, first) > getattr(self, longest):
                raise ValueError(f"{first} is longer than {longest}")
        return self

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        yield from secrets_of_keys("WEBHOOK_KEYS", self.webhook_keys)

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        if self.subscribers_on_loopback:
            yield (
                "PAYMENTS_SUBSCRIBERS_ON_LOOPBACK lets a subscription lead back into this machine: "
                "take it out"
            )

    def _require_of_each(
        self, given: Collection[str], *, field: str, takes_files: bool = False
    ) -> None:
        """Raises ValueError where a provider of the settings is not among ``given``.

        ``takes_files``: those that get what is signed, else those that are spoken to over HTTP.
        """
        missing = [
            provider.code
            for provider in self.providers
            if (provider.base_url is None) == takes_files and provider.code not in given
        ]
        if missing:
            raise ValueError(f"{self.variable_of(field)} has nothing for {', '.join(missing)}")


class ApiSettings(Settings):
    """The API's: it tells whether a provider has signed, and cannot pay."""

    statements_at_once: int = Field(default=1, ge=1, le=16)
    """Statements that are read at the same time; each is held in memory until its end."""
    place_wait_seconds: float = Field(default=2, gt=0)
    """How long a request waits for a place among them."""

    provider_webhook_secrets: dict[str, Annotated[list[WebhookSecret], Field(min_length=1)]] = {}
    """By provider; several while a secret is being rotated: any of them verifies."""

    @model_validator(mode="after")
    def _each_can_be_verified(self) -> Self:
        self._require_of_each(self.provider_webhook_secrets, field="provider_webhook_secrets")
        return self

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        for code, given in self.provider_webhook_secrets.items():
            for number, secret in enumerate(given):
                where = f"PAYMENTS_PROVIDER_WEBHOOK_SECRETS.{code}.{number}"
                text = secret.get_secret_value()
                yield Secret.of_key(where, key_of(text), text)

    def key_rings(self) -> Iterator[KeyRing]:
        yield from super().key_rings()
        yield versions("WEBHOOK_KEYS", self.webhook_keys, service=self.service)


class WorkerSettings(CallingSettings, Settings):
    """The worker's: it opens accounts and sends to providers. It verifies no signature."""

    account_keys: KeyVersions = Field(validation_alias=AliasChoices("ACCOUNT_KEYS", "account_keys"))
    provider_api_keys: dict[str, Annotated[SecretStr, Field(min_length=1)]] = {}
    """By provider that is spoken to over HTTP: what it lets us in by."""
    provider_signing_keys: dict[str, Annotated[SecretStr, Field(min_length=1)]] = {}
    """By provider that takes files or lists: the Ed25519 key that signs them, in base64."""
    callback_base_url: str = "http://127.0.0.1:8003"
    debit_party: str = "nspc"
    """The organisation's identifier at every provider (GSMA ``organisationid``)."""

    # Sending to subscribers, by the machine's clock.
    delivery_timeout_seconds: float = Field(default=15, gt=0, le=60)
    """How long a receiver may take to answer."""
    delivery_each: int = Field(default=4, ge=1, le=32)
    """Requests under way at one receiver, at most."""
    delivery_retry_seconds: Annotated[
        list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=20)
    ] = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    """From each attempt to the next: the schedule of Standard Webhooks."""
    delivery_pause_seconds: float = Field(default=1, gt=0)
    """How long a receiver that does not answer is left alone; longer, by chance, each time."""
    delivery_pause_longest_seconds: float = 300

    @property
    def delivery_pause(self) -> Backoff:
        """For how long a receiver that does not answer is left alone."""
        return Backoff(
            first_seconds=self.delivery_pause_seconds,
            longest_seconds=max(self.delivery_pause_seconds, self.delivery_pause_longest_seconds),
        )

    @model_validator(mode="after")
    def _each_lets_us_in(self) -> Self:
        self._require_of_each(self.provider_api_keys, field="provider_api_keys")
        self._require_of_each(
            self.provider_signing_keys, field="provider_signing_keys", takes_files=True
        )
        for code, key in self.provider_signing_keys.items():
            if not is_signing_key(key.get_secret_value()):
                raise ValueError(
                    f"{self.variable_of('provider_signing_keys')}: the key of {code} is not 32 "
                    "bytes in base64"
                )
        return self

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        yield from secrets_of_keys("ACCOUNT_KEYS", self.account_keys)
        for code, key in self.provider_api_keys.items():
            where = f"PAYMENTS_PROVIDER_API_KEYS.{code}"
            yield Secret.of_text(where, key.get_secret_value())
        for code, key in self.provider_signing_keys.items():
            where, text = f"PAYMENTS_PROVIDER_SIGNING_KEYS.{code}", key.get_secret_value()
            yield Secret.of_key(where, base64.b64decode(text), text)

    def key_rings(self) -> Iterator[KeyRing]:
        yield from super().key_rings()
        yield versions("WEBHOOK_KEYS", self.webhook_keys, service=self.service, seals=False)
        yield versions("ACCOUNT_KEYS", self.account_keys, service=self.service)

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        yield from https_fault("PAYMENTS_CALLBACK_BASE_URL", self.callback_base_url)
        for number, provider in enumerate(self.providers):
            if provider.base_url is not None:
                variable = f"PAYMENTS_PROVIDERS.{number}.base_url ({provider.code})"
                yield from https_fault(variable, provider.base_url)
