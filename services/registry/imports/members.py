"""Reading a file with a member a row: the members, and the households that they are of.

A household is known by its registration number. What a file says of the household itself stands in
each of its rows, or in the first of them, or nowhere: then the household has to be registered. Rows
that say different things of one household are bad, all of them. Its counts are its members'.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from services.registry.households.fields import UNREADABLE, Field
from services.registry.households.persons import Indexes, PersonalData
from services.registry.households.shape import (
    ACCOUNT,
    COMMUNE,
    COUNTED,
    HEAD_NAME,
    MAXIMUM_MEMBERS,
    MEMBERS,
    PROVIDER,
    REGISTRATION_NUMBER,
    SHAPE,
)
from services.registry.imports.faults import (
    CONTRADICTS,
    DISAGREES,
    EMPTY,
    NOT_REGISTERED,
    REPEATED,
    TO_COME,
    TOO_MANY,
    Fault,
    of_row,
    remedy_of,
)
from services.registry.imports.mapping.document import OF_HOUSEHOLD
from services.registry.imports.reading import (
    OtherIndexes,
    ReadBlock,
    Rejection,
    TooManyFaults,
)
from services.registry.imports.rows import Columns, pick
from services.registry.imports.sealing import KnownHousehold
from services.registry.members.shape import (
    BIRTH_DATE,
    MEMBER_NUMBER,
    MEMBER_SHAPE,
    PREGNANCY_DUE_ON,
    PROGRAMMES,
    RELATIONSHIP,
    SEX,
    Relationship,
    Sex,
)
from services.registry.members.shape import NAME as MEMBER_NAME
from services.registry.members.storing import counts_on
from services.registry.providers.remedy import is_unknown, remedy

_NUMBERS_FROM = 64
"""Of what is remembered of a household, the lower bits are of what was said of it."""


@dataclass
class MemberBlock:
    """Rows of members, read, with the households that they are of."""

    households: ReadBlock
    """One of each: of no household where the file says nothing of them but their numbers."""
    columns: Columns
    """Of the members, by field."""
    owners: Sequence[int]
    """Which of the households each is of."""
    lines: Sequence[int]
    rows: int
    rejections: list[Rejection]
    rejected_rows: int
    rejected_in: Counter[str]
    last_line: int
    stopped: TooManyFaults | None
    says_households: bool


@dataclass
class _Households:
    """The households of a block, as their rows name them."""

    numbers: list[str] = field(default_factory=list)
    cells: list[tuple[str, ...]] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    disagreeing: dict[int, list[Field]] = field(default_factory=dict)


_LOW = (1 << _NUMBERS_FROM) - 1


class MemberReader:
    """Reads the rows of one file in order; knows what it said before."""

    def __init__(
        self,
        *,
        communes: Mapping[str, str],
        providers: frozenset[str],
        programmes: frozenset[str],
        personal_data: PersonalData,
        maximum_rejections: int,
        says_households: bool,
        today: date,
    ) -> None:
        self._communes = communes
        self._providers = providers
        self._programmes = programmes
        self._personal_data = personal_data
        self._maximum_rejections = maximum_rejections
        self._rejections_left = maximum_rejections
        self._says_households = says_households
        self._today = today
        # By half of the registration's index: what was said of the household, and whose numbers
        # were there. A country's households are remembered in a hundred megabytes.
        self._seen: dict[int, int] = {}

    def read_cells(
        self,
        lines: Sequence[int],
        cells: Mapping[str, Sequence[str]],
        *,
        codes: Mapping[tuple[int, str], str],
        broken: Mapping[int, str],
    ) -> MemberBlock:
        """Rows as the cells of each field's header, as ``Reader.read_cells`` takes them."""
        faults: defaultdict[int, list[Fault]] = defaultdict(list)
        columns = self._members(cells, codes, faults)
        numbers = REGISTRATION_NUMBER.kind.read(
            cells[REGISTRATION_NUMBER.header], optional=False, communes={}
        ).values
        for row, number in enumerate(numbers):
            if number is UNREADABLE:
                faults[row].append(
                    _fault(REGISTRATION_NUMBER, codes.get((row, REGISTRATION_NUMBER.header)))
                )
        for row, code in broken.items():
            faults[row] = [of_row(code)]
        found = _grouped(numbers, cells, broken)
        values = self._households(found, cells, codes, columns, faults)
        indexes = list(
            map(self._personal_data.index.indexes_of(REGISTRATION_NUMBER), found.numbers)
        )
        contents = self._contents(len(found.numbers), values, self._personal_data.index)
        self._look_back(found, indexes, contents, columns, faults)
        return self._block(lines, cells, found, values, columns, faults, indexes, contents)

    def _members(
        self,
        cells: Mapping[str, Sequence[str]],
        codes: Mapping[tuple[int, str], str],
        faults: defaultdict[int, list[Fault]],
    ) -> dict[str, Sequence[Any]]:
        columns: dict[str, Sequence[Any]] = {}
        for known in MEMBER_SHAPE:
            read = known.kind.read(cells[known.header], optional=known.optional, communes={})
            columns[known.name] = read.values
            if not read.readable:
                for row, value in enumerate(read.values):
                    if value is UNREADABLE:
                        faults[row].append(_fault(known, codes.get((row, known.header))))
        born = columns[BIRTH_DATE.name]
        to_come = {day for day in set(born) if isinstance(day, date) and day > self._today}
        for row, day in enumerate(born) if to_come else ():
            if day in to_come:
                faults[row].append(_fault(BIRTH_DATE, TO_COME))
        due, sexes = columns[PREGNANCY_DUE_ON.name], columns[SEX.name]
        if any(due):
            for row, (day, sex) in enumerate(zip(due, sexes, strict=True)):
                if isinstance(day, date) and sex == Sex.MALE:
                    faults[row].append(_fault(PREGNANCY_DUE_ON, CONTRADICTS))
        programmes = columns[PROGRAMMES.name]
        for named in set(programmes):
            if isinstance(named, tuple) and not self._programmes.issuperset(named):
                for row, value in enumerate(programmes):
                    if value == named:
                        faults[row].append(_fault(PROGRAMMES, "unknown"))
        return columns

    def _households(
        self,
        found: _Households,
        cells: Mapping[str, Sequence[str]],
        codes: Mapping[tuple[int, str], str],
        columns: Mapping[str, Sequence[Any]],
        faults: defaultdict[int, list[Fault]],
    ) -> dict[str, Sequence[Any]]:
        """The households' own values by field; what is wrong with one is wrong with its rows."""
        for place, disagreeing in found.disagreeing.items() if self._says_households else ():
            for row in found.rows[place]:
                faults[row] += [_fault(known, DISAGREES) for known in disagreeing]
        values: dict[str, Sequence[Any]] = {REGISTRATION_NUMBER.name: found.numbers}
        said: dict[str, Sequence[str]] = dict(
            zip(
                (known.header for known in OF_HOUSEHOLD),
                zip(*found.cells, strict=True) if found.cells else ((),) * len(OF_HOUSEHOLD),
                strict=True,
            )
        )
        if not self._says_households:
            return values | dict.fromkeys(
                (known.name for known in OF_HOUSEHOLD), [None] * len(found.numbers)
            )
        said[HEAD_NAME.header] = self._head_names(found, said[HEAD_NAME.header], columns)
        for known in OF_HOUSEHOLD:
            texts = said[known.header]
            read = known.kind.read(texts, optional=known.optional, communes=self._communes)
            if not read.readable:
                self._tell(found, known, texts, read.values, cells, codes, faults)
            values[known.name] = read.values
        self._tell_of_accounts(found, values, faults)
        return values

    def _head_names(
        self, found: _Households, names: Sequence[str], columns: Mapping[str, Sequence[Any]]
    ) -> Sequence[str]:
        """The name of the head, which is a member's, where the file has it nowhere else."""
        if all(names):
            return names
        relationships, members = columns[RELATIONSHIP.name], columns[MEMBER_NAME.name]
        heads = {
            row: str(members[row])
            for row, relationship in enumerate(relationships)
            if relationship == Relationship.HEAD and members[row] is not UNREADABLE
        }
        return [
            name or next((heads[row] for row in rows if row in heads), "")
            for name, rows in zip(names, found.rows, strict=True)
        ]

    def _tell(
        self,
        found: _Households,
        known: Field,
        texts: Sequence[str],
        values: Sequence[Any],
        cells: Mapping[str, Sequence[str]],
        codes: Mapping[tuple[int, str], str],
        faults: defaultdict[int, list[Fault]],
    ) -> None:
        for place, value in enumerate(values):
            if value is not UNREADABLE or known in found.disagreeing.get(place, ()):
                continue
            for row in found.rows[place]:
                code = codes.get((row, known.header)) if cells[known.header][row] else None
                faults[row].append(_fault(known, code or (None if texts[place] else EMPTY)))

    def _tell_of_accounts(
        self,
        found: _Households,
        values: Mapping[str, Sequence[Any]],
        faults: defaultdict[int, list[Fault]],
    ) -> None:
        pairs = zip(values[PROVIDER.name], values[ACCOUNT.name], strict=True)
        for place, (provider, account) in enumerate(pairs):
            if provider is UNREADABLE or account is UNREADABLE:
                continue
            told = []
            if (provider is None) != (account is None):
                told.append(_fault(PROVIDER if provider is None else ACCOUNT))
            elif provider is not None and is_unknown(provider, known=self._providers):
                told.append(Fault(PROVIDER.header, "unknown", remedy(self._providers)))
            for row in found.rows[place] if told else ():
                faults[row] += told

    def _contents(
        self, count: int, values: Mapping[str, Sequence[Any]], index: Indexes
    ) -> list[bytes]:
        # Without the counts, which change while the file does not.
        said = (values.get(known.name, [None] * count) for known in SHAPE)
        return [index.content_index(row) for row in zip(*said, strict=True)]

    def _look_back(
        self,
        found: _Households,
        indexes: Sequence[bytes],
        contents: Sequence[bytes],
        columns: Mapping[str, Sequence[Any]],
        faults: defaultdict[int, list[Fault]],
    ) -> None:
        """Whether an earlier row has the same member, or says something else of the household."""
        numbers = columns[MEMBER_NUMBER.name]
        seen = self._seen
        for place, (index, content) in enumerate(zip(indexes, contents, strict=True)):
            key, said = _half(index), _half(content)
            before = seen.get(key)
            if before is None:
                before = said
            elif self._says_households and before & _LOW != said:
                for row in found.rows[place]:
                    faults[row].append(_fault(COMMUNE, DISAGREES))
            mask = before >> _NUMBERS_FROM
            free = MAXIMUM_MEMBERS - mask.bit_count()
            for row in found.rows[place]:
                number = numbers[row]
                if number is UNREADABLE:
                    continue
                bit = 1 << number
                if mask & bit:
                    faults[row].append(_fault(MEMBER_NUMBER, REPEATED))
                elif not free:
                    faults[row].append(_fault(MEMBER_NUMBER, TOO_MANY))
                else:
                    mask |= bit
                    free -= 1
            seen[key] = mask << _NUMBERS_FROM | before & _LOW

    def _block(
        self,
        lines: Sequence[int],
        cells: Mapping[str, Sequence[str]],
        found: _Households,
        values: Mapping[str, Sequence[Any]],
        columns: Mapping[str, Sequence[Any]],
        faults: Mapping[int, list[Fault]],
        indexes: Sequence[bytes],
        contents: Sequence[bytes],
    ) -> MemberBlock:
        end = self._end_of_what_is_kept(faults, len(lines))
        bad = {row: told for row, told in faults.items() if told and row < end}
        rejections = [
            Rejection(lines[row], fault) for row in sorted(bad) for fault in _each_once(bad[row])
        ]
        self._rejections_left -= len(rejections)
        owner_of: dict[int, int] = {}
        kept_households: list[int] = []
        for place, rows in enumerate(found.rows):
            good = [row for row in rows if row < end and row not in bad]
            if good:
                owner_of.update(dict.fromkeys(good, len(kept_households)))
                kept_households.append(place)
        kept = sorted(owner_of)
        owners = [owner_of[row] for row in kept]
        members = (
            columns
            if len(kept) == len(lines)
            else {name: [of[row] for row in kept] for name, of in columns.items()}
        )
        stopped = None
        if end < len(lines):
            stopped = TooManyFaults(lines[end], maximum=self._maximum_rejections)
        last_line = lines[end] - 1 if stopped else (lines[-1] if lines else 0)
        communes = cells[COMMUNE.header]
        return MemberBlock(
            households=self._kept_households(
                kept_households,
                values,
                owners,
                members,
                indexes=[indexes[place] for place in kept_households],
                contents=[contents[place] for place in kept_households],
                last_line=last_line,
            ),
            columns=members,
            owners=owners,
            lines=[lines[row] for row in kept],
            rows=end,
            rejections=rejections,
            rejected_rows=len(bad),
            rejected_in=Counter(
                communes[row] if communes[row] in self._communes else "" for row in bad
            ),
            last_line=last_line,
            stopped=stopped,
            says_households=self._says_households,
        )

    def _kept_households(
        self,
        kept: Sequence[int],
        values: Mapping[str, Sequence[Any]],
        owners: Sequence[int],
        members: Columns,
        *,
        indexes: list[bytes],
        contents: list[bytes],
        last_line: int,
    ) -> ReadBlock:
        # The function counts by whatever stands for a household.
        counts = counts_on(cast("Sequence[UUID]", owners), members, on=self._today)
        counted = [counts[cast("UUID", at)] for at in range(len(kept))]
        columns: dict[str, Sequence[Any]] = {
            name: of if len(kept) == len(of) else [of[place] for place in kept]
            for name, of in values.items()
        }
        for known in COUNTED:
            least = 1 if known is MEMBERS else 0
            numbers = [each.get(known.name, 0) for each in counted]
            if numbers and (min(numbers) < least or max(numbers) > MAXIMUM_MEMBERS):
                numbers = [max(least, min(number, MAXIMUM_MEMBERS)) for number in numbers]
            columns[known.name] = numbers
        other = self._personal_data.other_index
        return ReadBlock(
            columns=columns,
            registration_indexes=indexes,
            content_indexes=contents,
            other=None if other is None else self._other(columns, other),
            rejections=[],
            rejected_count=0,
            last_line=last_line,
            stopped=None,
        )

    def _other(self, columns: Mapping[str, Sequence[Any]], other: Indexes) -> OtherIndexes:
        numbers = columns[REGISTRATION_NUMBER.name]
        own = {known.name: columns[known.name] for known in (REGISTRATION_NUMBER, *OF_HOUSEHOLD)}
        return OtherIndexes(
            registration_indexes=list(map(other.indexes_of(REGISTRATION_NUMBER), numbers)),
            content_indexes=self._contents(len(numbers), own, other),
        )

    def _end_of_what_is_kept(self, faults: Mapping[int, Sequence[Fault]], rows: int) -> int:
        left = self._rejections_left
        for row in sorted(faults):
            left -= len(faults[row])
            if left < 0:
                return row
        return rows


