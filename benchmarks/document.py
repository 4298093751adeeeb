"""docs/performance.md, rendered from the figures of this run and of earlier ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure, load, save

DOCUMENT = Path("docs/performance.md")
FIGURES = Path("docs/performance.json")
NOTES = Path(__file__).parent / "notes.md"

ORDER = (
    "country",
    "country-seconds",
    "activation",
    "batches",
    "results",
    "marginal-activation",
    "once-activation",
    "marginal-payment",
    "once-payment",
    "workers",
    "import",
    "import-file",
    "import-members",
    "estimates",
    "searches",
    "webhooks",
    "dispatch",
    "events",
    "observations",
    "judging",
    "polygons",
    "backtests",
    "statements",
    "memory",
)
"""The rows of the table, from top to bottom."""

_HEAD = """# Performance

Written by `make bench` (`python -m benchmarks`): do not edit it by hand. The figures are kept in
`performance.json` beside it; a run of some rows renews those rows alone.

Absolute times are this machine's. What is promised are ratios: each path is held against a bare
limit, the least that the same machine could do for the same rows, taken in the same run, in turn
with it, several times; the ratio is the median over the pairs.
"""


def keep(measured: Sequence[Figure], *, figures: Path = FIGURES, document: Path = DOCUMENT) -> None:
    """Add the figures to those of earlier runs, and write the document anew."""
    kept = load(figures) | {figure.name: figure for figure in measured}
    save(figures, kept)
    document.write_text(render(kept, notes=NOTES.read_text()))


def render(figures: Mapping[str, Figure], *, notes: str) -> str:
    """The document, in Markdown. A row that was never measured says so."""
    return "\n".join([_HEAD, *_table(figures), *_shortfalls(figures), notes, *_details(figures)])


def _table(figures: Mapping[str, Figure]) -> Iterator[str]:
    yield "| path | measured | against | bare limit | figure | reach | |"
    yield "|---|---|---|---|---|---|---|"
    for name in ORDER:
        if (figure := figures.get(name)) is None:
            yield f"| {name} | not measured yet | | | | | |"
            continue
        mark = "reached" if figure.is_reached else f"**{figure.verdict}**"
        yield (
            f"| {figure.path} | {figure.measured} | {figure.limit} | {figure.bare or '–'} | "
            f"{figure.told} | {figure.reach_told} | {mark} |"
        )
    yield ""


def _shortfalls(figures: Mapping[str, Figure]) -> Iterator[str]:
    missed = [figures[name] for name in ORDER if name in figures and not figures[name].is_reached]
    if not missed:
        yield "Every figure that was measured is within its reach.\n"
        return
    yield "## Short of the reach\n"
    for figure in missed:
        yield (
            f"- **{figure.path}**: {figure.told} where the reach is {figure.reach_told}; it "
            f"{figure.verdict}. The reason is under *{figure.name}* below."
        )
    yield ""


def _details(figures: Mapping[str, Figure]) -> Iterator[str]:
    yield "## As it was measured\n"
    for name in ORDER:
        if (figure := figures.get(name)) is None:
            continue
        yield f"### {name}\n"
        yield f"On {figure.taken_on}, on {figure.machine}.\n"
        for detail in figure.details:
            yield f"- {detail}"
        yield ""
