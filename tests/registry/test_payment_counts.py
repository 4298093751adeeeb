"""How many payments have ended is seen before the chunk's end, and never goes backwards."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from shared.contracts.events import PaymentsCounted
from shared.ids import new_id
from tests.registry.paying import Announced, Payments
from tests.server import eventually

BEGUN_AT = datetime(2026, 1, 5, 6, tzinfo=UTC)
EACH_MINOR = 160_000


def counted(announced: Announced, *, paid: int, failed: int, seconds: float) -> PaymentsCounted:
    return PaymentsCounted(
        chunk_id=UUID(announced.chunk_id),
        activation_id=announced.activation_id,
        scheme="flood-2022",
        round=1,
        counted_at=BEGUN_AT + timedelta(seconds=seconds),
        open_count=3 - paid - failed,
        paid_count=paid,
        paid_minor=paid * EACH_MINOR,
        failed_count=failed,
        failed_minor=failed * EACH_MINOR,
    )


async def progress(announced: Announced) -> dict[str, Any]:
    followed = await announced.flow.get(f"/activations/{announced.activation_id}")
    found: dict[str, Any] = followed["progress"]
    return found


async def shows(announced: Announced, *, paid: int, failed: int) -> None:
    async def there() -> bool:
        found = await progress(announced)
        return (found["paid_count"], found["failed_count"]) == (paid, failed)

    await eventually(there)


async def test_counts_are_seen_in_every_view_before_any_outcome_is_fetched(
    announced: Announced, payments: Payments
) -> None:
    await announced.flow.from_payments(counted(announced, paid=1, failed=1, seconds=1))
    await shows(announced, paid=1, failed=1)
    found = await progress(announced)
    assert (found["paid_minor"], found["failed_minor"]) == (EACH_MINOR, EACH_MINOR)
    assert found["waiting_count"] == found["payable_count"] - 2
    (first, *_) = await announced.flow.get(f"/activations/{announced.activation_id}/rounds")
    assert (first["paid_count"], first["failed_count"]) == (1, 1)
    summary = await announced.flow.get(f"/activations/{announced.activation_id}/summary")
    assert summary["provinces"][0]["paid_count"] == 1
    # What came of each is told by the outcomes alone.
    assert payments.fetched == 0
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)
    await shows(announced, paid=2, failed=1)


async def test_counts_that_come_late_or_again_change_nothing(
    announced: Announced, payments: Payments
) -> None:
    told = [
        counted(announced, paid=paid, failed=failed, seconds=seconds)
        for seconds, (paid, failed) in enumerate([(0, 1), (1, 1), (2, 0), (2, 1)])
    ]
    await announced.flow.from_payments(told[-1])
    await shows(announced, paid=2, failed=1)
    late = told[:-1] * 2
    Random(7).shuffle(late)
    for each in late:
        await announced.flow.from_payments(each)
    # The same consumer has read all of them once it has read one that is later.
    await announced.flow.from_payments(counted(announced, paid=1, failed=2, seconds=9))
    await shows(announced, paid=1, failed=2)
    await announced.settle(payments, "paid,", "paid,", "failed,accountNotFound")
    await announced.reaches(status="settled")
    await announced.flow.from_payments(counted(announced, paid=0, failed=3, seconds=10))
    await announced.flow.from_payments(told[0])
    await shows(announced, paid=2, failed=1)


async def test_counts_of_a_chunk_that_is_none_here_are_left(
    announced: Announced, payments: Payments
) -> None:
    stranger = counted(announced, paid=1, failed=0, seconds=1).model_copy(
        update={"chunk_id": new_id()}
    )
    await announced.flow.from_payments(stranger)
    await announced.flow.from_payments(counted(announced, paid=1, failed=0, seconds=2))
    await shows(announced, paid=1, failed=0)
    letters = await announced.flow.get("/dead-letters")
    assert letters["items"] == []
