"""The promises catch what breaks them: adapters with a fault, each held against its promise."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.bankfile.client import BankFileAdapter
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    LineResult,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.gsma.batch_client import GsmaBatchAdapter
from services.payments.providers.gsma.client import GsmaAdapter
from services.payments.providers.protocol import Order, Permit
from services.payments.settings import ApiSettings, ProviderSettings
from shared.ids import new_id
from tests.payments.conformance import promises
from tests.payments.conformance.driving import ACCOUNT, Permits
from tests.payments.conformance.promises import Promise
from tests.payments.conformance.sides import Spoken
from tests.payments.conformance.spoken import REGISTERED

SINGLE, MANY, FILES = REGISTERED


class NewIdEachTime(GsmaAdapter):
    async def send(self, order: Order, permit: Permit) -> Answer:
        return await super().send(order._replace(instruction_id=new_id()), permit)


class AsksNoPermit(GsmaAdapter):
    async def send(self, order: Order, permit: Permit) -> Answer:
        return await super().send(order, Permits())


class SilenceIsNo(GsmaAdapter):
    async def send(self, order: Order, permit: Permit) -> Answer:
        answer = await super().send(order, permit)
        if answer.kind is AnswerKind.NO_ANSWER:
            return Answer(AnswerKind.REJECTED, reason=answer.reason)
        return answer


class SilenceIsYes(GsmaAdapter):
    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        answer = await super().inquire(instruction_id, server_correlation_id)
        if answer.kind is AnswerKind.NO_ANSWER:
            return Answer(AnswerKind.SETTLED, our_reference=instruction_id)
        return answer


class NotKnownIsNo(GsmaAdapter):
    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        answer = await super().inquire(instruction_id, server_correlation_id)
        if answer.kind is AnswerKind.NOT_KNOWN:
            return Answer(AnswerKind.REJECTED, reason="never_came")
        return answer


class TakesItsWordForOurs(GsmaAdapter):
    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        answer = await super().inquire(instruction_id, server_correlation_id)
        return replace(answer, our_reference=instruction_id)


class AlwaysWell(GsmaAdapter):
    async def send(self, order: Order, permit: Permit) -> Answer:
        return replace(await super().send(order, permit), provider_unwell=False)

    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        answer = await super().inquire(instruction_id, server_correlation_id)
        return replace(answer, provider_unwell=False)


class ForgetsReferences(GsmaAdapter):
    async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
        answer = await super().inquire(instruction_id, server_correlation_id)
        return replace(answer, transaction_reference=None)


class Gossips(GsmaAdapter):
    async def send(self, order: Order, permit: Permit) -> Answer:
        structlog.get_logger().error("not_paid", account=ACCOUNT)
        return await super().send(order, permit)


class RefusalIsAnEnd(GsmaBatchAdapter):
    async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        answer = await super().send_batch(order, permit)
        if answer.kind is BatchAnswerKind.NO_ANSWER:
            return replace(answer, kind=BatchAnswerKind.REFUSED)
        return answer


class ReadsCompletionsForRejections(GsmaBatchAdapter):
    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        page = await super().read_results(name, kind, offset=offset, limit=limit)
        if page is None:
            return None
        turned = [result._replace(kind=ResultKind.REJECTIONS) for result in page.results]
        return replace(page, results=turned)


class RemembersTheFirstWord(BankFileAdapter):
    _first: list[LineResult]

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        page = await super().read_results(name, kind, offset=offset, limit=limit)
        if page is None or not page.results or not hasattr(self, "_first"):
            if page is not None and page.results:
                self._first = list(page.results)
            return page
        return ResultsPage([each for each in self._first if each.kind is kind], count=1)


class BelievesEverybody:
    def __init__(self, provider: ProviderSettings, settings: ApiSettings) -> None:
        pass

    def verify_callback(self, headers: Any, body: bytes, *, now: float) -> str:
        return "1"

    def read_callback(self, body: bytes) -> None:
        return None


FAULTS: list[tuple[Spoken, dict[str, Any], Promise]] = [
    (SINGLE, {"adapter": NewIdEachTime}, promises.sends_what_was_ordered_under_its_fixed_id),
    (SINGLE, {"adapter": AsksNoPermit}, promises.sends_nothing_without_a_permit),
    (SINGLE, {"adapter": SilenceIsNo}, promises.takes_silence_for_no_answer),
    (SINGLE, {"adapter": SilenceIsNo}, promises.takes_a_failure_for_no_answer),
    (SINGLE, {"adapter": SilenceIsNo}, promises.takes_a_duplicate_for_no_answer),
    (SINGLE, {"adapter": SilenceIsYes}, promises.takes_a_lost_connection_for_no_answer),
    (SINGLE, {"adapter": NotKnownIsNo}, promises.hears_that_a_payment_is_not_known),
    (SINGLE, {"adapter": TakesItsWordForOurs}, promises.does_not_take_anothers_payment_for_ours),
    (SINGLE, {"adapter": AlwaysWell}, promises.leaves_a_closed_provider_alone),
    (SINGLE, {"adapter": AlwaysWell}, promises.leaves_a_busy_provider_alone),
    (SINGLE, {"adapter": ForgetsReferences}, promises.hears_that_a_payment_was_made),
    (SINGLE, {"adapter": Gossips}, promises.tells_nobody_of_accounts_and_keys),
    (SINGLE, {"verifier": BelievesEverybody}, promises.believes_only_callbacks_that_are_signed),
    (MANY, {"adapter": RefusalIsAnEnd}, promises.takes_silence_for_no_answer),
    (MANY, {"adapter": ReadsCompletionsForRejections}, promises.hears_that_a_payment_was_made),
    (FILES, {"adapter": RemembersTheFirstWord}, promises.hears_the_truth_when_it_comes_late),
]


def _name(part: Any) -> str:
    if isinstance(part, dict):
        return "-".join(made.__name__ for made in part.values())
    return getattr(part, "__name__", "") or getattr(part, "protocol", "")


@pytest.mark.parametrize(("spoken", "broken", "promise"), FAULTS, ids=_name)
async def test_a_broken_adapter_is_caught(
    spoken: Spoken, broken: dict[str, Any], promise: Promise, tmp_path: Path
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await promise(replace(spoken, **broken), tmp_path)
