"""One message about an activation, before it is written down: plain values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.triggers.activations.states import Origin, State
from services.triggers.activations.tables import ActivationArea, ActivationMove
from shared.wording.phrase import Phrase


class MessageType(StrEnum):
    """What a message is to those before it (CAP 1.2, `msgType`)."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """That something of an activation was made known, and when."""

    number: int
    """From 1, the first."""
    at: datetime
    kind: MessageType


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message, with those of the same activation that it takes the place of."""

    activation_id: UUID
    sent: Sent
    before: tuple[Sent, ...]
    areas: tuple[str, ...]
    shock: str
    severity: str
    origin: Origin
    is_forecast: bool
    """Whether it rests on a forecast."""
    headline: Phrase
    description: Phrase
    is_exercise: bool
    sender: str


def messages_of(moves: Iterable[ActivationMove], areas: Sequence[ActivationArea]) -> list[Sent]:
    """Every message about an activation, oldest first; none before it was opened.

    It is opened, paid in further areas, or in some no more, and cancelled. What happens within a
    second is told at once: a message tells its time no finer.
    """
    steps = list(moves)
    opened = _first(steps, State.OPEN)
    if opened is None:
        return []
    cancelled = _first(steps, State.CANCELLED)
    changes = sorted(
        at
        for area in areas
        for at in (area.announced_at, area.refused_at)
        if at is not None and at > opened and (cancelled is None or at < cancelled)
    )
    if changes and not any(area.announced_at and area.announced_at <= opened for area in areas):
        # The first areas are announced by the opening itself, a moment after its move.
        opened = changes[0]
    by_second = {at.replace(microsecond=0): at for at in changes if at > opened}
    by_second.pop(opened.replace(microsecond=0), None)
    told = [(opened, MessageType.ALERT)]
    told += [(at, MessageType.UPDATE) for at in by_second.values()]
    if cancelled is not None:
        told.append((cancelled, MessageType.CANCEL))
    return [Sent(number=number, at=at, kind=kind) for number, (at, kind) in enumerate(told, 1)]


def _first(moves: Iterable[ActivationMove], state: State) -> datetime | None:
    """When an activation first came into a state; None: it never did."""
    return next((move.moved_at for move in moves if move.to_state is state), None)


def areas_at(areas: Iterable[ActivationArea], sent: Sent) -> tuple[str, ...]:
    """Where an activation paid at the moment of a message, by code."""
    return tuple(
        sorted(
            area.area_code
            for area in areas
            if area.announced_at is not None
            and area.announced_at <= sent.at
            and (area.refused_at is None or area.refused_at > sent.at)
        )
    )


def identifier_of(activation_id: UUID, sent: Sent) -> str:
    """What a message is called: no space, comma, ``<`` or ``&`` is allowed in it."""
    return f"{activation_id}.{sent.number}"


def headline_of(what: Phrase, kind: MessageType) -> Phrase:
    """What happened in a line: the feed's title, and the alert's headline."""
    match kind:
        case MessageType.ALERT:
            return Phrase(
                f"Cash programme activated: {what.en}",
                f"កម្មវិធីឧបត្ថម្ភសាច់ប្រាក់ត្រូវបានបើកដំណើរការ៖ {what.km}",
            )
        case MessageType.UPDATE:
            return Phrase(
                f"Cash programme, areas changed: {what.en}",
                f"កម្មវិធីឧបត្ថម្ភសាច់ប្រាក់ តំបន់ត្រូវបានផ្លាស់ប្តូរ៖ {what.km}",
            )
        case MessageType.CANCEL:
            return Phrase(
                f"Cash programme cancelled: {what.en}",
                f"កម្មវិធីឧបត្ថម្ភសាច់ប្រាក់ត្រូវបានលុបចោល៖ {what.km}",
            )
