"""Whatever editions follow one another: every household is in one place, or waits for one."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.registry.editions import Names, live_in_small_country, sent, small_country
from tests.registry.flow import Flow, Row

pytestmark = pytest.mark.long

COMMUNE, VILLAGE = 6, 8

OPERATIONS = st.tuples(
    st.sampled_from(
        [
            "rename",
            "move",
            "move-away",
            "merge",
            "split",
            "split-up",
            "split-and-gain",
            "swap",
            "split-village",
            "merge-villages",
        ]
    ),
    st.integers(0, 50),
    st.integers(0, 50),
)
EDITIONS = st.lists(st.lists(OPERATIONS, min_size=1, max_size=3), min_size=1, max_size=4)


@dataclass
class Country:
    """The gazetteer as somebody would keep it by hand, with the village where each really lives."""

    names: Names = field(default_factory=small_country)
    truth: dict[str, str] = field(default_factory=dict)
    """By registration number."""
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.used |= set(self.names)

    def parts(self, code: str, digits: int) -> list[str]:
        return sorted(each for each in self.names if len(each) == digits and each.startswith(code))

    def fresh(self, parent: str) -> str:
        """A code that was never given."""
        number = next(at for at in range(1, 100) if f"{parent}{at:02}" not in self.used)
        self.used.add(f"{parent}{number:02}")
        return f"{parent}{number:02}"


class Edition:
    """An edition in the making: what it does to the country, and what its table says."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.names = dict(country.names)
        self.rows: list[tuple[str, str, str]] = []
        self.villages: dict[str, str] = {}
        """Where who lives in a village lives then."""
        self.touched: set[str] = set()
        self.led: defaultdict[str, set[str]] = defaultdict(set)
        """Of districts and provinces: where what lies in them goes."""

    def do(self, kind: str, first: int, second: int) -> None:
        communes = self.country.parts("", COMMUNE)
        commune = communes[first % len(communes)]
        others = [code for code in communes if code[:4] == commune[:4] and code != commune]
        other = others[second % len(others)] if others else None
        if commune in self.touched or other in self.touched:
            return
        villages = self.country.parts(commune, VILLAGE)
        self.touched.add(commune)
        match kind:
            case "rename":
                self.names[commune] = (f"{self.names[commune][0]}x", self.names[commune][1])
            case "move" | "move-away":
                parent = commune[:4]
                if kind == "move-away":
                    districts = self.country.parts("", 4)
                    parent = districts[second % len(districts)]
                self._move(commune, self.country.fresh(parent))
            case "merge" if other is not None:
                self.touched.add(other)
                self.rows.append((commune, other, "merged"))
                for village in villages:
                    self._move_village(village, self.country.fresh(other))
                del self.names[commune]
            case "split" | "split-up":
                keeps = kind == "split"
                targets = [
                    commune if keeps else self.country.fresh(commune[:4]),
                    self.country.fresh(commune[:4]),
                ]
                before = self.names[commune] if keeps else self.names.pop(commune)
                for target in targets:
                    self.names[target] = before
                    self.rows.append((commune, target, "split"))
                for at, village in enumerate(villages):
                    if targets[at % 2] != commune:
                        self._move_village(village, self.country.fresh(targets[at % 2]))
            case "split-and-gain" if other is not None:
                self.touched.add(other)
                part = self.country.fresh(commune[:4])
                self.names[part] = self.names[commune]
                self.rows += [
                    (commune, commune, "split"),
                    (commune, part, "split"),
                    (other, commune, "merged"),
                ]
                self._move_village(villages[-1], self.country.fresh(part))
                for village in self.country.parts(other, VILLAGE):
                    self._move_village(village, self.country.fresh(commune))
                del self.names[other]
            case "swap" if other is not None:
                self.touched.add(other)
                self._swap(commune, other)
            case "split-village":
                target = self.country.fresh(commune)
                self.names[target] = ("Part", "ផ្នែក")
                self.rows += [(villages[0], villages[0], "split"), (villages[0], target, "split")]
            case "merge-villages" if len(villages) > 1:
                self.rows.append((villages[0], villages[1], "merged"))
                self.villages[villages[0]] = villages[1]
                del self.names[villages[0]]

    def _move(self, commune: str, target: str) -> None:
        self.rows.append((commune, target, "moved"))
        for digits in (4, 2):
            self.led[commune[:digits]].add(target[:digits])
        for code in [commune, *self.country.parts(commune, VILLAGE)]:
            moved = target + code[COMMUNE:]
            self.names[moved] = self.names.pop(code)
            self.country.used.add(moved)
            if len(code) == VILLAGE:
                self.villages[code] = moved

    def _swap(self, commune: str, other: str) -> None:
        now = {}
        for before, after in ((commune, other), (other, commune)):
            for code in [before, *self.country.parts(before, VILLAGE)]:
                target = after + code[COMMUNE:]
                now[target] = self.names.pop(code)
                self.rows.append((code, target, "moved"))
                self.country.used.add(target)
                if len(code) == VILLAGE:
                    self.villages[code] = target
        self.names |= now

    def _move_village(self, village: str, target: str) -> None:
        self.rows.append((village, target, "moved"))
        self.names[target] = self.names.pop(village)
        self.villages[village] = target

    def table(self) -> list[tuple[str, str, str]]:
        """With what agrees of districts and provinces."""
        return [
            *self.rows,
            *(
                (code, to, "split")
                for code, targets in self.led.items()
                if targets != {code}
                for to in {code, *targets}
            ),
        ]

    def happened(self) -> None:
        self.country.names = self.names
        self.country.truth = {
            number: self.villages.get(village, village)
            for number, village in self.country.truth.items()
        }


