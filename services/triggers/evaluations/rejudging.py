"""Making every evaluation again from what was known, to prove that it follows from that alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions import service as definitions
from services.triggers.evaluations import repository
from services.triggers.evaluations.digest import digest_of, evaluation_id
from services.triggers.evaluations.episodes import Step
from services.triggers.evaluations.history import tell
from services.triggers.evaluations.service import day_of, knowledge
from services.triggers.evaluations.tables import Evaluation
from shared.database import Database

_AT_A_TIME = 500
_FAULTS_TOLD = 1_000


@dataclass(frozen=True, kw_only=True)
class _Knowledge:
    """Which rule was evaluated, by what was known at which instant."""

    trigger: str
    version: int
    known_at: datetime


async def rejudge(database: Database, *, tell_line: Callable[[str], None]) -> bool:
    """Make each evaluation again; whether all came out as they are kept. Tells of those that don't.

    Reads alone, a page of evaluations in each transaction.
    """
    after: UUID | None = None
    made = faults = unknowable = 0
    async with database.transaction() as session:
        unknowable = await repository.count_without_knowledge(session)
    while True:
        async with database.transaction() as session:
            page = await repository.list_with_knowledge(session, after=after, limit=_AT_A_TIME)
            if not page:
                break
            after = page[-1].id
            for fault in await _faults(session, page):
                faults += 1
                if faults <= _FAULTS_TOLD:
                    tell_line(fault)
        made += len(page)
    tell_line(
        f"{made} evaluations were made again from what was known: {made - faults} came out the "
        f"same, {faults} did not. {unknowable} are from before what was known was kept."
    )
    return not faults


async def _faults(session: AsyncSession, page: list[Evaluation]) -> list[str]:
    def known(evaluation: Evaluation) -> _Knowledge:
        assert evaluation.known_at is not None
        return _Knowledge(
            trigger=evaluation.trigger_code,
            version=evaluation.trigger_version,
            known_at=evaluation.known_at,
        )

    faults = []
    ordered = sorted(page, key=lambda row: (row.trigger_code, row.trigger_version, row.known_at))
    for by, group in groupby(ordered, key=known):
        again = await _made_again(session, by)
        for evaluation in group:
            fault = _fault(evaluation, again.get(evaluation.id))
            if fault is not None:
                faults.append(
                    f"{evaluation.id} of {by.trigger}, judged to {evaluation.judged_on}, known at "
                    f"{by.known_at:%FT%TZ}: {fault}"
                )
    return faults


async def _made_again(session: AsyncSession, by: _Knowledge) -> dict[UUID, Step]:
    trigger = await definitions.get_version(session, by.trigger, by.version)
    known = await knowledge(session, trigger.document.indicators, known_at=by.known_at)
    history = tell(trigger.document, known, on=day_of(by.known_at))
    return {evaluation_id(trigger, step): step for step in history.steps}


def _fault(kept: Evaluation, step: Step | None) -> str | None:
    if step is None:
        return "from what was known then, this is not what comes of it."
    judgement = step.judgement
    differing = [
        what
        for what, is_same in (
            ("digest", kept.digest == digest_of(step)),
            ("stage", kept.stage == step.stage),
            ("leg_stage", kept.leg_stage == judgement.stage),
            ("decided_on", kept.decided_on == step.decided_on),
            ("evidence", kept.evidence == judgement.evidence),
            ("unjudged", kept.unjudged == judgement.unjudged),
        )
        if not is_same
    ]
    return f"{', '.join(differing)} kept otherwise than it comes out." if differing else None
