"""Counting whom the scheme of a trigger that is ready would pay, before anything happens."""

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks.service import check_activation
from services.registry.preparations import repository
from services.registry.preparations.schemas import PreparationOut
from shared.clock import Clock
from shared.contracts.checks import ActivationCheck, ActivationChecked
from shared.contracts.events import PreparationCounted, TriggerReadied, TriggerStoodDown
from shared.errors import NotFound
from shared.events import publish
from shared.pagination import Page, PageOf


async def prepare(session: AsyncSession, readied: TriggerReadied, *, clock: Clock) -> None:
    """Count, keep and tell it; where nobody can say whom, keep why."""
    checked = await check_activation(
        session,
        ActivationCheck(
            areas=readied.areas, area_filter=readied.area_filter, scheme=readied.scheme
        ),
    )
    await repository.keep(
        session,
        readiness_id=readied.readiness_id,
        trigger=readied.trigger,
        scheme_code=readied.scheme,
        areas=sorted(set(readied.areas)),
        area_filter=readied.area_filter,
        readied_on=readied.readied_on,
        stood_down_on=None,
        counted_at=clock.now(),
        not_counted=_why_not(checked),
        fund=checked.fund,
        currency=checked.currency,
        households=checked.households,
        amount_minor=checked.amount_minor,
        without_account=checked.without_account,
        without_provider=checked.without_provider,
    )
    if checked.fund is None or checked.currency is None:
        return
    fact = PreparationCounted(
        readiness_id=readied.readiness_id,
        trigger=readied.trigger,
        scheme=readied.scheme,
        fund=checked.fund,
        currency=checked.currency,
        households=checked.households or 0,
        amount_minor=checked.amount_minor or 0,
        without_account=checked.without_account or 0,
        without_provider=checked.without_provider or 0,
    )
    await publish(session, fact, clock=clock)


async def stand_down(session: AsyncSession, stood_down: TriggerStoodDown) -> None:
    """Keep that a span of readiness ended."""
    await repository.stand_down(session, stood_down.readiness_id, on=stood_down.stood_down_on)


async def get(session: AsyncSession, readiness_id: UUID) -> PreparationOut:
    """The preparation for a span of readiness; raises NotFound."""
    found = await repository.find(session, readiness_id)
    if found is None:
        raise NotFound(
            "Nothing was prepared for such a readiness. GET /v1/preparations lists what was."
        )
    return PreparationOut.model_validate(found)


async def list_page(
    session: AsyncSession, *, trigger: str | None, only_ready: bool, page: Page
) -> PageOf[PreparationOut]:
    """A page of preparations, the latest first."""
    rows = await repository.list_preparations(
        session,
        trigger=trigger,
        only_ready=only_ready,
        before=page.after(date, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [PreparationOut.model_validate(row) for row in rows],
        key=lambda preparation: (preparation.readied_on, preparation.readiness_id),
    )


def _why_not(checked: ActivationChecked) -> str | None:
    if checked.households is not None:
        return None
    return (
        checked.scheme_refused
        or checked.area_filter_refused
        or "None of its areas is in the gazetteer, or all are smaller than a commune."
    )
