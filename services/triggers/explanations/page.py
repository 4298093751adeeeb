"""What was decided and why on a page, in both languages, to be kept or printed."""

import base64
from collections.abc import Sequence
from html import escape

from services.triggers.explanations.schemas import (
    AreaNotReached,
    AreaReached,
    EvidenceOut,
    FiguresOut,
)
from shared.pages import document
from shared.wording.phrase import Phrase

_FIGURES_SHOWN = 200


def page(evidence: EvidenceOut, *, title: Phrase, pictures: Sequence[tuple[Phrase, bytes]]) -> str:
    """The page; ``pictures`` are PNGs, each with what it shows."""
    return document(
        title,
        f"<p>{escape(evidence.trigger)}, {evidence.trigger_version}"
        f"{f' · {evidence.activation_id}' if evidence.activation_id else ''}</p>"
        f"{_said(evidence)}"
        f"{''.join(_picture(what, content) for what, content in pictures)}"
        f"{_areas(evidence.areas_reached, evidence.areas_not_reached)}"
        f"{''.join(_figures(figures) for figures in evidence.figures)}",
    )


def _said(evidence: EvidenceOut) -> str:
    english = "".join(f"<p>{escape(said.en)}</p>" for said in evidence.said)
    khmer = "".join(f"<p>{escape(said.km)}</p>" for said in evidence.said)
    return f'<div class="both"><div>{english}</div><div lang="km">{khmer}</div></div>'


def _picture(what: Phrase, content: bytes) -> str:
    data = base64.b64encode(content).decode()
    return f'<figure><img alt="{escape(what.en)}" src="data:image/png;base64,{data}"></figure>'


def _areas(reached: Sequence[AreaReached], left_out: Sequence[AreaNotReached]) -> str:
    rows = [
        f'<tr><td>{escape(area.area)}</td><td>{escape(area.name.en)}</td><td lang="km">'
        f"{escape(area.name.km)}</td><td>"
        f"{escape(area.announced_at.isoformat()) if area.announced_at else 'waits'}</td></tr>"
        for area in reached
    ] + [
        f'<tr><td>{escape(area.area)}</td><td>{escape(area.name.en)}</td><td lang="km">'
        f"{escape(area.name.km)}</td><td>{escape(area.because.en)}<br>"
        f'<span lang="km">{escape(area.because.km)}</span></td></tr>'
        for area in left_out
    ]
    if not rows:
        return ""
    return (
        '<h2>Areas · <span lang="km">តំបន់</span></h2><table><tr><th>Code</th><th>Area</th>'
        '<th lang="km">តំបន់</th><th>Since, or why not</th></tr>'
        f"{''.join(rows)}</table>"
    )


def _figures(figures: FiguresOut) -> str:
    rows = "".join(
        f"<tr><td>{escape(figure.area)}</td><td>{escape(figure.place or '')}</td>"
        f"<td>{escape(figure.source)}</td><td>{figure.observed_on}</td>"
        f"<td>{figure.published_on}</td><td>{figure.revision}</td>"
        f'<td class="figure">{"" if figure.value is None else f"{figure.value.normalize():f}"}</td>'
        "</tr>"
        for figure in figures.items[-_FIGURES_SHOWN:]
    )
    return (
        f"<h2>{escape(figures.name)} ({escape(figures.unit)})</h2>"
        f"<p>{figures.count:,} figures known until {figures.known_until.isoformat()}; "
        f"all of them: {escape(figures.path)}</p>"
        "<table><tr><th>Area</th><th>Place</th><th>Source</th><th>Observed</th><th>Published</th>"
        f"<th>Revision</th><th>Value</th></tr>{rows}</table>"
    )
