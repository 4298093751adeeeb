"""What the lists of this service have in common."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from services.payments.statements import AnyRow
from shared.pagination import Page, PageOf

Shown = TypeVar("Shown", bound=BaseModel)

ActivationFilter = Annotated[UUID | None, Query(description="Only those of this activation.")]


def page_of_rows(
    page: Page,
    rows: Sequence[AnyRow],
    shown: type[Shown],
    *,
    key: Callable[[AnyRow], tuple[Any, ...]],
) -> PageOf[Shown]:
    """A page of bodies from rows; the key may be a column that the bodies do not show."""
    found = page.of(rows, key=key)
    return PageOf(
        items=[shown.model_validate(row._asdict()) for row in found.items],
        next_cursor=found.next_cursor,
    )


def by_number(row: AnyRow) -> tuple[int]:
    """The key of lists in the order of numbers."""
    return (row.number,)


def by_code(row: AnyRow) -> tuple[str]:
    """The key of lists in the order of codes."""
    return (row.code,)
