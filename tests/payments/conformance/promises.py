"""What every adapter promises. Each is a function that raises AssertionError where it is broken.

They are functions and not tests, so that ``test_it_can_fail.py`` can hold broken adapters against
them.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.batches import BatchAdapter
from services.payments.providers.files import FileAdapter
from services.payments.providers.protocol import Capability, SingleAdapter
from shared.ids import new_id
from shared.signatures import BadSignature
from tests.payments.conformance.driving import (
    ACCOUNT,
    AMOUNT_MINOR,
    Driven,
    Permits,
    api_settings,
    driven,
    order,
    takes_many,
)
from tests.payments.conformance.http_side import SIGNED_AT
from tests.payments.conformance.sides import API_KEY, IMPATIENCE_SECONDS, SECRET, Saying, Spoken

NO_END = {AnswerKind.NO_ANSWER, AnswerKind.PENDING, AnswerKind.NOT_KNOWN, AnswerKind.NOT_SENT}
"""What leaves a payment where it was: it may have been made, or it was not sent."""
MAY_BE_PAID = {AnswerKind.NO_ANSWER, AnswerKind.PENDING}

Promise = Callable[[Spoken, Path], Awaitable[None]]


async def _heard(driving: Driven, saying: Saying) -> tuple[Answer, Answer]:
    """What is heard of one payment when it is sent, and when it is asked about."""
    driving.side.saying = saying
    payment = order()
    sent = (await driving.send([payment]))[payment.instruction_id]
    return sent, (await driving.ask([payment]))[payment.instruction_id]


async def says_what_it_is(spoken: Spoken, directory: Path) -> None:
    """Its code is the provider's, and its capabilities are the faces that it has."""
    async with driven(spoken, directory) as driving:
        adapter = driving.adapter
        assert adapter.code == driving.side.settings.code
        assert adapter.capabilities
        many = {Capability.BATCH, Capability.FILE} & adapter.capabilities
        assert bool(many) == isinstance(adapter, BatchAdapter)
        assert isinstance(adapter, SingleAdapter) or Capability.SINGLE not in adapter.capabilities
        assert (Capability.FILE in many) == isinstance(adapter, FileAdapter)
        # Nothing was opened, and it is closed here and once more where it was driven.
        await adapter.close()


async def sends_what_was_ordered_under_its_fixed_id(spoken: Spoken, directory: Path) -> None:
    """What leaves bears our ids and the account; a repeat bears the same, and says the same."""
    async with driven(spoken, directory, patience_seconds=IMPATIENCE_SECONDS) as driving:
        payment, batch_id = order(), new_id()
        driving.side.saying = Saying.KEEPS_SILENT
        for _ in range(2):
            await driving.send([payment], batch_id=batch_id)
        first, *repeats = driving.side.seen
        assert first.lines == (payment.instruction_id,)
        assert first.accounts == (ACCOUNT,)
        ours = batch_id if takes_many(driving.adapter) else payment.instruction_id
        assert first.request_id in (str(ours), ours.hex)
        for repeat in repeats:
            assert repeat == first


async def sends_nothing_without_a_permit(spoken: Spoken, directory: Path) -> None:
    """Where the permit refuses nothing leaves, and the answer says so with the permit's reason."""
    async with driven(spoken, directory) as driving:
        payment = order()
        answers = await driving.send([payment], Permits("worker_stopping"))
        assert answers[payment.instruction_id] == Answer(
            AnswerKind.NOT_SENT, reason="worker_stopping"
        )
        assert not driving.side.seen


async def leaves_out_an_account_that_cannot_be_opened(spoken: Spoken, directory: Path) -> None:
    """What is sealed by a key that is not here waits for it, what is damaged is told so, and
    neither keeps its neighbour."""
    async with driven(spoken, directory) as driving:
        good, keyless, damaged = order(), order(version=9), order(key=bytes(32))
        answers = await driving.send([good, keyless, damaged])
        assert answers[keyless.instruction_id].kind is AnswerKind.NOT_SENT
        assert answers[damaged.instruction_id].kind is AnswerKind.UNSENDABLE
        assert [seen.lines for seen in driving.side.seen] == [(good.instruction_id,)]
        alone = await driving.send([order(version=9)])
        assert {answer.kind for answer in alone.values()} == {AnswerKind.NOT_SENT}
        assert len(driving.side.seen) == 1


