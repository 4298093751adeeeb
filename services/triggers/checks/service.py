"""What is refused when it is posted because the registry could not work by it, and what came of it.

Triggers and activations are made by people, who can try again: without the registry's answer
nothing is taken. Observations come from feeds, which may not: an area is asked about once, and
while the registry is away one that nobody asked about is taken, and said to be unchecked. If there
is no such area, an activation of it enrols in the others.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import Depends, Request

from services.triggers.checks import asking, repository
from services.triggers.checks.asking import PaymentsAway, RegistryAway
from services.triggers.checks.estimate import Estimate
from shared.clock import Clock
from shared.contracts.checks import (
    AREA_CODE,
    MAXIMUM_AREAS,
    ActivationCheck,
    ActivationChecked,
    ActivationEnrolment,
)
from shared.database import Database
from shared.errors import Conflict, Unavailable, Unprocessable

UNKNOWN_AREA = "It is not in the registry's gazetteer. Correct the code."
TOO_SMALL_AREA = "It is smaller than a commune, and households are enrolled by commune."

_RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class AreasChecked:
    """What is known of the areas of some observations."""

    unknown: frozenset[str] = frozenset()
    """Not in the gazetteer."""
    unchecked: frozenset[str] = frozenset()
    """Nobody ever asked about them, and the registry is away."""


class Checks:
    """What triggers asks the others. Each call is done before a transaction, never within."""

    def __init__(
        self,
        *,
        database: Database,
        registry: httpx.AsyncClient,
        payments: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._database = database
        self._registry = registry
        self._payments = payments
        self._clock = clock

    async def of_observations(self, codes: Collection[str]) -> AreasChecked:
        """What is known of these areas; asks about those only that nobody asked about before."""
        async with self._database.transaction() as session:
            known = await repository.known_areas(session, codes)
        new = sorted(set(codes) - known)
        if not new:
            return AreasChecked()
        try:
            checked = await asking.check(self._registry, ActivationCheck(areas=new))
        except RegistryAway:
            return AreasChecked(unchecked=frozenset(new))
        unknown = frozenset(checked.areas_unknown)
        async with self._database.transaction() as session:
            await repository.remember_areas(session, set(new) - unknown, heard_at=self._clock.now())
        return AreasChecked(unknown=unknown)

    async def require_enrolling(
        self,
        *,
        areas: Sequence[str],
        area_filter: str | None,
        scheme: str,
        ceiling_currency: str | None = None,
    ) -> None:
        """Raises Unprocessable, with what of a trigger's document is at fault, or Unavailable."""
        checked = await self._ask(areas, area_filter=area_filter, scheme=scheme)
        problems = _problems_of_areas(areas, _refusals(checked), at="/body/areas")
        for field, refused in (
            ("area_filter", checked.area_filter_refused),
            ("scheme", checked.scheme_refused),
        ):
            if refused is not None:
                problems.append({"pointer": f"/body/{field}", "detail": refused})
        if None not in (ceiling_currency, checked.currency) and (
            ceiling_currency != checked.currency
        ):
            problems.append(
                {
                    "pointer": "/body/stages/activation/ceiling/currency",
                    "detail": f"The scheme pays in {checked.currency}. Give the ceiling in that.",
                }
            )
        _require_no(problems)

    async def require_activating(
        self, *, trigger: str, areas: Sequence[str], area_filter: str | None, scheme: str
    ) -> Estimate:
        """What a declaration would pay. Raises Unprocessable for areas that enrol nobody.

        Conflict where it is the trigger that nobody can be enrolled by, and Unavailable.
        """
        checked = await self._ask(areas, area_filter=area_filter, scheme=scheme)
        _require_no(_problems_of_areas(areas, _refusals(checked), at="/body/areas"))
        for refused in (checked.scheme_refused, checked.area_filter_refused):
            if refused is not None:
                raise Conflict(f"Nobody can be enrolled by trigger '{trigger}'. {refused}")
        return await self._with_cover(Estimate.of(checked))

    async def estimate(
        self, areas: Collection[str], *, area_filter: str | None, scheme: str
    ) -> Estimate:
        """What an activation would pay, as far as the registry can say, and its fund's cover.

        Raises RegistryAway; nothing waits for payments, whose word is only told to persons.
        Areas in which nobody can be enrolled are left out, as they are when it is enrolled.
        """
        if not areas or len(areas) > MAXIMUM_AREAS:
            return Estimate()
        asked = ActivationCheck(areas=sorted(areas), area_filter=area_filter, scheme=scheme)
        checked = await asking.weigh(self._registry, asked)
        usable = sorted(set(areas) - _refusals(checked).keys())
        if 0 < len(usable) < len(areas):
            asked = asked.model_copy(update={"areas": usable})
            checked = await asking.weigh(self._registry, asked)
        return await self._with_cover(Estimate.of(checked))

    async def estimate_now(
        self, areas: Collection[str], *, area_filter: str | None, scheme: str
    ) -> Estimate:
        """The same for a person, who can send it again; raises Unavailable."""
        try:
            return await self.estimate(areas, area_filter=area_filter, scheme=scheme)
        except RegistryAway:
            raise _away() from None

    async def _with_cover(self, estimate: Estimate) -> Estimate:
        if estimate.fund is None:
            return estimate
        try:
            return estimate.covered_by(await asking.cover(self._payments, estimate.fund))
        except PaymentsAway:
            return estimate

    async def require_areas(self, areas: Sequence[str], *, at: str) -> None:
        """Raises Unprocessable where nobody can be enrolled in some of them, and Unavailable."""
        if not areas:
            return
        checked = await self._ask(areas)
        _require_no(_problems_of_areas(areas, _refusals(checked), at=at))

    async def that_enrol_nobody(self, areas: Collection[str]) -> frozenset[str]:
        """Those of ``areas`` in which nobody can be enrolled; raises Unavailable."""
        # Before codes were held to ASCII, digits of other scripts were taken.
        malformed = {code for code in areas if not re.fullmatch(AREA_CODE, code)}
        formed = sorted(set(areas) - malformed)
        if not formed:
            return frozenset(malformed)
        checked = await self._ask(formed)
        return frozenset(malformed | _refusals(checked).keys())

    async def enrolment(self, activation_id: UUID) -> ActivationEnrolment | None:
        """How the registry got on with an activation; None: it cannot say just now."""
        try:
            return await asking.enrolment(self._registry, activation_id)
        except RegistryAway:
            return None

    async def _ask(
        self, areas: Sequence[str], *, area_filter: str | None = None, scheme: str | None = None
    ) -> ActivationChecked:
        asked = ActivationCheck(
            areas=sorted(set(areas))[:MAXIMUM_AREAS], area_filter=area_filter, scheme=scheme
        )
        try:
            return await asking.check(self._registry, asked)
        except RegistryAway:
            raise _away() from None


def _away() -> Unavailable:
    return Unavailable(
        "The registry does not answer, and it has to say whether anybody can be enrolled by this. "
        "Nothing was saved. Send the same request again in a few seconds, with the same "
        "Idempotency-Key.",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def _refusals(checked: ActivationChecked) -> Mapping[str, str]:
    return {
        **dict.fromkeys(checked.areas_unknown, UNKNOWN_AREA),
        **dict.fromkeys(checked.areas_too_small, TOO_SMALL_AREA),
    }


def _problems_of_areas(
    areas: Sequence[str], refusals: Mapping[str, str], *, at: str
) -> list[dict[str, str]]:
    return [
        {"pointer": f"{at}/{position}", "detail": refusals[code]}
        for position, code in enumerate(areas)
        if code in refusals
    ]


def _require_no(problems: list[dict[str, str]]) -> None:
    if problems:
        raise Unprocessable(
            "Nobody can be enrolled by this. Correct what is listed under errors and send the "
            "request again.",
            errors=problems[:50],
        )


async def checks_of(request: Request) -> Checks:
    """The app's own."""
    checks: Checks = request.app.state.checks
    return checks


ChecksDependency = Annotated[Checks, Depends(checks_of)]
