"""Who is enrolled in what, as one set of rows: a household in an activation of a scheme, or a
member in a routine programme, once for each time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation, PaymentRound
from services.registry.areas.tables import Area
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.states import EntitlementStatus
from services.registry.enrolments.tables import Enrolment, Entitlement
from services.registry.households.tables import Household
from services.registry.members.statements import AS_OF, PRESENT
from services.registry.members.tables import Member, Programme, ProgrammeMembership
from services.registry.schemes.tables import SchemeVersion
from services.registry.spdci.searches.attributes import SORTS_OF_MEMBERS, Column
from services.registry.spdci.searches.repository import Fits, asks_of, sorted_by

ACTIVE, EXITED = "Active", "Exited"

_to_come = (
    select(PaymentRound.number)
    .where(PaymentRound.activation_id == Activation.id, PaymentRound.released_at.is_(None))
    .exists()
)
_on_its_way = (
    select(Entitlement.id)
    .where(
        Entitlement.household_id == Enrolment.household_id,
        Entitlement.activation_id == Activation.id,
        Entitlement.status == EntitlementStatus.READY,
    )
    .exists()
)
_IN_SCHEMES = select(
    Enrolment.household_id,
    cast(null(), Uuid).label("member_id"),
    Enrolment.activation_id,
    Activation.scheme_code.label("code"),
    literal(1).label("number"),
    case(
        (Activation.cancelled_on.is_not(None), EXITED),
        (or_(_to_come, _on_its_way), ACTIVE),
        else_=EXITED,
    ).label("status"),
    Activation.opened_on.label("since"),
    Activation.cancelled_on.label("until"),
).join(Activation, Activation.id == Enrolment.activation_id)
_IN_PROGRAMMES = (
    select(
        Member.household_id,
        Member.id.label("member_id"),
        cast(null(), Uuid).label("activation_id"),
        ProgrammeMembership.programme_code.label("code"),
        ProgrammeMembership.number,
        case(
            (or_(ProgrammeMembership.until.is_(None), ProgrammeMembership.until > AS_OF), ACTIVE),
            else_=EXITED,
        ).label("status"),
        ProgrammeMembership.since,
        ProgrammeMembership.until,
    )
    .join(ProgrammeMembership, ProgrammeMembership.member_id == Member.id)
    .where(PRESENT, or_(ProgrammeMembership.since.is_(None), ProgrammeMembership.since <= AS_OF))
)

BENEFIT = union_all(_IN_SCHEMES, _IN_PROGRAMMES).subquery("benefit")
CODE: ColumnElement[str] = cast(BENEFIT.c.code, Text)
STATUS: ColumnElement[str] = cast(BENEFIT.c.status, Text)
SINCE: ColumnElement[date] = BENEFIT.c.since


SORTS: Mapping[str, Column] = {
    **SORTS_OF_MEMBERS,
    "programme_identifier": CODE,
    "enrolment_status": STATUS,
    "enrolment_date": SINCE,
}
"""What beneficiaries may be sorted by: those that are households have no birth date."""


NOBODY: ColumnElement[bool] = false()


@dataclass(frozen=True, slots=True)
class Shown:
    """Which records there are for whoever asks."""

    fits: Fits
    members: ColumnElement[bool]
    """Which members in routine programmes are records of their own, beside households in schemes:
    in a query over ``household`` and ``member``."""


def _enrolled(shown: Shown, columns: Sequence[Any]) -> Select[*tuple[Any, ...]]:
    fits = shown.fits
    query = (
        select(*columns)
        .select_from(Household)
        .join(BENEFIT, BENEFIT.c.household_id == Household.id)
        # What is asked of a member is not known of a household.
        .outerjoin(Member, Member.id == BENEFIT.c.member_id)
        .where(fits.condition, fits.among, or_(BENEFIT.c.member_id.is_(None), shown.members))
    )
    if asks_of(Area.__table__, fits.condition):
        query = query.join(Area, Area.code == Household.area_code)
    return query


async def count(session: AsyncSession, shown: Shown, *, most: int, today: date) -> int:
    """How many fit; ``most`` and one where there are more."""
    some = _enrolled(shown, [Household.id]).limit(most + 1).subquery()
    counted = await session.scalar(select(func.count()).select_from(some), {"as_of": today})
    return int(counted or 0)


async def is_active(session: AsyncSession, shown: Shown, code: str | None, *, today: date) -> bool:
    """Whether any that fits is active, of a code if one is told."""
    active = and_(shown.fits.condition, STATUS == ACTIVE)
    if code is not None:
        active = and_(active, CODE.in_([code]))
    only_active = replace(shown, fits=replace(shown.fits, condition=active))
    return await count(session, only_active, most=1, today=today) > 0


async def members_known_by(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], *, most: int, today: date
) -> Sequence[Member]:
    """Members of today of whom one of the conditions holds."""
    rows = await session.scalars(
        select(Member).where(or_(*conditions), PRESENT).limit(most), {"as_of": today}
    )
    return rows.all()


async def page(
    session: AsyncSession,
    shown: Shown,
    *,
    sorts: Sequence[tuple[str, bool]],
    today: date,
    offset: int,
    limit: int,
) -> Sequence[Row[Any]]:
    """A page of them, as they are sorted, then by place and household."""
    by = [(SORTS[name], falls) for name, falls in sorts]
    query = sorted_by(_enrolled(shown, list(BENEFIT.c)), by).order_by(
        Household.area_code,
        Household.id,
        BENEFIT.c.code,
        BENEFIT.c.member_id.nulls_first(),
        BENEFIT.c.activation_id,
        BENEFIT.c.number,
    )
    rows: Sequence[Row[Any]] = (
        await session.execute(query.offset(offset).limit(limit), {"as_of": today})
    ).all()
    return rows


async def amounts_of(
    session: AsyncSession, enrolled: Collection[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], list[Row[Any]]]:
    """What households are owed, round by round, by household and activation."""
    place = (Entitlement.household_id, Entitlement.activation_id)
    query: Select[*tuple[Any, ...]] = (
        select(
            *place,
            Entitlement.round,
            Entitlement.amount_minor,
            Entitlement.status,
            Entitlement.finished_at,
            EntitlementChunk.currency,
        )
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .where(tuple_(*place).in_(list(enrolled)))
        .order_by(*place, Entitlement.round)
    )
    rows = await session.execute(query)
    found: dict[tuple[UUID, UUID], list[Row[Any]]] = {}
    for row in rows:
        found.setdefault((row.household_id, row.activation_id), []).append(row)
    return found


async def names_of(session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
    """The names of schemes and programmes."""
    schemes = await session.execute(
        select(SchemeVersion.code, SchemeVersion.document["name"].astext)
        .where(SchemeVersion.code.in_(codes))
        .order_by(SchemeVersion.version)
    )
    programmes = await session.execute(
        select(Programme.code, Programme.name_en).where(Programme.code.in_(codes))
    )
    return {code: name for code, name in (*schemes, *programmes) if name}
