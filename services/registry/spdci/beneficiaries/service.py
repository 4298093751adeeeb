"""Searching who is enrolled in what, and whether one person is."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.registry.sharing.repository import agreeing
from services.registry.spdci.beneficiaries import records, repository
from services.registry.spdci.messages.codes import SearchFault, Status
from services.registry.spdci.messages.envelope import Json, transaction_of, written
from services.registry.spdci.messages.exchange import Answered, Question
from services.registry.spdci.searches import repository as searches
from services.registry.spdci.searches.attributes import OF_ONE_MEMBER, Asked, CriteriaRefused, day
from services.registry.spdci.searches.criteria import (
    MAXIMUM_REACH,
    ByNumber,
    Criteria,
    Entity,
    Query,
    Rejected,
    page_of,
    read_query,
    require_criteria,
    sorts_of,
)
from services.registry.spdci.searches.service import Searches

_EVENT_TYPES = (None, "enrollement", "enrollement_status_change")
_EQUAL = frozenset({"eq", "in"})
_ALL = frozenset({"eq", "gt", "ge", "lt", "le", "in"})
_LONGEST_CODE = 100


def _text(given: Any) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_CODE or "\x00" in given:
        raise CriteriaRefused(f"its value is a text of 1 to {_LONGEST_CODE} characters")
    return given


ATTRIBUTES: Mapping[str, Asked] = {
    "programme_identifier": Asked(repository.CODE, _text, _EQUAL, "code of scheme or programme"),
    "enrolment_status": Asked(repository.STATUS, _text, _EQUAL, "Active or Exited"),
    "enrolment_date": Asked(repository.SINCE, day, _ALL, "since when"),
}
"""What criteria may ask about besides what is known of households, and of members."""


class Beneficiaries(Searches):
    """Searches of one caller for who is enrolled in what."""

    def read(self, given: Any) -> Criteria:
        """The criteria of one search; raises Rejected."""
        given = require_criteria(given)
        if given.get("reg_event_type") not in _EVENT_TYPES:
            raise Rejected(
                SearchFault.CRITERIA,
                "reg_event_type is enrollement or enrollement_status_change, as the standard "
                "spells them.",
            )
        page_size, page_number = page_of(given.get("pagination"))
        return Criteria(
            by=self._query(given.get("query_type"), given.get("query")),
            entity=Entity.GROUP,
            sorts=sorts_of(given.get("sort"), repository.SORTS),
            page_size=page_size,
            page_number=page_number,
        )

    def data(self, criteria: Criteria, found: list[Json]) -> Json:
        return {"version": "1.0.0", "reg_records": found}

    async def search(self, criteria: Criteria) -> tuple[list[Json], int]:
        """A page of records, and how many there are; raises Rejected."""
        fits = self._that_fit(criteria.by)
        shown = self._records(fits, criteria.by, with_members=self._shows_persons)
        total = await repository.count(self._session, shown, most=MAXIMUM_REACH, today=self._today)
        if total > MAXIMUM_REACH:
            raise Rejected(
                SearchFault.TOO_MANY_FOUND,
                f"More than {MAXIMUM_REACH:,} records fit. Ask by a smaller location, or by more "
                "conditions.",
            )
        rows = await repository.page(
            self._session,
            shown,
            sorts=criteria.sorts,
            today=self._today,
            offset=criteria.offset,
            limit=criteria.page_size,
        )
        ids = [row.household_id for row in rows]
        households = await searches.households_of(self._session, ids)
        if fits.tells_of_persons:
            self.agreed.update(ids)
        amounts = await repository.amounts_of(
            self._session,
            [(row.household_id, row.activation_id) for row in rows if row.activation_id],
        )
        names = await repository.names_of(self._session, {row.code for row in rows})
        persons = await self._persons([(row.household_id, row.member_id) for row in rows])
        return [
            records.beneficiary(
                row,
                household=households[row.household_id],
                member=persons.get((row.household_id, row.member_id)),
                name=names.get(row.code, row.code),
                amounts=amounts.get((row.household_id, row.activation_id), ()),
            )
            for row in rows
        ], total

    async def _persons(
        self, found: Sequence[tuple[UUID, UUID | None]]
    ) -> Mapping[tuple[UUID, UUID | None], Json]:
        """Those of them as Members whose persons may be shown."""
        if not self._shows_persons:
            return {}
        agreed = await agreeing(self._session, [each for each, _ in found], self._sharing)
        shown = [each for each in dict.fromkeys(found) if each[0] in agreed]
        return dict(zip(shown, await self.members(shown), strict=True))

    async def is_enrolled(self, asked: Any) -> bool:
        """Whether a person is in a programme now, or in any; raises Rejected, also where nobody is
        known by the number of whom it may be told: that is no "no"."""
        number, code = _person_and_programme(asked)
        by = self._query("idtype-value", number)
        fits = self._that_fit(by)
        shown = self._records(fits, by, with_members=True)
        if await repository.is_active(self._session, shown, code, today=self._today):
            return True
        if not await searches.any_fits(self._session, fits, today=self._today):
            raise Rejected(
                SearchFault.FILTER,
                "Nobody is registered by such a number, or their household does not agree that "
                f"you are told ('{self._sharing.purpose}').",
            )
        return False

    def _query(self, query_type: Any, query: Any) -> Query:
        return read_query(
            query_type,
            query,
            entity=Entity.GROUP,
            shows_persons=self._shows_persons,
            beside={**ATTRIBUTES, **(OF_ONE_MEMBER if self._shows_persons else {})},
        )

    def _that_fit(self, by: Query) -> searches.Fits:
        return searches.that_fit(by, self._personal_data, self._sharing)

    def _records(self, fits: searches.Fits, by: Query, *, with_members: bool) -> repository.Shown:
        """Members of households that agree alone; by a number those whose it is."""
        if not with_members:
            return repository.Shown(fits, members=repository.NOBODY)
        members = self._sharing.agreed
        if isinstance(by, ByNumber):
            whose = searches.member_has(by.field, by.value, self._personal_data)
            if whose is not None:
                members = members & whose
        return repository.Shown(fits, members)


def _person_and_programme(asked: Any) -> tuple[Json, str | None]:
    """Whom, and in what, a message asks about: as the example of ``EnrolledRequest`` has it, or as
    a type and a value. Raises Rejected."""
    if not isinstance(asked, Mapping):
        raise Rejected(SearchFault.CRITERIA, "enrolled_criteria is an object.")
    query = asked.get("query")
    if not isinstance(query, Mapping) or len(query) > 20:
        raise Rejected(SearchFault.FILTER, "query is an object with person_identifier.")
    kind, value, code = query.get("type", "UIN"), query.get("value"), None
    for name, given in query.items():
        plain = given.get("eq") if isinstance(given, Mapping) else given
        if name == "person_identifier":
            value = plain
        elif name == "person_identifier_type":
            kind = plain
        elif name.startswith("programme_identifier"):
            if not isinstance(plain, str) or not 0 < len(plain) <= _LONGEST_CODE:
                raise Rejected(SearchFault.FILTER, "programme_identifier is the code of one.")
            code = plain
    return {"type": kind, "value": value}, code


async def enrolled(question: Question) -> Answered:
    """The answer to ``sync/enrolled`` (schema ``EnrolledResponse``); raises Refused."""
    transaction_id = transaction_of(question.message)
    # The request has no reference of its own, and the answer must have one.
    answer: Json = {"reference_id": transaction_id, "timestamp": written(question.now)}
    try:
        asked = question.message.get("enrolled_criteria")
        yes = await Beneficiaries.of(question).is_enrolled(asked)
        answer |= {"status": Status.SUCCEEDED, "enrolled_status": "yes" if yes else "no"}
    except Rejected as fault:
        answer |= {
            "status": Status.REJECTED,
            "status_reason_message": f"{fault.code}: {fault.message}",
            # The schema requires one; nobody is said to be enrolled.
            "enrolled_status": "no",
        }
    return Answered(
        {
            "transaction_id": transaction_id,
            "correlation_id": str(question.correlation_id),
            "enrolled_response": [answer],
        },
        total=1,
        status=answer["status"],
    )
