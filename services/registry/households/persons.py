"""What is known of a person and of an account: sealed, opened, and found by index."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from copy import copy
from functools import cache, lru_cache
from itertools import zip_longest
from typing import Annotated, Self
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, Request
from pydantic import SecretBytes
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.household_keys import repository as household_keys
from services.registry.households.fields import Field
from services.registry.households.shape import REGISTRATION_NUMBER, SEALED
from services.registry.names.tokens import kept_under, written_and_frames
from services.registry.settings import ApiSettings, DuplicatesSettings
from shared.audit import showed
from shared.audit.purpose import Purpose
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.database import Session
from shared.ids import id_of_number, numbers_of
from shared.personal_data import (
    BlindIndex,
    Cipher,
    MaterialMissing,
    OwnCipher,
    cipher_from,
    is_of_material,
    new_materials,
)

PERSON_CONTEXT = "person"
_DIGITS_AMONG_NEIGHBOURS = 3
FILE_CONTEXT = "import file"
_TOKEN_BYTES = 8
_NAMES_REMEMBERED, _TOKENS_REMEMBERED = 20_000, 20_000
ERASED = b""
"""What stands in place of what was sealed of a person, or of an account, once it is erased."""
_NONE_YET = b""
"""What a household has of its own whose persons were sealed before each had something."""
_DRAWN_AT_ONCE = 500

Person = Mapping[str, str | None]
"""The head of a household or a member, as registered: the sealed fields by name."""


class PersonalData:
    """The registry's keys at work: seals and opens, and makes the indexes to search by."""

    def __init__(
        self,
        *,
        persons: Cipher,
        accounts: Cipher,
        files: Cipher,
        index: BlindIndex,
        other_index: BlindIndex | None = None,
        ids: BlindIndex | None = None,
        opened: Callable[[UUID], None] = lambda _: None,
    ) -> None:
        self.persons = persons
        self.accounts = accounts
        self.files = files
        """Of what is sent, as long as it is kept to be read."""
        self.index = Indexes(index)
        self.other_index = None if other_index is None else Indexes(other_index)
        """While the index's key is changed: what some rows are found by meanwhile."""
        self.ids = self.index if ids is None else Indexes(ids)
        """What ids of households follow from: it stays when the index's key is changed."""
        self._opened = opened
        self._materials: dict[UUID, bytes | None] = {}
        self._own: dict[UUID, OwnCipher] = {}
        self._last: tuple[UUID, OwnCipher] | None = None
        """Of whom something was sealed last: members of one household follow one another."""
        self.given: dict[UUID, bytes] = {}
        """What was drawn for households that had nothing of their own."""
        self._gives = False
        self._drawn: list[bytes] = []

    def apart(self) -> Self:
        """The same keys, which know of no household yet: for one request, or one block."""
        apart = copy(self)
        apart._own = {}
        apart._last = None
        apart._materials = {}
        apart._drawn = []
        apart._gives = False
        apart.given = {}
        return apart

    def telling(self, opened: Callable[[UUID], None]) -> Self:
        """The same keys; ``opened`` is called with each household of which a value is opened."""
        telling = self.apart()
        telling._opened = opened
        return telling

    def giving(self, materials: household_keys.Materials) -> Self:
        """The same keys for one block to be sealed: with what its households have of their own,
        and drawing it for those that have none. Whoever stores the block stores ``given`` too."""
        giving = self.apart()
        giving._materials = dict(materials)
        giving._gives = True
        return giving

    @property
    def sealed_for(self) -> Set[UUID]:
        """The households that something was sealed for."""
        return self._own.keys()

    async def learn(self, session: AsyncSession, household_ids: Iterable[UUID]) -> None:
        """Read what these households have of their own, all at once: before they are opened."""
        unknown = set(household_ids) - self._materials.keys()
        if unknown:
            self._know(unknown, await household_keys.materials_of(session, unknown))

    async def learn_on(self, connection: asyncpg.Connection, household_ids: Iterable[UUID]) -> None:
        """The same on a connection."""
        unknown = set(household_ids) - self._materials.keys()
        if unknown:
            self._know(unknown, await household_keys.materials_on(connection, unknown))

    def _know(self, asked: Iterable[UUID], materials: household_keys.Materials) -> None:
        self._materials |= {id: materials.get(id, _NONE_YET) for id in asked}

    def _own_of(self, household_id: UUID) -> OwnCipher:
        """What seals for a household, and opens; raises MaterialMissing."""
        last = self._last
        if last is not None and last[0] is household_id:
            return last[1]
        own = self._own.get(household_id)
        if own is None:
            material = self._materials.get(household_id, _NONE_YET)
            if material == _NONE_YET and self._gives:
                self._drawn = self._drawn or new_materials(_DRAWN_AT_ONCE)
                material = self.given[household_id] = self._drawn.pop()
            if not material:
                raise MaterialMissing("What the household was sealed with is not there.")
            own = self._own[household_id] = self.persons.of(material)
        self._last = (household_id, own)
        return own

    def seal(self, plain: bytes, *, bound_to: bytes, household_id: UUID) -> bytes:
        """What is personal of a household, sealed with what is its own; raises MaterialMissing
        where it was erased, or nothing was learnt of it."""
        return self._own_of(household_id).encrypt(plain, bound_to=bound_to)

    def open(self, sealed: bytes, *, bound_to: bytes, household_id: UUID) -> bytes | None:
        """What is personal of a household; None: it is erased, wherever the value comes from.

        Raises CannotDecrypt.
        """
        assert household_id in self._materials, "learn of a household before it is opened"
        if sealed == ERASED or self._materials[household_id] is None:
            return None
        if is_of_material(sealed):
            return self._own_of(household_id).decrypt(sealed, bound_to=bound_to)
        return self.persons.decrypt(sealed, bound_to=bound_to)

    def seal_person(
        self, values: Sequence[str | None], *, bound_to: bytes, household_id: UUID
    ) -> bytes:
        """The head of a household, in the order of ``SEALED``, bound to the household; or a member,
        in the order of theirs, bound to the member."""
        return self._own_of(household_id).encrypt(orjson.dumps(values), bound_to=bound_to)

    def open_person(self, sealed: bytes, *, household_id: UUID) -> Person:
        """The person of a household; raises CannotDecrypt."""
        return self.open_sealed(sealed, SEALED, bound_to=household_id, household_id=household_id)

    def open_sealed(
        self, sealed: bytes, fields: Sequence[Field], *, bound_to: UUID, household_id: UUID
    ) -> Person:
        """Sealed ``fields`` of a person of the household, nothing of one who is erased; raises
        CannotDecrypt."""
        opened = self.open(sealed, bound_to=bound_to.bytes, household_id=household_id)
        self._opened(household_id)
        values = () if opened is None else orjson.loads(opened)
        # What was sealed before a field was known does not hold it.
        return {field.name: value for field, value in zip_longest(fields, values)}

    def seal_account(self, account: str, *, household_id: bytes) -> bytes:
        """A payee account, sealed for the household: payments holds the key too."""
        return self.accounts.encrypt(account.encode(), bound_to=household_id)

    def open_account(self, sealed: bytes, *, household_id: UUID) -> str:
        """The payee account of a household, empty once it is erased; raises CannotDecrypt."""
        if sealed == ERASED:
            return ""
        account = self.accounts.decrypt(sealed, bound_to=household_id.bytes).decode()
        self._opened(household_id)
        return account

    @property
    def found_by(self) -> Sequence["Indexes"]:
        """The indexes that a row may be stored with: the current one first."""
        return [self.index] if self.other_index is None else [self.index, self.other_index]


