"""Searching persons by name: candidates by what is kept of names, opened, compared and ranked.

What is kept are keyed hashes ([why](docs/decisions/search-by-name.md)). How alike two names are is
known once the sealed one is opened, so no more are opened than can be in a moment.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import COUNTRY_CODE
from services.registry.households.persons import PersonalData
from services.registry.households.repository import households_with
from services.registry.households.service import Households
from services.registry.households.shape import HEAD_NAME
from services.registry.members.shape import NAME
from services.registry.members.shape import SEALED as SEALED_OF_MEMBER
from services.registry.name_searches import repository
from services.registry.name_searches.schemas import NamedOut, NameSearchIn, NamesFoundOut
from services.registry.names.likeness import DOUBTFUL_FROM, compare_words
from services.registry.names.tokens import as_written, searched_for
from services.registry.names.words import words_of
from shared.auth import Caller

_MOST_OPENED = 150
"""Heads, and as many members, for each step of a search: ten milliseconds or so."""
_ENOUGH = 10
"""Whoever found so many who sound the same is not told of those who nearly do."""


async def search(
    session: AsyncSession,
    given: NameSearchIn,
    *,
    unheard: PersonalData,
    personal_data: PersonalData,
    caller: Caller,
) -> NamesFoundOut:
    """Who is called so, or nearly. Candidates are opened by ``unheard``, and those who are shown by
    ``personal_data``, which records them."""
    area = None if given.area in (None, COUNTRY_CODE) else (str(given.area),)
    looked_for = _LookedFor(given.name)
    found: dict[UUID, tuple[_Alike, UUID | None]] = {}
    more = False
    everywhere = area is None and caller.areas is None
    await repository.prefer_indexes(session, everywhere=everywhere)
    steps = searched_for(given.name)
    for at, texts in enumerate(steps):
        # Those who are called exactly so are all as near: no more than are shown are looked at.
        most = _MOST_OPENED if at else min(_MOST_OPENED, given.limit)
        tokens = [token for keys in unheard.found_by for token in keys.tokens_of(texts)]
        heads = await repository.heads(session, tokens, bound=caller.areas, area=area, limit=most)
        members = await repository.members(
            session, tokens, bound=caller.areas, area=area, limit=most
        )
        more = more or heads.more or members.more
        await unheard.learn(session, {row.household_id for row in (*heads.rows, *members.rows)})
        for row in heads.rows:
            person = unheard.open_person(row.person_sealed, household_id=row.household_id)
            _keep(found, row.household_id, None, looked_for.alike(person[HEAD_NAME.name]))
        for row in members.rows:
            person = unheard.open_sealed(
                row.person_sealed,
                SEALED_OF_MEMBER,
                bound_to=row.member_id,
                household_id=row.household_id,
            )
            _keep(found, row.household_id, row.member_id, looked_for.alike(person[NAME.name]))
        # The last two are of all who sound so, and of those who nearly do.
        sound_so = at >= len(steps) - 2
        if len(found) >= (min(_ENOUGH, given.limit) if sound_so else given.limit):
            # Where those before fill the answer, not all who sound so were looked for.
            more = more or not sound_so
            break
    by_id = sorted(found)
    ranked = sorted(by_id, key=lambda household_id: found[household_id][0], reverse=True)
    shown = ranked[: given.limit]
    rows = await households_with(session, shown, bound=caller.areas)
    await personal_data.learn(session, rows)
    households = Households(session, personal_data=personal_data, caller=caller)
    return NamesFoundOut(
        items=[
            NamedOut(
                likeness=found[household_id][0].percent,
                member_id=found[household_id][1],
                household=households.shown(*rows[household_id]),
            )
            for household_id in shown
            if household_id in rows
        ],
        more=more or len(ranked) > given.limit,
    )


class _Alike(NamedTuple):
    """How alike a name is, the more the greater."""

    percent: int
    is_written_so: bool
    """Of several that sound the same, the one that is written as it was asked for comes first."""


class _LookedFor:
    """A name that others are compared with, each once: those who sound alike are often called the
    same."""

    def __init__(self, name: str) -> None:
        self._words = words_of(name)
        self._written = as_written(name)
        self._compared: dict[str, _Alike] = {}

    def alike(self, name: str | None) -> _Alike:
        """How alike somebody's name is, 0 to 100."""
        name = name or ""
        known = self._compared.get(name)
        if known is None:
            known = self._compared[name] = _Alike(
                compare_words(self._words, words_of(name)).percent,
                as_written(name) == self._written,
            )
        return known


def _keep(
    found: dict[UUID, tuple[_Alike, UUID | None]],
    household_id: UUID,
    member_id: UUID | None,
    alike: _Alike,
) -> None:
    """Keep how alike somebody's name is, if it is more so than that of others of the household."""
    if alike.percent >= DOUBTFUL_FROM and (
        household_id not in found or alike > found[household_id][0]
    ):
        found[household_id] = (alike, member_id)
