"""Reading the criteria of a search: what is asked for, in what order, and which page of it.

A search has a query of one of three types (schema ``SearchRequest``): a number by which a household
or a person is known (``idtype-value``), an ``expression`` of ``$and``, ``$or`` and comparisons, or
a list of predicates, which the standard joins by ``condition``.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_
from sqlalchemy.sql import operators

from services.registry.households.fields import Code, Field
from services.registry.households.shape import ID_NUMBER, PHONE, REGISTRATION_NUMBER
from services.registry.spdci.messages.codes import SearchFault
from services.registry.spdci.searches.attributes import (
    ATTRIBUTES,
    LOCATION,
    OF_MEMBERS,
    SENSITIVE,
    SORTS,
    SORTS_OF_MEMBERS,
    Asked,
    CriteriaRefused,
    lies_in,
)

MAXIMUM_PAGE_SIZE = 1_000
MAXIMUM_REACH = 100_000
"""Records up to which pages are counted; who wants more asks by place, or exports."""
MAXIMUM_DEPTH = 8
MAXIMUM_CONDITIONS = 100
MAXIMUM_CHOICES = 200
_MAXIMUM_SORTS = 5


class Entity(StrEnum):
    """What records are of."""

    GROUP = "Group"
    MEMBER = "Member"


class Rejected(Exception):
    """A search that is not done, with the standard's code and words."""

    def __init__(self, code: SearchFault, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ById:
    """A household's own id."""

    household_id: UUID


@dataclass(frozen=True, slots=True)
class ByNumber:
    """A number that a household or its head is known by, as it is kept."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class ByCondition:
    """A condition, and the attributes that it asks about."""

    condition: ColumnElement[bool]
    asks_about: frozenset[str]


Query = ById | ByNumber | ByCondition


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is searched for."""

    by: "Query"
    entity: Entity
    sorts: tuple[tuple[str, bool], ...]
    """Attributes, each with whether it falls."""
    page_size: int
    page_number: int

    @property
    def offset(self) -> int:
        return (self.page_number - 1) * self.page_size


_GROUP_ID = frozenset({"GROUP_ID", "HOUSEHOLD_ID"})
_NUMBERS: Mapping[str, Field] = {
    "UIN": ID_NUMBER,
    "NID": ID_NUMBER,
    "NATIONALID": ID_NUMBER,
    "MOBILE": PHONE,
    "PHONE": PHONE,
    "IDPOOR": REGISTRATION_NUMBER,
    "REGISTRATION_NUMBER": REGISTRATION_NUMBER,
}
IDENTIFIER_TYPES = (*_NUMBERS, *sorted(_GROUP_ID))
"""Types of numbers that are understood, whatever namespace stands before them."""


def read_criteria(given: Any, *, shows_persons: bool) -> Criteria:
    """The criteria of one search; raises Rejected.

    Who may not see persons asks nothing of their health either: it would be told by who is found.
    """
    given = require_criteria(given)
    page_size, page_number = page_of(given.get("pagination"))
    entity = _entity(given)
    return Criteria(
        by=read_query(
            given.get("query_type"),
            given.get("query"),
            entity=entity,
            shows_persons=shows_persons,
        ),
        entity=entity,
        sorts=sorts_of(given.get("sort"), SORTS if entity is Entity.GROUP else SORTS_OF_MEMBERS),
        page_size=page_size,
        page_number=page_number,
    )


def read_query(
    query_type: Any,
    query: Any,
    *,
    entity: Entity,
    shows_persons: bool,
    beside: Mapping[str, Asked] | None = None,
) -> Query:
    """What one query asks for; raises Rejected. ``beside`` are attributes of its own."""
    return _query(query_type, query, _Reading(entity, shows_persons, beside or {}))


def _entity(given: Mapping[str, Any]) -> Entity:
    entity = given.get("response_entity", Entity.GROUP)
    try:
        return Entity(entity)
    except ValueError:
        raise Rejected(SearchFault.CRITERIA, "response_entity is Group or Member.") from None


def require_criteria(given: Any) -> Mapping[str, Any]:
    """What every search has of the criteria's own fields; raises Rejected.

    ``consent`` and ``authorize`` are taken, and nothing rests on them: whoever asks says them of
    itself. What counts is what households told the registry.
    """
    if not isinstance(given, Mapping):
        raise Rejected(SearchFault.CRITERIA, "search_criteria is an object.")
    if given.get("version", "1.0.0") != "1.0.0":
        raise Rejected(SearchFault.CRITERIA, "The version of search_criteria is 1.0.0.")
    for name in ("consent", "authorize"):
        if not isinstance(given.get(name, {}), Mapping):
            raise Rejected(SearchFault.CRITERIA, f"{name} is an object.")
    return given


def page_of(given: Any) -> tuple[int, int]:
    """How many records a page has, and which it is, from 1; raises Rejected."""
    if given is None:
        return MAXIMUM_PAGE_SIZE, 1
    if not isinstance(given, Mapping):
        raise Rejected(SearchFault.PAGINATION, "pagination is an object.")
    size, number = _whole(given.get("page_size")), _whole(given.get("page_number", 1))
    if size is None or not 1 <= size <= MAXIMUM_PAGE_SIZE:
        raise Rejected(SearchFault.PAGINATION, f"page_size is from 1 to {MAXIMUM_PAGE_SIZE}.")
    if number is None or number < 1:
        raise Rejected(SearchFault.PAGINATION, "page_number counts from 1.")
    if number * size > MAXIMUM_REACH:
        raise Rejected(
            SearchFault.PAGINATION,
            f"Pages reach as far as {MAXIMUM_REACH:,} records. Ask by a smaller place.",
        )
    return size, number


def _whole(given: Any) -> int | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return int(given) if isfinite(given) and given == int(given) else None


def sorts_of(given: Any, known: Collection[str]) -> tuple[tuple[str, bool], ...]:
    """By which of the known attributes records are sorted, each with whether it falls; raises
    Rejected."""
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > _MAXIMUM_SORTS:
        raise Rejected(SearchFault.SORT, f"sort is a list of {_MAXIMUM_SORTS} at most.")
    sorts = []
    for each in given:
        name = each.get("attribute_name") if isinstance(each, Mapping) else None
        order = each.get("sort_order", "asc") if isinstance(each, Mapping) else None
        if not isinstance(name, str) or name not in known:
            raise Rejected(SearchFault.SORT, f"Sort by one of {', '.join(sorted(known))}.")
        if order not in ("asc", "desc"):
            raise Rejected(SearchFault.SORT, "sort_order is asc or desc.")
        sorts.append((name, order == "desc"))
    return tuple(sorts)


class _Reading:
    """How much more of a query is read, and what it may ask about."""

    def __init__(self, entity: Entity, shows_persons: bool, beside: Mapping[str, Asked]) -> None:
        self._left = MAXIMUM_CONDITIONS
        self.asks_about: set[str] = set()
        known = OF_MEMBERS if entity is Entity.MEMBER else ATTRIBUTES
        # Of what is no household, counts of members are asked by themselves.
        self.by_itself = entity is Entity.MEMBER or bool(beside)
        self._attributes = {
            name: asked
            for name, asked in {**known, **beside}.items()
            if shows_persons or name not in SENSITIVE
        }

    def attribute(self, name: str) -> Asked:
        """What is asked about; raises CriteriaRefused."""
        self.asks_about.add(name)
        try:
            return self._attributes[name]
        except KeyError:
            known = ", ".join(sorted([*self._attributes, LOCATION]))
            raise CriteriaRefused(
                f"there is no such attribute here; ask about one of {known}"
            ) from None

    def take(self) -> None:
        """One more condition; raises CriteriaRefused where that is too many."""
        self._left -= 1
        if self._left < 0:
            raise CriteriaRefused(f"a query has at most {MAXIMUM_CONDITIONS} conditions")


def _query(query_type: Any, query: Any, reading: _Reading) -> Query:
    try:
        match query_type:
            case "idtype-value":
                return _by_number(query)
            case "expression":
                condition = _expression(query, reading)
                return ByCondition(condition, frozenset(reading.asks_about))
            case "predicate":
                condition = _predicates(query, reading)
                return ByCondition(condition, frozenset(reading.asks_about))
    except CriteriaRefused as error:
        raise Rejected(SearchFault.FILTER, f"{error}."[0].upper() + f"{error}."[1:]) from None
    raise Rejected(SearchFault.CRITERIA, "query_type is idtype-value, expression or predicate.")


def _by_number(query: Any) -> ById | ByNumber:
    if not isinstance(query, Mapping):
        raise CriteriaRefused("query is an object with type and value")
    kind, value = query.get("type"), query.get("value")
    if isinstance(value, Mapping):
        # The example of the text wraps it so; the schema leaves it open.
        value = value.get("value")
    if not isinstance(kind, str) or not isinstance(value, str | int) or isinstance(value, bool):
        raise CriteriaRefused("query has a type and a value, each a text")
    plain = kind.rpartition(":")[2].upper()
    if plain in _GROUP_ID:
        try:
            return ById(UUID(str(value)))
        except ValueError:
            raise CriteriaRefused("the id of a household is a UUID") from None
    field = _NUMBERS.get(plain)
    if field is None:
        raise CriteriaRefused(f"the type is one of {', '.join(IDENTIFIER_TYPES)}")
    text = str(value)
    longest = field.kind.maximum_characters or 40
    fits = len(text) <= longest and (
        not isinstance(field.kind, Code) or re.fullmatch(field.kind.pattern, text) is not None
    )
    normalised = field.kind.normalised(text) if fits else None
    if normalised is None:
        raise CriteriaRefused(f"such a value is {field.write}")
    return ByNumber(field, normalised)


def _expression(query: Any, reading: _Reading) -> ColumnElement[bool]:
    """``{"type": …, "value": {"expression": {"collection": …, "query": {…}}}}``, or its core."""
    inner = query
    for name in ("value", "expression", "query"):
        if isinstance(inner, Mapping) and name in inner:
            inner = inner[name]
    if not isinstance(inner, Mapping) or not inner:
        raise CriteriaRefused(
            "an expression is an object of conditions, such as "
            '{"$and": [{"poverty_status": {"$eq": "poor-1"}}, {"group_size": {"$ge": 5}}]}'
        )
    return _conditions(inner, reading, depth=0)


_JOINS: Mapping[str, Callable[..., ColumnElement[bool]]] = {"$and": and_, "$or": or_}


def _conditions(given: Any, reading: _Reading, *, depth: int) -> ColumnElement[bool]:
    if not isinstance(given, Mapping) or not given:
        raise CriteriaRefused("a condition is an object with a name in it")
    if depth > MAXIMUM_DEPTH:
        raise CriteriaRefused(f"conditions nest at most {MAXIMUM_DEPTH} deep")
    found = []
    for name, value in given.items():
        if name in _JOINS:
            if not isinstance(value, list) or not value:
                raise CriteriaRefused(f"{name} joins a list of conditions")
            found.append(
                _JOINS[name](*(_conditions(each, reading, depth=depth + 1) for each in value))
            )
        elif name == "$not":
            found.append(not_(_conditions(value, reading, depth=depth + 1)))
        elif isinstance(value, Mapping):
            if not value:
                raise CriteriaRefused("a comparison has an operator, such as $eq")
            found += [
                _comparison(name, operator.removeprefix("$"), other, reading)
                for operator, other in value.items()
            ]
        else:
            found.append(_comparison(name, "eq", value, reading))
    return and_(*found)


def _predicates(query: Any, reading: _Reading) -> ColumnElement[bool]:
    """A list of predicates, by ``seq_num``; all of them have to hold."""
    if not isinstance(query, list) or not query:
        raise CriteriaRefused("a predicate query is a list, each with expression1")
    numbered = []
    for place, each in enumerate(query):
        if not isinstance(each, Mapping):
            raise CriteriaRefused("a predicate is an object with expression1")
        number = each.get("seq_num", place)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise CriteriaRefused("seq_num is a number")
        numbered.append((number, place, _predicate(each, reading)))
    return and_(*(condition for _, _, condition in sorted(numbered, key=lambda each: each[:2])))


def _predicate(given: Mapping[str, Any], reading: _Reading) -> ColumnElement[bool]:
    first = _expression_part(given.get("expression1"), "expression1", reading)
    if "expression2" not in given:
        if "condition" in given:
            raise CriteriaRefused("a condition joins expression1 with expression2")
        return first
    second = _expression_part(given["expression2"], "expression2", reading)
    match given.get("condition"):
        case "and":
            return and_(first, second)
        case "or":
            return or_(first, second)
        case "not":
            return and_(first, not_(second))
    raise CriteriaRefused("the condition between two expressions is and, or, not")


def _expression_part(given: Any, name: str, reading: _Reading) -> ColumnElement[bool]:
    if not isinstance(given, Mapping):
        raise CriteriaRefused(f"{name} has attribute_name, operator and attribute_value")
    attribute, operator = given.get("attribute_name"), given.get("operator")
    if not isinstance(attribute, str) or not isinstance(operator, str):
        raise CriteriaRefused(f"{name} has attribute_name, operator and attribute_value")
    return _comparison(attribute, operator, given.get("attribute_value"), reading)


_COMPARED: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": operators.eq,
    "gt": operators.gt,
    "ge": operators.ge,
    "lt": operators.lt,
    "le": operators.le,
}


def _comparison(name: str, operator: str, value: Any, reading: _Reading) -> ColumnElement[bool]:
    reading.take()
    if name == LOCATION:
        values = value if operator == "in" and isinstance(value, list) else [value]
        if operator not in ("eq", "in") or not 1 <= len(values) <= MAXIMUM_CHOICES:
            raise CriteriaRefused("location is compared by eq, and by in with a list of places")
        return or_(*(_told(name, lies_in, each) for each in values))
    asked = reading.attribute(name)
    if operator not in asked.operators:
        known = ", ".join(sorted(asked.operators))
        raise CriteriaRefused(f"{name} is compared by one of {known}")
    if operator == "in" and (not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_CHOICES):
        raise CriteriaRefused(f"in takes a list of 1 to {MAXIMUM_CHOICES} values")
    values = [_told(name, asked.read, each) for each in (value if operator == "in" else [value])]
    if asked.holds is not None:
        return asked.holds(values)
    compared: ColumnElement[bool] = (
        asked.column.in_(values)
        if operator == "in"
        else _COMPARED[operator](asked.column, values[0])
    )
    return asked.of_each_member(compared) if reading.by_itself else compared


def _told(name: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except CriteriaRefused as error:
        raise CriteriaRefused(f"{name}: {error}") from None
