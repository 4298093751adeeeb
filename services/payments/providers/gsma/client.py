"""One provider that speaks GSMA Mobile Money API 1.2, over HTTP."""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from services.payments.providers.accounts import Accounts
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma import messages
from services.payments.providers.gsma.callbacks import read_callback
from services.payments.providers.lines import Line, Lines, NoReply, NotPermitted, Reply
from services.payments.providers.pace.turns import Turns
from services.payments.providers.protocol import Capability, Order, Permit, Told, ToldOfBatch
from services.payments.settings import ProviderSettings, WorkerSettings
from shared.version import API_PREFIX

_DISBURSEMENT = "/transactions/type/disbursement"
DESCRIPTION = "Emergency cash transfer"


class GsmaAdapter:
    """Disbursements one at a time, their inquiries, and what callbacks say."""

    capabilities = frozenset({Capability.SINGLE})

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        self.code = provider.code
        self._debit_party = settings.debit_party
        self._accounts = Accounts(settings)
        self._base_url = provider.url.rstrip("/")
        self._disbursement_url = self._base_url + _DISBURSEMENT
        self._callback_url = (
            settings.callback_base_url.rstrip("/")
            + f"{API_PREFIX}/providers/{provider.code}/callbacks"
        )
        self._lines = Lines(
            settings.dispatch_concurrency,
            headers={"X-API-Key": settings.provider_api_keys[provider.code].get_secret_value()},
            timeout_seconds=settings.provider_timeout_seconds,
        )

    def keep_pace(self, turns: Turns) -> None:
        self._lines.turns = turns

    async def close(self) -> None:
        await self._lines.close()

    async def send(self, order: Order, permit: Permit) -> Answer:
        """Ask the provider to pay, under the order's own id, however often."""
        account = self._accounts.open(order)
        if isinstance(account, Answer):
            return account
        body = messages.disbursement(
            instruction_id=order.instruction_id,
            money=order.money,
            account=account,
            debit_party=self._debit_party,
            description=DESCRIPTION,
        )
        try:
            async with self._lines.line() as line:
                reply = await line.post(
                    self._disbursement_url,
                    body=body,
                    headers={
                        "Content-Type": "application/json",
                        "X-Date": date_header(),
                        "X-CorrelationID": str(order.instruction_id),
                        "X-Callback-URL": self._callback_url,
                    },
                    permit=permit,
                )
        except (NoReply, NotPermitted) as silence:
            return silence.answer()
        return messages.answer_to_disbursement(reply.status, reply.body)

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        """Ask what became of an order, by the provider's id where it gave one, then by ours."""
        try:
            async with self._lines.line() as line:
                if server_correlation_id is not None:
                    answer = await self._request_state(line, str(server_correlation_id))
                    if answer.kind is not AnswerKind.NOT_KNOWN:
                        return answer
                return await self._response(line, instruction_id)
        except (NoReply, NotPermitted) as silence:
            return silence.answer()

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        return read_callback(body)

    async def _response(self, line: Line, instruction_id: UUID) -> Answer:
        reply = await self._get(line, f"/responses/{instruction_id}")
        content = messages.read_object(reply.body)
        if messages.is_not_known(reply.status, content):
            return Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
        if reply.status != HTTPStatus.OK:
            return messages.no_answer(reply.status)
        match messages.linked_resource(content) if content else None:
            case ("transactions", reference):
                return await self._transaction(line, reference)
            case ("requeststates", server_correlation_id):
                return await self._request_state(line, server_correlation_id)
            case _:
                return messages.NO_ANSWER

    async def _request_state(self, line: Line, server_correlation_id: str) -> Answer:
        reply = await self._get(line, f"/requeststates/{quote(server_correlation_id, safe='')}")
        content = messages.read_object(reply.body)
        if messages.is_not_known(reply.status, content):
            return Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
        if reply.status != HTTPStatus.OK:
            return messages.no_answer(reply.status)
        if content is None:
            return messages.NO_ANSWER
        if reference := messages.completed_reference(content):
            return await self._transaction(line, reference)
        return messages.request_state(content)

    async def _transaction(self, line: Line, reference: str) -> Answer:
        reply = await self._get(line, f"/transactions/{quote(reference, safe='')}")
        content = messages.read_object(reply.body)
        # A link that leads nowhere is no proof that nothing was paid.
        if reply.status != HTTPStatus.OK:
            return messages.no_answer(reply.status)
        return messages.transaction(content) if content else messages.NO_ANSWER

    async def _get(self, line: Line, path: str) -> Reply:
        return await line.get(self._base_url + path, headers={"X-Date": date_header()})


def date_header() -> str:
    """The ``X-Date`` of a request that leaves now."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
