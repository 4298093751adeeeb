"""Fields of a household: read a column at a time, and compared with what was said before."""

from hypothesis import example, given
from hypothesis import strategies as st

from services.registry.households.fields import UNREADABLE, Code, ReadColumn
from services.registry.households.persons import Indexes
from services.registry.households.shape import SHAPE
from services.registry.members.shape import MEMBER_SHAPE
from shared.personal_data import BlindIndex

CODES = sorted(
    {known.kind for known in (*SHAPE, *MEMBER_SHAPE) if isinstance(known.kind, Code)},
    key=lambda kind: kind.looks_like,
)
TEXTS = st.text(st.sampled_from("aBz09-/(+ \n\r\u0661"), max_size=12)


@given(
    kind=st.sampled_from(CODES),
    optional=st.booleans(),
    cells=st.lists(st.one_of(TEXTS, st.sampled_from(["abc12", "ABC12", ""])), max_size=6),
)
@example(kind=CODES[0], optional=False, cells=["ABC12\nABC12"])
@example(kind=CODES[0], optional=True, cells=["ABC12", "", "abc12"])
@example(kind=CODES[0], optional=False, cells=["ABC12", ""])
def test_a_column_of_codes_is_read_as_its_cells_are(
    kind: Code, optional: bool, cells: list[str]
) -> None:
    read = kind.read(cells, optional=optional, communes={})
    alone = [kind.read([cell], optional=optional, communes={}) for cell in cells]
    assert read == ReadColumn(
        [value for each in alone for value in each.values], all(each.readable for each in alone)
    )
    for cell, each in zip(cells, alone, strict=True):
        (value,) = each.values
        assert (value is UNREADABLE) == (not each.readable)
        if cell == "":
            assert value is (None if optional else UNREADABLE)
        elif each.readable:
            assert value == (cell.upper() if kind.capital else cell)
            assert "\n" not in cell


def test_what_is_said_of_a_household_is_found_again_after_an_upgrade() -> None:
    indexes = Indexes(BlindIndex(b"i" * 32))
    said = ("F1-1", "010201", 7, True, "100 %s", None, "village")
    assert indexes.content_index(said).hex() == "b1abc1be731818848d1caf563d51a1c6"
    # A household whose village nobody knows is as before there were villages.
    assert indexes.content_index((*said[:5], None)) == indexes.content_index_of(
        "\x1f".join(map(str, said[:5]))
    )