def _half(index: bytes) -> int:
    return int.from_bytes(index[:8], "big")


def _grouped(
    numbers: Sequence[Any], cells: Mapping[str, Sequence[str]], broken: Collection[int]
) -> _Households:
    """The rows of each household, and what they say of it: each cell from the first that has it."""
    found = _Households()
    places: dict[str, int] = {}
    said = zip(*(cells[known.header] for known in OF_HOUSEHOLD), strict=True)
    for row, (number, own) in enumerate(zip(numbers, said, strict=True)):
        if number is UNREADABLE or row in broken:
            continue
        place = places.get(number)
        if place is None:
            places[number] = len(found.numbers)
            found.numbers.append(number)
            found.cells.append(own)
            found.rows.append([row])
            continue
        found.rows[place].append(row)
        before = found.cells[place]
        if own != before:
            found.cells[place] = tuple(map(_either, before, own))
            differing = [
                known
                for known, earlier, later in zip(OF_HOUSEHOLD, before, own, strict=True)
                if earlier and later and earlier != later
            ]
            if differing:
                told = found.disagreeing.setdefault(place, [])
                told += [known for known in differing if known not in told]
    return found


def _either(before: str, own: str) -> str:
    return before or own


def _each_once(faults: Iterable[Fault]) -> list[Fault]:
    """One of each column."""
    return list({fault.column: fault for fault in reversed(list(faults))}.values())[::-1]


