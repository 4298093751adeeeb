"""What was stored before answers were: carried over, and nothing of it lost."""

import asyncpg
from alembic import command

from tests.payments.conftest import World, entitlements
from tests.payments.steps import SILENCE, Steps, paid
from tests.revisions import at_revision

BEFORE = "0003"
ANSWERS = "0004"


async def test_payments_of_before_keep_what_was_recorded_of_them(
    world: World, steps: Steps, owner: asyncpg.Connection, environment: dict[str, str]
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(4, provider="mekong"))
    await steps.raise_announced()
    first, second, waiting, resent = [order.instruction_id for order in await steps.claim()]
    await steps.hear([(first, paid(first)), (second, paid(second))])
    await steps.hear([(waiting, SILENCE), (resent, SILENCE)])
    assert await steps.resend(resent)
    url = environment["DATABASE_URL"]
    await at_revision(url, "payments", command.downgrade, BEFORE)
    # Nothing kept a provider from giving two payments one reference.
    await owner.execute(
        "UPDATE payments.instruction SET transaction_reference = 'same', "
        "finished_at = finished_at + CASE id WHEN $1 THEN interval '1 hour' ELSE '0' END "
        "WHERE status = 'settled'",
        second,
    )
    await at_revision(url, "payments", command.upgrade, ANSWERS)
    references = {
        row["id"]: row["transaction_reference"]
        for row in await owner.fetch("SELECT id, transaction_reference FROM payments.instruction")
    }
    assert (references[first], references[second]) == ("same", None)
    alarm = await owner.fetchrow("SELECT instruction_id, kind::text, detail FROM payments.alarm")
    assert (alarm["instruction_id"], alarm["kind"]) == (second, "different_payment")
    assert "the reference same, which another settled payment has" in alarm["detail"]
    # When it was sent first is known of what was sent once.
    sent = {
        row["id"]: (row["first_sent_at"], row["sent_at"])
        for row in await owner.fetch("SELECT id, first_sent_at, sent_at FROM payments.instruction")
    }
    assert sent[waiting][0] == sent[waiting][1] is not None
    assert sent[resent][0] is None
    # A copy of what was running before goes on with it.
    await at_revision(url, "payments", command.upgrade, "head")
    await world.proofs()
    assert await world.count("settled") == 2
