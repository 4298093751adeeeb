"""Our own JSON: a batch of observations as POST /v1/observations takes it, or a list of such."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.triggers.feeds.formats.reading import Reading, Row, Setting, Unreadable, told
from services.triggers.observations.schemas import ObservationIn
from shared.documents import Code
from shared.values import Text

_MAXIMUM_BATCHES = 1_000


class BatchesFormat(BaseModel):
    """Batches of observations in JSON, as `POST /v1/observations` takes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["observations"]
    indicators: Annotated[
        list[Code],
        Field(min_length=1, max_length=100, description="What it may bring figures of."),
    ]
    sources: Annotated[
        list[Annotated[str, Text(longest=100)]],
        Field(
            max_length=50,
            description="Authorities beside the feed's own source whose figures it may bring.",
        ),
    ] = []

    def brings(self) -> set[str]:
        """The indicators of which it may bring figures."""
        return set(self.indicators)


class _Ambiguous(ValueError):
    """What readers of JSON take in different ways."""


def read_batches(content: bytes, document: BatchesFormat, setting: Setting) -> Reading:
    """Every row of every batch; a row that is wrong is refused alone."""
    try:
        parsed = json.loads(
            content,
            object_pairs_hook=_of_pairs,
            parse_constant=_no_number,
            parse_float=Decimal,
        )
    except _Ambiguous as error:
        return Reading.of_nothing(str(error))
    except (ValueError, RecursionError):
        return Reading.of_nothing("It is not valid JSON.")
    batches = parsed if isinstance(parsed, list) else [parsed]
    if len(batches) > _MAXIMUM_BATCHES:
        return Reading.of_nothing(f"It has more than {_MAXIMUM_BATCHES:,} batches.")
    found = list(_rows(batches, document, setting))
    if len(found) > setting.maximum_rows:
        return Reading.of_nothing(f"It has more than {setting.maximum_rows:,} rows.")
    # Two that contradict each other are read as if they had come one after the other: which of
    # them counts, and that the other is doubtful, is told when they are held against each other.
    return Reading(
        seen=len(found),
        rows=[row for row in found if isinstance(row, Row)],
        refused=[row for row in found if isinstance(row, Unreadable)],
    )


def _rows(
    batches: list[Any], document: BatchesFormat, setting: Setting
) -> Iterator[Row | Unreadable]:
    for number, batch in enumerate(batches, start=1):
        at = f"batch {number}"
        match batch:
            case {"indicator": str(indicator), "unit": str(unit), "observations": list(given)}:
                pass
            case _:
                yield Unreadable(at, "It has no indicator, unit and list of observations.")
                continue
        if indicator not in document.indicators:
            yield Unreadable(at, "The feed's document does not name this indicator.")
            continue
        for position, row in enumerate(given[: setting.maximum_rows + 1], start=1):
            yield _row(row, f"{at}, row {position}", indicator, unit, document, setting)


def _row(
    given: Any,
    where: str,
    indicator: str,
    unit: str,
    document: BatchesFormat,
    setting: Setting,
) -> Row | Unreadable:
    try:
        row = ObservationIn.model_validate(given)
    except ValidationError as error:
        return Unreadable(where, told(error))
    if row.source != setting.source and row.source not in document.sources:
        return Unreadable(where, "The feed's document does not name this source.")
    return Row(
        where=where,
        indicator=indicator,
        unit=row.unit or unit,
        area=row.area,
        place=row.place,
        source=row.source,
        observed_on=row.observed_on,
        published_on=row.published_on,
        value=row.value,
        issue=row.issue,
        member=row.member,
        details=row.details,
    )


def _of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise _Ambiguous("An object has one name twice, which readers take in different ways.")
    return read


def _no_number(word: str) -> Any:
    raise _Ambiguous("It holds a number that JSON does not have, such as NaN.")
