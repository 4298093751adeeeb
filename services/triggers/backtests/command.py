"""A backtest without a server: what is asked and the history come from files.

The question is the body of ``POST /v1/backtests``; a ``trigger`` is one of those that are shipped.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.triggers.backtests.curve import curve_of, variants
from services.triggers.backtests.document import BacktestIn
from services.triggers.backtests.places import Place, Places
from services.triggers.backtests.published import (
    is_a_publisher_s,
    read_published,
    shipped_feeds,
)
from services.triggers.backtests.report import Report
from services.triggers.backtests.service import given_histories, trial_of, usual_calendar
from services.triggers.backtests.trial import Trial, refused
from services.triggers.backtests.trying import backtest
from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import DOCUMENTS, shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.feeds.document import FeedDocument
from services.triggers.methods.figures import Figure, Figures
from services.triggers.observations.schemas import ObservationIn
from shared.errors import Explained

_NEVER_PUBLISHED = "9999-12-31"
_MONTH_LENGTH = len("2019-01")
_FAULTS_TOLD = 5


class CannotTry(Explained):
    """A file is not what a backtest reads."""


def tried_together(
    questions: Sequence[Path],
    *,
    histories: Sequence[str],
    places: Path | None,
    feeds: Sequence[Path] = (),
) -> list[Report]:
    """The report of each question, by those of the histories that its trigger judges.

    `feeds` are documents that say how publishers' files are read, before those that are shipped.
    """
    codes = {file: _document_of(_question(file)).indicators for file in questions}
    for given in histories:
        code = given.partition("=")[0]
        if not any(code in judged for judged in codes.values()):
            judged = sorted({code for each in codes.values() for code in each})
            raise CannotTry(
                f"{given!r} is no history of what is asked: it judges {', '.join(judged)}. Give "
                "CODE=FILE.csv."
            )
    return [
        tried(
            file,
            histories=[each for each in histories if each.partition("=")[0] in codes[file]],
            places=places,
            feeds=feeds,
        )
        for file in questions
    ]


def tried(
    question: Path,
    *,
    histories: Sequence[str],
    places: Path | None,
    feeds: Sequence[Path] = (),
) -> Report:
    """The report of a question in a file; `histories` are as ``CODE=FILE``. Raises CannotTry."""
    asked = _question(question)
    document = _document_of(asked)
    if because := refused(document):
        raise CannotTry(because)
    read, remarks = _read_all(document, histories, feeds=[_feed(file) for file in feeds])
    known = {**given_histories(document, asked.figures), **read}
    if missing := sorted(set(document.indicators) - set(known)):
        raise CannotTry(
            f"There is no history of {', '.join(missing)}. Give it: "
            f"--history {missing[0]}=FILE.csv, with the columns area, place, source, observed_on, "
            "published_on and value, or as its publisher writes it."
        )
    trial = trial_of(asked, document)
    known_places = Places() if places is None else _places(places)
    curve = [
        (value, backtest(variant, known, known_places) if isinstance(variant, Trial) else variant)
        for value, variant in variants(trial, asked.vary)
    ]
    report = backtest(trial, known, known_places)
    return report.model_copy(
        update={
            "remarks": [*remarks, *report.remarks],
            "pointer": asked.vary.pointer if asked.vary else None,
            "curve": curve_of(curve),
        }
    )


def _question(file: Path) -> BacktestIn:
    try:
        return BacktestIn.model_validate_json(_text(file))
    except ValidationError as error:
        raise CannotTry(f"{file} asks for no backtest: {_told(error)}") from None


def _document_of(asked: BacktestIn) -> TriggerDocument:
    if asked.document is not None:
        return asked.document
    assert asked.trigger is not None
    return _shipped(asked.trigger.code)


def _shipped(code: str) -> TriggerDocument:
    codes = sorted(file.stem for file in DOCUMENTS.glob("*.json"))
    if code not in codes:
        raise CannotTry(
            f"No trigger {code!r} is shipped: there are {', '.join(codes)}. For your own, put the "
            "whole document in the place of `trigger`, as `document`."
        )
    return TriggerDocument.model_validate(shipped_document(code))


def _feed(file: Path) -> FeedDocument:
    try:
        return FeedDocument.model_validate_json(_text(file))
    except ValidationError as error:
        raise CannotTry(f"{file} is no feed's document: {_told(error)}") from None


def _read_all(
    document: TriggerDocument, histories: Sequence[str], *, feeds: Sequence[FeedDocument]
) -> tuple[dict[str, Known], list[str]]:
    """What is known of each indicator, and what there is to say of how it was read."""
    known, remarks = {}, []
    for given in histories:
        code, _, file = given.partition("=")
        if code not in document.indicators or not file:
            raise CannotTry(
                f"{given!r} is no history of this trigger: it judges "
                f"{', '.join(document.indicators)}. Give CODE=FILE.csv."
            )
        text = _text(Path(file))
        if is_a_publisher_s(text):
            found = read_published(
                text, indicator=code, feeds=[*feeds, *shipped_feeds()], file=Path(file).name
            )
            if isinstance(found, str):
                raise CannotTry(f"{file} is no history of {code}: {found}")
            remarks.append(found.remark)
            figures = Figures.of(found.figures)
        else:
            figures = Figures.of(_figures(Path(file)))
        known[code] = Known(calendar=usual_calendar(document, code), figures=figures)
    return known, remarks


def _figures(file: Path) -> Iterable[Figure]:
    faults = []
    for line, row in enumerate(_rows(file), start=2):
        try:
            taken = ObservationIn.model_validate(_observation(row))
        except ValidationError as error:
            faults.append(f"line {line}: {_told(error)}")
            if len(faults) == _FAULTS_TOLD:
                break
            continue
        yield Figure(
            area=taken.area,
            place=taken.place,
            source=taken.source,
            observed_on=taken.observed_on,
            published_on=taken.published_on,
            value=None if taken.value is None else float(taken.value),
            member=taken.member,
            issue=taken.issue,
        )
    if faults:
        raise CannotTry(f"{file} has lines that are no figures. {' '.join(faults)}")


def _observation(row: Mapping[str, str]) -> dict[str, Any]:
    """A line as a body has it. A month stands for its first day; what is empty is left out."""
    given: dict[str, Any] = {
        name: row[name]
        for name in ("area", "place", "source", "observed_on", "published_on", "issue", "member")
        if row.get(name)
    }
    if len(given.get("observed_on", "")) == _MONTH_LENGTH:
        given["observed_on"] += "-01"
    # Nobody kept when: it is out when the question assumes so, and never otherwise.
    given.setdefault("published_on", _NEVER_PUBLISHED)
    return {**given, "value": row.get("value") or None}


def _places(file: Path) -> Places:
    """Lines of area, households, amount_minor and currency."""
    rows = _rows(file)
    try:
        by_area = {
            row["area"]: Place(
                households=int(row["households"]), amount_minor=int(row["amount_minor"])
            )
            for row in rows
        }
        (currency,) = {row["currency"] for row in rows}
    except (KeyError, ValueError):
        raise CannotTry(
            f"{file} does not say who lives where. Give the columns area, households, amount_minor "
            "and currency, in whole numbers and one currency."
        ) from None
    return Places(by_area=by_area, currency=currency)


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(_text(file).splitlines()))
    except csv.Error as error:
        raise CannotTry(f"{file} is no CSV: {error}.") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CannotTry(f"Cannot read {file}: {reason}.") from None


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = "/".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
