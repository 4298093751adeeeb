"""What the registry is told by its environment."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from shared.known_keys import KeyRing, unversioned, versions
from shared.money import AmountMinor, CurrencyCode
from shared.outbound import Judge, is_public, is_public_or_loopback
from shared.production import Secret
from shared.settings import (
    Address,
    CallingSettings,
    Key,
    KeyVersions,
    Port,
    ServiceSettings,
    secret_of_key,
    secrets_of_keys,
)


class Settings(ServiceSettings):
    """What both of the registry's processes read: prefix ``REGISTRY_``, and no key."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_")

    service: ClassVar[str] = "registry"

    port: Port = 8001
    households_per_chunk: int = Field(default=20_000, ge=1, le=50_000)
    """Households of one enrolment transaction and one announced chunk, at most; a commune that
    has more is a chunk of its own."""
    chunks_per_run: int = Field(default=2, ge=1, le=1_000)
    """A small run is cut into about so many chunks, so that they can be worked side by side."""
    enrolment_loops: int = Field(default=2, ge=1, le=16)
    """Chunks that one worker enrols side by side."""
    rejection_days: int = Field(default=180, ge=30)
    """What an import rejected, from when it ended on."""
    archived_months: int = Field(default=24, ge=1, le=1_200)
    """For how long a household is archived before it is listed to be erased."""
    accounting_months: int = Field(default=120, ge=0, le=1_200)
    """For how long accounting must explain to whom something was paid: until then nobody of that
    household is listed to be erased."""
    import_maximum_rows: int = Field(default=5_000_000, ge=1)
    import_maximum_rejections: int = Field(default=10_000, ge=1)
    """Faults of an import that are kept; with one more it stops."""
    import_file_days: int = Field(default=30, ge=1)
    """A file that is imported from, sealed, from when it was received on."""
    import_file_maximum_bytes: int = Field(default=2 * 2**30, ge=1)
    import_loops: int = Field(default=1, ge=0, le=4)
    """Files that one process reads side by side in the background; 0: it reads none."""
    imports_at_once: int = Field(default=4, ge=1)
    """Imports that one process receives side by side, each on two connections of its own."""
    imports_per_caller: int = Field(default=2, ge=1)
    streams_at_once: int = Field(default=8, ge=1)
    """Chunks that are read from one process side by side, each on a connection."""
    streams_per_caller: int = Field(default=4, ge=1)
    stream_seconds: float = Field(default=120, gt=0)
    """How long a chunk may take to be read."""
    place_wait_seconds: float = Field(default=2, ge=0)
    """How long an import or a reader of a chunk waits for a place before it is answered 503."""
    account_changes_alone: int = Field(default=20, ge=0)
    """Accounts of known households that one person may change in a day without a second, whether
    one by one or by files. Accounts of enrolled households are never among them."""
    partner_message_days: int = Field(default=7, ge=2)
    """For how long the ids of partners' messages are kept, each of which is taken once."""
    partner_request_days: int = Field(default=30, ge=7)
    """For how long what partners asked, and were sent, is kept once that is over."""
    member_changes_alone: int = Field(default=20, ge=0)
    """Members that one person adds or corrects in a day without a second, of households that are
    enrolled in nothing that can still pay."""
    appeal_days: int = Field(default=30, ge=1, le=366)
    """How long after it was opened an appeal is due to be decided; then it is overdue."""
    smallest_cell: int = Field(default=10, ge=2, le=1_000)
    """Of fewer households than that no comparison of schemes tells."""
    partner_changes_alone: int = Field(default=10_000, ge=0)
    """Members of whom one partner tells in a day that they entered or left a routine programme,
    without a second person, of households that are enrolled in nothing that can still pay: two
    persons agreed on the partner."""
    release_alone_minor: dict[CurrencyCode, AmountMinor] = {}
    """By currency, up to how much one person alone releases a later round; none: two persons
    always."""


class _AsksPayments(CallingSettings, Settings):
    """What both processes read to ask payments."""

    payments_url: Address = Field(
        default="http://127.0.0.1:8003",
        validation_alias=AliasChoices("PAYMENTS_URL", "payments_url"),
    )


