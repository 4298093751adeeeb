"""What is asked of a provider about an account, before the first payment to it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.retry import Backoff

_LONGEST_WAIT_SECONDS = 900


class Asked(StrEnum):
    """One thing that a provider can say of an account."""

    STATUS = "status"
    """Whether it can be paid."""
    NAME = "name"
    """Who holds it."""


class WhileAway(StrEnum):
    """What becomes of payments to accounts about which nothing can be learnt."""

    WAIT = "wait"
    GO_ON = "go_on"


class AccountCheckSettings(BaseModel):
    """The part of a provider's settings that is about its accounts."""

    model_config = ConfigDict(frozen=True)

    account_checks: frozenset[Asked] = frozenset()
    """What it can be asked; nothing: its accounts are paid unseen."""
    account_checks_at_once: int = Field(default=8, ge=1, le=256)
    """Questions under way at it, at most, from one worker."""
    account_checks_away: WhileAway = WhileAway.WAIT
    """What is done where it, or the registry, says nothing that can be used."""
    account_checks_tries: int = Field(default=5, ge=1, le=1_000)
    """After so many, where it is to go on, payments do so unseen."""
    account_checks_retry_seconds: float = Field(default=5, gt=0, le=_LONGEST_WAIT_SECONDS)
    """From asking in vain to asking again; doubled each time, up to a quarter of an hour."""
    likeness_least: int = Field(default=85, ge=0, le=100)
    """How alike the names of an account's holder and of a household have to be; below it two
    persons look."""

    @property
    def account_checks_retry(self) -> Backoff:
        """From asking in vain to asking again."""
        return Backoff(
            first_seconds=self.account_checks_retry_seconds, longest_seconds=_LONGEST_WAIT_SECONDS
        )
