"""Where a suspicion stands, and what is decided of it. Pure."""

from enum import StrEnum


class Decision(StrEnum):
    """What a person decided of two registrations that may be one."""

    MERGE = "merge"
    """They are the same: they are to be merged, and are not both paid before."""
    KEEP = "keep"
    """They have somebody in common, and both are right as they are."""
    DISMISS = "dismiss"
    """They are different: the suspicion was wrong."""


class Step(StrEnum):
    """What is kept in the history of a suspicion."""

    MERGE = "merge"
    KEEP = "keep"
    DISMISS = "dismiss"
    UNDO = "undo"
    DECLINED = "declined"
    """The second person did not agree to the merger, or whoever asked for it withdrew it."""
    MERGED = "merged"
    """The two are one household."""


class Standing(StrEnum):
    """What the list can be asked for."""

    UNDECIDED = "undecided"
    MERGE = "merge"
    KEEP = "keep"
    DISMISS = "dismiss"
    MERGED = "merged"


class Ground(StrEnum):
    """Why two registrations may be one. The first three are exact: the same blind index."""

    ID_NUMBER = "id-number"
    ACCOUNT = "account"
    PHONE = "phone"
    NAME = "name"
    BIRTH_DATE = "birth-date"
    PLACE = "place"


EXACT = (Ground.ID_NUMBER, Ground.ACCOUNT, Ground.PHONE)

MOST = 1000
"""Scores are in thousandths."""
HOLDS_FROM = 950
"""From this score on the two are not both paid while nobody has decided."""

SCORE_OF_ID_NUMBER = 990
SCORE_OF_ACCOUNT = 900
SCORE_OF_PHONE = 600
SCORE_OF_WHAT_MANY_SHARE = 300
FEW_HOUSEHOLDS = 3
"""More than these share a phone or an account as a village does its moneylender's."""
MOST_HOLDERS = 12
"""Of one value that more households than these have, each is compared with the first alone."""

WORDS: dict[Ground, tuple[str, str]] = {
    Ground.ID_NUMBER: ("The same ID number", "លេខអត្តសញ្ញាណប័ណ្ណដូចគ្នា"),
    Ground.ACCOUNT: ("Paid to the same account", "ទទួលប្រាក់តាមគណនីតែមួយ"),
    Ground.PHONE: ("The same phone number", "លេខទូរសព្ទដូចគ្នា"),
    Ground.NAME: ("Names that sound alike", "ឈ្មោះស្រដៀងគ្នា"),
    Ground.BIRTH_DATE: ("The same date of birth, or nearly", "ថ្ងៃខែឆ្នាំកំណើតដូចគ្នា ឬស្រដៀងគ្នា"),
    Ground.PLACE: ("The same commune or district", "ឃុំ/សង្កាត់ ឬស្រុក/ខណ្ឌដូចគ្នា"),
}
"""Each ground as an officer reads it, in English and in Khmer."""
