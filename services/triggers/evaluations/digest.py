"""The digest of what an evaluation used and found: the same evidence, the same digest."""

import hashlib
from typing import Any
from uuid import UUID

import orjson

from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations.episodes import Step
from shared.ids import id_of


def digest_of(step: Step) -> str:
    """SHA-256, in hexadecimal, of the period judged, what was found, and the numbers used."""
    judgement = step.judgement
    content: dict[str, Any] = {
        "period": [judgement.period.first_on, judgement.period.last_on],
        "leg": step.leg,
        "stage": [judgement.stage, step.stage],
        "severity": [judgement.severity, step.severity],
        "areas": [judgement.areas, step.areas],
        "unjudged": judgement.unjudged,
        "evidence": judgement.evidence,
    }
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    return hashlib.sha256(canonical).hexdigest()


def evaluation_id(trigger: Trigger, step: Step) -> UUID:
    """The id of an evaluation follows from its rule, its day, its period and its evidence.

    Whoever makes it again, from the same evidence, gives it the same.
    """
    period = step.judgement.period
    return id_of(
        "evaluation",
        trigger.code,
        trigger.version,
        step.leg,
        period.first_on.isoformat(),
        period.last_on.isoformat(),
        digest_of(step),
        day=step.decided_on,
    )