def _fault(known: Field, code: str | None = None) -> Fault:
    code = code or known.kind.fault
    return Fault(known.header, code, remedy_of(code, known.remedy))


def not_registered() -> Fault:
    """Of a member whose household the registry does not know."""
    return _fault(REGISTRATION_NUMBER, NOT_REGISTERED)


def only_registered(block: MemberBlock, known: Mapping[bytes, KnownHousehold]) -> MemberBlock:
    """The members whose households are known; the others are rejected."""
    read = block.households
    others = read.registration_indexes if read.other is None else read.other.registration_indexes
    is_known = [
        index in known or other in known
        for index, other in zip(read.registration_indexes, others, strict=True)
    ]
    if all(is_known):
        return block
    fault = not_registered()
    kept = [at for at, owner in enumerate(block.owners) if is_known[owner]]
    lost = [at for at, owner in enumerate(block.owners) if not is_known[owner]]
    places = [at for at, registered in enumerate(is_known) if registered]
    new_places = {place: at for at, place in enumerate(places)}
    rejections = [*block.rejections, *(Rejection(block.lines[at], fault) for at in lost)]
    return replace(
        block,
        households=replace(
            read,
            columns=pick(read.columns, places),
            registration_indexes=[read.registration_indexes[at] for at in places],
            content_indexes=[read.content_indexes[at] for at in places],
            other=None
            if read.other is None
            else OtherIndexes(
                [read.other.registration_indexes[at] for at in places],
                [read.other.content_indexes[at] for at in places],
            ),
        ),
        columns=pick(block.columns, kept),
        owners=[new_places[block.owners[at]] for at in kept],
        lines=[block.lines[at] for at in kept],
        rejections=sorted(rejections, key=lambda rejection: rejection.line),
        rejected_rows=block.rejected_rows + len(lost),
        rejected_in=block.rejected_in + Counter({"": len(lost)}),
    )
