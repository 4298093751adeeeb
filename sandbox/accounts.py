"""What the provider says of an account: whether it can be paid, and who holds it."""

import hashlib

import orjson

from sandbox.answers import Answer, not_known
from sandbox.misbehaviour import AccountState, Temperament
from sandbox.validation import LONGEST_TEXT, InvalidRequest

IDENTIFIER_TYPES = frozenset({"accountid", "bankaccountno", "msisdn", "walletid"})

_FAMILY_NAMES = (
    ("Chan", "ចាន់"),
    ("Chea", "ជា"),
    ("Heng", "ហេង"),
    ("Keo", "កែវ"),
    ("Kim", "គឹម"),
    ("Ly", "លី"),
    ("Mao", "ម៉ៅ"),
    ("Meas", "មាស"),
    ("Nhem", "ញ៉ែម"),
    ("Ouk", "អ៊ុក"),
    ("Pich", "ពេជ្រ"),
    ("Prak", "ប្រាក់"),
    ("Sok", "សុខ"),
    ("Sun", "ស៊ុន"),
    ("Tep", "ទេព"),
    ("Yim", "យឹម"),
)
_GIVEN_NAMES = (
    ("Bopha", "បុប្ផា"),
    ("Chantha", "ចន្ថា"),
    ("Dara", "តារា"),
    ("Kosal", "កុសល"),
    ("Makara", "មករា"),
    ("Nary", "នារី"),
    ("Phalla", "ផល្លា"),
    ("Rithy", "រិទ្ធី"),
    ("Samnang", "សំណាង"),
    ("Sophea", "សុភា"),
    ("Sovann", "សុវណ្ណ"),
    ("Sreymom", "ស្រីមុំ"),
    ("Theary", "ធារី"),
    ("Veasna", "វាសនា"),
    ("Vibol", "វិបុល"),
    ("Visal", "វិសាល"),
)


def about(
    temperament: Temperament, *, identifier_type: str, identifier: str, asked_for: str
) -> Answer:
    """An account's `status` or `accountname`; raises InvalidRequest."""
    if identifier_type not in IDENTIFIER_TYPES:
        types = ", ".join(sorted(IDENTIFIER_TYPES))
        raise InvalidRequest("formatError", f"the identifier's type must be one of {types}")
    if not 1 <= len(identifier) <= LONGEST_TEXT:
        raise InvalidRequest("lengthError", f"an identifier has 1 to {LONGEST_TEXT} characters")
    state = temperament.account(identifier).state
    if state is AccountState.UNKNOWN:
        return not_known()
    if asked_for == "accountname":
        return Answer(200, orjson.dumps({"name": holder(identifier)}))
    if state is AccountState.CLOSED:
        return Answer(200, b'{"accountStatus":"unavailable","subStatus":"closed"}')
    return Answer(200, b'{"accountStatus":"available"}')


def holder(account: str) -> dict[str, str]:
    """Who holds an account: made up, and always the same for the same account."""
    bits = hashlib.blake2b(account.encode(), digest_size=2, person=b"holder").digest()
    family, native_family = _FAMILY_NAMES[bits[0] % len(_FAMILY_NAMES)]
    given, native_given = _GIVEN_NAMES[bits[1] % len(_GIVEN_NAMES)]
    return {
        "firstName": given,
        "lastName": family,
        "fullName": f"{family} {given}",
        "nativeName": f"{native_family} {native_given}",
    }
