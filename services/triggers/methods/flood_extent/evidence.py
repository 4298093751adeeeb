"""How a day's extent is explained: in a sentence, and in the figures that are kept."""

from datetime import date
from typing import Any

from services.triggers.methods.flood_extent.document import ExtentThresholds, FloodExtent
from services.triggers.methods.flood_extent.judgement import ExtentJudgement


def finding(judgement: ExtentJudgement, day: date, *, document: FloodExtent) -> str:
    most = judgement.most
    needed = f"activation needs {_needed(document.activation)}"
    if most is None:
        return f"{day}: no area was seen; {needed}."
    return (
        f"{day}: {most.source} shows {len(most.flooded)} of {len(most.extents)} areas seen flooded "
        f"by {document.area_threshold_share:.0%} or more, and {most.flooded_km2:g} km² under "
        f"water; {needed}: {judgement.stage.value}."
    )


def evidence(judgement: ExtentJudgement, day: date, *, document: FloodExtent) -> dict[str, Any]:
    return {
        "method": document.kind,
        "day": day.isoformat(),
        "sources": [
            {
                "source": seen.source,
                "areas_seen": len(seen.extents),
                "areas_flooded": len(seen.flooded),
                "flooded_km2": seen.flooded_km2,
                "reaches": seen.stage.value,
            }
            for seen in judgement.sources
        ],
        "areas": [
            {
                "area": extent.area,
                "source": extent.source,
                "seen_on": extent.seen_on.isoformat(),
                "share": extent.share,
                "flooded_km2": extent.flooded_km2,
                "taken_in": extent.share >= document.area_threshold_share,
            }
            for seen in judgement.sources
            for extent in seen.extents
            if extent.share > 0
        ],
        "thresholds": document.model_dump(mode="json"),
    }


def _needed(thresholds: ExtentThresholds) -> str:
    needed = []
    if thresholds.areas is not None:
        needed.append(f"{thresholds.areas} areas")
    if thresholds.flooded_km2 is not None:
        needed.append(f"{thresholds.flooded_km2:g} km²")
    return " or ".join(needed)
