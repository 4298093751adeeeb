"""Answering what was asked, one after the other, and sending the answers until they are taken."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.partners.tables import Partner
from services.registry.settings import ApiSettings
from services.registry.sharing.service import sharing_with
from services.registry.spdci.later import repository
from services.registry.spdci.later.actions import Action
from services.registry.spdci.later.sealing import (
    as_agreed_now,
    seal_delivery,
    unseal,
    unseal_delivery,
)
from services.registry.spdci.later.tables import DeliveryStatus, PartnerRequest, RequestStatus
from services.registry.spdci.messages.codes import Status
from services.registry.spdci.messages.envelope import Refused, answer_header
from services.registry.spdci.messages.exchange import MEDIA_TYPE, Answered, Question, framed
from shared import audit
from shared.clock import Clock
from shared.database import Database, may_pass
from shared.errors import told
from shared.ids import new_id
from shared.personal_data import CannotDecrypt
from shared.schedule import Schedule
from shared.sending import Sender, Sent

log = structlog.get_logger()

_AT_ONCE = 8
_LEASE_BEYOND_TIMEOUT_SECONDS = 60


class Answering:
    """Answers what waits: in one transaction, so that it is answered once."""

    def __init__(
        self,
        database: Database,
        *,
        settings: ApiSettings,
        personal_data: PersonalData,
        clock: Clock,
        actions: Mapping[tuple[str, str], Action],
    ) -> None:
        """``actions`` are by register and name."""
        self._database = database
        self._settings = settings
        self._personal_data = personal_data
        self._clock = clock
        self._actions = actions

    async def step(self) -> int:
        """Answer the oldest that waits; 0 where none does."""
        under_way: UUID | None = None
        try:
            async with self._database.transaction() as session:
                found = await repository.claim_request(session)
                if found is None:
                    return 0
                asked, partner = found
                under_way = asked.id
                if partner.ended_at is not None:
                    await repository.answered(session, asked.id, RequestStatus.DROPPED)
                else:
                    await self._answer(session, asked, partner)
        except Exception as error:
            if under_way is None or may_pass(error):
                raise
            # Others wait behind it: it is given up, and whoever asks for its state is told.
            log.error("partner_request_dropped", correlation_id=str(under_way), error=told(error))
            async with self._database.transaction() as session:
                await repository.answered(session, under_way, RequestStatus.DROPPED)
        return 1

    async def _answer(self, session: AsyncSession, asked: PartnerRequest, partner: Partner) -> None:
        action = self._actions[asked.register, asked.action]
        opened: dict[UUID, None] = {}
        personal_data = self._personal_data.telling(lambda household: opened.setdefault(household))
        message = unseal(personal_data, asked.message_sealed, bound_to=asked.id.bytes)
        now, message_id = datetime.now(UTC), new_id()
        question = Question(
            message=message,
            correlation_id=asked.id,
            sender_id=asked.sender_id,
            scopes=asked.scopes,
            subject=asked.subject,
            client=asked.client,
            request_id=asked.request_id,
            callback_url=asked.callback_url,
            sharing=sharing_with(partner.purpose, self._settings),
            session=session,
            personal_data=personal_data,
            now=now,
            today=self._clock.today(),
        )
        try:
            answer = await action.work(question)
        except Refused as fault:
            # What could be known only now: such as that nothing was asked under a name.
            answer = Answered(None, total=1, status=Status.REJECTED, words=fault.message)
        header = answer_header(
            action=action.answer,
            status=answer.status,
            sender_id=self._settings.spdci_sender_id,
            receiver_id=asked.sender_id,
            now=now,
            total=answer.total,
            completed=answer.total,
            message_id=str(message_id),
            words=answer.words,
        )
        await repository.add_delivery(
            session,
            id=message_id,
            sender_id=asked.sender_id,
            partner_request_id=asked.id,
            url=asked.callback_url + action.path,
            action=action.answer,
            message_sealed=seal_delivery(
                personal_data,
                header,
                answer.message,
                agreed=answer.agreed,
                bound_to=message_id.bytes,
            ),
        )
        if opened:
            await audit.read_later(
                session,
                self._settings.service,
                subject=asked.subject,
                client=asked.client,
                request_id=asked.request_id,
                operation=f"POST /spdci/{asked.register}/registry/{asked.action}",
                things=[f"households/{household_id}" for household_id in opened],
            )
        await repository.answered(session, asked.id, RequestStatus.ANSWERED)


class Sending:
    """Sends what is due, beside one another, with no transaction open."""

    def __init__(
        self,
        database: Database,
        *,
        settings: ApiSettings,
        personal_data: PersonalData,
    ) -> None:
        self._database = database
        self._settings = settings
        self._personal_data = personal_data
        self._schedule = Schedule(settings.partner_retry_seconds)
        self._sender = Sender(
            judge=settings.partner_judge,
            timeout_seconds=settings.partner_timeout_seconds,
            at_once=_AT_ONCE,
        )

    async def step(self) -> int:
        """Send what is due, as much as goes at once; how much that was."""
        async with self._database.transaction() as session:
            claimed = await repository.claim_deliveries(
                session,
                most=_AT_ONCE,
                lease_seconds=self._settings.partner_timeout_seconds
                + _LEASE_BEYOND_TIMEOUT_SECONDS,
            )
        await asyncio.gather(*(self._send(row) for row in claimed))
        return len(claimed)

    async def close(self) -> None:
        await self._sender.close()

    async def _send(self, row: Row[Any]) -> None:
        if row.partner_ended:
            sent = Sent(None, "The partner has ended.")
            await self._record(row, DeliveryStatus.STOPPED, sent)
            return
        try:
            kept = unseal_delivery(self._personal_data, row.message_sealed, bound_to=row.id.bytes)
        except CannotDecrypt as error:
            log.error("partner_delivery_sealed", delivery=str(row.id))
            sent = Sent(None, f"It was not sent: its key does not open. {error}")
        else:
            if kept.agreed:
                async with self._database.reading() as session:
                    sharing = sharing_with(row.purpose, self._settings)
                    kept = await as_agreed_now(session, kept, sharing)
            if kept.tells_nothing:
                sent = Sent(None, "The households that it tells of agree to it no more.")
                await self._record(row, DeliveryStatus.STOPPED, sent)
                return
            body = framed(self._settings, kept.header, kept.message)
            sent = await self._sender.send(row.url, headers={"Content-Type": MEDIA_TYPE}, body=body)
        if sent.is_delivered:
            await self._record(row, DeliveryStatus.DELIVERED, sent)
        elif sent.is_gone:
            await self._record(row, DeliveryStatus.STOPPED, sent)
        else:
            again = self._schedule.after(row.attempts)
            if again is None:
                log.error("partner_delivery_given_up", delivery=str(row.id))
                await self._record(row, DeliveryStatus.FAILED, sent)
            else:
                again = max(again, sent.again_after_seconds or 0)
                await self._record(row, DeliveryStatus.WAITING, sent, again_after_seconds=again)

    async def _record(
        self,
        row: Row[Any],
        status: DeliveryStatus,
        sent: Sent,
        *,
        again_after_seconds: float | None = None,
    ) -> None:
        async with self._database.transaction() as session:
            await repository.record(
                session,
                row.id,
                status,
                attempts=row.attempts,
                answer_status=sent.status,
                detail=sent.detail,
                again_after_seconds=again_after_seconds,
            )
