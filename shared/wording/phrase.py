"""What is said to people in each of the languages that the service speaks."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Language(StrEnum):
    """English or Khmer, by their codes of BCP 47."""

    ENGLISH = "en"
    KHMER = "km"


@dataclass(frozen=True)
class Phrase:
    """The same words in both languages."""

    en: str
    km: str

    @classmethod
    def same(cls, text: str) -> "Phrase":
        """What is no language's: a code, a name that is known in one script."""
        return cls(text, text)

    def in_language(self, language: Language) -> str:
        match language:
            case Language.ENGLISH:
                return self.en
            case Language.KHMER:
                return self.km
            case other:
                assert_never(other)


def sentences(phrases: Iterable[Phrase]) -> Phrase:
    """Several sentences as one text."""
    told = tuple(phrases)
    return Phrase(" ".join(phrase.en for phrase in told), " ".join(phrase.km for phrase in told))


def listed(phrases: Iterable[Phrase]) -> Phrase:
    """Several things in a row."""
    told = tuple(phrases)
    return Phrase(", ".join(phrase.en for phrase in told), ", ".join(phrase.km for phrase in told))
