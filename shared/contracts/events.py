"""The published events. They carry ids and the facts that the next service needs; no persons.

Fields are added, never changed in meaning: a new meaning is a new type.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.events.log import Published

TRIGGERS = "/triggers"
REGISTRY = "/registry"
PAYMENTS = "/payments"


class ObservationsRecorded(Published):
    """New values, or revisions, of one indicator."""

    type: ClassVar[str] = "org.sangkroh.observations-recorded.v1"
    source: ClassVar[str] = TRIGGERS

    indicator: str
    count: int
    first_on: date
    last_on: date

    @property
    def subject(self) -> str:
        return self.indicator


class TriggerReadied(Published):
    """A trigger reached readiness, or reaches it in more areas: prepare. Nothing is paid."""

    type: ClassVar[str] = "org.sangkroh.trigger-readied.v1"
    source: ClassVar[str] = TRIGGERS

    readiness_id: UUID
    trigger: str
    trigger_version: int
    scheme: str
    shock: str
    areas: list[str]
    """Area codes; ``KH`` is the whole country."""
    area_filter: str | None = None
    readied_on: date

    @property
    def subject(self) -> str:
        return str(self.readiness_id)


class TriggerStoodDown(Published):
    """A trigger that was ready is judged to be below readiness: what was prepared is let go."""

    type: ClassVar[str] = "org.sangkroh.trigger-stood-down.v1"
    source: ClassVar[str] = TRIGGERS

    readiness_id: UUID
    trigger: str
    stood_down_on: date

    @property
    def subject(self) -> str:
        return str(self.readiness_id)


class PreparationCounted(Published):
    """Whom the scheme of a trigger that is ready would pay, and what: to be reserved. No payment.

    Told again where the trigger becomes ready in more areas: the last count holds.
    """

    type: ClassVar[str] = "org.sangkroh.preparation-counted.v1"
    source: ClassVar[str] = REGISTRY

    readiness_id: UUID
    trigger: str
    scheme: str
    fund: str
    currency: str
    households: int
    amount_minor: int
    """What they would get, over all rounds."""
    without_account: int
    """Households without an account to pay into."""
    without_provider: int
    """Households with one at a provider that cannot pay them."""

    @property
    def subject(self) -> str:
        return str(self.readiness_id)


class ObservationsSetAside(Published):
    """Rows of one indicator that are doubtful, and that no trigger reads until a person looks."""

    type: ClassVar[str] = "org.sangkroh.observations-set-aside.v1"
    source: ClassVar[str] = TRIGGERS

    indicator: str
    count: int
    reasons: dict[str, int]
    """How many for which reason, such as ``place-unknown`` or ``decimal-slip``."""

    @property
    def subject(self) -> str:
        return self.indicator


class ActivationOpened(Published):
    """A trigger happened, or an official declared it, and it may pay: enrol these areas."""

    type: ClassVar[str] = "org.sangkroh.activation-opened.v1"
    source: ClassVar[str] = TRIGGERS

    activation_id: UUID
    trigger: str
    trigger_version: int
    scheme: str
    shock: str
    areas: list[str]
    """Area codes; ``KH`` is the whole country."""
    area_filter: str | None = None
    """CQL2 text over the attributes of communes, for instance ``flood_hazard_index >= 5``."""
    severity: str
    opened_on: date
    observed_on: date
    ceiling_households: int | None = None
    """How many households the activation as announced so far may pay without asking a person."""
    ceiling_minor: int | None = None
    """So much it may pay them, over all rounds, in the currency of the scheme. None: not said."""

    @property
    def subject(self) -> str:
        return str(self.activation_id)


class ActivationWidened(ActivationOpened):
    """Further areas of an open activation: ``areas`` are the added ones only.

    The ceilings are those of the whole activation from now on.
    """

    type: ClassVar[str] = "org.sangkroh.activation-widened.v1"


class ActivationCancelled(Published):
    """An officer cancelled an activation: whatever of it has not been sent never is."""

    type: ClassVar[str] = "org.sangkroh.activation-cancelled.v1"
    source: ClassVar[str] = TRIGGERS

    activation_id: UUID
    cancelled_on: date

    @property
    def subject(self) -> str:
        return str(self.activation_id)


class FeedStale(Published):
    """A feed brings nothing: it is silent for longer than it may be, or fails again and again."""

    type: ClassVar[str] = "org.sangkroh.feed-stale.v1"
    source: ClassVar[str] = TRIGGERS

    feed: str
    version: int
    because: str
    """``silent`` or ``failing``."""
    last_new_at: datetime | None = None
    """When it last brought something new, where it is silent."""

    @property
    def subject(self) -> str:
        return self.feed


class FeedRecovered(Published):
    """A feed that was stale is well again."""

    type: ClassVar[str] = "org.sangkroh.feed-recovered.v1"
    source: ClassVar[str] = TRIGGERS

    feed: str
    version: int

    @property
    def subject(self) -> str:
        return self.feed


class GazetteerChanged(Published):
    """An edition of the gazetteer came into force: which codes ended, began, and lead elsewhere.

    Villages are counted and not listed: the registry lists every change at
    ``/v1/gazetteer/editions/{code}/changes``.
    """

    type: ClassVar[str] = "org.sangkroh.gazetteer-changed.v1"
    source: ClassVar[str] = REGISTRY

    edition: str
    number: int
    """How many editions were in force up to this one."""
    ended_count: int
    begun_count: int
    moved_count: int
    """Codes that lead elsewhere, villages' among them; as all three."""
    ended: list[str]
    """Provinces, districts and communes that are no more."""
    begun: list[str]
    """Those that were not there before, whether or not another leads to them."""
    moved: dict[str, list[str]]
    """Those that lead elsewhere, each with where to: its own code among them if it stays."""
    areas: list[str]
    """Codes of the districts in which something changed."""

    @property
    def subject(self) -> str:
        return self.edition


