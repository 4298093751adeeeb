"""Pieces of SQL that this service's slices have in common."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, collate
from sqlalchemy.orm import InstrumentedAttribute

from services.payments.database import SCHEMA
from shared.bounds import Bound, within

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def among(states: Iterable[StrEnum]) -> str:
    """States as SQL literals, for ``IN (...)``."""
    return ", ".join(f"'{state}'" for state in states)


def legal(moves: Iterable[tuple[StrEnum, StrEnum]], *, enum_type: str) -> str:
    """Moves as rows of (before, after) of the schema's enum type, for ``IN (VALUES ...)``."""
    status = f"{SCHEMA}.{enum_type}"
    return ", ".join(
        f"(CAST('{before}' AS {status}), CAST('{after}' AS {status}))"
        for before, after in sorted(moves)
    )


def move_at(position: str) -> str:
    """An instruction's move at a position, an SQL expression: from_status and moved_at.

    A subquery within a query of ``instruction``.
    """
    return f"""
        SELECT move.from_status, entry.posted_at AS moved_at
        FROM payments.instruction_move AS move
        JOIN payments.journal_entry AS entry ON entry.number = move.entry_number
        WHERE move.instruction_id = instruction.id AND move.position = {position}
    """


def narrowed(query: AnySelect, by: Mapping[InstrumentedAttribute[Any], object]) -> AnySelect:
    """The query with only those whose columns have these values; None does not narrow."""
    return query.where(*(column == value for column, value in by.items() if value is not None))


def lives_within(bound: Bound, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether an area's code lies in a caller's areas; what has none, from before areas were kept,
    lies nowhere."""
    return within(bound, collate(column, "C"))


def paged(
    query: AnySelect, key: InstrumentedAttribute[Any], *, after: object, limit: int
) -> AnySelect:
    """The query's rows in the order of ``key``, those behind ``after``; None is the beginning."""
    behind = query if after is None else query.where(key > after)
    return behind.order_by(key).limit(limit)


def answers_that_say_paid(entitlement_id: str) -> str:
    """Whether an answer that waits to be applied says that an entitlement was paid.

    A condition over ``entitlement_id``, an SQL expression. What it holds for is not paid anew.
    """
    return f"""EXISTS (
        SELECT FROM payments.answer
        JOIN payments.instruction AS answered ON answered.id = answer.instruction_id
        WHERE answer.applied_at IS NULL
          AND answer.kind = 'settled'
          AND answered.entitlement_id = {entitlement_id}
    )"""


HEARD_OF = """
    SELECT EXISTS (
        SELECT FROM payments.payment_round WHERE scheme = CAST(:scheme AS text)
    ) AS scheme, EXISTS (
        SELECT FROM payments.payment_round WHERE activation_id = CAST(:activation_id AS uuid)
    ) AS activation_id
"""
"""Whether there is a round of a scheme, and one of an activation."""


_ALL = "'KH'"
"""The code of the whole country: every area lies in it."""

_CONCERNS_ROUND = """
    (pause.scheme IS NULL OR pause.scheme = payment_round.scheme)
    AND (pause.activation_id IS NULL OR pause.activation_id = payment_round.activation_id)
"""

PAUSE_FITS = f"""
    (pause.provider_number IS NULL OR pause.provider_number = instruction.provider_number)
    AND {_CONCERNS_ROUND}
    -- Of what was raised before areas were kept, nobody knows where it goes: it waits.
    AND (pause.area_code IS NULL OR pause.area_code = {_ALL} OR instruction.area_code IS NULL
        OR starts_with(instruction.area_code, pause.area_code))
"""
"""Whether a ``pause``, in force or not, concerns an ``instruction`` of a ``payment_round``."""

PAUSED = f"""EXISTS (
    SELECT FROM payments.pause WHERE pause.resumed_at IS NULL AND {PAUSE_FITS}
)"""
"""Whether an ``instruction`` of a ``payment_round`` is not to be sent for the time being."""

CHUNK_PAUSED = f"""EXISTS (
    SELECT FROM payments.pause
    WHERE pause.resumed_at IS NULL
      AND (pause.provider_number IS NULL OR pause.provider_number = :provider_number)
      AND {_CONCERNS_ROUND}
      AND (pause.area_code IS NULL OR pause.area_code = {_ALL}
        OR starts_with(chunk.area_code, pause.area_code))
)"""
"""Whether all that a ``chunk`` of a ``payment_round`` has for :provider_number is paused."""

PAUSED_AREAS = f"""ARRAY(
    SELECT pause.area_code FROM payments.pause
    WHERE pause.resumed_at IS NULL AND pause.area_code IS NOT NULL
      AND (pause.provider_number IS NULL OR pause.provider_number = :provider_number)
      AND {_CONCERNS_ROUND}
)"""
"""The areas to which nothing of a ``payment_round`` is sent through :provider_number."""


def outside(areas: str) -> str:
    """Whether an ``instruction`` goes to none of the areas, an SQL expression of an array.

    Where nobody knows where it goes, it goes to each of them.
    """
    return f"""(
        cardinality({areas}) = 0
        OR instruction.area_code IS NOT NULL AND NOT instruction.area_code ^@ ANY ({areas})
    )"""
