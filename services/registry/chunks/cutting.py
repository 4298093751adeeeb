"""Cutting communes into chunks: whole communes of one province, so many households at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

_PROVINCE_DIGITS = 2


@dataclass
class PlannedChunk:
    """Communes that are worked in one transaction."""

    province_code: str
    area_codes: list[str] = field(default_factory=list)
    households: int = 0


def cut_into_chunks(
    households: Mapping[str, int], *, maximum_households: int, chunks_wanted: int
) -> list[PlannedChunk]:
    """Chunks of communes, by code. ``households`` counts each commune's.

    About ``chunks_wanted`` of them, more where they would exceed ``maximum_households``. A commune
    is never cut: one with more households is a chunk of its own. Communes without any are left out.
    """
    total = sum(households.values())
    limit = min(maximum_households, max(1, -(-total // chunks_wanted)))
    chunks: list[PlannedChunk] = []
    inhabited = sorted(code for code, count in households.items() if count)
    for province_code, codes in groupby(inhabited, key=lambda code: code[:_PROVINCE_DIGITS]):
        chunk = PlannedChunk(province_code)
        for code in codes:
            if chunk.area_codes and chunk.households + households[code] > limit:
                chunks.append(chunk)
                chunk = PlannedChunk(province_code)
            chunk.area_codes.append(code)
            chunk.households += households[code]
        chunks.append(chunk)
    return chunks
