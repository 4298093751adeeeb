"""What officers and their rules keep from being sent: that it was not sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from judge.proofs.finding import Finding
from judge.records import BookLine, Hold, Pause


def nothing_left_while_paused(
    pauses: Sequence[Pause],
    book: Sequence[BookLine],
    *,
    clock_behind: timedelta,
    heard_within: timedelta,
) -> Finding:
    """While a pause was in force, nothing that it concerns was claimed here, nor came to a provider
    for the first time.

    ``clock_behind`` is by how much the programme's clock is behind the providers'. What was claimed
    before may leave until its worker has heard of the pause, ``heard_within`` of its beginning.
    """
    sent = {line.correlation_id: line for line in book}
    evidence = []
    concerned = 0
    for pause in pauses:
        from_ = pause.paused_at + heard_within
        concerned += len(pause.concerned)
        evidence += [
            f"payment {payment} was claimed at {claimed_at:%H:%M:%S}, {_during(pause)}"
            for payment, claimed_at in pause.claimed
            if claimed_at > from_ and _is_before(claimed_at, pause.resumed_at)
        ]
        for payment in pause.concerned & sent.keys():
            came_at = _of_the_programme(sent[payment], clock_behind)
            if came_at and came_at > from_ and _is_before(came_at, pause.resumed_at):
                evidence.append(
                    f"payment {payment} came to {sent[payment].provider} at {came_at:%H:%M:%S}, "
                    f"{_during(pause)}"
                )
    return Finding(
        numbers=f"{len(pauses):,} pauses, which concern {concerned:,} payments",
        evidence=tuple(evidence),
    )


def nothing_held_was_sent(
    holds: Sequence[Hold], book: Sequence[BookLine], *, clock_behind: timedelta
) -> Finding:
    """What a rule holds was neither claimed nor paid before two persons had decided about it."""
    sent = {line.correlation_id: line for line in book}
    evidence = []
    for hold in holds:
        if hold.claimed_at is not None and _is_before(hold.claimed_at, hold.ended_at):
            evidence.append(
                f"payment {hold.instruction_id} was claimed at {hold.claimed_at:%H:%M:%S}, and "
                f"held {_until(hold.ended_at)}"
            )
        if (line := sent.get(hold.instruction_id)) is None:
            continue
        came_at = _of_the_programme(line, clock_behind)
        if hold.ended_at is None or (came_at is not None and came_at < hold.ended_at):
            evidence.append(
                f"payment {hold.instruction_id} was paid by {line.provider}, and held "
                f"{_until(hold.ended_at)}"
            )
    return Finding(numbers=f"{len(holds):,} holds", evidence=tuple(evidence))


def _of_the_programme(line: BookLine, clock_behind: timedelta) -> datetime | None:
    return None if line.sent_at is None else line.sent_at - clock_behind


def _is_before(at: datetime, end: datetime | None) -> bool:
    return end is None or at < end


def _during(pause: Pause) -> str:
    return f"and was paused from {pause.paused_at:%H:%M:%S} {_until(pause.resumed_at)}"


def _until(at: datetime | None) -> str:
    return "until now" if at is None else f"until {at:%H:%M:%S}"
