"""Cutting communes into chunks."""

from hypothesis import given
from hypothesis import strategies as st

from services.registry.chunks.cutting import cut_into_chunks

_codes = st.from_regex(r"(0[1-5])[0-9]{4}", fullmatch=True)


@given(
    st.dictionaries(_codes, st.integers(0, 900), max_size=60),
    st.integers(1, 1_000),
    st.integers(1, 20),
)
def test_every_inhabited_commune_is_in_one_chunk_of_its_province(
    households: dict[str, int], maximum: int, wanted: int
) -> None:
    chunks = cut_into_chunks(households, maximum_households=maximum, chunks_wanted=wanted)
    codes = [code for chunk in chunks for code in chunk.area_codes]
    assert codes == sorted(code for code, count in households.items() if count)
    for chunk in chunks:
        assert {code[:2] for code in chunk.area_codes} == {chunk.province_code}
        assert chunk.households == sum(households[code] for code in chunk.area_codes)
        assert chunk.households <= maximum or len(chunk.area_codes) == 1


def test_a_small_run_is_cut_finer_than_the_maximum() -> None:
    households = {f"02{number:04d}": 100 for number in range(32)}
    chunks = cut_into_chunks(households, maximum_households=5_000, chunks_wanted=8)
    assert [chunk.households for chunk in chunks] == [400] * 8
