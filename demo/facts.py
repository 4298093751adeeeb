"""What the report tells: when things happened, where the money went, and what failed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import httpx

from judge.witnesses.database import snapshot

T = TypeVar("T")

# A run follows the last evaluation before it that proposed or widened its activation.
_RUNS = """
    SELECT activation.scheme_code AS scheme, run.kind::text AS kind, evaluation.judged_on,
        evaluation.known_at, evaluation.evaluated_at, evaluation.explanation,
        run.planned_at AS activated_at,
        paid.households, paid.paid_minor, paid.first_paid_at, paid.last_paid_at,
        (SELECT count(DISTINCT left(area_code, 2)) FROM registry.activation_commune
         WHERE enrolment_run_id = run.id) AS provinces,
        (SELECT count(*) FROM registry.activation_commune
         WHERE enrolment_run_id = run.id) AS communes
    FROM registry.enrolment_run AS run
    JOIN registry.activation ON activation.id = run.activation_id
    LEFT JOIN LATERAL (
        SELECT judged_on, known_at, evaluated_at, explanation
        FROM triggers.evaluation
        WHERE evaluation.activation_id = activation.id
          AND evaluation.outcome::text IN ('proposed', 'widened')
          AND evaluation.evaluated_at <= run.planned_at
        ORDER BY evaluation.evaluated_at DESC
        LIMIT 1
    ) AS evaluation ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS households, coalesce(sum(amount_minor), 0)::bigint AS paid_minor,
            min(finished_at) AS first_paid_at, max(finished_at) AS last_paid_at
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE payment_round.enrolment_id = run.id AND instruction.status::text = 'settled'
    ) AS paid ON true
    ORDER BY run.planned_at, run.id
"""

_QUIET = """
    SELECT trigger_code AS trigger, judged_on, stage::text AS stage, outcome::text AS outcome,
        explanation
    FROM triggers.evaluation
    WHERE outcome::text = 'quiet'
    ORDER BY evaluated_at, id
"""

_PROVINCES = """
    SELECT activation.scheme_code AS scheme, province.name_en AS province,
        count(*) AS entitled,
        count(*) FILTER (WHERE entitlement.status::text = 'paid') AS paid,
        coalesce(sum(amount_minor) FILTER (WHERE entitlement.status::text = 'paid'), 0)::bigint
            AS paid_minor,
        count(*) FILTER (WHERE entitlement.status::text IN ('failed', 'refused')) AS failed,
        count(*) FILTER (WHERE entitlement.status::text = 'unpayable') AS without_account,
        count(*) FILTER (WHERE entitlement.status::text = 'excluded') AS excluded
    FROM registry.entitlement
    JOIN registry.activation ON activation.id = entitlement.activation_id
    JOIN registry.area AS province ON province.code = left(entitlement.area_code, 2)
    GROUP BY activation.opened_on, activation.scheme_code, province.code, province.name_en
    ORDER BY activation.opened_on, activation.scheme_code, province.code
"""

_FAILURES = """
    SELECT scheme, reason, count(*) AS households, sum(amount_minor)::bigint AS amount_minor
    FROM (
        SELECT activation.scheme_code AS scheme, entitlement.amount_minor,
            CASE entitlement.status::text
                WHEN 'unpayable' THEN 'no account is registered'
                ELSE coalesce(entitlement.reason, entitlement.status::text)
            END AS reason
        FROM registry.entitlement
        JOIN registry.activation ON activation.id = entitlement.activation_id
        WHERE entitlement.status::text IN ('failed', 'refused', 'unpayable')
    ) AS failed
    GROUP BY scheme, reason
    ORDER BY scheme, count(*) DESC
"""

_HOUSEHOLDS_PAID = """
    SELECT count(DISTINCT household_id) FROM payments.instruction WHERE status::text = 'settled'
"""

_LATER_ROUNDS = """
    SELECT activation.scheme_code AS scheme, payment_round.number, payment_round.due_on,
        (SELECT count(*) FROM registry.enrolment WHERE enrolment.activation_id = activation.id)
            AS households,
        (SELECT coalesce(sum(amount_minor), 0)::bigint FROM registry.enrolment
         WHERE enrolment.activation_id = activation.id) AS amount_minor
    FROM registry.payment_round
    JOIN registry.activation ON activation.id = payment_round.activation_id
    WHERE payment_round.released_at IS NULL
    ORDER BY activation.opened_on, activation.id, payment_round.number
"""


_DECIDED = """
    SELECT kind, proposed_by, decided_by, count(*) AS steps
    FROM (
        SELECT kind::text, proposed_by, decided_by, decision::text FROM registry.approval
        UNION ALL
        SELECT kind::text, proposed_by, decided_by, decision::text FROM triggers.approval
        UNION ALL
        SELECT kind::text, proposed_by, decided_by, decision::text FROM payments.approval
    ) AS approval
    WHERE decision = 'approved'
    GROUP BY kind, proposed_by, decided_by
    ORDER BY proposed_by, decided_by, kind
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """An activation's opening, or a widening, and the first round that it paid.

    Instants are the domain's: the figures are known, judged, acted on, and paid for. What
    the trigger judged is dated ``judged_on``.
    """

    scheme: str
    kind: str
    judged_on: date
    known_at: datetime
    evaluated_at: datetime
    explanation: str
    activated_at: datetime
    households: int
    paid_minor: int
    first_paid_at: datetime | None
    last_paid_at: datetime | None
    provinces: int
    communes: int


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """A time when the thresholds were met and nothing new was opened."""

    trigger: str
    judged_on: date
    stage: str
    outcome: str
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Province:
    """One province under one scheme; households, and riel paid."""

    scheme: str
    province: str
    entitled: int
    paid: int
    paid_minor: int
    failed: int
    without_account: int
    excluded: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why households were not paid."""

    scheme: str
    reason: str
    households: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class LaterRound:
    """A round that an officer releases when it is due; its cost if nothing changes until then."""

    scheme: str
    number: int
    due_on: date
    households: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Steps of one kind that one person proposed and another approved."""

    kind: str
    proposed_by: str
    decided_by: str
    steps: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the report tells, but for the proofs."""

    households_paid: int
    runs: list[Run]
    quiet: list[Quiet]
    provinces: list[Province]
    failures: list[Failure]
    later_rounds: list[LaterRound]
    decided: list[Decided]
    sandbox: dict[str, Any]


async def read_decided(database_url: str) -> list[Decided]:
    """What two persons decided so far, as the database's owner."""
    async with snapshot(database_url) as connection:
        return [Decided(**row) for row in await connection.fetch(_DECIDED)]


async def read_facts(database_url: str, *, sandbox_url: str) -> Facts:
    """Read it all as the database's owner, and the sandbox's own account of its misbehaviour."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{sandbox_url}/book/summary", timeout=60)
        answer.raise_for_status()
    async with snapshot(database_url) as connection:

        async def rows(kind: type[T], query: str) -> list[T]:
            return [kind(**row) for row in await connection.fetch(query)]

        return Facts(
            households_paid=await connection.fetchval(_HOUSEHOLDS_PAID),
            runs=await rows(Run, _RUNS),
            quiet=await rows(Quiet, _QUIET),
            provinces=await rows(Province, _PROVINCES),
            failures=await rows(Failure, _FAILURES),
            later_rounds=await rows(LaterRound, _LATER_ROUNDS),
            decided=await rows(Decided, _DECIDED),
            sandbox=answer.json(),
        )
