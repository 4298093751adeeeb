"""Accounts are checked before they are paid in batches as well; of a bank nothing is asked."""

import pytest

from tests.payments.batch_world import judge, set_for_batches, summary
from tests.payments.checked_accounts import CHECKED, called_rightly, checks
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.server import eventually


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return set_for_batches(environment, monkeypatch, batch_lines=40, **CHECKED)


async def test_a_batch_has_what_was_checked_and_nothing_else(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(missing_account_share=0.2)
    owed = entitlements(60)
    called_rightly(world, owed[:50])
    await world.fund(20_000_000)
    async with world.working():
        await world.registry.announce(owed)

        async def all_ended() -> bool:
            found = await checks(world)
            known = len(found) == 60 and all(check["outcome"] for check in found)
            open_count = await world.owner.fetchval(
                "SELECT count(*) FROM payments.instruction "
                "WHERE NOT withheld AND status::text NOT IN ('settled', 'rejected')"
            )
            return known and not open_count

        await eventually(all_ended)
    outcomes = [check["outcome"] for check in await checks(world)]
    assert set(outcomes) == {"passed", "doubted", "closed"}
    ends = await judge(world, sandbox)
    assert ends["settled"] == outcomes.count("passed") == len(sandbox.book())
    assert ends["rejected"] == outcomes.count("closed")
    assert ends["ready"] == outcomes.count("doubted")
    # The provider was not asked to pay what it would have rejected.
    assert summary(sandbox)["rejected"] == 0
    await world.proofs()