def _households() -> list[tuple[Row, str]]:
    """Two of each village, commune of which says so, with the village where they live."""
    villages = [code for code in small_country() if len(code) == VILLAGE]
    return [
        (
            Row(
                registration_number=f"KH-{village}-{says:d}",
                commune_code=village[:COMMUNE],
                village_code=village if says else "",
                account=f"+855{village}{says:d}",
            ),
            village,
        )
        for village in villages
        for says in (True, False)
    ]


@pytest.fixture
async def settled(flow: Flow) -> Flow:
    """The small country with its households, kept aside to begin from again."""
    await live_in_small_country(flow)
    await flow.register([row for row, _ in _households()])
    await flow.owner.execute("CREATE TABLE kept AS TABLE registry.household")
    return flow


async def _begin_again(flow: Flow) -> None:
    await live_in_small_country(flow)
    await flow.owner.execute("DELETE FROM registry.gazetteer_edition WHERE number <> 1")
    await flow.owner.execute("DELETE FROM registry.gazetteer_edition WHERE number IS NULL")
    await flow.owner.execute("INSERT INTO registry.household SELECT * FROM kept")


async def _play(flow: Flow, editions: list[list[tuple[str, int, int]]]) -> Counter[str]:
    """How often an edition was put in force or refused."""
    await _begin_again(flow)
    country = Country(truth={row.registration_number: village for row, village in _households()})
    came: Counter[str] = Counter()
    for number, operations in enumerate(editions):
        edition = Edition(country)
        for operation in operations:
            edition.do(*operation)
        code = f"edition-{number}"
        answer = await sent(flow, code, edition.names, edition.table())
        if answer["faults"]:
            # Where some wait to be placed, nobody else may come to stand.
            faults = {fault["code"] for fault in answer["faults"]}
            assert faults == {"still-waited-in"}, (operations, edition.table(), answer)
            came["refused"] += 1
            continue
        proposal = await flow.client.post(
            f"/gazetteer/editions/{code}/proposal", json={"reason": "x"}, headers=flow.key()
        )
        decided = await flow.decided(proposal)
        assert decided.status_code == 200, decided.text
        edition.happened()
        came["in force"] += 1
        came["waiting"] += await _judge(flow, country, answer["differences"], code)
    return came


async def _judge(flow: Flow, country: Country, differences: Any, code: str) -> int:
    """How many wait."""
    households = (await flow.get("/households", limit=500))["items"]
    waiting = {
        each["household_id"]: each
        for each in (await flow.get("/gazetteer/waiting", limit=500))["items"]
    }
    assert len(households) == len(country.truth)
    for household in households:
        lives_in = country.truth[household["person"]["registration_number"]][:COMMUNE]
        waits = waiting.get(household["id"])
        if waits is None:
            assert household["area_code"] == lives_in
            assert household["village_code"] is None or household["village_code"] in country.names
        else:
            assert waits["area_code"] == household["area_code"]
            assert lives_in in waits["choices"]
            assert len(waits["choices"]) > 1
            assert set(waits["choices"]) <= set(country.names)
    assert set(waiting) <= {household["id"] for household in households}
    since_now = [each for each in waiting.values() if each["edition"] == code]
    assert len(since_now) == differences["households_to_place"], "as was shown first"
    by_province = [
        len((await flow.get("/households", area=province, limit=500))["items"])
        for province in country.parts("", 2)
    ]
    assert sum(by_province) == len(households)
    for before in {commune for row, _ in _households() for commune in [row.commune_code]}:
        area = await flow.get(f"/areas/{before}")
        leads_to = set(area["successors"] or [before])
        lived = {
            village[:COMMUNE]
            for number, village in country.truth.items()
            if number.startswith(f"KH-{before}")
        }
        assert lived <= leads_to, (before, lived, area)
    now = await flow.get(f"/gazetteer/editions/{code}")
    assert now["differences"] == differences, "as was shown first"
    return len(waiting)


async def test_any_sequence_of_editions_keeps_every_household_in_one_place(settled: Flow) -> None:
    loop = asyncio.get_running_loop()
    came: Counter[str] = Counter()

    @given(EDITIONS)
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
        # Each example is a country of its own: to look for a smaller one takes minutes.
        phases=[Phase.explicit, Phase.generate],
    )
    def run(editions: list[list[tuple[str, int, int]]]) -> None:
        playing = _play(settled, editions)
        came.update(asyncio.run_coroutine_threadsafe(playing, loop).result())

    await asyncio.to_thread(run)
    assert came["in force"] > came["refused"]
    assert came["waiting"] > 0