class HouseholdChanged(Published):
    """Something about one household is not as it was: ask the registry for it."""

    type: ClassVar[str] = "org.sangkroh.household-changed.v1"
    source: ClassVar[str] = REGISTRY

    household_id: UUID
    changes: list[str]
    """What kind of thing: ``payee-account``, ``members``. Never from what to what."""
    areas: list[str]
    """The code of its commune."""

    @property
    def subject(self) -> str:
        return str(self.household_id)


class HouseholdsImported(Published):
    """An import registered households, or changed what is known of them; told for each block."""

    type: ClassVar[str] = "org.sangkroh.households-imported.v1"
    source: ClassVar[str] = REGISTRY

    import_id: UUID
    added: int
    changed: int
    areas: list[str]
    """Codes of their districts."""

    @property
    def subject(self) -> str:
        return str(self.import_id)


class PayeeAccountsChanged(Published):
    """Households of an import are paid to other accounts from now on; told some at a time."""

    type: ClassVar[str] = "org.sangkroh.payee-accounts-changed.v1"
    source: ClassVar[str] = REGISTRY

    import_id: UUID
    count: int
    areas: list[str]
    """Codes of their districts."""

    @property
    def subject(self) -> str:
        return str(self.import_id)


class EntitlementsReady(Published):
    """A chunk of entitlements can be fetched, and adds up to this."""

    type: ClassVar[str] = "org.sangkroh.entitlements-ready.v1"
    source: ClassVar[str] = REGISTRY

    chunk_id: UUID
    enrolment_id: UUID
    """The run that made it: one activation's opening, or widening, or one later round."""
    activation_id: UUID
    scheme: str
    round: int
    fund: str
    currency: str
    count: int
    total_minor: int
    budget_line: str | None = None
    """The line of the fund that it is booked on; none: on no line."""

    @property
    def subject(self) -> str:
        return str(self.chunk_id)


class EnrolmentCompleted(Published):
    """All chunks of a run are announced: payments reserves this total, whole, or refuses it."""

    type: ClassVar[str] = "org.sangkroh.enrolment-completed.v1"
    source: ClassVar[str] = REGISTRY

    enrolment_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    fund: str
    currency: str
    chunk_count: int
    households: int
    entitlements: int
    """Payable entitlements: the sum of the chunks' counts."""
    total_minor: int
    unpayable: int
    """Entitled households without a payee account: visible in the registry, in no chunk."""
    budget_line: str | None = None
    """The line of the fund that it is booked on; none: on no line."""

    @property
    def subject(self) -> str:
        return str(self.enrolment_id)


class PaymentsSettled(Published):
    """Every payment of a chunk has its end; sent again after a correction."""

    type: ClassVar[str] = "org.sangkroh.payments-settled.v1"
    source: ClassVar[str] = PAYMENTS

    chunk_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    paid_count: int
    paid_minor: int
    failed_count: int
    failed_minor: int
    unpayable_count: int = 0
    """Entitlements that payments set aside: their provider, currency or amount is none of ours."""
    unpayable_minor: int = 0

    @property
    def subject(self) -> str:
        return str(self.chunk_id)


class PaymentsProgressed(Published):
    """Some of a chunk's payments have no end yet; the outcomes of the others can be fetched."""

    type: ClassVar[str] = "org.sangkroh.payments-progressed.v1"
    source: ClassVar[str] = PAYMENTS

    chunk_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    open_count: int
    paid_count: int
    paid_minor: int
    failed_count: int
    failed_minor: int
    unpayable_count: int
    unpayable_minor: int

    @property
    def subject(self) -> str:
        return str(self.chunk_id)


class PaymentsCounted(Published):
    """How many payments of a chunk have their end so far: told within a second while payments are
    made. What came of each is told by PaymentsSettled or PaymentsProgressed."""

    type: ClassVar[str] = "org.sangkroh.payments-counted.v1"
    source: ClassVar[str] = PAYMENTS

    chunk_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    counted_at: datetime
    """Of two counts of a chunk the later one holds, in whatever order they come."""
    open_count: int
    paid_count: int
    paid_minor: int
    failed_count: int
    """Not those of which another payment for the same entitlement is open, or was made."""
    failed_minor: int

    @property
    def subject(self) -> str:
        return str(self.chunk_id)


class ConfiguredProvider(BaseModel):
    """A provider that payments can be sent to, and the currency that it pays in."""

    model_config = ConfigDict(frozen=True)

    code: str
    currency: str


class ProvidersConfigured(Published):
    """Which providers payments are sent to; told again when that changes."""

    type: ClassVar[str] = "org.sangkroh.providers-configured.v1"
    source: ClassVar[str] = PAYMENTS

    providers: list[ConfiguredProvider]

    @property
    def subject(self) -> str:
        return "providers"


class FundBounded(Published):
    """What a fund pays without further ado: told when it is opened, and when that is changed."""

    type: ClassVar[str] = "org.sangkroh.fund-bounded.v1"
    source: ClassVar[str] = PAYMENTS

    fund: str
    currency: str
    maximum_payment_minor: int
    """To one household at a time; what is above it is not paid."""
    maximum_round_minor: int
    """In one round of one activation; what is above it waits for two persons."""

    @property
    def subject(self) -> str:
        return self.fund


class ChunkRefused(Published):
    """A chunk did not match its announcement: nothing of it is paid."""

    type: ClassVar[str] = "org.sangkroh.chunk-refused.v1"
    source: ClassVar[str] = PAYMENTS

    chunk_id: UUID
    activation_id: UUID
    reason: str

    @property
    def subject(self) -> str:
        return str(self.chunk_id)
