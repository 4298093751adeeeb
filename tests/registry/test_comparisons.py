"""Two versions side by side: who comes in and falls out; and that no small cell can be told."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from services.registry.comparisons.suppression import grouped, protected
from services.registry.schemes.shipped import shipped_document
from tests.registry.flow import Flow, rows

_LEAST = 10
_OUTCOMES = ["same", "more", "comes-in", "falls-out"]
_counts = st.one_of(st.just(0), st.integers(1, 12), st.integers(0, 200))
_tables = st.lists(st.lists(_counts, min_size=4, max_size=4), min_size=1, max_size=6)


@settings(max_examples=150)
@given(_tables)
def test_no_hidden_cell_can_be_worked_out_from_what_is_shown(given_rows: list[list[int]]) -> None:
    """The reader solves for the hidden cells with every sum that is shown: none has one value."""
    table = {
        f"row-{place}": dict(zip(_OUTCOMES, cells, strict=True))
        for place, cells in enumerate(given_rows)
    }
    totals = {name: sum(cells[name] for cells in table.values()) for name in _OUTCOMES}
    if sum(totals.values()) < _LEAST:
        return
    outcomes = grouped(totals, least=_LEAST)
    shown = protected(table, outcomes, least=_LEAST)

    assert sorted(name for group in outcomes for name in group) == sorted(_OUTCOMES)
    assert sum(row.total for row in shown) == sum(totals.values())
    for group in outcomes:
        together = sum(totals[name] for name in group)
        assert together == 0 or together >= _LEAST
    for row in shown:
        assert row.total >= _LEAST
        for group, cell in zip(outcomes, row.cells, strict=True):
            truth = sum(table[key][name] for key in row.keys for name in group)
            assert cell is None or cell == truth
            assert cell is None or cell == 0 or cell >= _LEAST

    hidden = [
        (at, over)
        for at, row in enumerate(shown)
        for over, cell in enumerate(row.cells)
        if cell is None
    ]
    if not hidden:
        return
    sums, right = [], []
    for at, row in enumerate(shown):
        sums.append([float(cell[0] == at) for cell in hidden])
        right.append(row.total - sum(cell or 0 for cell in row.cells))
    for over, group in enumerate(outcomes):
        sums.append([float(cell[1] == over) for cell in hidden])
        known = sum(row.cells[over] or 0 for row in shown)
        right.append(sum(totals[name] for name in group) - known)
    for place in range(len(hidden)):
        aim = np.zeros(len(hidden))
        aim[place] = 1
        least, most = (
            linprog(sign * aim, A_eq=sums, b_eq=right, bounds=(0, None)).fun * sign
            for sign in (1, -1)
        )
        assert most - least > 1.5, (given_rows, hidden[place])


def test_a_single_small_row_takes_another_with_it() -> None:
    table = {"a": {"same": 40, "more": 3}, "b": {"same": 30, "more": 30}, "c": {"same": 2}}
    shown = protected(table, [("same",), ("more",)], least=10)
    # Of c alone nothing is told; and what is hidden in one row is hidden in the other.
    assert [(row.keys, row.total) for row in shown] == [(("a", "c"), 45), (("b",), 60)]
    assert [row.cells for row in shown] == [(None, None), (None, None)]


def _cell(found: dict[str, Any], *outcomes: str) -> int | None:
    (cell,) = (cell for cell in found["outcomes"] if set(cell["outcomes"]) == set(outcomes))
    return cell["households"]  # type: ignore[no-any-return]


async def test_versions_are_compared_by_area_and_feature_and_with_a_reference(flow: Flow) -> None:
    await flow.post_scheme()
    await flow.register(
        [
            *rows(30),
            *rows(15, begin=100, poverty_status="poor-2"),
            *rows(12, begin=200, poverty_status="at-risk"),
            *rows(20, commune="150101", elderly_60=1),
            *rows(25, commune="150101", begin=50, poverty_status="not-poor"),
        ]
    )
    document = shipped_document("flood-2022")
    benefit = [document["benefit"][0] | {"per_category": {"children_0_5": 16_000}}]
    other = document | {
        "eligibility": "poverty_status IN ('poor-1', 'at-risk')",
        "benefit": benefit,
    }
    asked = {
        "other": {"document": other},
        "by": "province",
        "reference": "poverty_status = 'poor-1'",
    }
    found = await flow.post("/schemes/flood-2022/compare", asked, status=200)
    assert found["households"] == 102
    assert {tuple(cell["outcomes"]): cell["households"] for cell in found["outcomes"]} == {
        ("same",): 30,
        ("more",): 0,
        ("less",): 20,
        ("comes-in",): 12,
        ("falls-out",): 15,
        ("neither",): 25,
    }
    assert (found["base"]["households"], found["other"]["households"]) == (65, 62)
    assert (found["base"]["leakage"], found["base"]["under_coverage"]) == (
        round(15 / 65, 4),
        0.0,
    )
    assert found["other"]["leakage"] == round(12 / 62, 4)
    tables = {table["by"]: table for table in found["tables"]}
    assert tables.keys() >= {"area", "poverty_status", "members", "elderly_60", "residence"}
    battambang, pursat = tables["area"]["rows"]
    assert (battambang["keys"], battambang["households"]) == (["02"], 57)
    assert battambang["words"] == [{"en": "Battambang", "km": "បាត់ដំបង"}]
    assert [cell["households"] for cell in pursat["cells"]] == [0, 0, 20, 0, 0, 25]
    poor = next(row for row in tables["poverty_status"]["rows"] if row["keys"] == ["poor-2"])
    assert [cell["households"] for cell in poor["cells"]] == [0, 0, 0, 0, 15, 0]

    # Three who come in are told of together with others only, and no sum gives them away.
    await flow.register(rows(12, begin=200, poverty_status="not-poor"))
    await flow.register(rows(3, begin=300, poverty_status="at-risk"))
    found = await flow.post("/schemes/flood-2022/compare", asked, status=200)
    assert _cell(found, "comes-in", "falls-out") == 18
    assert found["base"]["households"] is None
    assert found["other"]["one_round_minor"] is None

    few = asked | {"areas": ["12"]}
    refused = await flow.post("/schemes/flood-2022/compare", few, status=422)
    assert "Fewer than 10 households" in refused["detail"]
    await flow.post("/schemes/flood-2022/compare", asked | {"by": "commune"}, status=422)
    dollars = asked | {"other": {"document": other | {"currency": "USD"}}}
    await flow.post("/schemes/flood-2022/compare", dollars, status=422)
    await flow.post("/schemes/nowhere/compare", {"other": {"version": 1}}, status=404)
    async with flow.service.client("schemes:read") as ministry:
        answer = await ministry.post("/schemes/flood-2022/compare", json=asked)
        assert answer.status_code == 403
