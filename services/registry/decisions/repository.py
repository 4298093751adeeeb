"""What decisions are explained by, in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import PaymentRound
from services.registry.areas.tables import Area
from services.registry.chunks.tables import EnrolmentRun, EntitlementChunk
from services.registry.enrolments.tables import Enrolment, Entitlement
from services.registry.households.shape import ASKED_ABOUT
from services.registry.households.tables import Household
from services.registry.members.statements import of_households, value_of
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES, Attributes
from services.registry.rules.clauses import Clause

_KEPT = {field.name: field for field in ASKED_ABOUT}


def attributes_then() -> Attributes:
    """The attributes of rules as an enrolment keeps them; what it does not keep, as it is now."""
    return Attributes(
        {
            name: replace(attribute, column=_then(name)) if name in _KEPT else attribute
            for name, attribute in HOUSEHOLD_ATTRIBUTES.items()
        },
        members=HOUSEHOLD_ATTRIBUTES.members,
    )


def _then(name: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = getattr(Enrolment, name)
    # What enrolments of earlier times do not hold is told as it is now.
    return func.coalesce(column, value_of(_KEPT[name]), type_=column.type)


@dataclass(frozen=True)
class Answers:
    """What the database says of one household."""

    holds: Sequence[bool | None]
    """Of each condition that was asked about, in their order."""
    values: Mapping[str, Any]
    """Of the attributes that were asked about."""
    kept: frozenset[str]
    """Those of them that are as they were when it was enrolled."""


async def ask(
    session: AsyncSession,
    household_id: UUID,
    clause: Clause,
    *,
    as_of: date,
    activation_id: UUID | None = None,
) -> Answers:
    """What the conditions of a clause say of a household, and the values that they ask about.

    On the day ``as_of``; with ``activation_id``, of the household as it was enrolled.
    """
    asked = _asked(clause)
    names = list(clause.attributes)
    kept = []
    if activation_id is not None:
        kept = [name for name in names if name in _KEPT]
        asked += [getattr(Enrolment, name).is_not(None).label(f"kept_{name}") for name in kept]
    query = select(Household.id, *asked).where(Household.id == household_id)
    if activation_id is None:
        query = of_households(query)
    else:
        lived_in: Any = Enrolment.area_code
        kept_columns = [getattr(Enrolment, name) for name in _KEPT]
        query = of_households(
            query.where(
                Enrolment.household_id == Household.id, Enrolment.activation_id == activation_id
            ),
            beside=[lived_in, *kept_columns],
            lives_in=lived_in,
        )
    row = (await session.execute(query, {"as_of": as_of})).one()
    return _answers(clause, row, kept=[name for name in kept if row._asdict()[f"kept_{name}"]])


async def ask_commune(session: AsyncSession, area_code: str, clause: Clause) -> Answers:
    """The same of a filter and a commune."""
    query = select(*_asked(clause)).select_from(Area).where(Area.code == area_code)
    return _answers(clause, (await session.execute(query)).one(), kept=[])


def _asked(clause: Clause) -> list[ColumnElement[Any]]:
    asked: list[ColumnElement[Any]] = []
    for place, found in enumerate(clause.conditions()):
        assert found.condition is not None
        asked.append(found.condition.label(f"condition_{place}"))
    for place, attribute in enumerate(clause.attributes.values()):
        asked.append(attribute.column.label(f"value_{place}"))
    return asked


def _answers(clause: Clause, row: Row[Any], *, kept: Sequence[str]) -> Answers:
    fields = row._asdict()
    return Answers(
        holds=[fields[f"condition_{place}"] for place, _ in enumerate(clause.conditions())],
        values={name: fields[f"value_{place}"] for place, name in enumerate(clause.attributes)},
        kept=frozenset(kept),
    )


async def case_of(
    session: AsyncSession,
    household_id: UUID,
    columns: Mapping[str, ColumnElement[Any]],
    *,
    as_of: date,
) -> Row[Any]:
    """What some expressions over a household and its commune come to, by their names."""
    query = of_households(
        select(*(column.label(name) for name, column in columns.items())).where(
            Household.id == household_id
        )
    )
    return (await session.execute(query, {"as_of": as_of})).one()


async def find_enrolment(
    session: AsyncSession, household_id: UUID, activation_id: UUID
) -> Enrolment | None:
    """The household in the activation."""
    return await session.scalar(
        select(Enrolment).where(
            Enrolment.household_id == household_id, Enrolment.activation_id == activation_id
        )
    )


async def rounds_of(
    session: AsyncSession, household_id: UUID, activation_id: UUID
) -> Sequence[Row[PaymentRound, Entitlement | None]]:
    """The rounds of an activation, each with what the household is owed in it, if it is."""
    rows = await session.execute(
        select(PaymentRound, Entitlement)
        .outerjoin(
            Entitlement,
            (Entitlement.household_id == household_id)
            & (Entitlement.activation_id == PaymentRound.activation_id)
            & (Entitlement.round == PaymentRound.number),
        )
        .where(PaymentRound.activation_id == activation_id)
        .order_by(PaymentRound.number)
    )
    return rows.all()


# Of the communes that an activation reaches, each is in one chunk of the run that reached it.
_REACHED = text(
    """
    SELECT chunk.status, chunk.announced_at
    FROM registry.activation_commune AS reached
    JOIN registry.enrolment_run AS run ON run.id = reached.enrolment_run_id
    LEFT JOIN registry.entitlement_chunk AS chunk
        ON chunk.enrolment_run_id = run.id AND reached.area_code = ANY (chunk.area_codes)
    WHERE reached.activation_id = :activation_id AND reached.area_code = :area_code
    """
)
_EXCLUSION = text(
    """
    SELECT reason FROM registry.exclusion
    WHERE household_id = :household_id AND scheme_code = :scheme AND ended_at IS NULL
      AND (activation_id IS NULL OR activation_id = CAST(:activation_id AS uuid))
    LIMIT 1
    """
)


async def reached(
    session: AsyncSession, activation_id: UUID, area_code: str
) -> tuple[str | None, datetime | None] | None:
    """How far the enrolment of a commune is, and since when; None: it is not reached."""
    row = (
        await session.execute(_REACHED, {"activation_id": activation_id, "area_code": area_code})
    ).one_or_none()
    return None if row is None else (row.status, row.announced_at)


async def held_rounds(
    session: AsyncSession, household_id: UUID, activation_id: UUID
) -> frozenset[int]:
    """The rounds of the household that wait above the activation's ceiling."""
    rows = await session.scalars(
        select(Entitlement.round)
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .join(EnrolmentRun, EnrolmentRun.id == EntitlementChunk.enrolment_run_id)
        .where(
            Entitlement.household_id == household_id,
            Entitlement.activation_id == activation_id,
            EnrolmentRun.held_at.is_not(None),
            EnrolmentRun.completed_at.is_(None),
        )
    )
    return frozenset(rows.all())


async def is_excluded(
    session: AsyncSession, household_id: UUID, scheme: str, *, activation_id: UUID | None
) -> bool:
    """Whether an officer keeps the household out."""
    found = await session.scalar(
        _EXCLUSION,
        {"household_id": household_id, "scheme": scheme, "activation_id": activation_id},
    )
    return found is not None
