"""An edition held against the one in force: what is wrong with it, and where it leads. Pure.

Codes of one level lead to codes of the same level. A code that keeps its place needs no row. What
a code leads to agrees with what its parent leads to, so that a village, its commune and its
district never say three things.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from services.registry.areas.tables import COUNTRY_CODE, ChangeKind, Level

DIGITS = {Level.PROVINCE: 2, Level.DISTRICT: 4, Level.COMMUNE: 6, Level.VILLAGE: 8}
LEVEL_OF = {digits: level for level, digits in DIGITS.items()}
_COMMUNE_DIGITS = DIGITS[Level.COMMUNE]
_DIGITS_OF_A_LEVEL = 2


class Names(NamedTuple):
    """What an area is called."""

    english: str
    khmer: str


class Change(NamedTuple):
    """What a code of the edition in force leads to."""

    from_code: str
    to_code: str
    kind: ChangeKind


class Table(StrEnum):
    """Of an edition."""

    AREAS = "areas"
    CHANGES = "changes"


class Fault(NamedTuple):
    """What is wrong with an edition: in which of its tables, at which line (the header is 1)."""

    table: Table
    line: int
    code: str
    detail: str


class Standing(NamedTuple):
    """Where households stand: a commune, and their village if it is known."""

    commune: str
    village: str | None


class Place(NamedTuple):
    """Where an edition leads a household; with several choices a person has to say."""

    choices: tuple[str, ...]
    """Communes, in the order of their codes."""
    village: str | None = None

    @property
    def commune(self) -> str | None:
        return self.choices[0] if len(self.choices) == 1 else None


Moves = Mapping[str, tuple[str, ...]]
"""Of each code that does not simply stay: what it leads to, its own code among them if it stays."""


def parent_of(code: str) -> str:
    """The area that a code lies in."""
    return code[:-_DIGITS_OF_A_LEVEL] or COUNTRY_CODE


def moves_of(changes: Iterable[Change]) -> dict[str, tuple[str, ...]]:
    """Where the codes lead that an edition changes."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for change in changes:
        if change.kind is not ChangeKind.RENAMED:
            found[change.from_code].add(change.to_code)
    return {code: tuple(sorted(codes)) for code, codes in found.items()}


def step(codes: Iterable[str], moves: Moves) -> tuple[str, ...]:
    """Where codes lead through one edition."""
    return tuple(sorted({to for code in codes for to in moves.get(code, (code,))}))


def lead(code: str, history: Sequence[Moves]) -> tuple[str, ...]:
    """Where a code leads through editions, the oldest first."""
    codes: tuple[str, ...] = (code,)
    for moves in history:
        codes = step(codes, moves)
    return codes


def place_of(standing: Standing, *, moves: Moves, living: Collection[str]) -> Place:
    """Where an edition leads those who stand there: by their village, or else by their commune."""
    if standing.village is not None:
        villages = [code for code in step([standing.village], moves) if code in living]
        communes = tuple(sorted({code[:_COMMUNE_DIGITS] for code in villages}))
        if communes:
            return Place(communes, villages[0] if len(villages) == 1 else None)
    return Place(tuple(code for code in step([standing.commune], moves) if code in living))


@dataclass(frozen=True)
class Comparison:
    """What an edition does to the one in force."""

    faults: Sequence[Fault]
    changes: Sequence[Change]
    """Those of its table, those that follow from them, and names that are new."""
    added: Sequence[str]
    """Codes that nothing leads to."""
    ended: Sequence[str]
    """Codes that are no more."""
    places: Mapping[Standing, Place] = field(default_factory=dict)
    """Of all who stand where something changes."""

    @property
    def moves(self) -> dict[str, tuple[str, ...]]:
        return moves_of(self.changes)


