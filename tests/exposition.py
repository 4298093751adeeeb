"""What an API tells whoever watches it, read as Prometheus reads it."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, frozenset[tuple[str, str]]]


class Exposition:
    """The samples of one answer, by name and labels."""

    def __init__(self, body: str) -> None:
        families = list(text_string_to_metric_families(body))
        self._figures: Mapping[Sample, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        assert len(self._figures) == sum(len(family.samples) for family in families)

    def count(self, name: str) -> int:
        """How many samples have this name."""
        return sum(sample[0] == f"sangkroh_{name}" for sample in self._figures)

    def figure(self, name: str, **labels: str) -> float | None:
        """The figure with exactly these labels; None: it is not told."""
        return self._figures.get((f"sangkroh_{name}", frozenset(labels.items())))


async def watched(client: httpx.AsyncClient) -> Exposition:
    """What is told now."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Exposition(answer.text)
