"""Telling partners of what happened: made from the event log, each event once, and sent durably.

The log's fence holds back what a transaction that still runs may be before, so that none is missed
that commits late. What an event is about is read when it is told: a household that changed twice
may be told of twice as it is then.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.partners.repository import find_partner
from services.registry.scopes import READ_PERSONAL
from services.registry.settings import ApiSettings
from services.registry.sharing.service import sharing_with
from services.registry.spdci.later import repository as deliveries
from services.registry.spdci.later.sealing import seal_delivery, unseal
from services.registry.spdci.messages.codes import Status
from services.registry.spdci.messages.envelope import MAXIMUM_REQUESTS, answer_header, written
from services.registry.spdci.searches import repository as searches
from services.registry.spdci.searches.criteria import Entity, read_query
from services.registry.spdci.searches.service import REGISTRY_TYPE, Searches
from services.registry.spdci.subscriptions import repository
from services.registry.spdci.subscriptions.service import CHANGED, NEW_MEMBER, REGISTERED
from services.registry.spdci.subscriptions.tables import PartnerSubscription
from shared import audit
from shared.clock import Clock
from shared.contracts.events import HouseholdChanged, HouseholdsImported
from shared.events import Handler, Published, StoredEvent
from shared.ids import new_id

_PATH = "/registry/notify"
_About = repository.About


class Following:
    """Makes the notices of one event, in the transaction that takes it off the log."""

    def __init__(self, *, settings: ApiSettings, personal_data: PersonalData, clock: Clock) -> None:
        self._settings = settings
        self._personal_data = personal_data
        self._clock = clock

    @property
    def handlers(self) -> dict[type[Published], Handler]:
        """Which handler works which fact."""
        return {HouseholdsImported: self._on_import, HouseholdChanged: self._on_change}

    async def _on_import(self, session: AsyncSession, event: StoredEvent) -> None:
        transaction_id = await repository.transaction_of_event(session, event.id)
        wanted = await self._wanted(session, event, transaction_id)
        block = repository.Block(transaction_id, HouseholdsImported.of(event).areas)
        for event_type, find in (
            (REGISTERED, repository.registered),
            (NEW_MEMBER, repository.joined),
            (CHANGED, repository.changed),
        ):
            of_type = [each for each in wanted if each.event_type == event_type]
            if of_type:
                await self._tell(session, of_type, await find(session, block))

    async def _on_change(self, session: AsyncSession, event: StoredEvent) -> None:
        transaction_id = await repository.transaction_of_event(session, event.id)
        wanted = await self._wanted(session, event, transaction_id)
        household_id = HouseholdChanged.of(event).household_id
        changed = [each for each in wanted if each.event_type == CHANGED]
        if changed:
            await self._tell(session, changed, [(household_id, None)])
        grown = [each for each in wanted if each.event_type == NEW_MEMBER]
        if grown:
            joined = await repository.joined_one(session, household_id, transaction_id)
            await self._tell(session, grown, joined)

    async def _wanted(
        self, session: AsyncSession, event: StoredEvent, transaction_id: str
    ) -> list[PartnerSubscription]:
        return [
            each
            for each in await repository.standing(session, transaction_id)
            if (each.begins_at is None or each.begins_at <= event.time)
            and (each.ends_at is None or event.time < each.ends_at)
        ]

    async def _tell(
        self,
        session: AsyncSession,
        subscriptions: list[PartnerSubscription],
        about: list[_About],
    ) -> None:
        today = self._clock.today()
        for subscription in subscriptions:
            told: list[_About] = about
            if subscription.record_type != Entity.MEMBER:
                told = [(each, None) for each in dict.fromkeys(each for each, _ in about)]
            for begin in range(0, len(told), MAXIMUM_REQUESTS):
                some = told[begin : begin + MAXIMUM_REQUESTS]
                await self._notify(session, subscription, some, today=today)

    async def _notify(
        self,
        session: AsyncSession,
        subscription: PartnerSubscription,
        about: list[_About],
        *,
        today: date,
    ) -> None:
        opened: dict[UUID, None] = {}
        personal_data = self._personal_data.telling(lambda id: opened.setdefault(id))
        shows_persons = READ_PERSONAL in subscription.scopes
        entity = Entity(subscription.record_type)
        kept = unseal(personal_data, subscription.filter_sealed, bound_to=subscription.id.bytes)
        by = read_query(
            kept["filter_type"], kept["filter"], entity=entity, shows_persons=shows_persons
        )
        of_members = entity is Entity.MEMBER
        partner = await find_partner(session, subscription.sender_id)
        assert partner is not None
        sharing = sharing_with(partner.purpose, self._settings)
        that_fit = searches.members_that_fit if of_members else searches.that_fit
        fits = that_fit(by, personal_data, sharing)
        fitting = await repository.fitting(session, fits, about, of_members=of_members, today=today)
        if not fitting:
            return
        shown = Searches(
            session,
            personal_data=personal_data,
            shows_persons=shows_persons,
            sharing=sharing,
            today=today,
        )
        if fits.tells_of_persons:
            shown.agreed.update(household_id for household_id, _ in fitting)
        records = (
            await shown.members(fitting)
            if of_members
            else await shown.groups([household_id for household_id, _ in fitting])
        )
        await self._send(session, subscription, records, agreed=shown.agreed)
        if opened:
            await audit.read_later(
                session,
                self._settings.service,
                subject=subscription.subject,
                client=subscription.client,
                request_id=subscription.request_id,
                operation="POST /spdci/social/registry/notify",
                things=[f"households/{household_id}" for household_id in opened],
            )

    async def _send(
        self,
        session: AsyncSession,
        subscription: PartnerSubscription,
        records: list[dict[str, Any]],
        *,
        agreed: Collection[UUID],
    ) -> None:
        now, message_id = datetime.now(UTC), new_id()
        data: dict[str, Any] = {
            "version": "1.0.0",
            "reg_type": REGISTRY_TYPE,
            "reg_record_type": subscription.record_type,
        }
        if subscription.event_type != CHANGED:
            data["reg_event_type"] = subscription.event_type
        header = answer_header(
            action="notify",
            status=Status.SUCCEEDED,
            sender_id=self._settings.spdci_sender_id,
            receiver_id=subscription.sender_id,
            now=now,
            total=len(records),
            completed=len(records),
            message_id=str(message_id),
        )
        message = {
            "transaction_id": str(message_id),
            "notify_event": [
                {
                    # What it is told by: the subscription's code.
                    "reference_id": str(subscription.id),
                    "timestamp": written(now),
                    "data": data | {"reg_records": record},
                    "locale": "eng",
                }
                for record in records
            ],
        }
        await deliveries.add_delivery(
            session,
            id=message_id,
            sender_id=subscription.sender_id,
            partner_request_id=None,
            url=subscription.callback_url + _PATH,
            action="notify",
            message_sealed=seal_delivery(
                self._personal_data, header, message, agreed=agreed, bound_to=message_id.bytes
            ),
        )
