"""Rows copied in binary are the rows that were given: held against a real PostgreSQL."""

import asyncio
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.copying import copy_rows, encoded_columns, encoder_of
from shared.tables import enum_column


class Rain(StrEnum):
    LIGHT = "light"
    HEAVY = "heavy"


class Base(DeclarativeBase):
    pass


class Copied(Base):
    __tablename__ = "copied"
    __table_args__ = {"schema": "copying"}

    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[UUID | None] = mapped_column(Uuid)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    name: Mapped[str | None] = mapped_column(Text)
    rain: Mapped[Rain | None] = mapped_column(enum_column(Rain, "rain", "copying"))
    small: Mapped[int | None] = mapped_column(SmallInteger)
    big: Mapped[int | None] = mapped_column(BigInteger)
    yes: Mapped[bool | None] = mapped_column(Boolean)
    day: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tokens: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


_TABLE = """
    CREATE SCHEMA IF NOT EXISTS copying;
    CREATE TYPE copying.rain AS ENUM ('light', 'heavy');
    CREATE TABLE copying.copied (
        place integer PRIMARY KEY, id uuid, sealed bytea, name text, rain copying.rain,
        small smallint, big bigint, yes boolean, day date, at timestamptz, tokens bigint[]
    )
"""
COLUMNS = tuple(Copied.__table__.c.keys())
BIG = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(
    st.tuples(
        *map(
            st.one_of,
            [st.none()] * 10,
            [
                st.uuids(),
                st.binary(max_size=300),
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                st.sampled_from([Rain.HEAVY, "light"]),
                st.integers(-(2**15), 2**15 - 1),
                BIG,
                st.booleans(),
                st.dates(),
                st.datetimes(timezones=st.just(UTC)),
                st.lists(BIG, max_size=12),
            ],
        )
    ),
    max_size=8,
)


async def _copied(owner: asyncpg.Connection, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    await owner.execute("TRUNCATE copying.copied")
    await copy_rows(owner, Copied, COLUMNS, rows)
    stored = await owner.fetch("SELECT * FROM copying.copied ORDER BY place")
    return [tuple(row) for row in stored]


@pytest.fixture
async def table(owner: asyncpg.Connection) -> asyncpg.Connection:
    await owner.execute(_TABLE)
    return owner


async def test_what_was_given_is_stored(table: asyncpg.Connection) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(rows=ROWS, times=st.sampled_from([1, 1, 150]))
    def stored(rows: list[tuple[Any, ...]], times: int) -> None:
        many = [(place, *row) for place, row in enumerate(rows * times)]
        found = asyncio.run_coroutine_threadsafe(_copied(table, many), loop).result()
        assert found == many

    await asyncio.to_thread(stored)


async def test_what_postgresql_refuses_is_raised_and_nothing_is_stored(
    table: asyncpg.Connection,
) -> None:
    blank = (None,) * 10
    with pytest.raises(asyncpg.UniqueViolationError):
        await copy_rows(table, Copied, COLUMNS, [(1, *blank), (1, *blank)])
    with pytest.raises(OverflowError):
        await copy_rows(table, Copied, ("place", "small"), [(2, 2**15)])
    assert await table.fetchval("SELECT count(*) FROM copying.copied") == 0
    await copy_rows(table, Copied, ("place", "small"), [(2, 2**15 - 1)])
    assert await table.fetchval("SELECT count(*) FROM copying.copied") == 1


def test_a_type_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(TypeError, match="No column of type"):
        encoder_of(Interval())


def test_columns_of_different_lengths_are_no_rows() -> None:
    with pytest.raises(ValueError, match="unpack"):
        encoded_columns(Copied, {"place": [1, 2], "small": [1]})
