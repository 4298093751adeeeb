"""Carrying out the searches of a message: each by itself, each with its own answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import Person, PersonalData
from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household
from services.registry.members.shape import SEALED
from services.registry.members.tables import Member
from services.registry.sharing.repository import agreeing
from services.registry.sharing.statements import Sharing
from services.registry.spdci.messages import envelope
from services.registry.spdci.messages.codes import SearchFault, Status
from services.registry.spdci.messages.envelope import (
    Json,
    locale_of,
    moment,
    reference_of,
    transaction_of,
    written,
)
from services.registry.spdci.messages.exchange import Answered, Question
from services.registry.spdci.searches import records, repository
from services.registry.spdci.searches.criteria import (
    MAXIMUM_REACH,
    Criteria,
    Entity,
    Rejected,
    read_criteria,
)

REGISTRY_TYPE = "ns:org:RegistryType:Social"
_NOBODY: Mapping[str, int] = {field.name: 0 for field in COUNTED}
_RECORD_TYPE = {Entity.GROUP: "Group", Entity.MEMBER: "Member"}


def requests_of(message: Mapping[str, Any]) -> list[Any]:
    """The searches of a message, unread; raises Refused."""
    return envelope.requests_of(message, "search_request", "searches")


def references_of(message: Mapping[str, Any]) -> list[str]:
    """The references of a message's searches, as far as they have one; raises Refused."""
    return [reference for each in requests_of(message) if (reference := reference_of(each))]


async def answered(searches: "type[Searches]", question: Question) -> Answered:
    """The answer to a message that searches (schema ``SearchResponse``); raises Refused."""
    requests = requests_of(question.message)
    carried_out = searches.of(question)
    answers = await carried_out.answer(requests, now=question.now)
    rejected = all(answer["status"] == Status.REJECTED for answer in answers)
    return Answered(
        {
            "transaction_id": transaction_of(question.message),
            "correlation_id": str(question.correlation_id),
            "search_response": answers,
        },
        total=len(requests),
        status=Status.REJECTED if rejected else Status.SUCCEEDED,
        agreed=carried_out.agreed,
    )


