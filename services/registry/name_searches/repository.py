"""Candidates of a search by name, in the database."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
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
# tokens are is only seen where each search is planned by itself. Of a token that a tenth of the
# country has, the index tells any few thousand: reading all of them takes a tenth of a second, and
# far fewer are looked at. In an area those who live elsewhere are told too, and all are needed.
_BY_INDEX = text(
    """
    SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
        set_config('plan_cache_mode', 'force_custom_plan', true),
        set_config('gin_fuzzy_search_limit', :most_told, true)
    """
)

_MOST_TOLD = 3_000
_EVERYBODY = 0
_REMEMBERED = 500
_DIGITS_OF_A_COMMUNE = 6
_FEW_TOKENS = 32
"""Of more, an index walk that looks for all of them compares each row that it finds with each."""
_OF_EACH_TOKEN = 20
"""Where there are many tokens, no more are looked at of one that many have."""


_Statement = Select[*tuple[Any, ...]]


class Candidates(NamedTuple):
    """Rows with ``household_id``, ``person_sealed`` and, of members, ``member_id``."""

    rows: Sequence[Row[Any]]
    more: bool
    """Whether there are others, who were not looked at."""


async def prefer_indexes(session: AsyncSession, *, everywhere: bool) -> None:
    """For the rest of the transaction; ``everywhere``: its searches are of the whole country."""
    most = _MOST_TOLD if everywhere else _EVERYBODY
    await session.execute(_BY_INDEX, {"most_told": str(most)})


async def heads(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Candidates:
    """Heads of households who are kept under one of the tokens."""
    return await _candidates(session, _of_heads, tokens, bound=bound, area=area, limit=limit)


async def members(
    session: AsyncSession, tokens: Sequence[int], *, bound: Bound, area: Bound, limit: int
) -> Candidates:
    """Members who are kept under one of the tokens, and have not left."""
    return await _candidates(session, _of_members, tokens, bound=bound, area=area, limit=limit)


class _Way(Enum):
    """How candidates are come by."""

    AMONG_FEW = auto()
    AMONG_MANY = auto()
    """In a commune everybody is looked through, whether they have one of few tokens, or of many."""
    BY_INDEX = auto()
    RAREST_FIRST = auto()


async def _candidates(
    session: AsyncSession,
    statement: Callable[[Bound, Bound, _Way, int], _Statement],
    tokens: Sequence[int],
    *,
    bound: Bound,
    area: Bound,
    limit: int,
) -> Candidates:
    """Whoever a statement is about and is kept under one of the tokens, ``limit`` of them at most.

    In a commune everybody is looked through; elsewhere the index of tokens is.
    """
    few = len(tokens) <= _FEW_TOKENS
    if area is not None and all(len(code) == _DIGITS_OF_A_COMMUNE for code in area):
        way = _Way.AMONG_FEW if few else _Way.AMONG_MANY
    else:
        way = _Way.BY_INDEX if few else _Way.RAREST_FIRST
    found = await session.execute(statement(bound, area, way, limit + 1), {"tokens": tokens})
    rows = found.all()
    cut = way is _Way.RAREST_FIRST and any(row.alike >= _OF_EACH_TOKEN for row in rows)
    return Candidates(rows[:limit], len(rows) > limit or cut)


# Making them takes as long as PostgreSQL takes for what they ask.


@lru_cache(_REMEMBERED)
def _of_heads(bound: Bound, area: Bound, way: _Way, limit: int) -> _Statement:
    query = select(Household.id.label("household_id"), Household.person_sealed).where(
        within(bound, Household.area_code), within(area, Household.area_code)
    )
    return _looked_up(query, Household.name_tokens, way, limit)


@lru_cache(_REMEMBERED)
def _of_members(bound: Bound, area: Bound, way: _Way, limit: int) -> _Statement:
    query = select(Member.household_id, Member.id.label("member_id"), Member.person_sealed).where(
        Member.left_on.is_(None)
    )
    if bound is not None or area is not None:
        query = query.join(Household, Household.id == Member.household_id).where(
            within(bound, Household.area_code), within(area, Household.area_code)
        )
    return _looked_up(query, Member.name_tokens, way, limit)


def _looked_up(
    query: _Statement, kept: InstrumentedAttribute[list[int] | None], way: _Way, limit: int
) -> _Statement:
    asked = bindparam("tokens", type_=ARRAY(BigInteger))
    match way:
        case _Way.BY_INDEX:
            found = query.where(kept.op("&&")(asked))
        case _Way.RAREST_FIRST:
            found = _rarest_first(query, kept, asked)
        case _:
            found = query.where(_is_among(kept, asked, few=way is _Way.AMONG_FEW))
    return found.limit(limit)


def _is_among(
    kept: InstrumentedAttribute[list[int] | None], asked: ColumnElement[Any], *, few: bool
) -> ColumnElement[bool]:
    """Whether a row has one of the tokens, in a way that no index answers: each of the row's is
    compared with a few, or looked up in a table that is made of those asked for."""
    if few:
        return func.array_cat(kept, array([], type_=BigInteger)).op("&&", return_type=Boolean())(
            asked
        )
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
