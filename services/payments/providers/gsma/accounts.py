"""Asking a provider that speaks GSMA Mobile Money API 1.2 about accounts.

Sections "View Account Status" and "View Account Name" of the standard: GET of
``/accounts/{identifierType}/{identifier}/status`` and ``…/accountname``.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import ValidationError

from services.payments.providers.account_answers import AccountAnswer, Standing
from services.payments.providers.accounts import Accounts
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.gsma import messages
from services.payments.providers.gsma.client import date_header
from services.payments.providers.lines import Line, Lines, NoReply
from services.payments.providers.protocol import SealedAccount
from services.payments.settings import ProviderSettings, WorkerSettings
from services.payments.settings.provider import Asked
from shared.contracts.holders import MAXIMUM_NAME_CHARACTERS, MAXIMUM_NAMES, HolderCheck

# What the standard's enumeration says, and words in use beside it.
_STANDINGS = {
    "available": Standing.AVAILABLE,
    "active": Standing.AVAILABLE,
    "unavailable": Standing.UNAVAILABLE,
    "unregistered": Standing.NOT_KNOWN,
}
_MAXIMUM_REPLY_BYTES = 64 * 1024
_NOBODY = UUID(int=0)


class GsmaAccounts:
    """Status and holder's name of accounts, as far as the settings say that they can be asked."""

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        self._asked = provider.account_checks
        self._accounts = Accounts(settings)
        self._base_url = provider.url.rstrip("/")
        self._lines = Lines(
            provider.account_checks_at_once,
            headers={"X-API-Key": settings.provider_api_keys[provider.code].get_secret_value()},
            timeout_seconds=settings.provider_timeout_seconds,
        )

    async def close(self) -> None:
        await self._lines.close()

    async def ask(self, account: SealedAccount) -> AccountAnswer:
        """What the provider says of an account: its status first, and of one that can be
        paid, who holds it."""
        opened = self._accounts.open(account)
        if isinstance(opened, Answer):
            unreadable = opened.kind is AnswerKind.UNSENDABLE
            return AccountAnswer(reason=opened.reason, was_asked=False, is_unreadable=unreadable)
        path = f"{self._base_url}/accounts/msisdn/{quote(opened, safe='')}"
        answer = AccountAnswer(standing=Standing.AVAILABLE)
        try:
            async with self._lines.line() as line:
                if Asked.STATUS in self._asked:
                    answer = read_status(*await _get(line, f"{path}/status"))
                if Asked.NAME in self._asked and answer.standing is Standing.AVAILABLE:
                    answer = read_name(
                        *await _get(line, f"{path}/accountname"),
                        is_known=Asked.STATUS in self._asked,
                    )
        except NoReply as silence:
            told = silence.answer()
            return AccountAnswer(reason=told.reason, provider_unwell=told.provider_unwell)
        return answer


async def _get(line: Line, url: str) -> tuple[int, bytes]:
    reply = await line.get(
        url, headers={"X-Date": date_header()}, maximum_bytes=_MAXIMUM_REPLY_BYTES
    )
    return reply.status, reply.body


def read_status(status: int, body: bytes) -> AccountAnswer:
    """What a reply to ``…/status`` says. Pure, and never raises."""
    content = messages.read_object(body)
    if messages.is_not_known(status, content):
        return AccountAnswer(standing=Standing.NOT_KNOWN)
    if status != HTTPStatus.OK:
        return _nothing(status)
    word = content.get("accountStatus") if content else None
    standing = _STANDINGS.get(word) if isinstance(word, str) else None
    return AccountAnswer(standing=standing, reason=None if standing else "unreadable_answer")


def read_name(status: int, body: bytes, *, is_known: bool) -> AccountAnswer:
    """What a reply to ``…/accountname`` says. Pure, and never raises.

    ``is_known``: the provider has said that there is the account, so one that it now knows nothing
    of has no name.
    """
    content = messages.read_object(body)
    if messages.is_not_known(status, content):
        if is_known:
            return AccountAnswer(standing=Standing.AVAILABLE, names=())
        return AccountAnswer(standing=Standing.NOT_KNOWN)
    if status != HTTPStatus.OK:
        return _nothing(status)
    name = content.get("name") if content else None
    if not isinstance(name, dict):
        return AccountAnswer(reason="unreadable_answer")
    return AccountAnswer(standing=Standing.AVAILABLE, names=_names(name))


def _nothing(status: int) -> AccountAnswer:
    told = messages.no_answer(status)
    return AccountAnswer(reason=told.reason, provider_unwell=told.provider_unwell)


def _names(name: dict[str, Any]) -> tuple[str, ...]:
    """The spellings of a name that are text, each once."""
    parts = [name.get(part) for part in ("lastName", "middleName", "firstName")]
    whole = " ".join(part for part in parts if isinstance(part, str))
    spellings = (_as_text(value) for value in (name.get("fullName"), name.get("nativeName"), whole))
    return tuple(dict.fromkeys(text for text in spellings if text))[:MAXIMUM_NAMES]


def _as_text(value: Any) -> str | None:
    """A name as the registry takes one, or None where it is no text. What is too long is cut."""
    if not isinstance(value, str):
        return None
    try:
        taken = HolderCheck(household_id=_NOBODY, names=[value[:MAXIMUM_NAME_CHARACTERS]])
    except ValidationError:
        return None
    return taken.names[0]
