"""How a provider is set that pays by hand, from lists that people sign."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_LINES_OF_A_LIST = 1_000
"""Forty pages: what one person can carry, and go through by hand."""

_LIKE_A_LIST = {
    "batch_lines": 200,
    # The list is a row of ours: made twice it is the same, and whether it was made is known.
    "recognises_repeats_seconds": 10 * 366 * 24 * 3600,
    "not_known_untrue_seconds": 0,
}


class PayoutPlace(StrEnum):
    VILLAGE_OFFICE = "village-office"
    AGENT = "agent"


class CashListSettings(BaseModel):
    """Where money is paid out by hand, and until when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paid_at: PayoutPlace
    """Which words stand on the list, and who signs it."""
    claim_days: int = Field(default=30, ge=1, le=365)
    """For so many days after the list was made its households may fetch their money."""
    result_days: int = Field(default=14, ge=0, le=365)
    """For so many days more results are waited for, until what was not claimed goes back."""
    lists_at_once: int = Field(default=5_000, ge=1, le=100_000)
    """Lists that are out, at most: a country has 1,652 communes."""


class PaysByList(BaseModel):
    """What the settings of any provider say of lists."""

    cash_list: CashListSettings | None = None
    """Of one that pays by hand, from lists."""

    @model_validator(mode="before")
    @classmethod
    def _is_like_a_list(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("cash_list") is None:
            return given
        lines = given.get("batch_lines", 0)
        if isinstance(lines, int) and lines > MOST_LINES_OF_A_LIST:
            raise ValueError(f"a list has {MOST_LINES_OF_A_LIST} lines at most: lower batch_lines")
        return {**_LIKE_A_LIST, **given}

    @property
    def lists_at_once(self) -> int | None:
        """How many lists may be out; None: it is given none."""
        return None if self.cash_list is None else self.cash_list.lists_at_once
