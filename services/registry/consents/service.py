"""What households agree to: recorded, withdrawn, and told to whoever follows them."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.consents import repository
from services.registry.consents.schemas import (
    AgreedOut,
    AgreementIn,
    AgreementsIn,
    AgreementsOut,
    ConsentIn,
    ConsentOut,
    WithdrawalIn,
)
from services.registry.consents.tables import Consent
from services.registry.households.persons import PersonalData
from services.registry.households.repository import find_household, lock_households
from services.registry.households.shape import REGISTRATION_NUMBER
from services.registry.households.tables import Household
from shared.auth import Caller
from shared.bounds import Bound, lies_within
from shared.clock import Clock
from shared.contracts.events import HouseholdChanged
from shared.errors import Conflict, NotFound, Unprocessable
from shared.events import publish_all
from shared.ids import new_id
from shared.pagination import Page, PageOf

_CONSENT = "consent"
_NOBODY = "There is no such household. GET /v1/households lists those of an area."
_TO_COME = "given_on: the day has not come."


async def agree(
    session: AsyncSession, household_id: UUID, given: ConsentIn, *, caller: Caller, clock: Clock
) -> ConsentOut:
    """Keep what a household agrees to; raises NotFound, and Conflict where it agrees already, or
    agreed no more since."""
    household = await _find(session, household_id)
    if given.given_on > clock.today():
        raise Unprocessable(_TO_COME)
    withdrawn = await repository.last_withdrawals(session, [household_id])
    if refusal := _refusal(withdrawn, household_id, given):
        raise Conflict(refusal)
    kept = await _kept(session, [(household_id, given)], caller=caller, clock=clock)
    if not kept:
        raise Conflict(f"It agrees to '{given.purpose}' already. Withdraw that first.")
    await _tell(session, [household], clock=clock)
    return ConsentOut.model_validate(kept[0])


async def agree_all(
    session: AsyncSession,
    given: AgreementsIn,
    *,
    personal_data: PersonalData,
    caller: Caller,
    clock: Clock,
) -> AgreementsOut:
    """Keep what many households agree to, each by itself: what became of each, in their order."""
    whose = await _whose(session, given.consents, personal_data, bound=caller.areas)
    today = clock.today()
    withdrawn = await repository.last_withdrawals(
        session, {each.id for each in whose if each is not None}
    )
    to_keep: dict[tuple[UUID, str], AgreementIn] = {}
    for household, each in zip(whose, given.consents, strict=True):
        if household is None or each.given_on > today:
            continue
        if _refusal(withdrawn, household.id, each) is None:
            to_keep.setdefault((household.id, each.purpose), each)
    rows = await _kept(
        session, [(id_, each) for (id_, _), each in to_keep.items()], caller=caller, clock=clock
    )
    kept = {id(to_keep[consent.household_id, consent.purpose]) for consent in rows}
    changed = {consent.household_id for consent in rows}
    told = {each.id: each for each in whose if each is not None and each.id in changed}
    await _tell(session, list(told.values()), clock=clock)
    results = []
    for household, each in zip(whose, given.consents, strict=True):
        detail = None
        if household is None:
            detail = _NOBODY
        elif each.given_on > today:
            detail = _TO_COME
        elif refusal := _refusal(withdrawn, household.id, each):
            detail = refusal
        elif id(each) not in kept:
            detail = f"It agrees to '{each.purpose}' already."
        results.append(
            AgreedOut(
                household_id=None if household is None else household.id,
                recorded=detail is None,
                detail=detail,
            )
        )
    return AgreementsOut(results=results)


async def withdraw(
    session: AsyncSession, household_id: UUID, given: WithdrawalIn, *, caller: Caller, clock: Clock
) -> ConsentOut:
    """Keep that a household agrees no more; raises NotFound, Unprocessable."""
    household = await _find(session, household_id)
    standing = await repository.lock_standing(session, household_id, purpose=given.purpose)
    if standing is None:
        raise NotFound(f"It does not agree to '{given.purpose}'.")
    if not standing.given_on <= given.withdrawn_on <= clock.today():
        raise Unprocessable(f"withdrawn_on: write a day from {standing.given_on} to today.")
    kept = await repository.withdraw_consent(
        session, standing.id, on=given.withdrawn_on, by=caller.subject, at=clock.now()
    )
    await _tell(session, [household], clock=clock)
    return ConsentOut.model_validate(kept)


async def list_consents(
    session: AsyncSession, household_id: UUID, *, page: Page
) -> PageOf[ConsentOut]:
    """A page of what a household agreed to, in the order in which it was recorded."""
    if await find_household(session, household_id, bound=None) is None:
        raise NotFound(_NOBODY)
    rows = await repository.list_consents(
        session, household_id, after=page.after(UUID), limit=page.fetch_limit
    )
    shown = [ConsentOut.model_validate(row) for row in rows]
    return page.of(shown, key=lambda consent: (consent.id,))


def _refusal(
    withdrawn: Mapping[tuple[UUID, str], date], household_id: UUID, given: ConsentIn
) -> str | None:
    """Why an agreement does not count any more; None: it does. A list is sent again and again, and
    what was withdrawn since stays so."""
    since = withdrawn.get((household_id, given.purpose))
    if since is None or given.given_on > since:
        return None
    return (
        f"It agreed to '{given.purpose}' no more on {since}: what it agreed to by then counts no "
        "more. Ask it again, and give the day."
    )


async def _find(session: AsyncSession, household_id: UUID) -> Household:
    found = await lock_households(session, [household_id])
    if household_id not in found:
        raise NotFound(_NOBODY)
    return found[household_id]


async def _whose(
    session: AsyncSession,
    given: Sequence[AgreementIn],
    personal_data: PersonalData,
    *,
    bound: Bound,
) -> list[Household | None]:
    """The household of each, locked; None: there is none, or it lies elsewhere."""
    indexes_of = [found.indexes_of(REGISTRATION_NUMBER) for found in personal_data.found_by]
    indexes = {
        written: [index_of(number) for index_of in indexes_of]
        for written in {each.registration_number for each in given}
        if written is not None
        and (number := REGISTRATION_NUMBER.kind.normalised(written)) is not None
    }
    known = await repository.registered_by(session, list(chain.from_iterable(indexes.values())))
    numbered = {
        written: next((known[index] for index in either if index in known), None)
        for written, either in indexes.items()
    }
    ids = [each.household_id or numbered.get(each.registration_number or "") for each in given]
    households = await lock_households(session, set(filter(None, ids)))
    return [
        household if household is not None and lies_within(bound, household.area_code) else None
        for household in (households.get(id_) if id_ else None for id_ in ids)
    ]


async def _kept(
    session: AsyncSession,
    given: Sequence[tuple[UUID, ConsentIn]],
    *,
    caller: Caller,
    clock: Clock,
) -> Sequence[Consent]:
    """Those that are kept: not of who agrees to the same already."""
    return await repository.add_consents(
        session,
        [
            {
                "id": new_id(),
                "household_id": household_id,
                "recorded_by": caller.subject,
                "recorded_at": clock.now(),
                **each.model_dump(include=set(ConsentIn.model_fields)),
            }
            for household_id, each in given
        ],
    )


async def _tell(session: AsyncSession, households: Sequence[Household], *, clock: Clock) -> None:
    """Whoever follows a household is told of it anew, with its persons or without them."""
    changed = [
        HouseholdChanged(household_id=each.id, changes=[_CONSENT], areas=[each.area_code])
        for each in households
    ]
    await publish_all(session, changed, clock=clock)
