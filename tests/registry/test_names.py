"""Names of persons compared: both scripts, any order, common spellings, no other person."""

from itertools import permutations, product
from string import ascii_lowercase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.accounts import holder
from services.registry.names.khmer import in_latin
from services.registry.names.likeness import Method, Verdict, compare, most_alike
from services.registry.names.sounds import sound_of
from services.registry.names.words import words_of

ALIKE, DOUBTFUL, UNLIKE = Verdict.ALIKE, Verdict.DOUBTFUL, Verdict.UNLIKE

PAIRS = [
    # The same, as people write it.
    ("Sok Dara", "Sok Dara", ALIKE),
    ("Sok Dara", "SOK  DARA", ALIKE),
    ("Sok Dara", "Dara Sok", ALIKE),
    ("Sok Dara", "Mr. Dara, Sok", ALIKE),
    ("Sok Dara", "Ｓｏｋ Ｄａｒａ", ALIKE),
    ("Nguyễn Văn Anh", "NGUYEN VAN ANH", ALIKE),
    # The two scripts, in either order, written apart or together.
    ("Sok Dara", "សុខ តារា", ALIKE),
    ("Dara Sok", "សុខ តារា", ALIKE),
    ("Sok Dara", "សុខតារា", ALIKE),
    ("Sok Dara", "លោក សុខ តារា", ALIKE),
    ("Sok Dara", "លោកសុខ តារា", ALIKE),
    ("Sok\u200bDara", "សុខ\u200bតារា", ALIKE),
    ("Keo Chanthy", "កែវ ចន្ធី", ALIKE),
    ("Chan Sreyneang", "ចាន់ ស្រីនាង", ALIKE),
    ("Ros Socheat", "រស់ សុជាតិ", ALIKE),
    ("Meas Vuthy", "មាស វុទ្ធី", ALIKE),
    ("Hun Ratanak", "ហ៊ុន រតនៈ", ALIKE),
    ("Pov Narith", "ពៅ ណារិទ្ធ", ALIKE),
    ("Long Sopheap", "ឡុង សុភាព", ALIKE),
    ("Som Bunthoeun", "សោម ប៊ុនធឿន", ALIKE),
    ("Prak Leakhena", "ប្រាក់ លក្ខិណា", ALIKE),
    ("Vong Sambath", "វង្ស សម្បត្តិ", ALIKE),
    # Spellings of one name.
    ("Keo Vibol", "Kev Wibol", ALIKE),
    ("Ouk Phalla", "Uk Phala", ALIKE),
    ("Pich Theary", "Pech Theary", ALIKE),
    ("Chhim Sokhom", "Chim Sokhom", ALIKE),
    ("Sovann Rithy", "Sovan Rithi", ALIKE),
    ("Chan Sreymom", "Chan Srey Mom", ALIKE),
    ("Sok Kosal", "Sok Kosol", ALIKE),
    # One letter is wrong.
    ("Heng Samnang", "Heng Samnng", ALIKE),
    ("Sok Dara", "Sok Dera", ALIKE),
    ("Prak Veasna", "Parak Veasna", ALIKE),
    # Perhaps the same: a person looks.
    ("Sok Dara", "Sok", DOUBTFUL),
    ("Sok Dara", "Dara", DOUBTFUL),
    ("Sok Dara", "S. Dara", DOUBTFUL),
    ("Sok Dara", "Sok Chan Dara", DOUBTFUL),
    ("Sok Dara", "Mr Dara", DOUBTFUL),
    ("Chea Sophea", "Chea Sopheap", DOUBTFUL),
    # Another person of the same family name, or of the same given name.
    ("Sok Dara", "Sok Dary", DOUBTFUL),
    ("Sok Chanthy", "Sok Chantha", DOUBTFUL),
    ("Sok Nary", "Sok Nara", DOUBTFUL),
    ("Chhay Veasna", "Chea Veasna", DOUBTFUL),
    ("Sok Dara", "Sok Chantha", UNLIKE),
    ("Sok Dara", "សុខ ចន្ថា", UNLIKE),
    ("Kim Bopha", "Kim Visal", UNLIKE),
    ("Sok Dara", "Ly Bopha", UNLIKE),
    ("សុខ តារា", "លី បុប្ផា", UNLIKE),
    # Nothing that can be compared.
    ("Sok Dara", "", Verdict.NO_NAME),
    ("", "", Verdict.NO_NAME),
    ("Sok Dara", "王 小明", Verdict.NO_NAME),
    ("Sok Dara", "-- ?? 123", Verdict.NO_NAME),
]

LETTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "Z", "S", "C"))
KHMER = st.text(st.characters(min_codepoint=0x1780, max_codepoint=0x17F9), max_size=40)
NAMES = st.one_of(
    st.text(LETTERS, max_size=60),
    KHMER,
    st.lists(st.text(ascii_lowercase, min_size=1, max_size=12), max_size=5).map(" ".join),
)
FULL_NAMES = [holder(str(number)) for number in range(400)]


