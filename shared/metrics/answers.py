"""How many requests a process answered, with which status, and how soon."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from shared.metrics.measures import NAMESPACE
from shared.operations import Operation

NO_OPERATION = "none"
"""What stands for a path that is none of the API's: whatever somebody tries."""
BROKEN_OFF = "broken-off"
"""What stands for the status of an answer that did not come to its end."""

# When a series began is a series more for each, which this format has no use for.
disable_created_metrics()

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Answers:
    """Counts answers by the operation, which is a path as the document has it, without ids."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            f"{NAMESPACE}_answers",
            "Requests that this process answered, by operation and status.",
            ["method", "operation", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            f"{NAMESPACE}_answer_seconds",
            "From a request's headers to the beginning of its answer.",
            ["method", "operation"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._counters: dict[tuple[str, str, str], Callable[[], None]] = {}
        self._observers: dict[tuple[str, str], Callable[[float], None]] = {}

    def began(self, method: str, operation: Operation | None, status: int, since: float) -> None:
        """An answer begins, of a request that came at ``since`` by the performance counter."""
        named = _named(method, operation)
        self._count(*named, str(status))
        observe = self._observers.get(named)
        if observe is None:
            observe = self._observers[named] = self._seconds.labels(*named).observe
        observe(time.perf_counter() - since)

    def broke_off(self, method: str, operation: Operation | None) -> None:
        """An answer that had begun did not come to its end."""
        self._count(*_named(method, operation), BROKEN_OFF)

    def _count(self, method: str, operation: str, status: str) -> None:
        key = (method, operation, status)
        count = self._counters.get(key)
        if count is None:
            count = self._counters[key] = self._answers.labels(*key).inc
        count()


def _named(method: str, operation: Operation | None) -> tuple[str, str]:
    """A method is named where the API has it: a stranger invents as many as they like."""
    return (method, operation.template) if operation else (NO_OPERATION, NO_OPERATION)