class Searches:
    """Searches of one caller."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        personal_data: PersonalData,
        shows_persons: bool,
        sharing: Sharing,
        today: date,
    ) -> None:
        """``shows_persons`` of households alone that agree to ``sharing``; ``today`` is the day
        whose counts of members are told."""
        self.agreed: set[UUID] = set()
        """Households of which more was told than of any, as they agree to it."""
        self._sharing = sharing
        self._today = today
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = shows_persons

    @classmethod
    def of(cls, question: Question) -> Self:
        """The searches of whoever asks a question."""
        return cls(
            question.session,
            personal_data=question.personal_data,
            shows_persons=question.shows_persons,
            sharing=question.sharing,
            today=question.today,
        )

    async def answer(self, requests: Sequence[Any], *, now: datetime) -> list[Json]:
        """The answer to each search, in their order (schema ``SearchResponse``)."""
        ids = Counter(reference_of(request) for request in requests)
        return [await self._answer(request, ids, now=now) for request in requests]

    async def _answer(self, request: Any, ids: Counter[str | None], *, now: datetime) -> Json:
        reference = reference_of(request)
        answer: Json = {"reference_id": reference or "", "timestamp": written(now)}
        try:
            if reference is None:
                raise Rejected(
                    SearchFault.REFERENCE_ID, "reference_id is a text of 1 to 99 characters."
                )
            if ids[reference] > 1:
                raise Rejected(
                    SearchFault.REFERENCE_ID_TWICE,
                    "Two searches of the message have this reference_id.",
                )
            if moment(request.get("timestamp")) is None:
                raise Rejected(
                    SearchFault.TIMESTAMP, "timestamp is an ISO 8601 time with its zone."
                )
            criteria = self.read(request.get("search_criteria"))
            found, total = await self.search(criteria)
        except Rejected as fault:
            return answer | {
                "status": Status.REJECTED,
                "status_reason_code": fault.code,
                "status_reason_message": fault.message,
                "locale": locale_of(request.get("locale") if isinstance(request, dict) else None),
            }
        return answer | {
            "status": Status.SUCCEEDED,
            "data": self.data(criteria, found),
            "pagination": {
                "page_size": criteria.page_size,
                "page_number": criteria.page_number,
                "total_count": total,
            },
            "locale": locale_of(request.get("locale")),
        }

    def read(self, given: Any) -> Criteria:
        """The criteria of one search; raises Rejected."""
        return read_criteria(given, shows_persons=self._shows_persons)

    def data(self, criteria: Criteria, found: list[Json]) -> Json:
        """Records as an answer holds them."""
        return {
            "version": "1.0.0",
            "reg_type": REGISTRY_TYPE,
            "reg_record_type": _RECORD_TYPE[criteria.entity],
            "reg_records": found,
        }

    async def search(self, criteria: Criteria) -> tuple[list[Json], int]:
        """A page of records, and how many there are; raises Rejected."""
        if criteria.entity is Entity.MEMBER and not self._shows_persons:
            raise Rejected(
                SearchFault.CRITERIA,
                "Members are shown to tokens with households:read-personal alone. Ask for Group.",
            )
        of_members = criteria.entity is Entity.MEMBER
        asked = repository.members_that_fit if of_members else repository.that_fit
        fits = asked(criteria.by, self._personal_data, self._sharing)
        total = await repository.count(
            self._session,
            fits,
            entity=criteria.entity,
            most=MAXIMUM_REACH,
            today=self._today,
        )
        if total > MAXIMUM_REACH:
            raise Rejected(
                SearchFault.TOO_MANY_FOUND,
                f"More than {MAXIMUM_REACH:,} records fit. Ask by a smaller location, or by more "
                "conditions.",
            )
        read = repository.page_of_members if of_members else repository.page
        found: Sequence[Any] = await read(
            self._session,
            fits,
            today=self._today,
            sorts=criteria.sorts,
            offset=criteria.offset,
            limit=criteria.page_size,
        )
        if fits.tells_of_persons and not of_members:
            self.agreed.update(found)
        return await (self.members(found) if of_members else self.groups(found)), total

    async def groups(self, ids: Sequence[UUID]) -> list[Json]:
        """These households as Groups, in their order; those alone that there are, and with their
        persons those alone that agree."""
        households = await repository.households_of(self._session, ids)
        with_persons: set[UUID] = set()
        if self._shows_persons:
            with_persons = await agreeing(self._session, ids, self._sharing)
            self.agreed |= with_persons
            await self._personal_data.learn(self._session, with_persons)
        counts = await repository.counts_of(self._session, ids, today=self._today)
        places = await self._places(households)
        listed = [id for id in with_persons & households.keys() if households[id].members_listed]
        members = await repository.members_of(self._session, listed, today=self._today)
        shown = await self._shown(
            [each for of_one in members.values() for each in of_one], households
        )
        told = []
        for id in ids:
            household = households.get(id)
            if household is None:
                continue
            person = self._opened(household) if id in with_persons else None
            listed_here = [shown[each.id] for each in members.get(id, ())]
            told.append(
                records.group(
                    household,
                    counts=counts.get(id, _NOBODY),
                    person=person,
                    place=places.get(household.area_code),
                    members=listed_here if household.members_listed else None,
                )
            )
        return told

    async def members(self, found: Sequence[tuple[UUID, UUID | None]]) -> list[Json]:
        """These as Members: a household that agrees and its member, or none for its head."""
        self.agreed.update(household_id for household_id, _ in found)
        households = await repository.households_of(self._session, [each for each, _ in found])
        ids = [each for _, each in found if each is not None]
        members = await repository.members_by_id(self._session, ids)
        shown = await self._shown(list(members.values()), households)
        await self._personal_data.learn(self._session, households)
        return [
            records.member_of_head(
                households[household_id], person=self._opened(households[household_id])
            )
            if member_id is None
            else shown[member_id]
            for household_id, member_id in found
        ]

    async def _shown(
        self, members: Sequence[Member], households: Mapping[UUID, Household]
    ) -> dict[UUID, Json]:
        if not members:
            return {}
        await self._personal_data.learn(self._session, {each.household_id for each in members})
        programmes = await repository.programmes_of(
            self._session, [each.id for each in members], today=self._today
        )
        return {
            each.id: records.member(
                each,
                person=self._personal_data.open_sealed(
                    each.person_sealed, SEALED, bound_to=each.id, household_id=each.household_id
                ),
                household=households[each.household_id],
                programmes=programmes.get(each.id, []),
            )
            for each in members
        }

    async def _places(self, households: Mapping[UUID, Household]) -> Mapping[str, str]:
        codes = {household.area_code for household in households.values()}
        return await repository.names_of(self._session, codes)

    def _opened(self, household: Household) -> Person:
        return self._personal_data.open_person(household.person_sealed, household_id=household.id)
