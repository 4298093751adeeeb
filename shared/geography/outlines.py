"""The files of boundaries: GeoJSON (RFC 7946), simplified, in degrees (WGS 84). Sources: NOTICE.

Each feature has the ``code`` of its area in the edition ``EDITION`` of the gazetteer. Districts and
communes are older than the newest of them, and nine communes have no code.
"""

import gzip
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson

EDITION = "ncdd-2022"

NAMES: Mapping[int, str] = {2: "provinces", 4: "districts", 6: "communes"}
"""By the digits of the codes of the areas: which file holds their outlines."""


def features(digits: int) -> Sequence[Mapping[str, Any]]:
    """The features of the areas whose codes have so many digits, read anew each time."""
    source = files("shared.geography") / "data" / f"{NAMES[digits]}.geojson.gz"
    read: Sequence[Mapping[str, Any]] = orjson.loads(gzip.decompress(source.read_bytes()))[
        "features"
    ]
    return read
