"""Everybody, as a registry of any size is filled with them."""

from collections import Counter

from benchmarks.people import People
from services.registry.names.words import words_of


def test_people_are_the_same_each_time_and_few_names_are_common() -> None:
    people = People(5_000)
    named = people.named
    names = [named.name(person) for person in range(people.persons)]

    again = People(5_000).named
    assert names == [again.name(person) for person in range(people.persons)]
    families = Counter(named.families.tolist())
    assert families.most_common(1)[0][1] / people.persons > 0.05
    assert min(families.values()) <= 10
    assert all(words_of(name) for name in names[:500])
    in_khmer = sum(bool(share) for share in named.in_khmer) / people.persons
    assert 0.4 < in_khmer < 0.6


def test_each_household_has_its_own_numbers_and_its_head_is_its_first_member() -> None:
    people = People(3_000)
    owners, columns = people.columns(10, 13)

    assert len({people.registration_number(at) for at in range(3_000)}) == 3_000
    for household in (10, 11, 12):
        assert people.household_of(people.head(household)) == household
        first = owners.index(household)
        assert columns["name"][first] == people.named.name(people.head(household))
        assert columns["member_number"][first] == 1
    assert people.commune(2_999) in people.communes
