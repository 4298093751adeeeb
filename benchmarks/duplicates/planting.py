"""A registry with planted duplicates, and with traps that look like them. Pure, by a seed.

Each household lives in a village of a commune and has members with names in Latin letters or in
Khmer. Some households are registered a second time, with mistakes: that is the truth that a search
is held against. Of each kind of mistake it is told how many there are.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

_FAMILIES = (
    "Sok សុខ|Chan ចាន់|Chea ជា|Heng ហេង|Kim គឹម|Keo កែវ|Ly លី|Long ឡុង|Meas មាស|Mao ម៉ៅ|Nhem ញ៉ែម|"
    "Nuon នួន|Ouk អ៊ុក|Pen ប៉ែន|Phan ផាន់|Prak ប្រាក់|Ros រស់|Sam សំ|San សាន|Sao សៅ|Seng សេង|"
    "Sin ស៊ីន|Som សោម|Sun ស៊ុន|Tep ទេព|Tan តាន់|Thach ថាច់|Touch ទូច|Uch អ៊ុច|Va វ៉ា|Vong វង្ស|"
    "Yin យិន|Yem យ៉ែម|Chhim ឈឹម|Hun ហ៊ុន|In អ៊ិន|Khiev ខៀវ|Kong គង់|Lim លឹម|Mom មុំ|Neang នាង|"
    "Oum អ៊ុំ|Pich ពេជ្រ|Saing សាំង|Srey ស្រី"
)
_BEGINNINGS = (
    "So សុ|Bun ប៊ុន|Chan ចាន់|Srey ស្រី|Sam សំ|Vi វិ|Mony មុនី|Rath រ័ត្ន|Pi ពិ|Ra រ៉ា|Si ស៊ី|Ko កុ|"
    "Sok សុខ|Thi ធី|Phal ផល|Kun គន់|Da ដា|Ma ម៉ា|Na ណា|Le លេ|Bo បូ|Vann វណ្ណ|Kim គឹម|Rot រដ្ឋ|"
    "Somal សុម៉ាលី|Sovan សុវណ្ណ"
)
_ENDINGS = (
    "pheap ភាព|cheat ជាតិ|thea ធា|neang នាង|nang ណាង|sal សល|rith រិទ្ធ|ra រ៉ា|na ណា|ly លី|vy វី|"
    "thy ធី|leak លក្ខណ៍|mom មុំ|pov ពៅ|roth រដ្ឋ|da ដា|ny នី|phea ភា|kha ខា|line លីន|chenda ចិន្តា|"
    "thoeun ធឿន|rom រំ|hour ហួរ|heng ហេង|long ឡុង|seng សេង|phally ផល្លី|sak សក្តិ|mean មាន|chan ចាន់|"
    "tha ថា|bo បូ|khim ឃីម"
)


def _pairs(written: str) -> list[tuple[str, str]]:
    return [(pair.split(" ")[0], pair.split(" ")[1]) for pair in written.split("|")]


FAMILIES, BEGINNINGS, ENDINGS = map(_pairs, (_FAMILIES, _BEGINNINGS, _ENDINGS))
_VARIANTS = (
    ("ph", "p"), ("kh", "k"), ("th", "t"), ("ee", "i"), ("ea", "ia"), ("ou", "u"), ("y", "i"),
    ("ch", "chh"), ("nn", "n"), ("eo", "ev"), ("o", "au"), ("v", "w"),
)  # fmt: skip


class Called(NamedTuple):
    """A name in both scripts."""

    family: tuple[str, str]
    given: tuple[str, str]

    def latin(self) -> str:
        return f"{self.family[0]} {self.given[0]}"

    def khmer(self) -> str:
        return f"{self.family[1]} {self.given[1]}"


@dataclass(frozen=True)
class Somebody:
    """A member as registered; ``person`` is who it is in truth."""

    person: int
    household: int
    is_head: bool
    called: Called
    written: str
    born: date | None
    sex: str
    commune: str
    id_number: str | None
    phone: str | None
    second: bool = False


@dataclass(frozen=True)
class Planted:
    """Everybody, and what was planted."""

    rows: Sequence[Somebody]
    mistakes: Counter[str]
    traps: Counter[str]


def plant(households: int, communes: Sequence[str], *, seed: int, twice: float = 0.02) -> Planted:
    """``households`` of whom a share is registered ``twice``, and as many traps.

    So many a commune as in the country: 440.
    """
    draws = random.Random(seed)
    used = list(communes)
    draws.shuffle(used)
    used = sorted(used[: max(2, households // 440)])
    rows: list[Somebody] = []
    mistakes: Counter[str] = Counter()
    traps: Counter[str] = Counter()
    person = household = 0
    for _ in range(households):
        made = _household(draws, draws.choice(used), person, household)
        person += len(made)
        household += 1
        rows += made
        lot = draws.random()
        if lot < twice:
            again = _again(draws, made, household, used, mistakes)
            household += 1
            rows += again
        elif lot < 2 * twice:
            trap = _trap(draws, made, person, household, used, traps)
            person += len(trap)
            household += 1
            rows += trap
    return Planted(rows, mistakes, traps)


def _called(draws: random.Random, family: tuple[str, str] | None = None) -> Called:
    # As with names anywhere: a few are common, many are rare.
    def common(among: Sequence[tuple[str, str]]) -> tuple[str, str]:
        return among[int(len(among) * draws.random() ** 1.7)]

    begin, end = common(BEGINNINGS), common(ENDINGS)
    given = (begin[0] + end[0], begin[1] + end[1])
    return Called(family or common(FAMILIES), given)


def _born(draws: random.Random, least: int, most: int) -> date:
    born = date(2022, 12, 31) - timedelta(days=draws.randrange(least * 365, most * 365 + 1))
    # Who does not know the day says the first of January.
    return born.replace(month=1, day=1) if least >= 40 and draws.random() < 0.15 else born


def _household(draws: random.Random, commune: str, person: int, household: int) -> list[Somebody]:
    khmer = draws.random() < 0.5
    phone = f"0{draws.randrange(10**7, 10**8)}" if draws.random() < 0.7 else None
    father = _called(draws)
    made = []
    size = min(9, 1 + int(draws.expovariate(1 / 3.2)) + (draws.random() < 0.6))
    for at in range(size):
        if at == 0:
            called, born = father, _born(draws, 22, 80)
        elif at == 1:
            called, born = _called(draws), _born(draws, 20, 75)
        else:
            called, born = _called(draws, father.family), _born(draws, 0, 30)
        adult = (date(2022, 12, 31) - born).days > 15 * 365
        made.append(
            Somebody(
                person=person + at + 1,
                household=household,
                is_head=at == 0,
                called=called,
                written=called.khmer() if khmer else called.latin(),
                born=None if draws.random() < 0.01 else born,
                sex="female" if draws.random() < 0.51 else "male",
                commune=commune,
                id_number=f"{draws.randrange(10**8, 10**9)}"
                if adult and draws.random() < 0.6
                else None,
                phone=phone if at == 0 else None,
            )
        )
    if size >= 4 and draws.random() < 0.05:
        # Twins: one day, one family, another given name.
        made[3] = replace(made[3], born=made[2].born)
    return made


def _again(
    draws: random.Random,
    made: Sequence[Somebody],
    household: int,
    communes: Sequence[str],
    mistakes: Counter[str],
) -> list[Somebody]:
    """The same household once more, by another officer: each member with mistakes of their own."""
    moved = draws.random() < 0.25
    other_script = draws.random() < 0.4
    commune = draws.choice(communes) if moved else made[0].commune
    kept = [each for at, each in enumerate(made) if at == 0 or draws.random() < 0.85]
    return [
        _mistaken(draws, each, household, commune, other_script, moved, mistakes) for each in kept
    ]


def _mistaken(
    draws: random.Random,
    each: Somebody,
    household: int,
    commune: str,
    other_script: bool,
    moved: bool,
    mistakes: Counter[str],
) -> Somebody:
    is_khmer = each.written == each.called.khmer()
    as_khmer = is_khmer != other_script
    family, given = (
        (each.called.family[1], each.called.given[1])
        if as_khmer
        else (each.called.family[0], each.called.given[0])
    )
    told = []
    if other_script:
        told.append("the other script")
    if moved:
        told.append("moved")
    if draws.random() < 0.35:
        if as_khmer:
            given = typing_error(draws, given)
        else:
            given = (
                spelt_otherwise(draws, given)
                if draws.random() < 0.6
                else typing_error(draws, given)
            )
        told.append("spelling")
    swapped = draws.random() < 0.2
    if swapped:
        told.append("names swapped")
    born = each.born
    if born is not None and draws.random() < 0.2:
        born = _wrong(draws, born)
        told.append("date of birth")
    id_number = each.id_number
    if id_number is not None and draws.random() < 0.6:
        id_number = None
        told.append("ID number missing")
    phone = each.phone if draws.random() < 0.4 else None
    mistakes.update(told or ["none"])
    return replace(
        each,
        household=household,
        commune=commune,
        written=f"{given} {family}" if swapped else f"{family} {given}",
        born=born,
        id_number=id_number,
        phone=phone,
        second=True,
    )


def typing_error(draws: random.Random, word: str) -> str:
    """A word with a letter left out, exchanged with its neighbour, or too many."""
    at = draws.randrange(len(word))
    match draws.randrange(3):
        case 0 if len(word) > 3:
            return word[:at] + word[at + 1 :]
        case 1 if at + 1 < len(word):
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + draws.choice(word) + word[at:]


def spelt_otherwise(draws: random.Random, word: str) -> str:
    """A word as others write what sounds the same; with a typing error where nobody does."""
    small = word.lower()
    possible = [pair for pair in _VARIANTS if pair[0] in small]
    if not possible:
        return typing_error(draws, word)
    before, after = draws.choice(possible)
    return small.replace(before, after, 1).capitalize()


def _wrong(draws: random.Random, born: date) -> date:
    match draws.randrange(3):
        case 0:
            year = born.year + draws.choice((-2, -1, 1, 2, 10))
            day = 28 if (born.month, born.day) == (2, 29) else born.day
            return born.replace(year=min(year, 2022), day=day)
        case 1 if born.day <= 12:
            return born.replace(month=born.day, day=born.month)
        case _:
            return born.replace(day=draws.randrange(1, 29))


def _trap(
    draws: random.Random,
    made: Sequence[Somebody],
    person: int,
    household: int,
    communes: Sequence[str],
    traps: Counter[str],
) -> list[Somebody]:
    """Another household, with somebody who looks like one of this one and is not."""
    head = made[0]
    family = _household(draws, head.commune, person, household)
    match draws.randrange(4):
        case 0:
            traps["twin"] += 1
            twin = _called(draws, head.called.family)
            family[0] = replace(family[0], called=twin, born=head.born)
        case 1:
            traps["brother or sister"] += 1
            born = head.born and head.born + timedelta(days=draws.randrange(400, 2000))
            family[0] = replace(family[0], called=_called(draws, head.called.family), born=born)
        case 2:
            traps["neighbour of the same name"] += 1
            family[0] = replace(family[0], called=head.called)
        case _:
            traps["same name and year elsewhere"] += 1
            born = head.born and head.born.replace(
                month=draws.randrange(1, 13), day=draws.randrange(1, 29)
            )
            commune = draws.choice(communes)
            family = [replace(each, commune=commune) for each in family]
            family[0] = replace(family[0], called=head.called, born=born, sex=head.sex)
    own = family[0]
    # A brother may answer the same phone.
    phone = head.phone if draws.random() < 0.2 else own.phone
    family[0] = replace(own, written=own.called.latin(), phone=phone)
    return family
