"""Talking to one provider in GSMA Mobile Money API 1.2. Accounts are opened here and only here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import httpx
import structlog

from services.payments.providers import gsma
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.settings import ProviderSettings, Settings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.money import Money
from shared.personal_data import CannotDecrypt, Cipher, KeyMissing, cipher_from
from shared.version import API_PREFIX

log = structlog.get_logger()

_DISBURSEMENT = "/transactions/type/disbursement"
_DESCRIPTION = "Emergency cash transfer"
_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid, with the account still sealed."""

    instruction_id: UUID
    household_id: UUID
    money: Money
    account_sealed: bytes


class ProviderClient:
    """One provider's API. Every answer is an ``Answer``: the network raises nothing here."""

    def __init__(self, provider: ProviderSettings, settings: Settings) -> None:
        self.code = provider.code
        self._debit_party = settings.debit_party
        self._accounts: Cipher = cipher_from(settings.account_keys, context=ACCOUNT_CONTEXT)
        base_url = provider.base_url.rstrip("/")
        self._base_url = base_url
        self._disbursement_url = httpx.URL(base_url + _DISBURSEMENT)
        self._callback_url = (
            settings.callback_base_url.rstrip("/")
            + f"{API_PREFIX}/providers/{provider.code}/callbacks"
        )
        # A client for each connection: httpx looks through its whole pool at every request, which
        # costs more than the request itself.
        certificates = httpx.create_ssl_context(trust_env=False)
        self._lines = [
            httpx.AsyncClient(
                headers={"X-API-Key": provider.api_key.get_secret_value()},
                timeout=httpx.Timeout(settings.provider_timeout_seconds, connect=_CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                verify=certificates,
                # The provider is reached as configured, whatever proxy the machine has.
                trust_env=False,
            )
            for _ in range(settings.dispatch_concurrency)
        ]
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for line in self._lines:
            self._free.put_nowait(line)

    async def close(self) -> None:
        for line in self._lines:
            await line.aclose()

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[httpx.AsyncClient]:
        line = await self._free.get()
        try:
            yield line
        finally:
            self._free.put_nowait(line)

    async def send(self, order: Order) -> Answer:
        """Ask the provider to pay; the same order may be sent again and is paid once."""
        try:
            account = self._accounts.decrypt(
                order.account_sealed, bound_to=order.household_id.bytes
            ).decode()
        except KeyMissing:
            # No fault of the account: it is asked for, and sent again, until somebody has the key.
            log.error("account_key_missing", instruction_id=str(order.instruction_id))
            return Answer(AnswerKind.NO_ANSWER, reason="account_key_missing")
        except (CannotDecrypt, UnicodeDecodeError):
            return Answer(AnswerKind.UNSENDABLE, reason="account_unreadable")
        body = gsma.disbursement(
            instruction_id=order.instruction_id,
            money=order.money,
            account=account,
            debit_party=self._debit_party,
            description=_DESCRIPTION,
        )
        try:
            async with self._line() as line:
                response = await line.post(
                    self._disbursement_url,
                    content=body,
                    headers={
                        "Content-Type": "application/json",
                        "X-Date": datetime.now(UTC).isoformat(timespec="milliseconds"),
                        "X-CorrelationID": str(order.instruction_id),
                        "X-Callback-URL": self._callback_url,
                    },
                )
        except httpx.HTTPError as error:
            return _silence(error)
        return gsma.answer_to_disbursement(response.status_code, response.content)

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        """Ask what became of an order, by the provider's id where it gave one, then by ours."""
        try:
            if server_correlation_id is not None:
                answer = await self._request_state(str(server_correlation_id))
                if answer.kind is not AnswerKind.NOT_KNOWN:
                    return answer
            return await self._response(instruction_id)
        except httpx.HTTPError as error:
            return _silence(error)

    async def _response(self, instruction_id: UUID) -> Answer:
        response = await self._get(f"/responses/{instruction_id}")
        content = gsma.read_object(response.content)
        if gsma.is_not_known(response.status_code, content):
            return Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
        if response.status_code != httpx.codes.OK:
            return gsma.no_answer(response.status_code)
        match gsma.linked_resource(content) if content else None:
            case ("transactions", reference):
                return await self._transaction(reference)
            case ("requeststates", server_correlation_id):
                return await self._request_state(server_correlation_id)
            case _:
                return gsma.NO_ANSWER

    async def _request_state(self, server_correlation_id: str) -> Answer:
        response = await self._get(f"/requeststates/{quote(server_correlation_id, safe='')}")
        content = gsma.read_object(response.content)
        if gsma.is_not_known(response.status_code, content):
            return Answer(AnswerKind.NOT_KNOWN, reason="not_known_to_provider")
        if response.status_code != httpx.codes.OK:
            return gsma.no_answer(response.status_code)
        if content is None:
            return gsma.NO_ANSWER
        if reference := gsma.completed_reference(content):
            return await self._transaction(reference)
        return gsma.request_state(content)

    async def _transaction(self, reference: str) -> Answer:
        response = await self._get(f"/transactions/{quote(reference, safe='')}")
        content = gsma.read_object(response.content)
        # A link that leads nowhere is no proof that nothing was paid.
        if response.status_code != httpx.codes.OK:
            return gsma.no_answer(response.status_code)
        return gsma.transaction(content) if content else gsma.NO_ANSWER

    async def _get(self, path: str) -> httpx.Response:
        async with self._line() as line:
            return await line.get(
                self._base_url + path,
                headers={"X-Date": datetime.now(UTC).isoformat(timespec="milliseconds")},
            )


def _silence(error: httpx.HTTPError) -> Answer:
    timed_out = isinstance(error, httpx.TimeoutException)
    return Answer(
        AnswerKind.NO_ANSWER,
        reason="timeout" if timed_out else "connection_lost",
        provider_unwell=True,
    )