@pytest.mark.parametrize(("name", "other", "verdict"), PAIRS)
def test_pairs_of_names_from_life(name: str, other: str, verdict: Verdict) -> None:
    found = compare(name, other)
    assert found.verdict is verdict, found


def test_every_holder_is_alike_in_both_scripts_and_nobody_else_is() -> None:
    people = {(name["lastName"], name["firstName"]): name["nativeName"] for name in FULL_NAMES}
    assert len(people) > 150
    for (family, given_name), native in people.items():
        assert compare(f"{given_name} {family}", native).verdict is ALIKE
    # Each against all others, of whom many have one of the two names.
    latin = [" ".join(person) for person in people][:60]
    in_khmer = list(people.values())[:60]
    alike = {
        (person, other)
        for person, other in product(range(60), range(60))
        if compare(latin[person], in_khmer[other]).verdict is ALIKE
    }
    assert alike == {(person, person) for person in range(60)}


@pytest.mark.parametrize(
    ("khmer", "latin"),
    [
        ("សុខ", "sokh"),
        ("ចាន់", "chan"),
        ("ជា", "chea"),
        ("ពេជ្រ", "pech"),
        ("ស្រី", "srei"),
        ("ញ៉ែម", "nhaem"),
        ("ប៉ុន", "pon"),
        ("ស៊ុន", "sun"),
        ("សំណាង", "samnang"),
        ("កុសល", "kosal"),
        ("ចន្ថា", "chantha"),
        ("លក្ខណ៍", "lok"),
        ("ឧត្តម", "uttam"),
    ],
)
def test_khmer_is_read_by_the_series_of_its_letters(khmer: str, latin: str) -> None:
    assert in_latin(khmer) == latin


@pytest.mark.parametrize(
    "spellings",
    [
        ("keo", "kev", "kaev"),
        ("sok", "sokh", "souk"),
        ("ly", "li", "lee"),
        ("ouk", "uk"),
        ("pich", "pech"),
        ("vuthy", "vuthi", "wuthy"),
        ("chhay", "chay"),
        ("tep", "teb"),
        ("bopha", "boppha"),
    ],
)
def test_spellings_of_one_name_sound_the_same(spellings: tuple[str, ...]) -> None:
    assert len({sound_of(spelling) for spelling in spellings}) == 1


def test_the_method_says_how_names_were_found_to_be_alike() -> None:
    assert compare("Sok Dara", "dara sok").method is Method.SAME
    assert compare("Sok Dara", "Sokh Dara").method is Method.WORDS
    assert compare("Sok Dara", "Sokdara").method is Method.JOINED
    assert compare("a b c d e f", "a b c d e g").method is Method.SORTED
    assert compare("Sok", "").method is Method.NOTHING


def test_the_best_of_several_spellings_counts() -> None:
    assert most_alike(["Unknown", "សុខ តារា"], "Sok Dara").verdict is ALIKE
    assert most_alike([], "Sok Dara").verdict is Verdict.NO_NAME


@given(NAMES, NAMES)
@settings(max_examples=300, deadline=None)
def test_whatever_is_compared_is_compared_and_the_sides_do_not_matter(
    name: str, other: str
) -> None:
    found = compare(name, other)
    assert 0 <= found.percent <= 100
    assert found == compare(other, name)


@given(NAMES)
@settings(max_examples=200, deadline=None)
def test_a_name_that_can_be_read_is_like_itself(name: str) -> None:
    expected = 100 if words_of(name) else 0
    assert compare(name, name).percent == expected


@given(st.lists(NAMES, max_size=4).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_a_name_that_is_read_part_by_part_has_the_words_of_the_whole(name: str) -> None:
    # With that sign, which says nothing, it is read as a whole.
    assert words_of(name[:190]) == words_of(f"{name[:190]}\N{NO-BREAK SPACE}")


@given(
    st.lists(st.text(ascii_lowercase, min_size=2, max_size=9), min_size=1, max_size=4),
    st.lists(st.text(ascii_lowercase, min_size=2, max_size=9), min_size=1, max_size=4),
)
@example(words=["aa", "aa", "ba", "abcba"], other=["aa", "bb", "bb", "bebc"])
@settings(max_examples=100, deadline=None)
def test_the_order_of_words_does_not_matter(words: list[str], other: list[str]) -> None:
    found = {compare(" ".join(order), " ".join(other)) for order in permutations(words)}
    assert len(found) == 1


@given(st.text(LETTERS, min_size=1, max_size=3), st.integers(10_000, 400_000))
@settings(max_examples=20, deadline=None)
def test_of_a_long_text_a_bounded_part_is_looked_at(part: str, times: int) -> None:
    long = (part + " ") * times
    words = words_of(long)
    assert len(words) <= 8
    assert all(len(word) <= 40 for word in words)
    assert compare(long, "Sok Dara" * times).percent <= 100