class _KnowsPersons(Settings):
    """What a process reads that seals and opens what is known of persons."""

    person_keys: KeyVersions = Field(validation_alias=AliasChoices("PERSON_KEYS", "person_keys"))
    account_keys: KeyVersions = Field(validation_alias=AliasChoices("ACCOUNT_KEYS", "account_keys"))
    blind_index_key: Key = Field(
        validation_alias=AliasChoices("BLIND_INDEX_KEY", "blind_index_key")
    )
    """Makes what persons are found by."""
    blind_index_key_other: Key | None = Field(
        default=None,
        validation_alias=AliasChoices("BLIND_INDEX_KEY_OTHER", "blind_index_key_other"),
    )
    """While the key is changed: the next one, then the one before. It finds as well."""
    household_id_key: Key | None = Field(
        default=None, validation_alias=AliasChoices("HOUSEHOLD_ID_KEY", "household_id_key")
    )
    """What the ids of households follow from, for good: the first blind index key. Unset while
    that is the blind index key."""

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        yield from secrets_of_keys("PERSON_KEYS", self.person_keys)
        yield from secrets_of_keys("ACCOUNT_KEYS", self.account_keys)
        yield secret_of_key("BLIND_INDEX_KEY", self.blind_index_key)
        if self.blind_index_key_other is not None:
            yield secret_of_key("BLIND_INDEX_KEY_OTHER", self.blind_index_key_other)
        index_keys = (self.blind_index_key, self.blind_index_key_other)
        if self.household_id_key is not None and self.household_id_key not in index_keys:
            yield secret_of_key("HOUSEHOLD_ID_KEY", self.household_id_key)

    def key_rings(self) -> Iterator[KeyRing]:
        yield versions("PERSON_KEYS", self.person_keys, service=self.service)
        yield versions("ACCOUNT_KEYS", self.account_keys, service=self.service)
        other = self.blind_index_key_other
        yield unversioned(
            "BLIND_INDEX_KEY",
            *(self.blind_index_key, *(() if other is None else (other,))),
            remedy="nobody would be found by it, and an import would register everyone anew. Put "
            "it back, and change it as docs/deployment.md says: with BLIND_INDEX_KEY_OTHER, and "
            "`python -m services reindex`",
        )
        yield unversioned(
            "HOUSEHOLD_ID_KEY",
            self.household_id_key or self.blind_index_key,
            remedy="households would get other ids, and could be paid twice. Set HOUSEHOLD_ID_KEY "
            "to what BLIND_INDEX_KEY was when the first household was registered",
        )


class DuplicatesSettings(_KnowsPersons):
    """Of the command that compares everybody with everybody: it calls nobody."""


class ApiSettings(_KnowsPersons, _AsksPayments):
    """The API's: it alone seals and opens what is known of persons, and finds it again.

    It asks payments what a scheme is paid from.
    """

    spdci_sender_id: str = Field(
        default="registry.sangkroh", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{2,98}$"
    )
    """What partners know the registry by."""
    spdci_signing_key: Key | None = Field(
        default=None, validation_alias=AliasChoices("SPDCI_SIGNING_KEY", "spdci_signing_key")
    )
    """The seed of the Ed25519 key that signs what is sent to partners. Unset: nothing is signed."""
    spdci_signing_key_other: Key | None = Field(
        default=None,
        validation_alias=AliasChoices("SPDCI_SIGNING_KEY_OTHER", "spdci_signing_key_other"),
    )
    """While the key is changed: the next one, then the one before. Partners are shown both."""
    spdci_unsigned: bool = False
    """Whether messages of partners are taken that nobody signed: for trying things out."""
    share_unasked: bool = False
    """Whether partners are shown the persons of households as well that were never asked whether
    they agree. It never holds of those who withdrew. Only where a law says that telling people is
    enough: two persons of the ministry decide it, not an operator."""
    partners_on_loopback: bool = False
    """Whether partners may be on this machine: for tests and demonstrations."""

    partner_timeout_seconds: float = Field(default=15, gt=0, le=60)
    """How long a partner has to take a message."""
    partner_retry_seconds: Annotated[
        list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=20)
    ] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]
    """The waits between attempts to send a message to a partner; after the last it is given up."""

    @property
    def partner_judge(self) -> Judge:
        """Where messages to partners may be sent."""
        return is_public_or_loopback if self.partners_on_loopback else is_public

    def unfit_for_production(self) -> Iterator[str]:
        yield from super().unfit_for_production()
        if self.spdci_unsigned:
            yield (
                "REGISTRY_SPDCI_UNSIGNED lets anybody with a partner's token change what it says: "
                "take it out"
            )
        if self.partners_on_loopback:
            yield (
                "REGISTRY_PARTNERS_ON_LOOPBACK lets a partner's address lead back into this "
                "machine: take it out"
            )

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        for variable, key in (
            ("SPDCI_SIGNING_KEY", self.spdci_signing_key),
            ("SPDCI_SIGNING_KEY_OTHER", self.spdci_signing_key_other),
        ):
            if key is not None:
                yield secret_of_key(variable, key)


class WorkerSettings(_AsksPayments):
    """The worker's: it knows households by id alone, and asks payments how chunks ended."""
