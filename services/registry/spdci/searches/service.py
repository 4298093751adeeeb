"""Carrying out the searches of a message: each by itself, each with its own answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household
from services.registry.members.statements import value_of
from services.registry.spdci.messages.codes import ErrorCode, SearchFault, Status
from services.registry.spdci.messages.envelope import (
    MAXIMUM_REQUESTS,
    Json,
    Refused,
    is_id,
    locale_of,
    moment,
    written,
)
from services.registry.spdci.searches import records, repository
from services.registry.spdci.searches.criteria import (
    MAXIMUM_REACH,
    Criteria,
    Entity,
    Rejected,
    read_criteria,
)

REGISTRY_TYPE = "ns:org:RegistryType:Social"
_RECORD_TYPE = {Entity.GROUP: "Group", Entity.MEMBER: "Member"}


def requests_of(message: Mapping[str, Any]) -> list[Any]:
    """The searches of a message, unread; raises Refused."""
    requests = message.get("search_request")
    if not isinstance(requests, list) or not 1 <= len(requests) <= MAXIMUM_REQUESTS:
        raise Refused(
            400,
            ErrorCode.BAD,
            f"search_request is a list of 1 to {MAXIMUM_REQUESTS} searches.",
        )
    return requests


class Searches:
    """Searches of one caller."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        personal_data: PersonalData,
        shows_persons: bool,
        today: date,
    ) -> None:
        """``today`` is the day whose counts of members are told."""
        self._today = today
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = shows_persons

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
            criteria = read_criteria(
                request.get("search_criteria"), shows_persons=self._shows_persons
            )
            found, total = await self._search(criteria)
        except Rejected as fault:
            return answer | {
                "status": Status.REJECTED,
                "status_reason_code": fault.code,
                "status_reason_message": fault.message,
                "locale": locale_of(request.get("locale") if isinstance(request, dict) else None),
            }
        return answer | {
            "status": Status.SUCCEEDED,
            "data": {
                "version": "1.0.0",
                "reg_type": REGISTRY_TYPE,
                "reg_record_type": _RECORD_TYPE[criteria.entity],
                "reg_records": found,
            },
            "pagination": {
                "page_size": criteria.page_size,
                "page_number": criteria.page_number,
                "total_count": total,
            },
            "locale": locale_of(request.get("locale")),
        }

    async def _search(self, criteria: Criteria) -> tuple[list[Json], int]:
        if criteria.entity is Entity.MEMBER and not self._shows_persons:
            raise Rejected(
                SearchFault.CRITERIA,
                "Members are shown to tokens with households:read-personal alone. Ask for Group.",
            )
        condition = repository.condition_of(criteria, self._personal_data)
        total = await repository.count(
            self._session, condition, most=MAXIMUM_REACH, today=self._today
        )
        if total > MAXIMUM_REACH:
            raise Rejected(
                SearchFault.TOO_MANY_FOUND,
                f"More than {MAXIMUM_REACH:,} records fit. Ask by a smaller location, or by more "
                "conditions.",
            )
        rows = await repository.page(
            self._session,
            condition,
            *(value_of(field).label(f"counted_{field.name}") for field in COUNTED),
            today=self._today,
            sorts=criteria.sorts,
            offset=criteria.offset,
            limit=criteria.page_size,
        )
        places = await repository.names_of(self._session, {row[0].area_code for row in rows})
        return [self._record(criteria.entity, row, places) for row in rows], total

    def _record(self, entity: Entity, row: Sequence[Any], places: Mapping[str, str]) -> Json:
        household: Household = row[0]
        counts = dict(zip((field.name for field in COUNTED), row[1:], strict=True))
        person = None
        if self._shows_persons:
            person = self._personal_data.open_person(
                household.person_sealed, household_id=household.id
            )
        if entity is Entity.MEMBER:
            assert person is not None  # else it was rejected
            return records.member_of_head(household, person=person)
        return records.group(
            household, counts=counts, person=person, place=places.get(household.area_code)
        )


def reference_of(request: Any) -> str | None:
    """The reference of a search, if it has one."""
    reference = request.get("reference_id") if isinstance(request, dict) else None
    return reference if is_id(reference) else None
