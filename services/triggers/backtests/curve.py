"""A curve of thresholds: the same trial with one number of its document at several values. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from services.triggers.backtests.document import Varied
from services.triggers.backtests.report import CurvePoint, Report
from services.triggers.backtests.trial import Trial
from services.triggers.definitions.document import TriggerDocument


def variants(trial: Trial, vary: Varied | None) -> Iterator[tuple[float, Trial | str]]:
    """Each value with the trial at it, or why there is none."""
    if vary is None:
        return
    plain = trial.document.model_dump(mode="json")
    steps = vary.pointer.removeprefix("/").split("/")
    for value in sorted(set(vary.values)):
        try:
            document = TriggerDocument.model_validate(_with(plain, steps, value))
        except NoNumber:
            yield value, f"There is no number at {vary.pointer}."
        except ValidationError as error:
            yield value, "; ".join(each["msg"] for each in error.errors(include_url=False)[:3])
        else:
            yield value, replace(trial, document=document)


def curve_of(tried: Sequence[tuple[float, Report | str]]) -> list[CurvePoint]:
    """What remains of the reports of a curve."""
    return [
        CurvePoint(value=value, refused=report)
        if isinstance(report, str)
        else CurvePoint(value=value, scores=report.scores, money=report.money)
        for value, report in tried
    ]


class NoNumber(Exception):
    """A pointer leads to no number of a document."""


def _with(part: Any, path: Sequence[str], value: float) -> Any:
    """The part with the number at a path replaced; raises NoNumber."""
    if not path:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise NoNumber
        return int(value) if value == int(value) else value
    step, *rest = path
    if isinstance(part, dict) and step in part:
        return {**part, step: _with(part[step], rest, value)}
    if isinstance(part, list) and step.isdigit() and int(step) < len(part):
        place = int(step)
        return [*part[:place], _with(part[place], rest, value), *part[place + 1 :]]
    raise NoNumber
