"""What a statement costs, however little the planner knew: by the rows that its plan looked at."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession


async def rows_passed(
    session: AsyncSession, statement: TextClause, given: Mapping[str, Any]
) -> int:
    """How many rows all nodes of the statement's plan looked at, when it was carried out."""
    explained = text(f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {statement.text}")
    (found,) = await session.scalar(explained, given)
    return round(sum(_rows(found["Plan"])))


def _rows(node: Mapping[str, Any]) -> Iterator[float]:
    removed = sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
    yield (node["Actual Rows"] + removed) * node["Actual Loops"]
    for child in node.get("Plans", ()):
        yield from _rows(child)
