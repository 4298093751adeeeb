"""Searching households as officers do, fifty times a second, beside reading one by its id.

By as many processes of the registry's API as the cluster runs, and by one alone.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from benchmarks.clients.load import write_requests
from benchmarks.duplicates.planting import spelt_otherwise, typing_error
from benchmarks.figures import Bound, Figure, Reach, percentile
from benchmarks.measurements.measured import Setting, run_client
from benchmarks.people import People, keys_of
from benchmarks.world import DIRECTORY, FURTHER_APIS
from services.registry.households.persons import household_id_of
from shared.auth.roles import Role
from shared.version import API_PREFIX

NAME = "searches"
_RATE = 50
_PAIRS = 3
_SECONDS = 12
_WARM_SECONDS = 5
_REACH_MILLISECONDS = 50
_BY_ID = "by id"
_API = "registry-api"
_KNOWN = 200
"""So many of each kind are drawn, and asked again and again in another order."""
_RARE = 3
"""A name that no more persons have."""

_SHARES = {
    "a common name": 8,
    "a common name, in its province": 8,
    "a family name alone": 4,
    "a family name alone, in its commune": 4,
    "a rare name": 10,
    "a name, in the other script": 10,
    "a name, misspelt": 10,
    "a name that nobody has": 4,
    "a phone": 8,
    "an ID number": 6,
    "a card's number": 8,
    "a commune, with filters": 10,
    "a province, with filters": 6,
    "who changed last": 4,
}
"""Of a hundred searches, how many are of which kind."""


@dataclass(frozen=True)
class _Asked:
    """One request, and a household that its answer has to hold; None: it is not said which."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    household: int | None = None


def measure(setting: Setting, people: People) -> list[Figure]:
    """The mix, and households by id, in turn; the first seconds are not counted."""
    draws = random.Random(1)
    asked = {kind: list(_asked(kind, people, draws)) for kind in (*_SHARES, _BY_ID)}
    ids = _ids(setting, people)
    asked[_BY_ID] = [
        _Asked("GET", f"/households/{ids(read.household or 0)}") for read in asked[_BY_ID]
    ]
    _look(setting, asked, ids)
    every_api = (_API, *FURTHER_APIS)
    by_one: list[float] = []
    took: defaultdict[str, list[float]] = defaultdict(list)
    cut: Counter[str] = Counter()

    def ask(kinds: Sequence[str], apis: Sequence[str]) -> list[tuple[float, bool]]:
        return _ask(setting, [draws.choice(asked[kind]) for kind in kinds], apis)

    phase_of = setting.world.show.phase
    with (
        setting.world.beside(FURTHER_APIS),
        phase_of("searches: by what officers know, and by id", total=_PAIRS + 1) as phase,
    ):
        for done in range(_PAIRS + 1):
            seconds = _SECONDS if done else _WARM_SECONDS
            for kinds in ([_BY_ID] * _RATE * seconds, _mix(draws, seconds)):
                answers = ask(kinds, every_api)
                for kind, (milliseconds, more) in zip(kinds, answers, strict=True):
                    if done:
                        took[kind].append(milliseconds)
                        cut[kind] += more
            alone = ask(_mix(draws, seconds), [_API])
            by_one += [milliseconds for milliseconds, _ in alone] if done else []
            phase.reach(done)
    return [_figure(setting, people, took, cut, by_one)]


def _figure(
    setting: Setting,
    people: People,
    took: Mapping[str, list[float]],
    cut: Counter[str],
    by_one: Sequence[float],
) -> Figure:
    searched = [each for kind in _SHARES for each in took[kind]]
    slowest, by_id = percentile(searched, 0.99), percentile(took[_BY_ID], 0.99)
    told = "; ".join(
        f"{kind} {percentile(took[kind], 0.5):.0f} and {percentile(took[kind], 0.99):.0f}"
        + (f" ({cut[kind] / len(took[kind]):.0%} cut)" if cut[kind] else "")
        for kind in (*_SHARES, _BY_ID)
    )
    full = np.bincount(people.named.full)
    family = np.bincount(people.named.families)
    return setting.figure(
        NAME,
        path=f"searches of households, {_RATE} a second",
        limit="GET of one by its id",
        value=slowest,
        unit="ms",
        reach=Reach(bound=Bound.AT_MOST, value=_REACH_MILLISECONDS),
        measured=f"p99 {slowest:.0f} ms, p50 {percentile(searched, 0.5):.1f} ms",
        bare=f"p99 {by_id:.0f} ms, p50 {percentile(took[_BY_ID], 0.5):.1f} ms",
        details=[
            f"""
            {people.households:,} households of {people.persons:,} persons, half of them written in
            Khmer. {len(searched):,} searches at fixed times, {_RATE} a second, each counted from
            the time that it was due, so that waiting for another counts; then as many households
            by their ids; in turn, {_PAIRS} times. p99 is {slowest / by_id:.1f} × that of the ids.
            All other processes run as ever.
            """,
            f"""
            {1 + len(FURTHER_APIS)} processes of the registry's API answer in turn, as many as the
            cluster runs. One alone answers the same searches at p99 {percentile(by_one, 0.99):.0f}
            ms, p50 {percentile(by_one, 0.5):.1f} ms.
            """,
            f"""
            Of a hundred, {", ".join(f"{share} by {kind}" for kind, share in _SHARES.items())}.
            """,
            f"""
            Milliseconds by kind, p50 and p99: {told}. *Cut*: the answer says `more`, for not all
            who may be called so were looked at.
            """,
            f"""
            The commonest family name is that of {family.max() / people.persons:.1%} of all persons,
            the commonest whole name is that of {int(full.max()):,}, and
            {int((full > 0).sum()):,} whole names are in use: assumed, for no source counts them. A
            rare name is that of {_RARE} persons at most.
            """,
            """
            Each search by a name or a number is recorded with whom it showed, in its own
            transaction, before it is answered, and so is each reading by id.
            """,
        ],
    )


