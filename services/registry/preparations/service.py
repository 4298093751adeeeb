"""Counting whom the scheme of a trigger that is ready would pay, before anything happens."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import COUNTRY_CODE
from services.registry.checks.service import check_activation, communes_of
from services.registry.preparations import repository
from services.registry.preparations.schemas import PreparationOut
from services.registry.preparations.tables import Preparation
from services.registry.schemes.service import find_in_force
from shared.bounds import Bound, lies_within
from shared.clock import Clock
from shared.contracts.accounts import PreparedAccount, PreparedPage
from shared.contracts.checks import ActivationCheck, ActivationChecked
from shared.contracts.events import PreparationCounted, TriggerReadied, TriggerStoodDown
from shared.errors import Conflict, NotFound
from shared.events import publish
from shared.pagination import Page, PageOf

_COUNTS = ("households", "amount_minor", "without_account", "without_provider")


async def prepare(session: AsyncSession, readied: TriggerReadied, *, clock: Clock) -> None:
    """Count, keep and tell it; where nobody can say whom, keep why."""
    checked = await check_activation(
        session,
        ActivationCheck(
            areas=readied.areas, area_filter=readied.area_filter, scheme=readied.scheme
        ),
        today=clock.today(),
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


async def get(
    session: AsyncSession, readiness_id: UUID, *, bound: Bound, clock: Clock
) -> PreparationOut:
    """The preparation for a span of readiness; raises NotFound.

    Of a caller's areas it is counted anew: it was counted for all of its own together.
    """
    found = await repository.find(session, readiness_id)
    if found is None:
        raise _not_prepared()
    if bound is None:
        return PreparationOut.model_validate(found)
    areas = _shared_with(found, bound)
    if not areas:
        raise _not_prepared()
    checked = await check_activation(
        session,
        ActivationCheck(areas=areas, area_filter=found.area_filter, scheme=found.scheme_code),
        today=clock.today(),
    )
    return PreparationOut.model_validate(found).model_copy(
        update={
            "areas": areas,
            "counted_at": clock.now(),
            "not_counted": _why_not(checked),
            **{name: getattr(checked, name) for name in _COUNTS},
        }
    )


def _shared_with(found: Preparation, bound: tuple[str, ...]) -> list[str]:
    theirs = {area for area in found.areas if lies_within(bound, area)}
    theirs |= {
        code
        for code in bound
        if any(area == COUNTRY_CODE or code.startswith(area) for area in found.areas)
    }
    return sorted(theirs)


def _uncounted(found: Preparation, bound: Bound) -> PreparationOut:
    shown = PreparationOut.model_validate(found)
    if bound is None:
        return shown
    return shown.model_copy(
        update={
            "areas": _shared_with(found, bound),
            "not_counted": f"GET /v1/preparations/{found.readiness_id} counts your areas.",
            **dict.fromkeys(_COUNTS),
        }
    )


async def list_page(
    session: AsyncSession, *, trigger: str | None, only_ready: bool, bound: Bound, page: Page
) -> PageOf[PreparationOut]:
    """A page of preparations, the latest first."""
    rows = await repository.list_preparations(
        session,
        trigger=trigger,
        only_ready=only_ready,
        bound=bound,
        before=page.after(date, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [_uncounted(row, bound) for row in rows],
        key=lambda preparation: (preparation.readied_on, preparation.readiness_id),
    )


async def list_accounts(
    session: AsyncSession,
    readiness_id: UUID,
    *,
    providers: Sequence[str],
    after: UUID | None,
    limit: int,
    today: date,
) -> PreparedPage:
    """Accounts of whom the scheme would pay, by the registry as it is now, behind a household.

    Raises NotFound, and Conflict where the trigger is not ready any more or nobody can say whom.
    """
    found = await repository.find(session, readiness_id)
    if found is None:
        raise _not_prepared()
    scheme = await find_in_force(session, found.scheme_code)
    if found.stood_down_on is not None or found.not_counted is not None or scheme is None:
        raise Conflict(
            "Its trigger stands down, or nobody can say whom it would pay: GET "
            f"/v1/preparations/{readiness_id} says which."
        )
    communes = await communes_of(session, found.areas, found.area_filter)
    rows = await repository.list_accounts(
        session,
        scheme[1],
        communes,
        providers=providers,
        after=after,
        limit=limit + 1,
        as_of=today,
    )
    items = [
        PreparedAccount(
            household_id=row.household_id,
            provider=row.provider_code,
            account_sealed=b64encode(row.account_sealed),
            account_fingerprint=b64encode(row.account_fingerprint),
            household_fingerprint=b64encode(row.household_fingerprint),
        )
        for row in rows[:limit]
    ]
    return PreparedPage(items=items, next_after=items[-1].household_id if rows[limit:] else None)


def _not_prepared() -> NotFound:
    return NotFound(
        "Nothing was prepared for such a readiness. GET /v1/preparations lists what was."
    )


def _why_not(checked: ActivationChecked) -> str | None:
    if checked.households is not None:
        return None
    return (
        checked.scheme_refused
        or checked.area_filter_refused
        or "None of its areas is in the gazetteer, or all are smaller than a commune."
    )
