"""What reservations hear: what is to be kept, for which trigger, and when it is let go."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.reservations.repository import keep_trigger, keep_wanted, lock_held
from services.payments.reservations.reserving import give_back, let_go
from shared.clock import Clock
from shared.contracts.events import ActivationOpened, PreparationCounted, TriggerStoodDown
from shared.events import Handler, Published, StoredEvent


async def on_preparation_counted(
    session: AsyncSession, event: StoredEvent, *, clock: Clock
) -> None:
    """Keep what is to be reserved; a loop reserves it as far as the fund has it."""
    counted = PreparationCounted.of(event)
    held = await lock_held(session, counted.readiness_id)
    if held is not None and (held.fund, held.currency) != (counted.fund, counted.currency):
        # Its scheme was posted anew, and pays from another fund.
        await give_back(session, held, held.reserved_minor, at=clock.now())
    await keep_wanted(session, counted, at=event.time)


async def on_activation_opened(session: AsyncSession, event: StoredEvent) -> None:
    """Keep which trigger it is of: its rounds draw on what is kept for that."""
    await keep_trigger(session, ActivationOpened.of(event))


async def on_trigger_stood_down(session: AsyncSession, event: StoredEvent, *, clock: Clock) -> None:
    """Give back what was kept."""
    await let_go(session, TriggerStoodDown.of(event).readiness_id, at=clock.now())


def handlers(clock: Clock) -> dict[type[Published], Handler]:
    """Which events this slice hears. What it posts bears the time of posting, not the event's: a
    day's books are not added to after it."""
    return {
        PreparationCounted: partial(on_preparation_counted, clock=clock),
        ActivationOpened: on_activation_opened,
        TriggerStoodDown: partial(on_trigger_stood_down, clock=clock),
    }
