"""What is known of a person and of an account: normalised, sealed, opened, and found by index."""

import re
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Depends, Request

from services.registry.settings import Settings
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.personal_data import BlindIndex, Cipher, cipher_from

PERSON_CONTEXT = "person"

_PHONE = re.compile(r"(?:\+?855|0)([1-9][0-9]{7,8})")


@dataclass(frozen=True)
class Person:
    """The head of a household, as registered."""

    name: str
    phone: str | None
    id_number: str | None
    registration_number: str


def normalised_phone(text: str) -> str | None:
    """A Cambodian number in the form +855…; None where it is not one."""
    match = _PHONE.fullmatch(text)
    return f"+855{match.group(1)}" if match else None


class PersonalData:
    """The registry's keys at work: seals and opens, and makes the indexes to search by."""

    def __init__(self, *, persons: Cipher, accounts: Cipher, index: BlindIndex) -> None:
        self.persons = persons
        self.accounts = accounts
        self._index = index

    def seal_person(self, person: Person, *, household_id: bytes) -> bytes:
        """A person, sealed for the household."""
        plain = orjson.dumps(
            [person.name, person.phone, person.id_number, person.registration_number]
        )
        return self.persons.encrypt(plain, bound_to=household_id)

    def open_person(self, sealed: bytes, *, household_id: UUID) -> Person:
        """The person of a household; raises CannotDecrypt."""
        plain = orjson.loads(self.persons.decrypt(sealed, bound_to=household_id.bytes))
        return Person(*plain)

    def seal_account(self, account: str, *, household_id: bytes) -> bytes:
        """A payee account, sealed for the household: payments holds the key too."""
        return self.accounts.encrypt(account.encode(), bound_to=household_id)

    def open_account(self, sealed: bytes, *, household_id: UUID) -> str:
        """The payee account of a household; raises CannotDecrypt."""
        return self.accounts.decrypt(sealed, bound_to=household_id.bytes).decode()

    def registration_index(self, number: str) -> bytes:
        return self._index.of("registration-number", number.upper())

    def phone_index(self, phone: str) -> bytes:
        """Of a number in the form +855…"""
        return self._index.of("phone", phone)

    def id_number_index(self, number: str) -> bytes:
        return self._index.of("id-number", number.upper())

    def account_index(self, account: str) -> bytes:
        return self._index.of("account", account)

    def content_index(self, content: str) -> bytes:
        """Of everything that an import says of a household: equal when nothing changed."""
        return self._index.of("content", content)


def personal_data_from(settings: Settings) -> PersonalData:
    """The registry's keys, from its settings."""
    return PersonalData(
        persons=cipher_from(settings.person_keys, context=PERSON_CONTEXT),
        accounts=cipher_from(settings.account_keys, context=ACCOUNT_CONTEXT),
        index=BlindIndex(settings.blind_index_key.get_secret_value()),
    )


def get_personal_data(request: Request) -> PersonalData:
    personal_data: PersonalData = request.app.state.personal_data
    return personal_data


PersonalDataDependency = Annotated[PersonalData, Depends(get_personal_data)]
