"""A provider that is hostile to a part of its payments: see hostility.py and README.md."""

from sandbox import lies, messages, wire
from sandbox.answers import Answer, Receive, Scope, not_known, unavailable
from sandbox.application import Application, payment_of
from sandbox.batch_desk import BatchDesk, too_many_requests
from sandbox.book import Book, Payment
from sandbox.clock import now
from sandbox.courier import Courier
from sandbox.hostility import (
    DONE_TO_THE_ANSWER,
    OTHERWISE_ORDINARY,
    SAID_OF_THE_TRANSACTION,
    Channel,
    Hostility,
)
from sandbox.options import SandboxOptions
from sandbox.rumours import Rumours, early_rumour, rumours_of
from sandbox.teller import Reception, Teller
from sandbox.treasury import Treasury
from sandbox.validation import Disbursement

ELSEWHERE = "/elsewhere"

_FORGETTING = (Hostility.FORGETS_IDS, Hostility.FORGETS_PENDING)
_REPLY_LOST = (Hostility.FORGETS_PENDING, Hostility.NOT_KNOWN_AT_FIRST)
_STATUSES_OF_HTML = (200, 201, 202)
_UNAVAILABLE = 503


class HostileApplication(Application):
    """What it remembers beside the book (bursts, first tries) ends with the process."""

    def __init__(
        self,
        *,
        options: SandboxOptions,
        book: Book,
        teller: Teller,
        courier: Courier,
        desk: BatchDesk,
        treasury: Treasury,
        rumours: Rumours,
    ) -> None:
        super().__init__(
            options=options,
            book=book,
            teller=teller,
            courier=courier,
            desk=desk,
            treasury=treasury,
        )
        self._nature = options.nature
        self._elsewhere = options.url + ELSEWHERE
        self._rumours = rumours
        self._first_tried: dict[str, int] = {}
        self._bursts_until: dict[str, float] = {}

    async def _answer_client(
        self, scope: Scope, receive: Receive, provider: str, method: str, call: list[str]
    ) -> Answer | None:
        if now() < self._bursts_until.get(provider, 0):
            return unavailable(_UNAVAILABLE)
        payment = self._asked_about(provider, call) if method == "GET" else None
        kind = None if payment is None else self._kind(provider, payment.correlation_id)
        if payment is None or kind is None:
            return await super()._answer_client(scope, receive, provider, method, call)
        return await self._answer_inquiry(scope, receive, payment, kind, call[0])

    async def _take(
        self, scope: Scope, receive: Receive, disbursement: Disbursement
    ) -> Answer | None:
        kind = self._kind(disbursement.provider, disbursement.correlation_id)
        if kind is None or kind in OTHERWISE_ORDINARY:
            return await super()._take(scope, receive, disbursement)
        if refusal := self._refusal(disbursement, kind):
            return refusal
        receipt = await self._teller.take(disbursement)
        if receipt.reception is Reception.CONFLICTING:
            return await self._answer_receipt(receipt)
        payment = payment_of(receipt)
        first = receipt.reception is Reception.TAKEN
        if first:
            if rumour := early_rumour(payment, kind):
                await self._rumours.tell(payment, rumour)
            another_id = self._another_id(payment, kind)
            for rumour in rumours_of(payment, kind, self._nature, another_id=another_id):
                self._rumours.spread(payment, rumour)
        return await self._answer_disbursement(scope, receive, payment, kind, first=first)

    def _refusal(self, disbursement: Disbursement, kind: Hostility) -> Answer | None:
        """The answer of a provider that takes nothing for now, or None."""
        first_tried = self._first_tried.get(disbursement.correlation_id)
        if kind is Hostility.BURSTS_OF_503 and first_tried is None:
            self._first_tried[disbursement.correlation_id] = now()
            self._bursts_until[disbursement.provider] = now() + self._nature.seconds * 1_000
            return unavailable(_UNAVAILABLE)
        if kind is Hostility.TOO_MANY_REQUESTS:
            first_tried = self._first_tried.setdefault(disbursement.correlation_id, now())
            if self._nature.still(first_tried, now=now()):
                seconds = max(1, round(self._nature.seconds))
                return too_many_requests(seconds)
        return None

    async def _answer_disbursement(
        self, scope: Scope, receive: Receive, payment: Payment, kind: Hostility, *, first: bool
    ) -> Answer | None:
        early = self._nature.still(payment.received_at, now=now())
        accepted = Answer(202, messages.accepted(payment))
        if kind in DONE_TO_THE_ANSWER and early:
            return await self._spoil(scope, receive, payment, kind, accepted)
        if kind in _REPLY_LOST and first:
            return None
        by_response = self._nature.channel(payment.correlation_id) is Channel.RESPONSE
        if kind in SAID_OF_THE_TRANSACTION and by_response:
            return Answer(201, self._transaction(payment, kind))
        if kind is Hostility.LATE_SUCCESS_BY_RESPONSE:
            return Answer(201, self._transaction(payment, kind))
        if kind is Hostility.LATE_SUCCESS_BY_CALLBACK and early:
            refused = lies.rejected(payment)
            return Answer(messages.rejection_status(refused), messages.rejection(refused))
        return accepted

    async def _answer_inquiry(
        self, scope: Scope, receive: Receive, payment: Payment, kind: Hostility, asked_for: str
    ) -> Answer | None:
        early = self._nature.still(payment.received_at, now=now())
        if kind in _FORGETTING and not early:
            return not_known()
        if kind is Hostility.NOT_KNOWN_AT_FIRST and early:
            return not_known()
        truth = self._truth(payment, kind, asked_for)
        if kind in DONE_TO_THE_ANSWER and early:
            return await self._spoil(scope, receive, payment, kind, truth)
        return truth

    def _truth(self, payment: Payment, kind: Hostility, asked_for: str) -> Answer:
        """What an inquiry is told where the answer itself comes as it should."""
        told = lies.told(payment, kind, self._nature, now=now())
        match asked_for:
            case "requeststates":
                return Answer(200, messages.request_state(told))
            case "responses":
                return Answer(200, messages.link(told))
        return not_known() if told.rejection else Answer(200, self._transaction(payment, kind))

    def _transaction(self, payment: Payment, kind: Hostility) -> bytes:
        told = lies.told(payment, kind, self._nature, now=now())
        return lies.transaction(told, kind, another_id=self._another_id(payment, kind))

    async def _spoil(
        self, scope: Scope, receive: Receive, payment: Payment, kind: Hostility, answer: Answer
    ) -> Answer | None:
        """Do to an answer what this kind does; None: whatever was said is on the wire already."""
        transport = scope["state"]["transport"]
        status, body = answer.status, answer.body
        form = self._nature.choice(payment.correlation_id, among=6)
        match kind:
            case Hostility.ERROR_WITHIN_200:
                return Answer(200, messages.rejection(lies.rejected(payment)))
            case Hostility.HTML:
                status = _STATUSES_OF_HTML[form % len(_STATUSES_OF_HTML)]
                return Answer(status, lies.HTML, content_type=b"text/html; charset=utf-8")
            case Hostility.DEEP_JSON:
                return Answer(201 if status == 202 else status, lies.DEEP_JSON)
            case Hostility.REDIRECT:
                return Answer(307, b"{}", headers=((b"location", self._elsewhere.encode()),))
            case Hostility.HUGE_BODY:
                await wire.huge_body(transport, status=status)
            case Hostility.ENDLESS_BODY:
                await wire.endless_body(transport, status=status)
            case Hostility.TRICKLING_HEADERS | Hostility.TRICKLING_BODY:
                headers_too = kind is Hostility.TRICKLING_HEADERS
                await wire.trickle(transport, body, status=status, headers_too=headers_too)
            case Hostility.NEVER_ANSWERED:
                await wire.until_gone(receive)
            case Hostility.CLOSED_IN_BODY:
                await wire.close_in_body(transport, body, receive, status=status)
            case Hostility.WRONG_CONTENT_LENGTH:
                too_long = bool(form % 2)
                await wire.wrong_content_length(
                    transport, body, receive, status=status, too_long=too_long
                )
        return None

    def _asked_about(self, provider: str, call: list[str]) -> Payment | None:
        match call:
            case ["requeststates", identifier]:
                return self._find(provider, messages.number_in_server_correlation_id(identifier))
            case ["transactions", reference]:
                return self._find(provider, messages.number_in_reference(reference))
            case ["responses", correlation_id]:
                return self._book.find_by_correlation_id(
                    provider=provider, correlation_id=correlation_id.lower()
                )
        return None

    def _kind(self, provider: str, correlation_id: str) -> Hostility | None:
        return self._nature.kind(provider=provider, correlation_id=correlation_id)

    def _another_id(self, payment: Payment, kind: Hostility) -> str:
        """An id that is not this payment's, as the kind needs it: somebody's, or nobody's."""
        another = None
        if kind is Hostility.COMPLETED_WITH_OTHER_REFERENCE:
            another = self._book.find_another(payment, same_provider=True)
        elif kind is Hostility.CALLBACK_FOR_OTHER_PROVIDER:
            another = self._book.find_another(payment, same_provider=False)
        return another.correlation_id if another else lies.made_up_id(payment.correlation_id)
