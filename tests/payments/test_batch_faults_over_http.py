"""The real client, and a sandbox whose batches go wrong: nobody is paid twice, nobody forgotten."""

import pytest

from sandbox.batch_faults import BatchFault
from tests.payments.batch_world import judge, pay, set_for_batches, summary
from tests.payments.conftest import StartSandbox, World

pytestmark = pytest.mark.long

WHILE_SECONDS = 1.0


@pytest.fixture(params=[True], ids=["two-steps"])
def two_steps(request: pytest.FixtureRequest) -> bool:
    """Whether a batch is taken first, and paid once it is approved."""
    return bool(request.param)


@pytest.fixture
def environment(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, two_steps: bool
) -> dict[str, str]:
    """The settings know for how long such a provider is not to be believed."""
    monkeypatch.setenv("PAYMENTS_BATCH_READINGS", "10")
    return set_for_batches(
        environment,
        monkeypatch,
        batch_lines=8,
        batch_two_steps=two_steps,
        not_known_untrue_seconds=2,
    )


@pytest.mark.parametrize(
    ("fault", "share", "ends"),
    [
        (BatchFault.LOST_BEFORE, 0.0, {"settled"}),
        (BatchFault.LOST_AFTER, 0.0, {"settled"}),
        (BatchFault.APPROVAL_LOST_BEFORE, 0.0, {"settled"}),
        (BatchFault.APPROVAL_LOST_AFTER, 0.0, {"settled"}),
        (BatchFault.NOT_KNOWN_AT_FIRST, 0.0, {"settled"}),
        (BatchFault.REFUSED_FOR_A_LINE, 0.1, {"settled", "rejected"}),
        (BatchFault.SHUFFLED_PAGES, 0.0, {"settled"}),
        (BatchFault.NONSENSE, 0.0, {"settled"}),
    ],
)
async def test_each_line_is_paid_once_whatever_goes_wrong_with_its_batch(
    world: World, start_sandbox: StartSandbox, fault: BatchFault, share: float, ends: set[str]
) -> None:
    sandbox = start_sandbox(
        batch_faults=(fault,), batch_fault_seconds=WHILE_SECONDS, missing_account_share=share
    )
    await pay(world, 30)
    found = await judge(world, sandbox)
    assert (sum(found.values()), set(found)) == (30, ends)


@pytest.mark.parametrize("two_steps", [True, False], ids=["two-steps", "one-step"], indirect=True)
async def test_each_line_is_paid_once_whatever_goes_wrong_with_its_neighbours(
    world: World, start_sandbox: StartSandbox
) -> None:
    """Every fault at once, a batch each."""
    sandbox = start_sandbox(
        batch_faults=tuple(BatchFault),
        batch_fault_share=0.9,
        batch_fault_seconds=WHILE_SECONDS,
        missing_account_share=0.05,
        seed=5,
    )
    await pay(world, 300)
    found = await judge(world, sandbox)
    assert set(found) == {"settled", "rejected"}
    assert found["settled"] == summary(sandbox)["count"]
