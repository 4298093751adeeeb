"""One row of an import: what its columns mean and what is wrong with them.

What is told of a rejected row is which column and what kind of fault, never what it said.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from services.registry.households.persons import normalised_phone
from services.registry.households.tables import FEATURES, MAXIMUM_MEMBERS, PovertyStatus

COLUMNS = (
    "registration_number",
    "commune_code",
    "poverty_status",
    "members",
    "children_0_5",
    "pregnant",
    "disabled",
    "elderly_60",
    "head_name",
    "phone",
    "id_number",
    "provider_code",
    "account",
)
ROW = "row"
"""Stands for the column where a fault is of the whole row."""

_REGISTRATION_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z/-]{2,39}")
_ID_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z()/-]{3,29}")
_PROVIDER_CODE = re.compile(r"[a-z0-9-]{2,32}")
_ACCOUNT = re.compile(r"\+?[0-9A-Za-z-]{4,34}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffd]")
_COUNTS = {str(number): number for number in range(MAXIMUM_MEMBERS + 1)}
_STATUSES = frozenset(PovertyStatus)
_MAXIMUM_NAME = 200


class Fault(NamedTuple):
    """What is wrong with a row."""

    column: str
    code: str
    detail: str


class HouseholdRow(NamedTuple):
    """A row that is taken: normalised, with empty cells as None."""

    registration_number: str
    commune_code: str
    poverty_status: str
    members: int
    children_0_5: int
    pregnant: int
    disabled: int
    elderly_60: int
    head_name: str
    phone: str | None
    id_number: str | None
    provider_code: str | None
    account: str | None


def read_row(cells: Sequence[str], *, communes: Collection[str]) -> HouseholdRow | list[Fault]:
    """The household that the cells describe, or everything that is wrong with them."""
    if len(cells) != len(COLUMNS):
        return [Fault(ROW, "cells", f"A row has {len(COLUMNS)} cells; this has another number.")]
    # The common case first and fast; the reasons are looked for only where it fails.
    (
        registration_number,
        commune_code,
        poverty_status,
        members_text,
        children_text,
        pregnant_text,
        disabled_text,
        elderly_text,
        head_name,
        phone_text,
        id_number,
        provider_code,
        account,
    ) = cells
    members = _COUNTS.get(members_text, 0)
    children = _COUNTS.get(children_text, -1)
    pregnant = _COUNTS.get(pregnant_text, -1)
    disabled = _COUNTS.get(disabled_text, -1)
    elderly = _COUNTS.get(elderly_text, -1)
    phone = normalised_phone(phone_text) if phone_text else None
    name = head_name.strip()
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if (
        members > 0
        and 0 <= children <= members
        and 0 <= pregnant <= members
        and 0 <= disabled <= members
        and 0 <= elderly <= members
        and commune_code in communes
        and poverty_status in _STATUSES
        and _REGISTRATION_NUMBER.fullmatch(registration_number)
        and 0 < len(name) <= _MAXIMUM_NAME
        and not _CONTROL.search(name)
        and (phone or not phone_text)
        and (not id_number or _ID_NUMBER.fullmatch(id_number))
        and (
            (_PROVIDER_CODE.fullmatch(provider_code) and _ACCOUNT.fullmatch(account))
            if provider_code or account
            else True
        )
    ):
        return HouseholdRow(
            registration_number.upper(),
            commune_code,
            poverty_status,
            members,
            children,
            pregnant,
            disabled,
            elderly,
            name,
            phone,
            id_number.upper() or None,
            provider_code or None,
            account or None,
        )
    return _faults(dict(zip(COLUMNS, cells, strict=True)), communes=communes)


def _is_name(text: str) -> bool:
    name = text.strip()
    return 0 < len(name) <= _MAXIMUM_NAME and _CONTROL.search(name) is None


def _faults(cells: dict[str, str], *, communes: Collection[str]) -> list[Fault]:
    checks: list[tuple[str, str, Callable[[str], bool], str]] = [
        (
            "registration_number",
            "malformed",
            lambda text: _REGISTRATION_NUMBER.fullmatch(text) is not None,
            "Write 3 to 40 letters, digits, hyphens or slashes.",
        ),
        (
            "commune_code",
            "unknown",
            lambda text: text in communes,
            "Write the six digits of a commune of the gazetteer, leading zeros included.",
        ),
        (
            "poverty_status",
            "unknown",
            lambda text: text in _STATUSES,
            f"Write one of {', '.join(PovertyStatus)}.",
        ),
        (
            "members",
            "out-of-range",
            lambda text: _COUNTS.get(text, 0) > 0,
            f"Write a whole number from 1 to {MAXIMUM_MEMBERS}.",
        ),
        (
            "head_name",
            "malformed",
            _is_name,
            f"Write 1 to {_MAXIMUM_NAME} characters in UTF-8, none of them a control character.",
        ),
        (
            "phone",
            "malformed",
            lambda text: not text or normalised_phone(text) is not None,
            "Write a Cambodian number as +855 or 0 and 8 to 9 digits, or leave it empty.",
        ),
        (
            "id_number",
            "malformed",
            lambda text: not text or _ID_NUMBER.fullmatch(text) is not None,
            "Write 4 to 30 letters, digits or hyphens, or leave it empty.",
        ),
    ]
    faults = [
        Fault(column, code, detail)
        for column, code, fits, detail in checks
        if not fits(cells[column])
    ]
    return faults + _faults_of_features(cells) + _faults_of_account(cells)


def _faults_of_features(cells: dict[str, str]) -> list[Fault]:
    members = _COUNTS.get(cells["members"]) or MAXIMUM_MEMBERS
    return [
        Fault(feature, "out-of-range", "Write a whole number from 0 to the number of members.")
        for feature in FEATURES
        if not 0 <= _COUNTS.get(cells[feature], -1) <= members
    ]


def _faults_of_account(cells: dict[str, str]) -> list[Fault]:
    if not cells["provider_code"] and not cells["account"]:
        return []
    faults = []
    if not _PROVIDER_CODE.fullmatch(cells["provider_code"]):
        detail = "Write the provider's code in small letters, digits and hyphens."
        faults.append(Fault("provider_code", "malformed", detail))
    if not _ACCOUNT.fullmatch(cells["account"]):
        detail = "Write 4 to 34 letters, digits or hyphens, or leave provider and account empty."
        faults.append(Fault("account", "malformed", detail))
    return faults
