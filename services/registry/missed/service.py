"""Whom an activation missed, and why: a worklist."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.repository import reached_communes
from services.registry.activations.service import get_activation
from services.registry.activations.tables import Activation
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.enrolments.statements import Further
from services.registry.further_enrolments.repository import sums_of_further
from services.registry.missed import repository
from services.registry.missed.schemas import Missed, MissedCount, MissedHousehold, MissedOut
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import get_document
from shared.audit import Taken
from shared.bounds import Bound, lies_within
from shared.clock import Clock
from shared.database import Database
from shared.pagination import Page, PageOf
from shared.spreadsheets import csv_of, guarded
from shared.wording.phrase import Phrase
from shared.wording.said import Said

_ROWS_AT_A_TIME = 1_000

_WORDS = {
    Missed.NO_ACCOUNT: Phrase("Without an account", "គ្មានគណនី"),
    Missed.BAD_ACCOUNT: Phrase("With an account that cannot be paid to", "គណនីមិនអាចទទួលប្រាក់បាន"),
    Missed.SET_ASIDE: Phrase("Set aside", "ត្រូវបានទុកដោយឡែក"),
    Missed.SUSPECTED: Phrase("Suspected to be another household", "សង្ស័យថាជាគ្រួសារដដែល"),
    Missed.LATE: Phrase("Registered or changed too late", "ចុះបញ្ជីឬកែប្រែយឺត"),
}

COLUMNS = ("household_id", "area_code", "round", "amount_minor", "status", "reason")


async def count(
    session: AsyncSession, activation_id: UUID, *, area: str | None, bound: Bound, clock: Clock
) -> MissedOut:
    """How many were missed, by reason; raises NotFound."""
    activation = await get_activation(session, activation_id)
    counted = await repository.count_missed(session, activation_id, area=_prefix(area), bound=bound)
    document = await _document(session, activation)
    if document is not None:
        communes = await communes_reached(session, activation, area, bound=bound)
        late = await sums_of_further(
            session,
            document,
            Further.LATE,
            activation_id,
            communes,
            known_until=clock.now(),
            as_of=activation.opened_on,
        )
        counted[Missed.LATE] = (
            sum(households for _, households, _ in late),
            sum(minor for _, _, minor in late),
        )
    return MissedOut(
        activation_id=activation_id,
        currency=None if document is None else document.currency,
        missed=[
            MissedCount(
                why=why, words=Said.of(_WORDS[why]), households=households, amount_minor=minor
            )
            for why in Missed
            for households, minor in [counted.get(why, (0, 0))]
        ],
    )


async def list_page(
    session: AsyncSession,
    activation_id: UUID,
    why: Missed,
    *,
    area: str | None,
    bound: Bound,
    page: Page,
    clock: Clock,
) -> PageOf[MissedHousehold]:
    """A page of whom an activation missed for one reason; raises NotFound."""
    activation = await get_activation(session, activation_id)
    rows = await _rows(
        session,
        activation,
        why,
        area=area,
        bound=bound,
        after=page.after(str, UUID, int),
        limit=page.fetch_limit,
        clock=clock,
    )
    return page.of(rows, key=lambda row: (row.area_code, row.household_id, row.round))


async def export(
    database: Database,
    activation_id: UUID,
    why: Missed,
    taken: Taken,
    *,
    area: str | None,
    bound: Bound,
    clock: Clock,
) -> AsyncIterator[bytes]:
    """The same as CSV, some rows at a time: nothing is held while the reader is slow; ``taken``
    counts them."""
    yield csv_of([COLUMNS])
    after: repository.Place | None = None
    while True:
        async with database.reading() as session:
            activation = await get_activation(session, activation_id)
            rows = await _rows(
                session,
                activation,
                why,
                area=area,
                bound=bound,
                after=after,
                limit=_ROWS_AT_A_TIME,
                clock=clock,
            )
        if not rows:
            return
        taken.rows += len(rows)
        yield csv_of(
            (
                row.household_id,
                row.area_code,
                row.round,
                row.amount_minor,
                row.status,
                guarded(row.reason or ""),
            )
            for row in rows
        )
        last = rows[-1]
        after = (last.area_code, last.household_id, last.round)


async def _rows(
    session: AsyncSession,
    activation: Activation,
    why: Missed,
    *,
    area: str | None,
    bound: Bound,
    after: repository.Place | None,
    limit: int,
    clock: Clock,
) -> list[MissedHousehold]:
    if why is not Missed.LATE:
        found = await repository.list_missed(
            session, activation.id, why, area=_prefix(area), bound=bound, after=after, limit=limit
        )
        return [MissedHousehold.model_validate(row._asdict()) for row in found]
    document = await _document(session, activation)
    if document is None:
        return []
    late = await repository.list_late(
        session,
        document,
        activation.id,
        await communes_reached(session, activation, area, bound=bound),
        known_until=clock.now(),
        as_of=activation.opened_on,
        after=None if after is None else after[:2],
        limit=limit,
    )
    return [
        MissedHousehold(
            household_id=row.id,
            area_code=row.area_code,
            round=1,
            amount_minor=row.amount_minor,
            status=None,
            reason=None,
        )
        for row in late
    ]


async def communes_reached(
    session: AsyncSession, activation: Activation, area: str | None, *, bound: Bound
) -> frozenset[str]:
    """The communes that an activation reaches, within an area."""
    communes = await reached_communes(session, activation.id)
    return frozenset(
        code for code in communes if code.startswith(_prefix(area)) and lies_within(bound, code)
    )


def _prefix(area: str | None) -> str:
    return "" if area is None or area == COUNTRY_CODE else area


async def _document(session: AsyncSession, activation: Activation) -> SchemeDocument | None:
    if activation.scheme_version is None:
        return None
    return await get_document(session, activation.scheme_code, activation.scheme_version)
