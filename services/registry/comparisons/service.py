"""Two versions of a scheme side by side: counts alone, and none of a few households."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.comparisons import repository
from services.registry.comparisons.repository import AREA, Side
from services.registry.comparisons.schemas import (
    CellOut,
    ComparedRow,
    ComparedTable,
    CompareIn,
    CompareOut,
    Outcome,
    SideIn,
    SideOut,
)
from services.registry.comparisons.suppression import Group, grouped, may_be_told, protected
from services.registry.estimates.repository import names
from services.registry.estimates.schemas import By, WhereIn
from services.registry.estimates.service import communes_of, get_version
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.wording import choice_words
from services.registry.schemes.document import SchemeDocument
from shared.clock import Clock
from shared.errors import Unprocessable
from shared.wording.numbers import khmer_digits
from shared.wording.phrase import Phrase
from shared.wording.said import Said

_AREAS = {
    By.PROVINCE: Phrase("Province", "ខេត្ត/រាជធានី"),
    By.DISTRICT: Phrase("District", "ស្រុក/ខណ្ឌ/ក្រុង"),
}


async def compare(
    session: AsyncSession, code: str, given: CompareIn, *, least: int, clock: Clock
) -> CompareOut:
    """Compare two versions or documents; raises NotFound, Unprocessable.

    Cells of fewer than ``least`` households are hidden, with what would betray them.
    """
    base_version, base = await _side_of(session, code, given.base)
    other_version, other = await _side_of(session, code, given.other)
    if base.currency != other.currency:
        raise Unprocessable(
            f"One pays in {base.currency}, the other in {other.currency}: nobody can say which is "
            "more. Compare schemes of one currency."
        )
    where = WhereIn(areas=given.areas, area_filter=given.area_filter)
    communes, _ = await communes_of(session, where)
    compared = await repository.compare(
        session, base, other, communes, by=given.by, reference=given.reference, as_of=clock.today()
    )
    totals = {
        outcome.value: sum(cells.get(outcome.value, 0) for cells in compared.tables[AREA].values())
        for outcome in Outcome
    }
    households = sum(totals.values())
    if households < least:
        raise Unprocessable(
            f"Fewer than {least} households are registered in these areas: nothing can be told "
            "that would not tell of them. Name larger areas."
        )
    outcomes = grouped(totals, least=least)
    # Where outcomes are counted together, sums of the sides would tell them apart again.
    is_whole = all(len(group) == 1 for group in outcomes)
    area_names = await names(session, list(compared.tables[AREA]))
    return CompareOut(
        counted_at=clock.now(),
        base=_side_out(base, base_version, compared.base, given, households, least, is_whole),
        other=_side_out(other, other_version, compared.other, given, households, least, is_whole),
        households=households,
        smallest_cell=least,
        outcomes=[
            CellOut(
                outcomes=[Outcome(outcome) for outcome in group],
                households=sum(totals[outcome] for outcome in group),
            )
            for group in outcomes
        ],
        tables=[
            _table(
                name,
                table,
                outcomes,
                least=least,
                by=given.by,
                area_names=area_names,
            )
            for name, table in compared.tables.items()
        ],
    )


async def _side_of(
    session: AsyncSession, code: str, given: SideIn
) -> tuple[int | None, SchemeDocument]:
    if given.document is not None:
        return None, given.document
    return await get_version(session, code, given.version)


def _side_out(
    document: SchemeDocument,
    version: int | None,
    side: Side,
    given: CompareIn,
    households: int,
    least: int,
    is_whole: bool,
) -> SideOut:
    has_errors = (
        given.reference is not None
        and is_whole
        and may_be_told(
            (
                side.leaked,
                side.missed,
                side.households - side.leaked,
                households - side.households - side.missed,
            ),
            least=least,
        )
    )
    return SideOut(
        scheme=document.code,
        version=version,
        households=side.households if is_whole else None,
        one_round_minor=side.minor if is_whole else None,
        currency=document.currency,
        leakage=_share(side.leaked, side.households) if has_errors else None,
        under_coverage=_share(side.missed, side.reference) if has_errors else None,
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _table(
    name: str,
    table: Mapping[str, Mapping[str, int]],
    outcomes: Sequence[Group],
    *,
    least: int,
    by: By,
    area_names: Mapping[str, tuple[str, str]],
) -> ComparedTable:
    def words(key: str) -> Phrase:
        if name == AREA:
            return Phrase(*area_names[key])
        attribute = HOUSEHOLD_ATTRIBUTES[name]
        if attribute.allowed is not None:
            return choice_words(key)
        return Phrase(key, khmer_digits(key))

    if name == AREA:
        told = _AREAS[by]
    else:
        called = HOUSEHOLD_ATTRIBUTES[name].words
        told = Phrase(called.english, called.khmer)
    return ComparedTable(
        by=name,
        words=Said.of(told),
        rows=[
            ComparedRow(
                keys=list(row.keys),
                words=[Said.of(words(key)) for key in row.keys],
                households=row.total,
                cells=[
                    CellOut(outcomes=[Outcome(outcome) for outcome in group], households=count)
                    for group, count in zip(outcomes, row.cells, strict=True)
                ],
            )
            for row in protected(table, outcomes, least=least)
        ],
    )
