"""Cash that is paid out by hand: a batch is a list of ours, and what came of it is uploaded.

Nothing leaves by itself. A list is made once, with its number and its lines, and from then on a
person may print it. What was uploaded and approved is read as any provider's results are.
"""

import base64
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    LineResult,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.cashlist import repository
from services.payments.providers.cashlist.communes import CommuneName, Communes
from services.payments.providers.cashlist.listing import (
    ListedPayment,
    checksum_of,
    content_of,
    list_code,
)
from services.payments.providers.cashlist.states import LineOutcome
from services.payments.providers.files import FileNews
from services.payments.providers.protocol import Capability, Permit, Told
from services.payments.settings import ProviderSettings, WorkerSettings
from services.payments.settings.provider import CashListSettings
from services.payments.statements import AnyRow
from shared.clock import COUNTRY_ZONE
from shared.database import Database, is_away
from shared.errors import Explained
from shared.http import service_client

_AWAY = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="database_away")
_DATABASE_CONNECTIONS = 2


class NotByList(Explained):
    """A provider's settings name the protocol of lists, and do not say how lists are paid."""


class CashListAdapter:
    """Makes lists, and reads what persons said of them."""

    capabilities = frozenset({Capability.LIST})

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        if provider.cash_list is None:
            raise NotByList(
                f"Provider {provider.code} has no cash_list, and its protocol pays by hand. In "
                "PAYMENTS_PROVIDERS, give it a cash_list, or another protocol."
            )
        self.code = provider.code
        self._cash: CashListSettings = provider.cash_list
        key = settings.provider_signing_keys[provider.code].get_secret_value()
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key))
        self._database = Database(
            settings.database_url,
            application_name="payments-cash-lists",
            pool_size=_DATABASE_CONNECTIONS,
            ping_first=False,
            tls=settings.tls,
        )
        self._communes = Communes(service_client(settings, settings.registry_url))

    async def close(self) -> None:
        """Give the connections back."""
        await self._communes.close()
        await self._database.dispose()

    async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        """Make the list of a batch, once, however often it is asked for."""
        try:
            async with self._database.reading() as session:
                if await repository.is_made(session, order.batch_id):
                    return BatchAnswer(BatchAnswerKind.UNDER_WAY)
                origin = await repository.find_origin(session, order.batch_id)
            if origin is None:
                return BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="batch_not_found")
            area = origin.area_code
            name = await self._communes.name_of(area) if area is not None else None
            async with self._database.transaction() as session:
                if await repository.is_made(session, order.batch_id):
                    return BatchAnswer(BatchAnswerKind.UNDER_WAY)
                if (refusal := permit.refusal()) is not None:
                    return BatchAnswer(BatchAnswerKind.NOT_SENT, reason=refusal)
                return await self._make(session, order, origin, name)
        except Exception as error:
            if is_away(error):
                return _AWAY
            raise

    async def approve_batch(self, name: BatchName, permit: Permit) -> BatchAnswer:
        """There is nothing to approve: who has the list, pays."""
        return BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="no_approval_by_list")

    async def ask_batch(self, name: BatchName) -> BatchAnswer:
        """Whether the list was made, and whether each of its lines has an outcome."""
        async with self._database.transaction() as session:
            row = await repository.standing_of(session, name.batch_id)
        if row is None:
            return BatchAnswer(BatchAnswerKind.NOT_KNOWN, reason="list_never_made")
        kind = BatchAnswerKind.UNDER_WAY if row.has_open_lines else BatchAnswerKind.COMPLETED
        return BatchAnswer(kind, provider_batch_id=list_code(row.number, name.batch_id))

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        """A page of what was said first of a list's lines."""
        async with self._database.transaction() as session:
            row = await repository.standing_of(session, name.batch_id)
            if row is None:
                return ResultsPage([], count=0)
            rows = await repository.results_of(
                session,
                name.batch_id,
                is_paid=kind is ResultKind.COMPLETIONS,
                offset=offset,
                limit=limit,
            )
        code = list_code(row.number, name.batch_id)
        return ResultsPage([_result(line, code) for line in rows], count=len(rows))

    async def take_files(self, *, limit: int) -> Sequence[FileNews]:
        """What approved uploads say, once each of their lines has the end that was told first.

        What says against that is then found to be late, as any other provider's word is.
        """
        async with self._database.transaction() as session:
            uploads = await repository.uploads_to_tell(session, self.code, limit=limit)
            rows = await repository.rows_to_tell(session, [upload.id for upload in uploads])
        return [
            FileNews(
                str(upload.id),
                batch=BatchName(upload.list_id, code),
                results=[_result(row, code) for row in rows if row.upload_id == upload.id],
            )
            for upload in uploads
            for code in [list_code(upload.list_number, upload.list_id)]
        ]

    async def end_file(self, news: FileNews) -> None:
        """What an upload says is recorded: it is not told again."""
        async with self._database.transaction() as session:
            await repository.mark_told(session, UUID(news.key))

    def read_callback(self, body: bytes) -> Told | None:
        """Whoever pays by hand calls nobody back."""
        return None

    async def _make(
        self,
        session: AsyncSession,
        order: BatchOrder,
        origin: AnyRow,
        area_name: CommuneName | None,
    ) -> BatchAnswer:
        number = await repository.lock_numbers(session, origin.provider_number)
        code = list_code(number, order.batch_id)
        entitlements = await repository.entitlements_of(
            session, [line.instruction_id for line in order.lines]
        )
        payments = [
            ListedPayment(position, entitlements[line.instruction_id], line.money)
            for position, line in enumerate(order.lines, start=1)
        ]
        content = content_of(code, payments)
        made_on = origin.made_at.astimezone(COUNTRY_ZONE).date()
        claim_by = made_on + timedelta(days=self._cash.claim_days)
        await repository.insert_list(
            session,
            order.batch_id,
            number=number,
            origin=origin,
            area_name=area_name,
            paid_at=self._cash.paid_at,
            currency=order.currency,
            days=(made_on, claim_by, claim_by + timedelta(days=self._cash.result_days + 1)),
            lines=[
                {
                    "number": payment.number,
                    "instruction_id": line.instruction_id,
                    "entitlement_id": payment.entitlement_id,
                    "amount_minor": payment.money.amount_minor,
                }
                for payment, line in zip(payments, order.lines, strict=True)
            ],
            total_minor=sum(line.money.amount_minor for line in order.lines),
            content_digest=checksum_of(content),
            signature=self._key.sign(content),
        )
        return BatchAnswer(BatchAnswerKind.UNDER_WAY, provider_batch_id=code)


def _result(row: AnyRow, code: str) -> LineResult:
    if row.outcome == LineOutcome.PAID:
        return LineResult(
            ResultKind.COMPLETIONS,
            our_reference=row.instruction_id,
            # The paper's own references repeat: a page of receipts is one.
            transaction_reference=f"{code}/{row.number}",
        )
    return LineResult(ResultKind.REJECTIONS, row.instruction_id, reason=row.reason)
