"""Candidates of a search by name, in the database."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Row,
    Select,
    bindparam,
    column,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.registry.households.tables import Household
from services.registry.members.tables import Member
from shared.bounds import Bound, within

# A common token looks to the planner as if the whole table were as quick to read; and how common
# tokens are is only seen where each search is planned by itself.
_BY_INDEX = text(
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
        set_config('plan_cache_mode', 'force_custom_plan', true)
    """
)

_DIGITS_OF_A_COMMUNE = 6
_FEW_TOKENS = 32
"""Of more, an index walk that looks for all of them compares each row that it finds with each."""
_OF_EACH_TOKEN = 20
"""Where there are many tokens, no more are looked at of one that many have."""


class Candidates(NamedTuple):
    """Rows with ``household_id``, ``person_sealed`` and, of members, ``member_id``."""

    rows: Sequence[Row[Any]]
    more: bool
    """Whether there are others, who were not looked at."""


async def prefer_indexes(session: AsyncSession) -> None:
    """For the rest of the transaction."""
    await session.execute(_BY_INDEX)


async def heads(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Candidates:
    """Heads of households who are kept under one of the tokens."""
    query = select(Household.id.label("household_id"), Household.person_sealed).where(
        within(bound, Household.area_code), within(area, Household.area_code)
    )
    return await _candidates(session, query, Household.name_tokens, tokens, area=area, limit=limit)


async def members(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Candidates:
    """Members who are kept under one of the tokens, and have not left."""
    query = select(Member.household_id, Member.id.label("member_id"), Member.person_sealed).where(
        Member.left_on.is_(None)
    )
    if bound is not None or area is not None:
        query = query.join(Household, Household.id == Member.household_id).where(
            within(bound, Household.area_code), within(area, Household.area_code)
        )
    return await _candidates(session, query, Member.name_tokens, tokens, area=area, limit=limit)


async def _candidates(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    kept: InstrumentedAttribute[list[int] | None],
    tokens: Sequence[int],
    *,
    area: Bound,
    limit: int,
) -> Candidates:
    """Whoever a query is about and is kept under one of the tokens, ``limit`` of them at most.

    In a commune everybody is looked through; elsewhere the index of tokens is.
    """
    asked = bindparam("tokens", list(tokens), type_=ARRAY(BigInteger))
    cut = False
    if area is not None and all(len(code) == _DIGITS_OF_A_COMMUNE for code in area):
        found = query.where(_is_among(kept, asked))
    elif len(tokens) <= _FEW_TOKENS:
        found = query.where(kept.op("&&")(asked))
    else:
        found = _rarest_first(query, kept, asked)
        cut = True
    rows = (await session.execute(found.limit(limit + 1))).all()
    return Candidates(
        rows[:limit],
        len(rows) > limit or (cut and any(row.alike >= _OF_EACH_TOKEN for row in rows)),
    )


def _is_among(
    kept: InstrumentedAttribute[list[int] | None], asked: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether a row has one of the tokens, in a way that no index answers: each of the row's is
    looked up once, in a table that is made of those asked for."""
    token: FromClause = (
        func.unnest(kept).table_valued(column("token", BigInteger)).render_derived(name="kept")
    )
    return select(token.c.token).where(token.c.token == func.any(asked)).exists()


def _rarest_first(
    query: Select[*tuple[Any, ...]],
    kept: InstrumentedAttribute[list[int] | None],
    asked: ColumnElement[Any],
) -> Select[*tuple[Any, ...]]:
    """Some of each token; all of those that few have, and these first."""
    token = (
        func.unnest(asked).table_valued(column("token", BigInteger)).render_derived(name="asked")
    )
    has_it = kept.op("@>")(array([token.c.token]))
    some = query.where(has_it).correlate(token).limit(_OF_EACH_TOKEN).lateral("some")
    alike = func.count().over(partition_by=token.c.token).label("alike")
    return select(*some.c, alike).select_from(token.join(some, true())).order_by(alike)
