"""Phones as people write them, as E.164 writes them."""

import re

import phonenumbers

from services.registry.imports.mapping.text import western

_REGION = "KH"
_SIGNS = re.compile(r"[\s().\-–/]+")
_PLAIN = re.compile(r"(?:\+?855|00855|0)?0?([1-9][0-9]{7,8})")
_CERTAIN_MOBILE = re.compile(r"\+855[189]")


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
    if _CERTAIN_MOBILE.match(phone):
        return True
    kind = phonenumbers.number_type(phonenumbers.parse(phone))
    return kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )
