"""Turns: when a request to a provider may leave. Each that speaks over a network waits for them."""

from typing import Protocol, runtime_checkable

from services.payments.providers.protocol import Permit


class Turns(Protocol):
    """When a request may leave."""

    async def turn(self, permit: Permit | None) -> str | None:
        """Wait until a request may leave, and count it; why it may not, as a code."""
        ...

    def end(self) -> None:
        """A request that had its turn is not under way any more."""
        ...

    def rest(self, seconds: float, *, reason: str) -> None:
        """The provider asks to be left alone for so long."""
        ...


class Unpaced:
    """Whatever is permitted leaves at once."""

    async def turn(self, permit: Permit | None) -> str | None:
        return None if permit is None else permit.refusal()

    def end(self) -> None:
        pass

    def rest(self, seconds: float, *, reason: str) -> None:
        pass


@runtime_checkable
class PacedAdapter(Protocol):
    """An adapter whose every request waits for its turn: one that speaks over a network."""

    def keep_pace(self, turns: Turns) -> None:
        """From now on, each request has a turn of these, and what asks for a rest is told them."""
        ...
