"""The published events. They carry ids and the facts that the next service needs; no persons.

Fields are added, never changed in meaning: a new meaning is a new type.
"""

from datetime import date
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.clock import Clock
from shared.events.log import Event, StoredEvent


class Published(BaseModel):
    """A published event's data, of one type."""

    model_config = ConfigDict(frozen=True)

    type: ClassVar[str]

    def to_event(self, *, source: str, subject: str, clock: Clock) -> Event:
        """The CloudEvent: ``source`` is the service (``/triggers``), ``subject`` the thing's id."""
        return Event(
            type=self.type,
            source=source,
            subject=subject,
            time=clock.now(),
            data=self.model_dump(mode="json"),
        )

    @classmethod
    def of(cls, event: StoredEvent) -> Self:
        """The data of a stored event; raises ValidationError where it is not of this type."""
        return cls.model_validate(event.data)


class ObservationsRecorded(Published):
    """New values, or revisions, of one indicator."""

    type: ClassVar[str] = "org.sangkroh.observations-recorded.v1"

    indicator: str
    count: int
    first_on: date
    last_on: date


class ActivationOpened(Published):
    """A trigger happened, or an official declared it, and it may pay: enrol these areas."""

    type: ClassVar[str] = "org.sangkroh.activation-opened.v1"

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


class ActivationWidened(ActivationOpened):
    """Further areas of an open activation: ``areas`` are the added ones only."""

    type: ClassVar[str] = "org.sangkroh.activation-widened.v1"


class EntitlementsReady(Published):
    """A chunk of entitlements can be fetched, and adds up to this."""

    type: ClassVar[str] = "org.sangkroh.entitlements-ready.v1"

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


class EnrolmentCompleted(Published):
    """All chunks of a run are announced: payments reserves this total, whole, or refuses it."""

    type: ClassVar[str] = "org.sangkroh.enrolment-completed.v1"

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


class PaymentsSettled(Published):
    """Every payment of a chunk has its end; sent again after a correction."""

    type: ClassVar[str] = "org.sangkroh.payments-settled.v1"

    chunk_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    paid_count: int
    paid_minor: int
    failed_count: int
    failed_minor: int


class ChunkRefused(Published):
    """A chunk did not match its announcement: nothing of it is paid."""

    type: ClassVar[str] = "org.sangkroh.chunk-refused.v1"

    chunk_id: UUID
    activation_id: UUID
    reason: str
