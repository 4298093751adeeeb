"""Comparing everybody who is new or changed with everybody, in a process of its own.

Names are open for as long as a block of households is read; what they are compared by is keyed
(``features.py``). Whatever ends this, running it again begins where the last that ended began.
"""

from __future__ import annotations

import tempfile
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from uuid import UUID

import asyncpg

from services.registry.duplicates import repository
from services.registry.duplicates.states import MOST, Ground
from services.registry.households.persons import PersonalData, personal_data_from
from services.registry.linkage.features import Blinding, Person, beside
from services.registry.linkage.linking import MEMORY, Linking, Pair, Row
from services.registry.linkage.repository import blocks
from services.registry.members.shape import SEALED
from services.registry.settings import DuplicatesSettings
from shared.clock import Clock
from shared.database import Database
from shared.personal_data import CannotDecrypt
from shared.resealing import Tell

LEAST = 0.5
"""What is less likely is not kept for anybody to look at."""
_KIND = "likeness"
_STORED_AT_ONCE = 5_000
_TOLD_EACH_SECONDS = 10
_NOBODY = bytes(16)


@dataclass
class _Known:
    """Whom the numbers of a comparison stand for."""

    households: bytearray = field(default_factory=bytearray)
    members: bytearray = field(default_factory=bytearray)
    household_of: array[int] = field(default_factory=lambda: array("l"))
    heads: bytearray = field(default_factory=bytearray)
    fresh: int = 0
    unopened: int = 0
    pairs: int = 0
    suspicions: int = 0

    def household(self, person: int) -> UUID:
        return _uuid(self.households, self.household_of[person])

    def member(self, person: int) -> UUID | None:
        id = _uuid(self.members, person)
        return None if id.bytes == _NOBODY else id


class _Progress:
    """Says how far something is, every few seconds."""

    def __init__(self, what: str, tell: Tell) -> None:
        self._what, self._tell = what, tell
        self._began = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """So many are done."""
        now = time.monotonic()
        if now - self._told >= _TOLD_EACH_SECONDS:
            self._told = now
            rate = done / (now - self._began)
            self._tell(f"{done:,} {self._what} so far, {rate:,.0f} a second.")


def _uuid(ids: bytearray, at: int) -> UUID:
    return UUID(bytes=bytes(ids[16 * at : 16 * at + 16]))


