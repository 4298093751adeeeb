"""What is sent to whoever follows an activation: all of it first, then what is another than before.

Pure. An event's id is made of what the counts are: the same counts have the same id in every
process, so whoever comes back with the last one is sent what changed since, or nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from services.payments.progress.schemas import ProgressOut

_OF_THE_MOMENT = ("as_of", "last_changed_at", "ended_per_minute", "expected_end_at")
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class View:
    """Progress as it is sent, and the id of what it counts."""

    id: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, progress: ProgressOut) -> Self:
        """The view of a progress."""
        body = progress.model_dump(mode="json")
        counts = {name: value for name, value in body.items() if name not in _OF_THE_MOMENT}
        digest = hashlib.blake2b(orjson.dumps(counts), digest_size=_ID_BYTES)
        return cls(digest.hexdigest(), body)

    @property
    def at_rest(self) -> bool:
        return bool(self.body["at_rest"])

    def snapshot(self) -> bytes:
        """The event that says all of it."""
        return _event("snapshot", self.id, self.body)

    def change(self, since: Self) -> bytes:
        """The event that says what is another than it was: whole values, never differences.

        A group is told with all of its states, and one that is none any more without any.
        """
        said = {name: self.body[name] for name in ("activation_id", "by", *_OF_THE_MOMENT)}
        for name in ("at_rest", "announced", "totals", "waits"):
            if self.body[name] != since.body[name]:
                said[name] = self.body[name]
        before = {group["key"]: group for group in since.body["groups"]}
        now = {group["key"]: group for group in self.body["groups"]}
        changed = [group for key, group in now.items() if before.get(key) != group]
        gone = [{"key": key, "states": []} for key in before if key not in now]
        if changed or gone:
            said["groups"] = changed + gone
        return _event("change", self.id, said)

    def end(self) -> bytes:
        """The event after which nothing more comes."""
        return _event("end", self.id, {"activation_id": self.body["activation_id"]})


def _event(name: str, event_id: str, data: Mapping[str, Any]) -> bytes:
    """An event of the WHATWG HTML standard, section 9.2 (server-sent events)."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (
        name.encode(),
        event_id.encode(),
        orjson.dumps(data),
    )