def compare(
    known: Mapping[str, Names],
    given: Mapping[str, tuple[int, Names]],
    stated: Sequence[tuple[int, Change]],
    *,
    occupied: Collection[Standing],
    open_choices: Collection[tuple[str, ...]] = (),
    waited_in: Collection[str] = (),
) -> Comparison:
    """Hold an edition against what is living.

    ``known``: the areas in force but the country; ``given`` those of the edition, with their line;
    ``stated`` its changes, with theirs. ``occupied``: where households stand; ``open_choices``:
    between which communes persons have still to place some, and ``waited_in`` where those stand.
    """
    faults: list[Fault] = []
    sound = _sound(known, given, stated, faults)
    changes = _with_what_follows(known, given, sound)
    moves = moves_of(changes)
    lines = {change.from_code: line for line, change in stated}
    _require_parents(given, faults)
    _require_places_kept(known, given, moves, lines, faults)
    _require_not_mixed(known, given, moves, waited_in, faults)
    _require_agreement(known, given, moves, lines, faults)
    places = {
        standing: place
        for standing in occupied
        if (place := place_of(standing, moves=moves, living=given))
        != Place((standing.commune,), standing.village)
    }
    _require_successors(places, open_choices, moves, given, faults)
    renamed = [
        Change(code, code, ChangeKind.RENAMED)
        for code, names in sorted(known.items())
        if code in given and code not in moves and given[code][1] != names
    ]
    led_to = {change.to_code for change in changes}
    return Comparison(
        faults=sorted(faults, key=lambda fault: (fault.table, fault.line)),
        changes=sorted([*changes, *renamed]),
        added=sorted(given.keys() - known.keys() - led_to),
        ended=sorted(known.keys() - given.keys()),
        places=places,
    )


def _sound(
    known: Mapping[str, Names],
    given: Mapping[str, tuple[int, Names]],
    stated: Sequence[tuple[int, Change]],
    faults: list[Fault],
) -> list[Change]:
    """The changes that say something that can be; what is wrong with the others."""
    by_from: defaultdict[str, list[tuple[int, Change]]] = defaultdict(list)
    into: defaultdict[str, set[str]] = defaultdict(set)
    pairs: set[tuple[str, str]] = set()
    for line, change in stated:
        found = None
        if change.from_code not in known:
            found = Fault(
                Table.CHANGES, line, "from-unknown", "from_code is no area of the edition in force."
            )
        elif change.to_code not in given:
            found = Fault(
                Table.CHANGES, line, "to-unknown", "to_code is not in this edition's areas."
            )
        elif len(change.from_code) != len(change.to_code):
            found = Fault(
                Table.CHANGES, line, "level", "Both codes have to be of one level, as long as each."
            )
        elif (change.from_code, change.to_code) in pairs:
            found = Fault(Table.CHANGES, line, "repeated", "An earlier line says this already.")
        if found is not None:
            faults.append(found)
            continue
        pairs.add((change.from_code, change.to_code))
        by_from[change.from_code].append((line, change))
        if change.kind is not ChangeKind.RENAMED:
            into[change.to_code].add(change.from_code)
    sound: list[Change] = []
    for code, rows in by_from.items():
        if problem := _problem_of(code, rows, into=into, by_from=by_from, known=known):
            faults.append(Fault(Table.CHANGES, rows[0][0], *problem))
        else:
            sound += [change for _, change in rows if change.kind is not ChangeKind.RENAMED]
    return sound


def _problem_of(
    code: str,
    rows: Sequence[tuple[int, Change]],
    *,
    into: Mapping[str, Collection[str]],
    by_from: Mapping[str, Sequence[tuple[int, Change]]],
    known: Mapping[str, Names],
) -> tuple[str, str] | None:
    kinds = {change.kind for _, change in rows}
    if len(kinds) > 1:
        return "kinds", f"{code} has lines of several kinds. Say one thing of it."
    (kind,) = kinds
    target = rows[0][1].to_code
    if kind is ChangeKind.SPLIT:
        if len(rows) == 1:
            detail = (
                f"{code} is split into one. Give a line for each part, its own code among them "
                "if it keeps it; or write moved."
            )
            return "split-alone", detail
        return None
    if len(rows) > 1:
        return "several", f"{code} is {kind} to several codes. Write split on each line."
    match kind:
        case ChangeKind.RENAMED:
            if target != code:
                return "renamed-code", "What is renamed keeps its code. Write moved."
        case ChangeKind.MOVED:
            stays = target in known and target not in by_from
            if target == code:
                return "moved-nowhere", f"{code} is moved to itself. Leave the line out."
            if stays or len(into[target]) > 1:
                return (
                    "moved-together",
                    f"{target} is not {code} alone. Write merged on the line of each of its parts.",
                )
        case ChangeKind.MERGED:
            stays = target in known and target not in by_from
            if len(into[target]) + stays == 1:
                return "merged-alone", f"{code} is all of {target}. Write moved."
    return None