def _mix(draws: random.Random, seconds: int) -> list[str]:
    kinds = [kind for kind, share in _SHARES.items() for _ in range(share)]
    wanted = [kinds[at % len(kinds)] for at in range(_RATE * seconds)]
    draws.shuffle(wanted)
    return wanted


def _ids(setting: Setting, people: People) -> Callable[[int], str]:
    keys = keys_of(setting.world.stack.secrets)
    return lambda at: str(household_id_of(people.registration_number(at), keys.ids))


def _asked(kind: str, people: People, draws: random.Random) -> Iterator[_Asked]:
    pick = _picker(kind, people, draws)
    for _ in range(_KNOWN):
        person = pick()
        household = people.household_of(person)
        commune = people.commune(household)
        yield _request(kind, people, draws, person, household, commune)


def _picker(kind: str, people: People, draws: random.Random) -> Callable[[], int]:
    """Draws a person whom a search of this kind is about."""
    full = people.named.full
    counts = np.bincount(full)[full]
    families = np.bincount(people.named.families)[people.named.families]
    if "rare" in kind:
        among = np.flatnonzero(counts <= _RARE)
    elif "common name" in kind:
        among = np.flatnonzero(counts >= np.quantile(counts, 0.95))
    elif "family name" in kind:
        among = np.flatnonzero(families >= np.quantile(families, 0.8))
    else:
        return lambda: draws.randrange(people.persons)
    return lambda: int(among[draws.randrange(len(among))])


def _request(
    kind: str, people: People, draws: random.Random, person: int, household: int, commune: str
) -> _Asked:
    named = people.named
    name = named.name(person)

    def by_name(asked: str, area: str | None = None, *, found: bool = False) -> _Asked:
        body = {"name": asked} | ({"area": area} if area else {})
        return _Asked("POST", "/households/search-by-name", body, household if found else None)

    def by(number: dict[str, str]) -> _Asked:
        return _Asked("POST", "/households/search", number, household)

    def listed(**chosen: object) -> _Asked:
        return _Asked("GET", f"/households?{urlencode(chosen)}")

    match kind:
        case "a common name":
            return by_name(name)
        case "a common name, in its province":
            return by_name(name, commune[:2])
        case "a family name alone":
            return by_name(named.family_name(person))
        case "a family name alone, in its commune":
            return by_name(named.family_name(person), commune)
        case "a rare name":
            return by_name(name, found=True)
        case "a name, in the other script":
            return by_name(named.name(person, khmer=not named.in_khmer[person]))
        case "a name, misspelt":
            family, given = named.name(person, khmer=False).split(" ", 1)
            wrong = draws.choice((spelt_otherwise, typing_error))
            return by_name(f"{family} {wrong(draws, given)}")
        case "a name that nobody has":
            return by_name(draws.choice(("Okonkwo Ifeanyi", "Zvonimir Brkic", "Xu Quangming")))
        case "a phone":
            return by({"phone": people.phone(household)})
        case "an ID number":
            return by({"id_number": people.id_number(household)})
        case "a card's number":
            return by({"registration_number": people.registration_number(household)})
        case "a commune, with filters":
            return listed(area=commune, members_from=4, poverty_status="poor-1")
        case "a province, with filters":
            return listed(area=commune[:2], members_to=3, has_account="false", limit=50)
        case "who changed last":
            return listed(area=commune[:2], sort="changed", limit=50)
        case _:
            return _Asked("GET", "", household=household)


def _look(
    setting: Setting, asked: Mapping[str, Sequence[_Asked]], ids: Callable[[int], str]
) -> None:
    """Whoever has to be found is: a search that is quick because it finds nobody is no search."""
    registry = setting.world.api("registry", Role.CASE_WORKER)
    for kind, several in asked.items():
        for search in several[:10]:
            if search.household is None or search.body is None:
                continue
            found = registry.post(search.path, dict(search.body))
            assert ids(search.household) in json.dumps(found), (kind, search.household)


def _ask(
    setting: Setting, asked: Sequence[_Asked], apis: Sequence[str]
) -> list[tuple[float, bool]]:
    """The milliseconds that each took, and whether its answer was cut; all have to succeed."""
    token = setting.world.stack.token(Role.CASE_WORKER)
    requests = []
    for request in asked:
        body = (
            b"" if request.body is None else json.dumps(request.body, ensure_ascii=False).encode()
        )
        lines = [
            f"{request.method} {API_PREFIX}{request.path} HTTP/1.1",
            "host: registry",
            f"authorization: Bearer {token}",
            "content-type: application/json",
            f"content-length: {len(body)}",
        ]
        requests.append("".join(f"{line}\r\n" for line in [*lines, ""]).encode() + body)
    path: Path = DIRECTORY / "requests"
    write_requests(path, requests)
    servers = [setting.world.stack.api_url(name).removeprefix("http://") for name in apis]
    answers: Any = run_client("paced", str(_RATE), str(path), *servers)
    path.unlink()
    statuses = Counter(status for _, status, _ in answers)
    assert set(statuses) == {200}, statuses
    return [(milliseconds, more) for milliseconds, _, more in answers]