class Indexes:
    """Finds by one blind index key."""

    def __init__(self, index: BlindIndex) -> None:
        self._index = index
        self._content = index.of_kind("content")
        self._name = index.of_kind("name")
        # Sounds of names are few: most of a list's were there before.
        self._tokens_kept = lru_cache(_NAMES_REMEMBERED)(self._tokens_under)
        self._token = lru_cache(_TOKENS_REMEMBERED)(self._hash_of)

    def indexes_of(self, field: Field) -> Callable[[str], bytes]:
        """What makes of a field's values, normalised, what they are found by."""
        return self._index.of_kind(field.name.replace("_", "-"))

    def registration_near(self, beginning: str) -> bytes:
        """Of how a registration number begins: equal where numbers were given side by side."""
        return self._index.of("registration-near", beginning)

    def holder_and_head(self, names: Sequence[str]) -> bytes:
        """Eight bytes of who holds an account and of who is paid into it: equal while neither name
        changes, whoever compares them."""
        return self._index.of("holder-and-head", "\x1f".join(names))[:8]

    def name_tokens(self, name: str | None) -> list[int] | None:
        """What a name is found by: hashes of 64 bits, sorted; None: there is no name."""
        if name is None:
            return None
        written, frames = written_and_frames(name)
        alike = self._tokens_kept(frames)
        return sorted((self._token(written), *alike)) if alike else []

    def tokens_of(self, texts: Iterable[str]) -> list[int]:
        """The hashes of ``names.tokens``."""
        return sorted(map(self._hash_of, texts))

    def _tokens_under(self, frames: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(sorted(map(self._token, kept_under(frames))))

    def _hash_of(self, text: str) -> int:
        return int.from_bytes(self._name(text)[:_TOKEN_BYTES], "big", signed=True)

    def content_index(self, values: Sequence[object]) -> bytes:
        """Of everything that an import says of a household or of a member: equal when nothing
        changed.

        ``values`` are in the order of ``SHAPE``, the village last, or of ``MEMBER_SHAPE``. Without
        a village it is what it was before households had villages.
        """
        if values[-1] is None:
            values = values[:-1]
        return self._content(_in_one_text(len(values)) % tuple(values))

    def content_index_of(self, said: str) -> bytes:
        """The same of everything in one text."""
        return self._content(said)


@cache
def _in_one_text(values: int) -> str:
    return "\x1f".join(["%s"] * values)


def household_id_of(number: str, ids: Indexes) -> UUID:
    """The id that follows from a registration number; neighbours on a list have ids that are near.

    A number but for its last digits names whom it was given beside. What is near is stored near:
    the households of a commune are enrolled together.
    """
    return household_ids_of([number], ids)[0]


def household_ids_of(
    numbers: Sequence[str], ids: Indexes, *, indexes: Iterable[bytes] | None = None
) -> list[UUID]:
    """The same for a whole list; ``indexes`` are what the numbers are found by in ``ids``, if
    somebody has asked already."""
    if indexes is None:
        indexes = map(ids.indexes_of(REGISTRATION_NUMBER), numbers)
    near_of = cache(ids.registration_near)
    nears = [near_of(number[:-_DIGITS_AMONG_NEIGHBOURS]) for number in numbers]
    made = numbers_of("household", zip(indexes, nears, strict=True))
    return list(map(id_of_number, made))


def personal_data_from(settings: ApiSettings | DuplicatesSettings) -> PersonalData:
    """The registry's keys, from its settings."""
    return PersonalData(
        persons=cipher_from(settings.person_keys, context=PERSON_CONTEXT),
        accounts=cipher_from(settings.account_keys, context=ACCOUNT_CONTEXT),
        files=cipher_from(settings.person_keys, context=FILE_CONTEXT),
        index=BlindIndex(settings.blind_index_key.get_secret_value()),
        other_index=_index_of(settings.blind_index_key_other),
        ids=_index_of(settings.household_id_key),
    )


def _index_of(key: SecretBytes | None) -> BlindIndex | None:
    return None if key is None else BlindIndex(key.get_secret_value())


async def get_personal_data(request: Request, session: Session, _: Purpose = None) -> PersonalData:
    """The keys, for one request: of whom it opens a value is in the audit record."""
    personal_data: PersonalData = request.app.state.personal_data
    return personal_data.telling(lambda household_id: showed(session, f"households/{household_id}"))


PersonalDataDependency = Annotated[PersonalData, Depends(get_personal_data)]
