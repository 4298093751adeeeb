"""Whether an activation could be enrolled for, and what it would pay, before there is one."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.repository import (
    communes_judged,
    communes_led,
    communes_within,
)
from services.registry.areas.service import NOT_THERE, TOO_SMALL, refusals
from services.registry.checks.reach import reach_of
from services.registry.estimates.service import count
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import find_in_force
from shared.contracts.checks import ActivationCheck, ActivationChecked, AreaReach, AreaSum


@dataclass(frozen=True)
class _Estimate:
    """What an activation would pay over all rounds; nobody can say what is None."""

    households: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    fund: str | None = None
    without_account: int | None = None
    without_provider: int | None = None
    rounds: int | None = None
    by_area: list[AreaSum] = field(default_factory=list)


async def check_activation(
    session: AsyncSession, asked: ActivationCheck, *, today: date
) -> ActivationChecked:
    """What of it nobody could be enrolled by; looks at what is asked for alone."""
    refused = await refusals(session, asked.areas)
    filter_refused = _filter_refused(asked.area_filter)
    scheme = None if asked.scheme is None else await find_in_force(session, asked.scheme)
    scheme_refused = None
    if asked.scheme is not None and scheme is None:
        scheme_refused = (
            f"No scheme '{asked.scheme}' is posted in the registry. Post it to /v1/schemes first."
        )
    good = [area for area in asked.areas if area not in refused]
    estimate, reach = _Estimate(), list[AreaReach]()
    if good and filter_refused is None:
        communes, reach = await _reached(session, good, asked.area_filter)
        if scheme is not None:
            estimate = await _estimate(session, communes, scheme[1], today=today)
    return ActivationChecked(
        areas_unknown=sorted(code for code, why in refused.items() if why == NOT_THERE),
        areas_too_small=sorted(code for code, why in refused.items() if why == TOO_SMALL),
        area_filter_refused=filter_refused,
        scheme_refused=scheme_refused,
        households=estimate.households,
        amount_minor=estimate.amount_minor,
        currency=estimate.currency,
        fund=estimate.fund,
        without_account=estimate.without_account,
        without_provider=estimate.without_provider,
        rounds=estimate.rounds,
        by_area=estimate.by_area,
        reach=reach,
    )


async def communes_of(
    session: AsyncSession, areas: list[str], area_filter: str | None
) -> frozenset[str]:
    """The communes of these areas that a filter leaves, of those that are in the gazetteer."""
    refused = await refusals(session, areas)
    good = [area for area in areas if area not in refused]
    if not good:
        return frozenset()
    communes, _ = await _reached(session, good, area_filter)
    return communes


def _filter_refused(area_filter: str | None) -> str | None:
    if area_filter is not None:
        try:
            compile_rule(area_filter, attributes=COMMUNE_ATTRIBUTES)
        except RuleRefused as refusal:
            return str(refusal)
    return None


async def _reached(
    session: AsyncSession, areas: list[str], area_filter: str | None
) -> tuple[frozenset[str], list[AreaReach]]:
    """The communes of these areas that a filter leaves, and what it leaves of each area."""
    if area_filter is None:
        return await communes_within(session, areas, None), []
    condition = compile_rule(area_filter, attributes=COMMUNE_ATTRIBUTES)
    judged = await communes_judged(session, areas, condition)
    reached = frozenset(code for code, holds in judged.items() if holds)
    return reached, reach_of(areas, judged, await communes_led(session, areas))


async def _estimate(
    session: AsyncSession, communes: Collection[str], document: SchemeDocument, *, today: date
) -> _Estimate:
    """By the registry as it is now: whoever registers later is not in it, nor who is left out."""
    counted = await count(session, document, communes, as_of=today)
    total = counted.total
    return _Estimate(
        households=total.households,
        amount_minor=total.minor * len(document.rounds),
        currency=document.currency,
        fund=document.fund,
        without_account=total.without_account,
        without_provider=total.without_provider,
        rounds=len(document.rounds),
        by_area=[
            AreaSum(
                area=code,
                households=counts.households,
                persons=counts.persons,
                amount_minor=counts.minor,
                without_account=counts.without_account,
                without_provider=counts.without_provider,
            )
            for code, counts in sorted(counted.by_area.items())
        ],
    )
