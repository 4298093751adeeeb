"""Members as rows: counted on the day that counts, and by rows as by counts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.registry.households.shape import COUNTED
from services.registry.members.storing import counts_on
from shared.clock import FileClock
from tests.registry.flow import Flow, rows
from tests.registry.people import NOW, Person, columns_of, counts, ids_of, store

BY_ROWS, BY_COUNTS = "020101", "020102"
NAMES = [counted.name for counted in COUNTED]


def households_on(day: date) -> list[list[Person]]:
    """Households whose members are about to count, just count, or do not count any more."""
    edges = [
        date(day.year - years, day.month, min(day.day, 28)) + timedelta(days=days)
        for years in (1, 6, 18, 60)
        for days in (-1, 0, 1)
    ]
    births = st.none() | st.sampled_from([*edges, date(1960, 2, 29), date(2020, 2, 29)])
    due = st.none() | st.sampled_from([day + timedelta(days=days) for days in (-1, 0, 1, 300, 301)])
    person = st.builds(Person, birth_date=births, pregnancy_due_on=due, disability=st.booleans())
    made: list[list[Person]] = []

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(person, min_size=1, max_size=9))
    def collect(household: list[Person]) -> None:
        made.append(household)

    collect()
    return made


_DAYS = st.sampled_from([date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2023, 3, 1)])


@given(
    on=_DAYS | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    years=st.sampled_from([0, 1, 5, 6, 17, 18, 59, 60]),
    days=st.integers(-2, 2),
    leaps=st.booleans(),
)
@example(on=date(2024, 2, 29), years=6, days=1, leaps=False)
def test_whoever_was_born_on_any_day_is_as_old_as_the_calendar_says(
    on: date, years: int, days: int, leaps: bool
) -> None:
    born = date(on.year - years, on.month, min(on.day, 28)) + timedelta(days=days)
    if leaps:
        born = date(born.year - born.year % 4, 2, 29)
    people = [Person(birth_date=min(born, on))]
    assert counts_on([0], columns_of(people), on=on) == {  # type: ignore[list-item]
        0: counts(people, on)
    }


async def enrolled(flow: Flow, activation_id: Any) -> list[dict[str, Any]]:
    """What every household of an activation was enrolled with, in the order of their ids."""
    found = await flow.owner.fetch(
        f"SELECT household_id, area_code, amount_minor, {', '.join(NAMES)} FROM registry.enrolment "
        "WHERE activation_id = $1 ORDER BY area_code, household_id",
        activation_id,
    )
    return [dict(row) for row in found]


async def register_both(flow: Flow, households: Sequence[Sequence[Person]], on: date) -> None:
    """The same households twice: by rows in one commune, by counts in the other."""
    given_rows = []
    for number, people in enumerate(households):
        given_rows += rows(1, commune=BY_ROWS, begin=number, members=1, children_0_5=0)
        given_rows += rows(1, commune=BY_COUNTS, begin=number, **counts(people, on))
    await flow.register(given_rows)
    by_number = {
        number: UUID(await flow.household_id(f"KH-{BY_ROWS}-{number:06d}"))
        for number in range(len(households))
    }
    await store(
        flow,
        {by_number[number]: people for number, people in enumerate(households)},
        today=on,
    )


async def test_a_household_gets_by_its_rows_what_it_gets_by_its_counts(working: Flow) -> None:
    day = FileClock(working.clock_file).today()
    households = households_on(day)
    await register_both(working, households, day)
    # What is kept beside the rows says the same.
    stored = await working.owner.fetch(
        f"SELECT {', '.join(NAMES)} FROM registry.household WHERE members_listed"
    )
    expected = sorted(tuple(counts(people, day)[name] for name in NAMES) for people in households)
    assert sorted(map(tuple, stored)) == expected
    people = [person for household in households for person in household]
    owners = [number for number, household in enumerate(households) for _ in household]
    assert counts_on(owners, columns_of(people), on=day) == {  # type: ignore[arg-type]
        number: counts(household, day) for number, household in enumerate(households)
    }
    estimated = await working.client.post(
        "/checks/activations", json={"areas": ["0201"], "scheme": "flood-2022"}
    )
    activation = await working.worked(await working.open(BY_ROWS, BY_COUNTS))
    found = await enrolled(working, activation["id"])
    listed, counted = (
        sorted(
            tuple(row[name] for name in ("amount_minor", *NAMES))
            for row in found
            if row["area_code"] == commune
        )
        for commune in (BY_ROWS, BY_COUNTS)
    )
    assert listed == counted
    assert sorted(row[1:] for row in listed) == expected
    total = sum(row["amount_minor"] for row in found)
    assert estimated.json()["households"] == 2 * len(households)
    assert estimated.json()["amount_minor"] == 3 * total


async def test_a_child_grows_out_of_a_category_by_itself(working: Flow) -> None:
    today = FileClock(working.clock_file).today()
    sixth_birthday = today + timedelta(days=40)
    child = Person(birth_date=sixth_birthday.replace(year=sixth_birthday.year - 6))
    mother = Person(pregnancy_due_on=today + timedelta(days=39))
    await working.register(rows(1, members=1, children_0_5=0))
    (household_id,) = await ids_of(working.owner, BY_ROWS)
    await store(working, {household_id: [mother, child]}, today=today)
    seen = {}
    for days in (0, 39, 40):
        activation_id = await working.open(BY_ROWS, opened_on=today + timedelta(days=days))
        await working.worked(activation_id)
        (found,) = await enrolled(working, activation_id)
        seen[days] = (found["children_0_5"], found["pregnant"], found["amount_minor"])
    assert seen == {0: (1, 1, 128_000), 39: (1, 1, 128_000), 40: (0, 0, 112_000)}


async def test_whoever_left_or_has_not_joined_yet_is_not_counted(working: Flow) -> None:
    today = FileClock(working.clock_file).today()
    await working.register(rows(3, members=3, children_0_5=0))
    first, second, third = await ids_of(working.owner, BY_ROWS)
    people = [Person(), Person(birth_date=today)]
    await store(working, {first: people, second: people, third: people}, today=today)
    await working.owner.execute(
        "UPDATE registry.member SET left_on = $2, left_because = 'died' "
        "WHERE household_id = $1 AND member_number = 1",
        first,
        today,
    )
    await working.owner.execute(
        "UPDATE registry.member SET joined_on = $2 WHERE household_id = $1 AND member_number = 2",
        second,
        today + timedelta(days=1),
    )
    # Nobody is left of the third.
    await working.owner.execute(
        "UPDATE registry.member SET left_on = $2, left_because = 'moved' WHERE household_id = $1",
        third,
        today,
    )
    activation_id = await working.open(BY_ROWS, opened_on=today)
    await working.worked(activation_id)
    assert [
        (row["household_id"], row["members"], row["children_0_5"])
        for row in await enrolled(working, activation_id)
    ] == sorted([(first, 1, 1), (second, 1, 0)])
    shown = await working.get(f"/households/{third}")
    assert (shown["members"], shown["children_0_5"], shown["listed"]) == (0, 0, [])
    # Whoever has left stays as they are, whatever a file says of them.
    changed = [Person(name="Another"), Person(birth_date=today)]
    assert await store(working, {first: changed}) == (0, 0, 1, 1)


async def test_the_same_members_again_change_nothing(flow: Flow) -> None:
    await flow.register(rows(2, members=2, children_0_5=0))
    first, second = await ids_of(flow.owner, BY_ROWS)
    people = [
        Person(
            programmes=("covid-cash", "scholarship"), id_number="010203045", phone="+85512000001"
        ),
        Person(reference="IDP-1"),
    ]

    async def everything() -> list[tuple[Any, ...]]:
        return [
            tuple(row)
            for table in ("household", "member", "programme_membership")
            for row in await flow.owner.fetch(
                f"SELECT xmin::text, stored::text FROM registry.{table} AS stored ORDER BY 2"
            )
        ]

    assert await store(flow, {first: people, second: people[:1]}) == (3, 0, 0, 0)
    before = await everything()
    assert await store(flow, {first: people, second: people[:1]}) == (0, 0, 3, 0)
    assert await everything() == before

    # One is in another programme now, and in the first again later.
    async def programmes() -> list[tuple[Any, ...]]:
        found = await flow.owner.fetch(
            "SELECT programme_code, number, since, until FROM registry.programme_membership "
            "JOIN registry.member ON id = member_id WHERE household_id = $1 ORDER BY 1, 2",
            first,
        )
        return [tuple(row) for row in found]

    another = Person(programmes=("school-meals", "scholarship"))
    later, again = NOW.date() + timedelta(days=30), NOW.date() + timedelta(days=60)
    assert await store(flow, {first: [another]}, today=later) == (0, 1, 0, 0)
    assert await programmes() == [
        ("covid-cash", 1, None, later),
        ("scholarship", 1, None, None),
        ("school-meals", 1, later, None),
    ]
    assert await store(flow, {first: people[:1]}, today=again) == (0, 1, 0, 0)
    assert await programmes() == [
        ("covid-cash", 1, None, later),
        ("covid-cash", 2, again, None),
        ("scholarship", 1, None, None),
        ("school-meals", 1, later, again),
    ]
