"""What is known of a system that is judged: its records, and what other witnesses said of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from judge.records import BookLine, ReadBack, Records, Searched
from judge.words import ENTITLEMENT_ENDS, PAYMENT_ENDS

T = TypeVar("T")


class NotHeard(Exception):
    """A witness that a proof needs was not given; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What whoever asks for a verdict knows beyond the system. None: not known.

    ``deposited_minor`` is by fund, ``prefunded_minor`` by provider, as ``charges_taken_minor``:
    what it took from our money with it for its services, also where a statement showed it; of one
    that is not named, what its statements showed. ``clock_behind`` is by how much the
    programme's clock is behind the providers', None where it was set to and fro; ``heard_within``
    is how long a worker may send on what it claimed before a pause. ``payments_for_an_account`` is
    how many payments an account may have got at most. The ends are those that can come about in
    this system: where no officer acts, for instance, no payment is cancelled.
    """

    households: int | None = None
    entitlements: int | None = None
    deposited_minor: Mapping[str, int] | None = None
    prefunded_minor: Mapping[str, int] | None = None
    charges_taken_minor: Mapping[str, int] = field(default_factory=dict)
    clock_behind: timedelta | None = timedelta(0)
    heard_within: timedelta = timedelta(seconds=2)
    payments_for_an_account: int | None = None
    entitlement_ends: Collection[str] = ENTITLEMENT_ENDS
    payment_ends: Collection[str] = PAYMENT_ENDS


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that the witnesses said. None: a witness that was not heard."""

    records: Records
    expected: Expected = Expected()
    book: Sequence[BookLine] | None = None
    callbacks_delivered: Collection[UUID] | None = None
    """The payments whose callback a provider saw acknowledged."""
    read_back: Sequence[ReadBack] | None = None
    searched: Sequence[Searched] | None = None


def heard(said: T | None, what: str) -> T:
    """What a witness said; raises NotHeard with ``what`` is missing."""
    if said is None:
        raise NotHeard(what)
    return said
