"""Whether an activation could be enrolled for, before there is one."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.repository import communes_within
from services.registry.areas.service import NOT_THERE, TOO_SMALL, refusals
from services.registry.checks.repository import estimate
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.service import find_in_force
from shared.contracts.checks import ActivationCheck, ActivationChecked


async def check_activation(session: AsyncSession, asked: ActivationCheck) -> ActivationChecked:
    """What of it nobody could be enrolled by; looks at what is asked for alone."""
    refused = await refusals(session, asked.areas)
    households, amount_minor, currency = await _estimate(session, asked, refused)
    return ActivationChecked(
        households=households,
        amount_minor=amount_minor,
        currency=currency,
        areas_unknown=sorted(code for code, why in refused.items() if why == NOT_THERE),
        areas_too_small=sorted(code for code, why in refused.items() if why == TOO_SMALL),
        area_filter_refused=_filter_refused(asked.area_filter),
        scheme_refused=await _scheme_refused(session, asked.scheme),
    )


def _filter_refused(area_filter: str | None) -> str | None:
    if area_filter is not None:
        try:
            compile_rule(area_filter, attributes=COMMUNE_ATTRIBUTES)
        except RuleRefused as refusal:
            return str(refusal)
    return None


async def _scheme_refused(session: AsyncSession, scheme: str | None) -> str | None:
    if scheme is None or await find_in_force(session, scheme) is not None:
        return None
    return f"No scheme '{scheme}' is posted in the registry. Post it to /v1/schemes first."


async def _estimate(
    session: AsyncSession, asked: ActivationCheck, refused: Collection[str]
) -> tuple[int | None, int | None, str | None]:
    """What an activation of it would pay over all rounds, and in which currency."""
    scheme = await find_in_force(session, asked.scheme) if asked.scheme is not None else None
    areas = [code for code in asked.areas if code not in refused]
    if scheme is None or not areas or _filter_refused(asked.area_filter) is not None:
        return None, None, None
    document = scheme[1]
    condition = (
        compile_rule(asked.area_filter, attributes=COMMUNE_ATTRIBUTES)
        if asked.area_filter
        else None
    )
    communes = await communes_within(session, areas, condition)
    households, minor = await estimate(session, document, communes)
    return households, minor * len(document.rounds), document.currency
