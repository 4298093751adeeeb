"""Who is like whom, by Fellegi and Sunter's model: ``splink`` on DuckDB, over keyed features.

Loaded by the command and by the benchmark alone: no service carries it. The model is a file beside
this (``model.json``): what it says and how it was got is in docs/decisions/duplicates.md.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator
from splink import comparison_level_library as levels
from splink.blocking_rule_library import CustomRule
from splink.comparison_library import CustomComparison

from services.registry.linkage import statements
from services.registry.linkage.features import Features

MODEL = Path(__file__).with_name("model.json")
TWICE_IN = 50
"""One person in so many is expected to be registered twice; the prior of a pair follows from it."""
LEAST_PERSONS = 100_000
"""The prior is that of so many persons at least: among a few, whoever has a birthday and a family
name in common, as twins do, would be the same. So are the frequencies of names."""
MEMORY = "1500MB"
"""What DuckDB keeps in memory, however many are compared; the rest it writes to its directory."""
_BLOCK = 50_000
_SEED = 1
_PAIRS_DRAWN = 2_000_000
_NEVER_DRAWN = 1e-7
"""How often two persons agree in what no pair that was drawn agreed in."""

_NUMBER, _NUMBERS = pa.int64(), pa.list_(pa.int64())
_SCHEMA = pa.schema(
    [
        ("unique_id", pa.int64()),
        ("household", pa.int64()),
        ("fresh", pa.bool_()),
        ("is_head", pa.bool_()),
        ("person", pa.int64()),
        *(
            (name, _NUMBERS if name in ("codes", "grams", "years") else _NUMBER)
            for name in Features._fields
        ),
        ("others", _NUMBERS),
    ]
)

_DICE = statements.dice("grams_l", "grams_r")
_OTHERS = "len(list_intersect(others_l, others_r))"
_DIFFERENT = "l.household <> r.household AND (l.fresh OR r.fresh)"

_BLOCKS = (
    "l.names = r.names AND l.year = r.year",
    "l.names = r.names AND l.day = r.day",
    "l.names = r.names AND l.commune = r.commune",
    "l.born = r.born AND l.word_low = r.word_low",
    "l.born = r.born AND l.word_high = r.word_high",
    "l.born = r.born AND l.district = r.district",
    "l.day = r.day AND l.commune = r.commune",
    "l.word_low = r.word_low AND l.commune = r.commune AND l.year = r.year",
    "l.word_high = r.word_high AND l.commune = r.commune AND l.year = r.year",
    "l.id_number = r.id_number",
    "l.phone = r.phone",
)
"""Who is compared at all: names in any order and script, with a typing error in one word or in the
date, in the same commune or after moving."""


class Row(NamedTuple):
    """A person to be compared; ``unique_id`` and ``household`` count from 0."""

    unique_id: int
    household: int
    fresh: bool
    is_head: bool
    person: int
    """Who it is in truth, for training; else 0."""
    features: Features
    others: list[int]


class Pair(NamedTuple):
    """Two persons who may be one."""

    left: int
    right: int
    probability: float
    by_name: bool
    by_birth_date: bool
    by_place: bool


def _exact(column: str) -> list[Any]:
    return [
        levels.NullLevel(column),
        levels.CustomLevel(f"{column}_l = {column}_r", "the same"),
        levels.ElseLevel(),
    ]


def _comparisons() -> list[Any]:
    same_names = levels.CustomLevel("names_l = names_r", "sound the same").configure(
        tf_adjustment_column="names"
    )
    return [
        CustomComparison(
            output_column_name="names",
            comparison_levels=[
                levels.NullLevel("names"),
                same_names,
                levels.CustomLevel(f"{_DICE} >= 0.8", "Dice from 0.8"),
                levels.CustomLevel(f"{_DICE} >= 0.65", "Dice from 0.65"),
                levels.CustomLevel("list_has_any(codes_l, codes_r)", "one word"),
                levels.CustomLevel(f"{_DICE} >= 0.4", "Dice from 0.4"),
                levels.ElseLevel(),
            ],
        ),
        CustomComparison(
            output_column_name="born",
            comparison_levels=[
                levels.NullLevel("born"),
                levels.CustomLevel("born_l = born_r", "the same"),
                levels.CustomLevel("born_turned_l = born_r", "day and month turned"),
                levels.CustomLevel(
                    "day_l = day_r AND list_contains(years_l, year_r)", "the year beside"
                ),
                levels.CustomLevel("day_l = day_r", "another year"),
                levels.CustomLevel("year_l = year_r", "the year"),
                levels.ElseLevel(),
            ],
        ),
        CustomComparison(output_column_name="sex", comparison_levels=_exact("sex")),
        CustomComparison(
            output_column_name="commune",
            comparison_levels=[
                levels.CustomLevel("commune_l = commune_r", "commune"),
                levels.CustomLevel("district_l = district_r", "district"),
                levels.CustomLevel("province_l = province_r", "province"),
                levels.ElseLevel(),
            ],
        ),
        CustomComparison(output_column_name="id_number", comparison_levels=_exact("id_number")),
        CustomComparison(output_column_name="phone", comparison_levels=_exact("phone")),
        CustomComparison(
            output_column_name="others",
            comparison_levels=[
                levels.CustomLevel("len(others_l) = 0 OR len(others_r) = 0", "nobody").configure(
                    is_null_level=True
                ),
                levels.CustomLevel(f"{_OTHERS} >= 2", "two or more"),
                levels.CustomLevel(f"{_OTHERS} = 1", "one"),
                levels.ElseLevel(),
            ],
        ),
    ]


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=_comparisons(),
        blocking_rules_to_generate_predictions=[
            CustomRule(f"{rule} AND {_DIFFERENT}", sql_dialect="duckdb") for rule in _BLOCKS
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
        additional_columns_to_retain=[],
    )


class Linking:
    """Persons in a DuckDB of its own, in memory and, beyond its bound, in ``directory``."""

    def __init__(self, directory: Path, *, memory: str = MEMORY, threads: int = 2) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": str(directory),
                "threads": threads,
                "preserve_insertion_order": False,
            },
        )
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def add(self, rows: Iterable[Row]) -> None:
        """Take persons, block by block."""
        block: list[Row] = []
        for row in rows:
            block.append(row)
            if len(block) == _BLOCK:
                self._add(block)
                block = []
        if block:
            self._add(block)

    def _add(self, rows: Sequence[Row]) -> None:
        columns = [
            [row.unique_id for row in rows],
            [row.household for row in rows],
            [row.fresh for row in rows],
            [row.is_head for row in rows],
            [row.person for row in rows],
            *(list(values) for values in zip(*(row.features for row in rows), strict=True)),
            [row.others for row in rows],
        ]
        block = pa.table(
            [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)],
            schema=_SCHEMA,
        )
        self._connection.register("block", block)
        self._connection.execute(statements.APPEND if self._size else statements.BEGIN)
        self._connection.unregister("block")
        self._size += len(rows)

    def train(self) -> dict[str, Any]:
        """The model, learnt from persons of whom it is known who they are."""
        linker = self._linker(_settings())
        linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS_DRAWN, seed=_SEED)
        linker.training.estimate_m_from_label_column("person")
        model: dict[str, Any] = linker.misc.save_model_to_json()
        for comparison in model["comparisons"]:
            for level in comparison["comparison_levels"]:
                if not level.get("is_null_level"):
                    level.setdefault("m_probability", _NEVER_DRAWN)
                    level.setdefault("u_probability", _NEVER_DRAWN)
        return model

    def alike(self, *, least: float) -> Iterator[Pair]:
        """Pairs from this probability on, those of the same two households together, the likest
        first. Of two who are not fresh nothing is said.

        However many there are, no more than a block of them is in memory.
        """
        if self._size < 2:
            return
        model = json.loads(MODEL.read_text(encoding="utf-8"))
        model["probability_two_random_records_match"] = 2 / (
            TWICE_IN * max(self._size, LEAST_PERSONS)
        )
        linker = self._linker(model)
        self._connection.execute(statements.COUNT_NAMES, [LEAST_PERSONS])
        tables: Any = linker.table_management
        tables.register_term_frequency_lookup("name_counts", "names")
        found = linker.inference.predict(threshold_match_probability=least)
        rows = self._connection.execute(statements.explained(found.physical_name))
        while block := rows.fetchmany(_BLOCK):
            yield from (Pair(*row) for row in block)

    def _linker(self, settings: Any) -> Linker:
        api = DuckDBAPI(connection=self._connection)
        return Linker("persons", settings, api, set_up_basic_logging=False)
