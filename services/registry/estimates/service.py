"""What a scheme would come to: whom, where, when, from which money. Nothing happens by it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.repository import reached_communes
from services.registry.areas import repository as areas
from services.registry.areas.service import refusals
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.enrolments.excluding import excluding
from services.registry.enrolments.opening import due_on
from services.registry.estimates import repository
from services.registry.estimates.asking import Told
from services.registry.estimates.schemas import (
    AreaEstimate,
    By,
    EstimateIn,
    EstimateOut,
    FundEstimate,
    ProviderEstimate,
    RoundEstimate,
    WhereIn,
)
from services.registry.funds.repository import fund_codes, maximum_payment_minor
from services.registry.providers.repository import currencies
from services.registry.rules.attributes import COMMUNE_ATTRIBUTES
from services.registry.rules.compiler import compile_rule
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.schemas import SchemeVersionOut
from services.registry.schemes.service import SCHEMES, told_of
from shared.clock import Clock
from shared.documents import service as documents
from shared.errors import Unprocessable


@dataclass
class Counts:
    """Households, persons and their money in one round, of an area or of all."""

    households: int = 0
    persons: int = 0
    minor: int = 0
    without_account: int = 0
    without_provider: int = 0
    above_bound: int = 0


@dataclass
class Counted:
    """Whom a scheme would pay in a round that leaves nobody out."""

    total: Counts = field(default_factory=Counts)
    by_area: dict[str, Counts] = field(default_factory=dict)
    households_at: Counter[str] = field(default_factory=Counter)
    """By the code of their provider."""
    minor_at: Counter[str] = field(default_factory=Counter)


async def count(
    session: AsyncSession,
    document: SchemeDocument,
    communes: Collection[str],
    *,
    as_of: date,
    by: By = By.PROVINCE,
) -> Counted:
    """Count it, by areas of one level and by provider, as they are on the day ``as_of``."""
    cells = await repository.by_commune(
        session,
        document,
        communes,
        maximum_minor=await maximum_payment_minor(session, document.fund),
        as_of=as_of,
    )
    known = await currencies(session)
    counted = Counted()
    for commune, provider, households, persons, minor, above, above_minor in cells:
        area = counted.by_area.setdefault(commune[: by.digits], Counts())
        for counts in (counted.total, area):
            counts.households += households
            counts.persons += persons
            counts.minor += int(minor)
            counts.above_bound += above
            if provider is None:
                counts.without_account += households
            elif known and known.get(provider) != document.currency:
                counts.without_provider += households
        if provider is not None:
            counted.households_at[provider] += households - above
            counted.minor_at[provider] += int(minor) - int(above_minor)
    return counted


async def get_version(
    session: AsyncSession, code: str, version: int | None
) -> tuple[int, SchemeDocument]:
    """A version of a scheme by its number, None the one in force; raises NotFound."""
    found = await documents.get(session, SCHEMES, code, version)
    assert isinstance(found, SchemeVersionOut)
    return found.version, found.document


async def communes_of(
    session: AsyncSession, where: WhereIn, *, but: UUID | None = None
) -> tuple[frozenset[str], dict[str, str]]:
    """The communes that areas and a filter come to, and the areas that are none, with why.

    Raises Unprocessable where the filter cannot be used, or nothing is left.
    """
    refused = await refusals(session, where.areas)
    good = [code for code in where.areas if code not in refused]
    if not good:
        raise Unprocessable(
            "None of these areas is a country, province, district or commune of the gazetteer. "
            "GET /v1/areas lists them.",
            errors=[
                {"pointer": f"/body/areas/{position}", "detail": refused[code]}
                for position, code in enumerate(where.areas)
            ],
        )
    condition = None
    if where.area_filter is not None:
        try:
            condition = compile_rule(where.area_filter, attributes=COMMUNE_ATTRIBUTES)
        except RuleRefused as refusal:
            raise Unprocessable(
                f"The area filter cannot be used. {refusal}",
                errors=[{"pointer": "/body/area_filter", "detail": str(refusal)}],
            ) from None
    communes = await areas.communes_within(session, good, condition)
    if but is not None:
        communes -= await reached_communes(session, but)
    return communes, refused


async def estimate(
    session: AsyncSession,
    document: SchemeDocument,
    asked: EstimateIn,
    *,
    version: int | None,
    told: Told,
    clock: Clock,
) -> EstimateOut:
    """What a document would come to in these areas; raises Unprocessable."""
    communes, refused = await communes_of(session, asked, but=asked.but)
    opened_on = asked.opened_on or clock.today()
    counted = await count(session, document, communes, as_of=opened_on, by=asked.by)
    rounds = await _rounds(
        session,
        document,
        communes,
        counted.total,
        opened_on=opened_on,
        but=asked.but,
        clock=clock,
    )
    total = counted.total
    names = await repository.names(session, counted.by_area)
    amount_minor = sum(planned.amount_minor for planned in rounds)
    known = await currencies(session)
    return EstimateOut(
        scheme=document.code,
        version=version,
        counted_at=clock.now(),
        households=total.households,
        persons=total.persons,
        amount_minor=amount_minor,
        currency=document.currency,
        fund=document.fund,
        areas_refused=refused,
        communes=len(communes),
        rounds=rounds,
        by_area=[
            AreaEstimate(
                area_code=code,
                name_en=names[code][0],
                name_km=names[code][1],
                households=counts.households,
                persons=counts.persons,
                amount_minor=counts.minor,
                without_account=counts.without_account,
                without_provider=counts.without_provider,
            )
            for code, counts in sorted(counted.by_area.items())
        ],
        without_account=total.without_account,
        without_provider=total.without_provider,
        above_fund_bound=total.above_bound,
        providers=[
            _provider(code, counted, known=known, told=told, currency=document.currency)
            for code in sorted(counted.households_at)
        ],
        cover=_cover(told, amount_minor, document.currency),
        not_said=await not_said(session, document, told),
    )


async def estimate_country(
    session: AsyncSession, document: SchemeDocument, *, told: Told, clock: Clock
) -> EstimateOut | None:
    """The same in the whole country, by province; None where no gazetteer is loaded."""
    asked = EstimateIn(areas=[COUNTRY_CODE])
    if await refusals(session, asked.areas):
        return None
    return await estimate(session, document, asked, version=None, told=told, clock=clock)


async def _rounds(
    session: AsyncSession,
    document: SchemeDocument,
    communes: Collection[str],
    total: Counts,
    *,
    opened_on: date,
    but: UUID | None,
    clock: Clock,
) -> list[RoundEstimate]:
    rounds = []
    seen: dict[object, repository.LeftOut] = {}
    for plan in document.rounds:
        due = due_on(plan, opened_on=opened_on)
        others = await excluding(
            session, document, number=plan.number, due_on=due, activation_id=but, clock=clock
        )
        # Most rounds have the same others, or none.
        key = (tuple(others.activations), tuple(others.reasons))
        if key not in seen:
            seen[key] = await repository.left_out(
                session, document, communes, others, as_of=opened_on
            )
        out = seen[key]
        rounds.append(
            RoundEstimate(
                number=plan.number,
                due_on=due,
                households=total.households - out.households,
                persons=total.persons - out.persons,
                amount_minor=total.minor - out.minor,
                left_out=out.households,
                left_out_minor=out.minor,
            )
        )
    return rounds


def _provider(
    code: str, counted: Counted, *, known: Mapping[str, str], told: Told, currency: str
) -> ProviderEstimate:
    minor = counted.minor_at[code]
    has = None if told.floats is None else told.floats.get(code)
    problem = None
    if known and code not in known:
        problem = "Payments sends to no such provider."
    elif known and known[code] != currency:
        problem = f"It pays {known[code]}, the scheme {currency}."
    float_minor = None if has is None or problem else has.float_minor
    return ProviderEstimate(
        code=code,
        households=counted.households_at[code],
        amount_minor=minor,
        float_minor=float_minor,
        short_minor=None if float_minor is None else max(0, minor - float_minor),
        problem=problem,
    )


def _cover(told: Told, amount_minor: int, currency: str) -> FundEstimate | None:
    if told.cover is None or told.cover.currency != currency:
        return None
    return FundEstimate(
        **told.cover.model_dump(), short_minor=max(0, amount_minor - told.cover.available_minor)
    )


async def not_said(session: AsyncSession, document: SchemeDocument, told: Told) -> list[str]:
    """What of a document is not checked or counted, because payments does not say it."""
    missing = []
    known = await fund_codes(session)
    if not known:
        missing.append(
            f"Payments has told of no fund yet: whether there is a fund '{document.fund}', in "
            "which currency and with how much money, is not checked."
        )
    if told.is_away:
        missing.append(
            "Payments does not answer: what the fund and the providers have is not known"
            + (
                f", nor whether the fund has a budget line '{document.budget_line}'."
                if document.budget_line
                else "."
            )
        )
    elif told.cover is None and known:
        missing.append(f"Payments has no fund '{document.fund}' yet: what it has is not known.")
    if not await currencies(session):
        missing.append(
            "Payments has told of no provider yet: whether accounts can be paid to is not checked."
        )
    return missing


def require_line(document: SchemeDocument, told: Told) -> None:
    """Raises Unprocessable where payments says that the fund has no such budget line."""
    if document.budget_line is None or told.lines is None or document.budget_line in told.lines:
        return
    detail = (
        f"The fund '{document.fund}' has no budget line '{document.budget_line}'. "
        f"{told_of('It has', told.lines)} Open it in payments with "
        f"POST /v1/funds/{document.fund}/budget-lines, name another, or none."
    )
    raise Unprocessable(
        f"The scheme cannot be taken as it is. {detail}",
        errors=[{"pointer": "/body/budget_line", "detail": detail}],
    )


def in_words(found: EstimateOut) -> str:
    """A sentence or two for whoever decides."""
    rounds = len(found.rounds)
    said = [
        f"In the whole country it would pay {found.households:,} households "
        f"({found.persons:,} persons) {found.amount_minor:,} {found.currency} over "
        + ("one round." if rounds == 1 else f"{rounds} rounds.")
    ]
    if found.without_account or found.without_provider:
        said.append(
            f"{found.without_account + found.without_provider:,} of them cannot be paid: they "
            "have no account, or one that is of no use."
        )
    if found.cover is not None and found.cover.short_minor:
        said.append(
            f"The fund '{found.fund}' has {found.cover.short_minor:,} {found.currency} too little "
            "for that."
        )
    return " ".join([*said, *found.not_said])