async def hears_that_a_payment_was_made(spoken: Spoken, directory: Path) -> None:
    """Paid: with our id, and the provider's reference for whoever reads its statement."""
    async with driven(spoken, directory) as driving:
        payments = [order() for _ in range(3)]
        sent = await driving.send(payments)
        assert {answer.kind for answer in sent.values()} <= {
            AnswerKind.SETTLED,
            *MAY_BE_PAID,
        }
        asked = await driving.ask(payments)
        for payment in payments:
            answer = asked[payment.instruction_id]
            assert answer.kind is AnswerKind.SETTLED, answer
            assert answer.our_reference == payment.instruction_id
            assert answer.transaction_reference
            if answer.tells_amount:
                assert (answer.amount_minor, answer.currency) == (AMOUNT_MINOR, "KHR")
        references = {answer.transaction_reference for answer in asked.values()}
        assert len(references) == 3


async def does_not_decide_what_is_undecided(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory) as driving:
        for answer in await _heard(driving, Saying.TAKES):
            assert answer.kind is AnswerKind.PENDING, answer


async def hears_a_rejection_as_its_code(spoken: Spoken, directory: Path) -> None:
    """Definite, for a reason by which payments can be counted."""
    async with driven(spoken, directory) as driving:
        sent, asked = await _heard(driving, Saying.REJECTS)
        assert sent.kind in {AnswerKind.REJECTED, *MAY_BE_PAID}
        assert asked.kind is AnswerKind.REJECTED, asked
        assert asked.reason
        assert len(asked.reason) <= 64
        assert asked.reason.replace("_", "").replace("-", "").isalnum()


async def hears_the_truth_when_it_comes_late(spoken: Spoken, directory: Path) -> None:
    """What was rejected and is shown as paid is told as paid: nobody here remembers for it."""
    async with driven(spoken, directory) as driving:
        driving.side.saying = Saying.REJECTS_THEN_PAYS
        payment = order()
        heard = [await driving.send([payment])]
        heard += [await driving.ask([payment]) for _ in range(2)]
        kinds = [answers[payment.instruction_id].kind for answers in heard]
        assert AnswerKind.REJECTED in kinds[:2], heard
        assert kinds[-1] is AnswerKind.SETTLED, kinds


async def does_not_take_anothers_payment_for_ours(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory) as driving:
        driving.side.saying = Saying.PAYS_ANOTHER
        payment = order()
        for answers in (await driving.send([payment]), await driving.ask([payment])):
            answer = answers[payment.instruction_id]
            if answer.kind is AnswerKind.SETTLED:
                # Said to our question: held for an officer by whoever records it.
                assert answer.our_reference not in (None, payment.instruction_id)
            else:
                assert answer.kind in NO_END, answer


async def tells_what_was_really_paid(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory) as driving:
        sent, asked = await _heard(driving, Saying.PAYS_MORE)
        assert asked.kind is AnswerKind.SETTLED
        assert asked.amount_minor not in (None, AMOUNT_MINOR)
        assert sent.kind in MAY_BE_PAID or sent.amount_minor == asked.amount_minor


async def takes_silence_for_no_answer(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory, patience_seconds=IMPATIENCE_SECONDS) as driving:
        for answer in await _heard(driving, Saying.KEEPS_SILENT):
            assert answer.kind in MAY_BE_PAID, answer


async def takes_a_lost_connection_for_no_answer(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory) as driving:
        for answer in await _heard(driving, Saying.HANGS_UP):
            assert answer.kind is AnswerKind.NO_ANSWER, answer


async def takes_a_failure_for_no_answer(spoken: Spoken, directory: Path) -> None:
    """A 5xx may come before the payment or after it."""
    async with driven(spoken, directory) as driving:
        for answer in await _heard(driving, Saying.BREAKS):
            assert answer.kind is AnswerKind.NO_ANSWER, answer


async def leaves_a_closed_provider_alone(spoken: Spoken, directory: Path) -> None:
    """Maintenance ends nothing. Where something left, it is told, so that nothing follows soon."""
    async with driven(spoken, directory) as driving:
        sent, asked = await _heard(driving, Saying.MAINTENANCE)
        if sent.kind is AnswerKind.NOT_SENT:
            assert not driving.side.seen
            assert asked.kind in NO_END, asked
            return
        for answer in (sent, asked):
            assert answer.kind is AnswerKind.NO_ANSWER, answer
            assert answer.provider_unwell


async def leaves_a_busy_provider_alone(spoken: Spoken, directory: Path) -> None:
    async with driven(spoken, directory) as driving:
        driving.side.saying = Saying.BUSY
        payment = order()
        answer = (await driving.send([payment]))[payment.instruction_id]
        assert answer.kind in {AnswerKind.NO_ANSWER, AnswerKind.NOT_SENT}, answer
        assert answer.provider_unwell


