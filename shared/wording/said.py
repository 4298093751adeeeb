"""Phrases as they are answered over HTTP."""

from pydantic import BaseModel

from shared.wording.phrase import Phrase


class Said(BaseModel):
    """The same in English and in Khmer."""

    en: str
    km: str

    @classmethod
    def of(cls, phrase: Phrase) -> "Said":
        return cls(en=phrase.en, km=phrase.km)
