"""The callbacks of a hostile provider: kept in memory, and sent whatever the book says."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook

from sandbox import lies, messages
from sandbox.book import Payment
from sandbox.hostility import SAID_OF_THE_TRANSACTION, Channel, Hostility, Nature
from sandbox.http_put import HttpPut, NoAnswer
from sandbox.options import Provider

TIMEOUT_SECONDS = 5.0
MOST_ATTEMPTS = 8
RETRY_SECONDS = 0.5
SOON_SECONDS = 0.3

_TAKEN = 204
_REFUSED = range(400, 500)
_DEEP = b"[" * 20_000 + b"]" * 20_000
_MALFORMED = (
    b"",
    b"not JSON",
    b"[]",
    b"null",
    b'{"transactionStatus": "completed"}',
    b'{"transactionStatus": "completed", "' + lies.OUR_REFERENCE.encode() + b'": "\\u0000"}',
    b'{"transactionStatus": ' + _DEEP + b"}",
)


@dataclass(frozen=True, kw_only=True)
class Rumour:
    """One callback: what it says, how long after the request, and whether it is signed rightly."""

    name: str
    body: bytes
    delay_seconds: float = 0.0
    old_secret: bool = False


def rumours_of(
    payment: Payment, kind: Hostility, nature: Nature, *, another_id: str
) -> Iterator[Rumour]:
    """What is told after a request of this kind."""
    paid = messages.transaction(lies.completed(payment))
    refused = messages.rejection(lies.rejected(payment))
    match kind:
        case Hostility.LATE_SUCCESS_BY_CALLBACK | Hostility.CALLBACK_VERY_LATE:
            yield Rumour(name="late", body=paid, delay_seconds=nature.seconds)
        case Hostility.LATE_SUCCESS_BY_INQUIRY:
            yield Rumour(name="refused", body=refused, delay_seconds=SOON_SECONDS)
        case Hostility.COMPLETED_THEN_REJECTED:
            yield Rumour(name="paid", body=paid, delay_seconds=SOON_SECONDS)
            yield Rumour(name="refused", body=refused, delay_seconds=nature.seconds)
        case Hostility.CALLBACK_DOUBLED:
            for number in range(3):
                yield Rumour(name=f"copy-{number}", body=paid, delay_seconds=SOON_SECONDS)
        case Hostility.CALLBACK_CONTRADICTORY:
            said = [("paid", paid), ("refused", refused)]
            if nature.choice(payment.correlation_id, among=2):
                said.reverse()
            for place, (name, body) in enumerate(said, start=1):
                yield Rumour(name=name, body=body, delay_seconds=place * SOON_SECONDS)
        case Hostility.CALLBACK_FOR_OTHER_PROVIDER | Hostility.CALLBACK_OF_UNKNOWN_ID:
            yield Rumour(name="other", body=_about(refused, payment, another_id))
            yield Rumour(name="other-paid", body=_about(paid, payment, another_id))
        case Hostility.CALLBACK_MALFORMED:
            for number, body in enumerate(_MALFORMED):
                yield Rumour(name=f"malformed-{number}", body=body)
        case Hostility.CALLBACK_WITH_OLD_SECRET:
            yield Rumour(name="forged", body=refused, old_secret=True)
    if kind in SAID_OF_THE_TRANSACTION and (
        nature.channel(payment.correlation_id) is Channel.CALLBACK
    ):
        yield Rumour(
            name="paid",
            body=lies.transaction(lies.completed(payment), kind, another_id=another_id),
            delay_seconds=SOON_SECONDS,
        )


def early_rumour(payment: Payment, kind: Hostility) -> Rumour | None:
    """What is told before the answer leaves, if anything is."""
    match kind:
        case Hostility.CALLBACK_BEFORE_RESPONSE:
            return Rumour(name="early", body=messages.transaction(lies.completed(payment)))
        case Hostility.LATE_SUCCESS_BY_RESPONSE:
            return Rumour(name="refused", body=messages.rejection(lies.rejected(payment)))
    return None


class Rumours:
    """Sends them: signed, a few times, and forgotten with the process."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._signers = {provider.code: Webhook(provider.webhook_secret) for provider in providers}
        self._old_signers = {
            provider.code: Webhook(old_secret(provider.webhook_secret)) for provider in providers
        }
        self._http = HttpPut(timeout_seconds=TIMEOUT_SECONDS)
        self._under_way: set[asyncio.Task[None]] = set()

    def spread(self, payment: Payment, rumour: Rumour) -> None:
        """Have it told when its time comes."""
        task = asyncio.create_task(self.tell(payment, rumour))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def tell(self, payment: Payment, rumour: Rumour) -> None:
        """Tell it, and return once it was taken, refused, or tried often enough."""
        if payment.callback_url is None:
            return
        await asyncio.sleep(rumour.delay_seconds)
        for _ in range(MOST_ATTEMPTS):
            try:
                status = await self._http.put(
                    payment.callback_url,
                    headers=self._headers(payment, rumour),
                    body=rumour.body,
                )
            except NoAnswer:
                status = 0
            if status == _TAKEN or status in _REFUSED:
                return
            await asyncio.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Forget whatever was still to be told."""
        for task in self._under_way:
            task.cancel()
        self._http.close()

    def _headers(self, payment: Payment, rumour: Rumour) -> dict[str, str]:
        signers = self._old_signers if rumour.old_secret else self._signers
        message_id = f"msg_{messages.transaction_reference(payment)}_{rumour.name}"
        sent_at = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "x-date": messages.instant(time.time_ns() // 1_000_000),
            "x-correlationid": payment.correlation_id,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": signers[payment.provider].sign(
                msg_id=message_id, timestamp=sent_at, data=rumour.body.decode()
            ),
        }


def old_secret(secret: str) -> str:
    """A secret that was this provider's once, and is no more."""
    return "whsec_" + base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def _about(body: bytes, payment: Payment, another_id: str) -> bytes:
    """The same said of another payment."""
    reference = payment.requesting_reference or payment.correlation_id
    return body.replace(reference.encode(), another_id.encode())
