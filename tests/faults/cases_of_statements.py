"""Cases of statements: what a provider writes wrongly is listed, and moves no payment."""

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Any

from tests.faults.case import FaultCase
from tests.faults.judge import judged
from tests.faults.run import Plan
from tests.faults.statements import (
    MAPPING,
    Line,
    booked_lines,
    half_wrong,
    today,
    written,
)
from tests.faults.world import World

_SMALL = Fraction(1, 1000)
_FEE_MINOR = 500
_LEFT_OF_A_LINE = 12
_SAID = "open differences of the statement of {provider} that {what}: {found}, expected {expected}"


def _send_every_statement(world: World) -> list[str]:
    """One provider after the other sends wrong files, and then the right one; judged in between."""
    return [fault for provider in world.providers for fault in _sent_by(world, provider)]


def _sent_by(world: World, provider: str) -> list[str]:
    day, at = today(world)
    world.map_statements(provider, MAPPING)
    lines = booked_lines(world, provider)
    paid = [line for line in lines if line.is_out]
    whole = written(lines, at=at)
    fee = Line("FEE-1", None, _FEE_MINOR, paid[0].currency)
    # Somewhere in a line: what is left of it is no line.
    cut = whole[: whole.index(b"\n", len(whole) // 2) + _LEFT_OF_A_LINE]
    lost = len(lines) - (cut.count(b"\n") - 1)
    wrong = half_wrong(lines)
    found: list[str] = []

    def send(what: str, content: bytes, expected: dict[str, int]) -> dict[str, Any]:
        taken = world.send_statement(provider, day, content)
        listed = _listed(world, provider, day)
        if listed != Counter(expected):
            found.append(
                _SAID.format(provider=provider, what=what, found=dict(listed), expected=expected)
            )
        found.extend(f"after a statement that {what}: {each}" for each in judged(world).faults)
        return taken

    send("breaks off", cut, {"not_on_statement": lost, "float_differs": 1})
    halved = sum(after != before for after, before in zip(wrong, lines, strict=True))
    send(
        "has half the amounts wrong",
        written(wrong, at=at),
        {"other_amount": halved, "float_differs": 1},
    )
    lines.append(fee)
    whole = written(lines, at=at)
    send("has a payment that nobody ordered", whole, {"unknown_payment": 1})
    [difference] = world.differences(provider)
    world.resolve_difference(difference["number"], "charged")
    send(
        "has a line twice",
        written([*lines, paid[0]], at=at),
        {"line_repeated": 1, "float_differs": 1},
    )
    # A file that was superseded stays so: the right one is written anew.
    _, at = today(world)
    whole = written(lines, at=at)
    taken = send("is right", whole, {})
    again = send("is right and came again", whole, {})
    if again["id"] != taken["id"]:
        found.append(f"the same statement of {provider} was taken twice")
    report = world.reconciliation(provider, day)
    if not report["everything_matches"]:
        found.append(f"the corrected statement of {provider} does not match: {report['verdict']}")
    if len(report["superseded"]) != len(("cut", "halved", "with a fee", "with a line twice")):
        found.append(f"the wrong statements of {provider} are not shown as superseded")
    return found


def _listed(world: World, provider: str, day: date) -> Counter[str]:
    """How many differences of each kind are open."""
    report = world.reconciliation(provider, day)
    return Counter({each["kind"]: each["count"] for each in report["open"]})


CASES = {
    "wrong-statements": FaultCase(
        says="Statements break off, have wrong amounts, lines twice and lines of nobody's.",
        plan=Plan(seed=1, scale=_SMALL, misbehave=0, of_every_kind=True),
        after=_send_every_statement,
    ),
}
