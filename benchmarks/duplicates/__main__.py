"""How well persons who are registered twice are found, how fast, and in how much memory.

python -m benchmarks.duplicates                         of 50,000 households
python -m benchmarks.duplicates --households 700000     of the country's
python -m benchmarks.duplicates --fresh 5000            so many that come last, against all others
python -m benchmarks.duplicates --train                 learn comparisons/model.json anew, from
                                                        households of another seed

Exits with 1 where precision is below 0.95 or recall below 0.90.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.duplicates.planting import Planted, Somebody, plant
from services.registry.areas.gazetteer import shipped_areas
from services.registry.duplicates.states import HOLDS_FROM, MOST
from services.registry.linkage.features import Blinding, Person, beside
from services.registry.linkage.linking import MODEL, Linking, Row

TRAINED_ON, TRIED_ON = 1, 2
"""Seeds: what is tried was not learnt from."""
LEAST = 0.5
LEAST_PRECISION, LEAST_RECALL = 0.95, 0.90
_HOUSEHOLDS = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.duplicates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--households", type=int, default=_HOUSEHOLDS)
    parser.add_argument("--fresh", type=int, default=0)
    parser.add_argument("--train", action="store_true")
    arguments = parser.parse_args()
    communes = [area.code for area in shipped_areas() if area.level == "commune"]
    if arguments.train:
        _train(plant(arguments.households, communes, seed=TRAINED_ON, twice=0.05))
        return
    planted = plant(arguments.households, communes, seed=TRIED_ON)
    reached = _measure(planted, fresh=arguments.fresh)
    sys.exit(0 if reached else 1)


def _rows(planted: Planted, *, fresh_from: int, true: bool) -> Iterator[Row]:
    blinding = Blinding()
    at = 0
    for household, members in groupby(planted.rows, key=lambda each: each.household):
        several = list(members)
        features = [blinding.of(_person(each)) for each in several]
        for each, known, others in zip(several, features, beside(features), strict=True):
            yield Row(
                unique_id=at,
                household=household,
                fresh=household >= fresh_from,
                is_head=each.is_head,
                person=each.person if true else 0,
                features=known,
                others=others,
            )
            at += 1


def _person(each: Somebody) -> Person:
    return Person(
        name=each.written,
        birth_date=each.born,
        sex=each.sex,
        area_code=each.commune,
        id_number=each.id_number.encode() if each.id_number else None,
        phone=each.phone.encode() if each.phone else None,
    )


def _train(planted: Planted) -> None:
    with tempfile.TemporaryDirectory() as directory, Linking(Path(directory)) as linking:
        linking.add(_rows(planted, fresh_from=0, true=True))
        model = linking.train()
    MODEL.write_text(json.dumps(model, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"Learnt from {len(planted.rows):,} persons: {MODEL}")


def _measure(planted: Planted, *, fresh: int) -> bool:
    rows = planted.rows
    households = rows[-1].household + 1
    fresh_from = households - fresh if fresh else 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory, Linking(Path(directory)) as linking:
        linking.add(_rows(planted, fresh_from=fresh_from, true=False))
        loaded = time.perf_counter()
        pairs = list(linking.alike(least=LEAST))
    ended = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    truth = _truth(rows, fresh_from)
    print(
        f"{len(rows):,} persons in {households:,} households, {len(truth):,} of them twice; "
        f"features {loaded - began:.1f} s, comparing {ended - loaded:.1f} s, of the processor "
        f"{time.process_time():.1f} s, {memory:,.0f} MB"
    )
    print("mistakes planted:", dict(planted.mistakes.most_common()))
    print("traps planted:", dict(planted.traps.most_common()))
    reached = False
    for threshold in (LEAST, 0.8, 0.9, HOLDS_FROM / MOST, 0.99):
        found = {
            frozenset((pair.left, pair.right)) for pair in pairs if pair.probability >= threshold
        }
        right = len(found & truth)
        precision, recall = right / max(len(found), 1), right / max(len(truth), 1)
        print(
            f"from {threshold}: {len(found):,} pairs, precision {precision:.4f}, "
            f"recall {recall:.4f}"
        )
        if threshold == 0.9:
            reached = precision >= LEAST_PRECISION and recall >= LEAST_RECALL
    wrong = Counter(
        _kind(rows[pair.left], rows[pair.right])
        for pair in pairs
        if pair.probability >= 0.9 and rows[pair.left].person != rows[pair.right].person
    )
    print("wrong from 0.9:", dict(wrong))
    return reached


def _truth(rows: Sequence[Somebody], fresh_from: int) -> set[frozenset[int]]:
    first: dict[int, int] = {}
    truth = set()
    for at, each in enumerate(rows):
        if each.second:
            if each.household >= fresh_from:
                truth.add(frozenset((first[each.person], at)))
        else:
            first[each.person] = at
    return truth


def _kind(left: Somebody, right: Somebody) -> str:
    names = "the same name" if left.called == right.called else "another name"
    born = "the same day" if left.born == right.born else "another day"
    place = "one commune" if left.commune == right.commune else "two communes"
    return f"{names}, {born}, {place}"


if __name__ == "__main__":
    main()