async def says_that_it_is_the_float(spoken: Spoken, directory: Path) -> None:
    """Too little of our money there is definite, and is no fault of the household's: the reason is
    one that is known to say so."""
    async with driven(spoken, directory) as driving:
        sent, asked = await _heard(driving, Saying.NO_FLOAT)
        definite = sent if sent.kind is AnswerKind.REJECTED else asked
        assert definite.kind is AnswerKind.REJECTED, definite
        assert definite.reason in spoken.no_float_reasons


async def takes_a_duplicate_for_no_answer(spoken: Spoken, directory: Path) -> None:
    """It came before, and was paid then for all that anybody knows."""
    async with driven(spoken, directory) as driving:
        for answer in await _heard(driving, Saying.DUPLICATE):
            assert answer.kind in MAY_BE_PAID, answer


async def hears_that_a_payment_is_not_known(spoken: Spoken, directory: Path) -> None:
    """Where it never came, and only there."""
    async with driven(spoken, directory) as driving:
        payment = order()
        assert (await driving.ask([payment]))[payment.instruction_id].kind is AnswerKind.NOT_KNOWN


async def tells_nobody_of_accounts_and_keys(spoken: Spoken, directory: Path) -> None:
    """However a provider puts an account into its words, no answer and no log has it."""
    with capture_logs() as logs:
        async with driven(spoken, directory) as driving:
            answers = await _heard(driving, Saying.ECHOES)
            payment = order()
            driving.side.saying = Saying.BABBLES
            driving.side.babble = (400, orjson.dumps({"errorCode": ACCOUNT}))
            babbled = [await driving.send([payment]), await driving.ask([payment])]
    told = repr((answers, babbled, logs))
    for secret in (ACCOUNT, ACCOUNT.removeprefix("+855"), API_KEY, SECRET):
        assert secret not in told


async def believes_only_callbacks_that_are_signed(spoken: Spoken, directory: Path) -> None:
    """A callback is the provider's where it signed it, and says what it says to both readers."""
    async with driven(spoken, directory) as driving:
        verifier = spoken.verifier(driving.side.settings, api_settings())
        payment = order()
        for headers in ({}, {"webhook-id": "1", "webhook-signature": "v1,none"}):
            with pytest.raises(BadSignature):
                verifier.verify_callback(headers, b"{}", now=SIGNED_AT)
        called = driving.side.callback(payment.instruction_id)
        if called is None:
            return
        headers, body = called
        assert verifier.verify_callback(headers, body, now=SIGNED_AT)
        with pytest.raises(BadSignature):
            verifier.verify_callback(headers, body + b" ", now=SIGNED_AT)
        with pytest.raises(BadSignature):
            verifier.verify_callback(headers, body, now=SIGNED_AT + 3_600)
        told = verifier.read_callback(body)
        assert told == driving.adapter.read_callback(body)
        assert getattr(told, "instruction_id", None) == payment.instruction_id


ALWAYS: tuple[Promise, ...] = (
    says_what_it_is,
    sends_what_was_ordered_under_its_fixed_id,
    sends_nothing_without_a_permit,
    leaves_out_an_account_that_cannot_be_opened,
    hears_that_a_payment_is_not_known,
    tells_nobody_of_accounts_and_keys,
    believes_only_callbacks_that_are_signed,
)
"""What is promised whatever the provider says."""

ABOUT: dict[Saying, Promise] = {
    Saying.PAYS: hears_that_a_payment_was_made,
    Saying.TAKES: does_not_decide_what_is_undecided,
    Saying.REJECTS: hears_a_rejection_as_its_code,
    Saying.REJECTS_THEN_PAYS: hears_the_truth_when_it_comes_late,
    Saying.PAYS_ANOTHER: does_not_take_anothers_payment_for_ours,
    Saying.PAYS_MORE: tells_what_was_really_paid,
    Saying.KEEPS_SILENT: takes_silence_for_no_answer,
    Saying.HANGS_UP: takes_a_lost_connection_for_no_answer,
    Saying.BREAKS: takes_a_failure_for_no_answer,
    Saying.MAINTENANCE: leaves_a_closed_provider_alone,
    Saying.BUSY: leaves_a_busy_provider_alone,
    Saying.NO_FLOAT: says_that_it_is_the_float,
    Saying.DUPLICATE: takes_a_duplicate_for_no_answer,
}
"""What is promised of each thing that a provider may say. The others are part of the promises
above and of ``test_conformance.py``."""
