"""Which providers may pay in each other's place.

It stands in the settings, and not in the database: where a database has lost what it said, it has
lost by whom a payment went as well. Whoever may have had it is asked, and who that is must be known
all the same.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.settings import EnvironmentSettings

_Code = Annotated[str, Field(pattern="^[a-z0-9-]{1,32}$")]


class StandInSettings(EnvironmentSettings):
    """The groups, as both processes of payments read them."""

    stand_ins: list[Annotated[list[_Code], Field(min_length=2, max_length=8)]] = []
    """Groups of providers, by code. A provider stays in its group for as long as payments that it
    may have had can be given again, even where it pays nothing any more."""

    @model_validator(mode="after")
    def _each_is_in_one_group(self) -> Self:
        named = [code for group in self.stand_ins for code in group]
        twice = sorted({code for code in named if named.count(code) > 1})
        if twice:
            raise ValueError(
                f"PAYMENTS_STAND_INS names {', '.join(twice)} twice: a provider is in one group"
            )
        return self

    def group_of(self, code: str) -> list[str]:
        """The others that may pay in a provider's place, and it in theirs."""
        return [
            other for group in self.stand_ins if code in group for other in group if other != code
        ]