class Comparing:
    """Compares the persons of one database."""

    def __init__(
        self, database: Database, settings: DuplicatesSettings, *, clock: Clock, tell: Tell
    ) -> None:
        self._database = database
        self._personal_data: PersonalData = personal_data_from(settings)
        self._clock = clock
        self._tell = tell

    async def run(self) -> bool:
        """Compare whoever is new or changed since the last time with everybody."""
        began = time.monotonic()
        async with self._database.transaction() as session:
            begins, seen = await repository.since(session, _KIND)
        known, blinding = _Known(), Blinding()
        reading = _Progress("persons read", self._tell)
        with (
            tempfile.TemporaryDirectory(prefix="sangkroh-duplicates-") as directory,
            Linking(Path(directory)) as linking,
        ):
            async with self._database.connection() as connection:
                async for records in blocks(connection, seen):
                    self._personal_data = self._personal_data.apart()
                    await self._personal_data.learn_on(
                        connection, {record["household_id"] for record in records}
                    )
                    linking.add(self._rows(records, known, blinding))
                    reading.tell(len(known.household_of))
            self._tell(
                f"{len(known.household_of):,} persons read, {known.fresh:,} of them new or "
                f"changed, in {time.monotonic() - began:,.0f} s."
            )
            changed = 0
            if known.fresh:
                self._tell(
                    f"Comparing {known.fresh:,} of them with everybody, which takes minutes for a "
                    f"country. What does not fit into {MEMORY} is in {directory} meanwhile."
                )
                changed = await self._store(linking.alike(least=LEAST), known)
        now = self._clock.now()
        async with self._database.transaction() as session:
            await repository.looked(session, _KIND, begins, at=now)
        if known.unopened:
            self._tell(f"{known.unopened:,} persons do not open by PERSON_KEYS: left out.")
        self._tell(
            f"{known.pairs:,} pairs of persons are alike; {changed:,} suspicions "
            f"are new or changed. All of it took {time.monotonic() - began:,.0f} s."
        )
        return True

    def _rows(
        self, records: Sequence[asyncpg.Record], known: _Known, blinding: Blinding
    ) -> list[Row]:
        rows: list[Row] = []
        for household_id, members in groupby(records, key=lambda record: record["household_id"]):
            opened = [
                (record, person)
                for record in members
                if (person := self._opened(record, known)) is not None
            ]
            number = len(known.households) // 16
            known.households += household_id.bytes
            features = [blinding.of(person) for _, person in opened]
            for (record, _), feature, others in zip(
                opened, features, beside(features), strict=True
            ):
                rows.append(
                    Row(
                        unique_id=len(known.household_of),
                        household=number,
                        fresh=record["fresh"],
                        is_head=record["is_head"],
                        person=0,
                        features=feature,
                        others=others,
                    )
                )
                known.household_of.append(number)
                known.members += record["member_id"].bytes if record["member_id"] else _NOBODY
                known.heads.append(record["is_head"])
                known.fresh += record["fresh"]
        return rows

    def _opened(self, record: asyncpg.Record, known: _Known) -> Person | None:
        household_id, member_id = record["household_id"], record["member_id"]
        try:
            if member_id is None:
                person = self._personal_data.open_person(
                    record["sealed"], household_id=household_id
                )
            else:
                person = self._personal_data.open_sealed(
                    record["sealed"], SEALED, bound_to=member_id, household_id=household_id
                )
        except CannotDecrypt:
            known.unopened += 1
            return None
        return Person(
            name=person["name"] or "",
            birth_date=record["birth_date"],
            sex=record["sex"],
            area_code=record["area_code"],
            id_number=record["id_number_index"],
            phone=record["phone_index"],
        )

    async def _store(self, pairs: Iterable[Pair], known: _Known) -> int:
        """Keep the suspicions, each pair of households by the two persons who are most alike."""
        changed = 0
        suspicions = _suspicions(pairs, known)
        keeping = _Progress("suspicions kept", self._tell)
        while block := list(islice(suspicions, _STORED_AT_ONCE)):
            values = {
                "a": [known.household(pair.left) for pair, _ in block],
                "b": [known.household(pair.right) for pair, _ in block],
                "member_a": [known.member(pair.left) for pair, _ in block],
                "member_b": [known.member(pair.right) for pair, _ in block],
                "scores": [min(MOST - 1, round(MOST * pair.probability)) for pair, _ in block],
                "whole": [whole for _, whole in block],
                "grounds": [",".join(_grounds(pair)) for pair, _ in block],
            }
            async with self._database.transaction() as session:
                await repository.have_fence(session)
                changed += await repository.store_likeness(session, values, at=self._clock.now())
            known.suspicions += len(block)
            keeping.tell(known.suspicions)
        return changed


def _suspicions(pairs: Iterable[Pair], known: _Known) -> Iterator[tuple[Pair, bool]]:
    """For each two households the persons who are most alike, and whether it is about a head or
    more than one person."""

    def households(pair: Pair) -> tuple[int, int]:
        left, right = known.household_of[pair.left], known.household_of[pair.right]
        return min(left, right), max(left, right)

    for _, several in groupby(pairs, key=households):
        best: Pair | None = None
        times, of_a_head = 0, False
        for pair in several:
            best = best or pair
            times += 1
            of_a_head = of_a_head or bool(known.heads[pair.left] or known.heads[pair.right])
        known.pairs += times
        assert best is not None, "a group has one at least"
        yield best, of_a_head or times > 1


def _grounds(pair: Pair) -> list[Ground]:
    spoken = {
        Ground.NAME: pair.by_name,
        Ground.BIRTH_DATE: pair.by_birth_date,
        Ground.PLACE: pair.by_place,
    }
    return [ground for ground, speaks in spoken.items() if speaks]