def _with_what_follows(
    known: Mapping[str, Names], given: Mapping[str, tuple[int, Names]], sound: Sequence[Change]
) -> list[Change]:
    """What is moved whole takes what lies in it along, under the same last digits, unless the
    table says otherwise of it."""
    changes = list(sound)
    stated = {change.from_code for change in sound}
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for code in known:
        parts[parent_of(code)].append(code)
    waiting = [change for change in sound if change.kind is ChangeKind.MOVED]
    while waiting:
        moved = waiting.pop()
        for part in parts[moved.from_code]:
            target = moved.to_code + part[-_DIGITS_OF_A_LEVEL:]
            if part in stated or target not in given:
                continue
            if target in known and target not in stated:
                continue
            follows = Change(part, target, ChangeKind.MOVED)
            stated.add(part)
            changes.append(follows)
            waiting.append(follows)
    return changes


def _require_parents(given: Mapping[str, tuple[int, Names]], faults: list[Fault]) -> None:
    for code, (line, _) in given.items():
        parent = parent_of(code)
        if parent != COUNTRY_CODE and parent not in given:
            faults.append(
                Fault(
                    Table.AREAS,
                    line,
                    "parent-missing",
                    f"{code} lies in {parent}, which is not in this edition. Add its line.",
                )
            )


def _require_places_kept(
    known: Mapping[str, Names],
    given: Mapping[str, tuple[int, Names]],
    moves: Moves,
    lines: Mapping[str, int],
    faults: list[Fault],
) -> None:
    """A code that is left by all who were there is another place only where one leads to it."""
    led_to = {to for codes in moves.values() for to in codes}
    faults += [
        Fault(
            Table.CHANGES,
            lines.get(code, 0),
            "left-behind",
            f"{code} leads elsewhere and is in this edition still. Give it a line to itself too, "
            "or leave it out of the areas.",
        )
        for code in moves
        if code in known and code in given and code not in led_to
    ]


def _require_not_mixed(
    known: Mapping[str, Names],
    given: Mapping[str, tuple[int, Names]],
    moves: Moves,
    waited_in: Collection[str],
    faults: list[Fault],
) -> None:
    """Who waits to be placed stands under the old code: nobody else may come to stand there."""
    given_anew = {
        code
        for code in given
        if len(code) == _COMMUNE_DIGITS
        and (
            (code not in known and code in waited_in)
            or (
                code in moves
                and code not in moves[code]
                and (len(moves[code]) > 1 or code in waited_in)
            )
        )
    }
    faults += [
        Fault(
            Table.AREAS,
            given[code][0],
            "still-waited-in",
            f"Households wait under {code} to be placed, or would. Give this commune another code.",
        )
        for code in sorted(given_anew)
    ]


def _require_agreement(
    known: Mapping[str, Names],
    given: Mapping[str, tuple[int, Names]],
    moves: Moves,
    lines: Mapping[str, int],
    faults: list[Fault],
) -> None:
    for code in sorted(known):
        parent = parent_of(code)
        if parent == COUNTRY_CODE or (code not in given and code not in moves):
            continue
        of_parent = moves.get(parent, (parent,))
        for target in moves.get(code, (code,)):
            if parent_of(target) not in of_parent:
                faults.append(
                    Fault(
                        Table.CHANGES,
                        lines.get(code, 0),
                        "prefix",
                        f"{code} comes to lie in {parent_of(target)}, and no line says that of "
                        f"{parent}. Add one: what lies in it does not go where it does not.",
                    )
                )


def _require_successors(
    places: Mapping[Standing, Place],
    open_choices: Collection[tuple[str, ...]],
    moves: Moves,
    given: Mapping[str, tuple[int, Names]],
    faults: list[Fault],
) -> None:
    lost = set()
    for standing, place in places.items():
        gone = standing.village
        if gone is not None and not any(code in given for code in step([gone], moves)):
            lost.add(gone)
        if not place.choices:
            lost.add(standing.commune)
    for choices in open_choices:
        lost |= {
            code for code in choices if not any(target in given for target in step([code], moves))
        }
    faults += [
        Fault(
            Table.CHANGES,
            0,
            "no-successor",
            f"Households stand in {code}, which is not in this edition and leads nowhere. Add a "
            "line that says what becomes of it.",
        )
        for code in sorted(lost)
    ]
