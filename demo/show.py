"""What the demonstration shows while it works: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

_TITLE_WIDTH = 44


class Phase:
    """One piece of work under way."""

    def __init__(self, progress: Progress | None, task: TaskID | None) -> None:
        self._progress = progress
        self._task = task

    def reach(self, done: int, *, total: int | None = None, title: str | None = None) -> None:
        """Show how far it is."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done)
            if total is not None:
                self._progress.update(self._task, total=total)
            if title is not None:
                self._progress.update(self._task, description=_fitted(title))


class Show:
    """Tells how the work goes, and keeps how long each phase took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self._depth = 0
        self._progress: Progress | None = None
        if console.is_terminal:
            self._progress = Progress(
                SpinnerColumn(finished_text="[green]✓[/]"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
            )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Bars are shown inside."""
        if self._progress is None:
            yield
            return
        with self._progress:
            yield

    @contextmanager
    def phase(self, title: str, *, total: int = 1) -> Iterator[Phase]:
        """One piece of work, done when the block ends without an exception."""
        begun = time.monotonic()
        task = self._progress.add_task(_fitted(title), total=total) if self._progress else None
        indent = "  " * self._depth
        # In the order of their beginnings: what is inside of a phase follows it.
        self.seconds[f"{indent}{title}"] = 0.0
        self._depth += 1
        try:
            yield Phase(self._progress, task)
        finally:
            self._depth -= 1
        took = self.seconds[f"{indent}{title}"] = time.monotonic() - begun
        if self._progress is not None and task is not None:
            reached = self._progress.tasks[task].total or total
            self._progress.update(task, completed=reached, description=_fitted(title))
        else:
            self.console.print(f"{indent}{title}: {took:.1f} s", highlight=False)

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, highlight=False)


def _fitted(title: str) -> str:
    return title if len(title) <= _TITLE_WIDTH else f"{title[: _TITLE_WIDTH - 1]}…"
