"""Phones as people write them, as E.164 writes them."""

import re

import phonenumbers

from services.registry.imports.mapping.text import western

_REGION = "KH"
_SIGNS = re.compile(r"[\s().\-–/]+")
_PLAIN = re.compile(r"(?:\+?855|00855|0)?0?([1-9][0-9]{7,8})")


def _mobile() -> str:
    """The numbers that the library takes for mobiles', as it writes them in its own data: to ask it
    about each takes as long as all the rest of a row."""
    known = phonenumbers.PhoneMetadata.metadata_for_region(_REGION)
    assert known is not None
    assert known.mobile is not None
    return rf"\+855(?:[189][0-9]{{7,8}}|{known.mobile.national_number_pattern})"


MOBILE = _mobile()
"""A pattern of mobiles in the form +855…"""
_IS_MOBILE = re.compile(MOBILE, re.ASCII)


def phone_of(text: str) -> str | None:
    """A Cambodian number in the form +855…; None where the text is none.

    What stands between digits, the 0 that some leave out or write behind the +855 and words for
    an extension do not count. Numbers that could be dialled are taken, also from ranges that no
    operator had when the library was made.
    """
    plain = _SIGNS.sub("", western(text))
    if match := _PLAIN.fullmatch(plain):
        return f"+855{match[1]}"
    try:
        parsed = phonenumbers.parse(western(text), _REGION)
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    is_ours = parsed.country_code == 855 and phonenumbers.is_possible_number(parsed)
    return written if is_ours and _PLAIN.fullmatch(written) else None


def is_mobile(phone: str) -> bool:
    """Whether a number in the form +855… is a mobile's, on which messages and money arrive."""
    return _IS_MOBILE.fullmatch(phone) is not None
