"""SQL of routing: the rules, and what goes another way by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.dispatch.repository import NOT_CANCELLED, PERHAPS_PAID
from services.payments.providers.tables import Provider
from services.payments.routing.states import BEFORE_SENDING, RouteCause
from services.payments.routing.tables import Route
from services.payments.statements import AnyRow, AnySelect

_IN_FORCE = """
    SELECT DISTINCT ON (provider_number) *
    FROM payments.route
    ORDER BY provider_number, version DESC
"""

_WHOLLY_PAUSED = """
    EXISTS (
        SELECT FROM payments.pause
        WHERE pause.resumed_at IS NULL AND pause.provider_number = provider.number
          AND num_nonnulls(pause.scheme, pause.activation_id, pause.area_code) = 0
    )
"""

_HOLDS = {
    RouteCause.ALWAYS: "true",
    RouteCause.DISABLED: "NOT provider.code = ANY(CAST(:configured AS text[]))",
    RouteCause.PAUSED: _WHOLLY_PAUSED,
    RouteCause.DOWN: """
        coalesce(health.last_failure_at
            >= health.failing_since + make_interval(secs => route.down_seconds), false)
    """,
}

_CAUSE = "CASE {} END".format(
    "\n".join(
        f"WHEN '{cause}' = ANY(route.causes) AND {_HOLDS[cause]} THEN '{cause}'"
        for cause in BEFORE_SENDING
    )
)

# A rule whose cause holds now, and what of its provider may go the other way.
_DUE = text(
    f"""
    SELECT route.number, provider.code, route.provider_number, route.instead,
        {_CAUSE} AS cause
    FROM ({_IN_FORCE}) AS route
    JOIN payments.provider ON provider.number = route.provider_number
    LEFT JOIN payments.provider_health AS health ON health.provider_number = provider.number
    WHERE cardinality(route.causes) > 0
      AND route.rerouted_minor < route.maximum_minor
      AND {_CAUSE} IS NOT NULL
    ORDER BY provider.code
    """
)

# Those that would pay now: configured, not paused, and not failing.
_WELL = text(
    f"""
    SELECT provider.code, provider.number
    FROM unnest(CAST(:codes AS text[])) WITH ORDINALITY AS given (code, position)
    JOIN payments.provider USING (code)
    LEFT JOIN payments.provider_health AS health ON health.provider_number = provider.number
    WHERE provider.code = ANY(CAST(:configured AS text[]))
      AND provider.currency = (
          SELECT currency FROM payments.provider WHERE number = :provider_number
      )
      AND NOT {_WHOLLY_PAUSED}
      AND NOT coalesce(health.last_failure_at
          >= health.failing_since + make_interval(secs => :down_seconds), false)
    ORDER BY given.position
    """
)

# Never claimed, so nothing of it was ever sent; and of this epoch, so nothing of that was lost.
# Not more than the other provider's float covers beside what waits for it already, and not more
# than the rule lets go.
_REROUTE = text(
    f"""
    WITH route AS (
        SELECT * FROM payments.route WHERE number = :route_number FOR NO KEY UPDATE
    ),
    candidate AS MATERIALIZED (
        SELECT instruction.id, instruction.amount_minor
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE chunk.status = 'raised' AND payment_round.status = 'released'
          AND chunk.epoch = (SELECT events.current_epoch())
          AND {NOT_CANCELLED}
          AND instruction.status = 'ready'
          AND instruction.provider_number = :from_number
          AND instruction.moves = 0
          AND NOT instruction.withheld
          AND NOT {PERHAPS_PAID}
          AND NOT EXISTS (
              SELECT FROM payments.rerouting WHERE rerouting.instruction_id = instruction.id
          )
        ORDER BY instruction.id
        LIMIT :size
        FOR NO KEY UPDATE OF instruction SKIP LOCKED
    ),
    room AS (
        SELECT least(
            route.maximum_minor - route.rerouted_minor,
            (
                SELECT debits_minor - credits_minor FROM payments.account
                WHERE code = 'PROVIDER_FLOAT' AND scope = :to
            ) - (
                SELECT coalesce(sum(instruction.amount_minor), 0)
                FROM payments.payment_round
                JOIN payments.chunk ON chunk.round_number = payment_round.number
                JOIN payments.instruction ON instruction.chunk_number = chunk.number
                WHERE payment_round.status = 'released' AND chunk.status = 'raised'
                  AND instruction.status = 'ready' AND instruction.provider_number = :to_number
            )
        ) AS minor
        FROM route
    ),
    covered AS (
        SELECT running.id, running.amount_minor
        FROM (
            SELECT candidate.*, sum(amount_minor) OVER (ORDER BY id) AS running FROM candidate
        ) AS running, room
        WHERE running.running <= room.minor
    ),
    moved AS (
        UPDATE payments.instruction SET provider_number = :to_number
        FROM covered WHERE instruction.id = covered.id
    ),
    counted AS (
        UPDATE payments.route
        SET rerouted_minor = rerouted_minor + gone.minor,
            rerouted_count = rerouted_count + gone.count
        FROM (
            SELECT coalesce(sum(amount_minor), 0) AS minor, count(*) AS count FROM covered
        ) AS gone
        WHERE number = :route_number AND gone.count > 0
    )
    INSERT INTO payments.rerouting (instruction_id, from_provider_number, to_provider_number, cause,
        route_number, rerouted_at)
    SELECT id, :from_number, :to_number, CAST(:cause AS payments.route_cause), :route_number, :at
    FROM covered
    RETURNING instruction_id
    """
)

# A new attempt may go the other way at once: it was never with anybody.
_REROUTE_ATTEMPT = text(
    """
    WITH counted AS (
        UPDATE payments.route
        SET rerouted_minor = rerouted_minor + :amount_minor, rerouted_count = rerouted_count + 1
        WHERE number = :route_number
    ),
    moved AS (
        UPDATE payments.instruction SET provider_number = provider.number
        FROM payments.provider
        WHERE instruction.id = :id AND provider.code = :to
        RETURNING instruction.id, old.provider_number AS from_number,
            new.provider_number AS to_number
    )
    INSERT INTO payments.rerouting (instruction_id, from_provider_number, to_provider_number, cause,
        route_number, rerouted_at)
    SELECT id, from_number, to_number, 'rejected', :route_number, :at FROM moved
    """
)

_FOR_ATTEMPT = text(
    f"""
    SELECT route.number, provider.code AS provider, route.provider_number, route.instead,
        route.maximum_minor - route.rerouted_minor AS room_minor, instruction.amount_minor
    FROM payments.instruction
    JOIN payments.provider ON provider.number = instruction.provider_number
    JOIN ({_IN_FORCE}) AS route ON route.provider_number = provider.number
    WHERE instruction.id = :instruction_id
      AND 'rejected' = ANY(route.causes)
      AND instruction.reason = ANY(route.rejections)
    """
)


@dataclass(frozen=True, slots=True)
class DueRoute:
    """A rule whose cause holds now."""

    number: int
    provider: str
    provider_number: int
    instead: Sequence[str]
    cause: RouteCause


@dataclass(frozen=True, slots=True)
class AttemptRoute:
    """A rule by which a further attempt goes another way."""

    number: int
    provider: str
    provider_number: int
    instead: Sequence[str]
    amount_minor: int
    room_minor: int


def _select() -> AnySelect:
    return select(
        Route.number,
        Provider.code.label("provider"),
        Provider.currency,
        Route.version,
        Route.instead,
        Route.causes,
        Route.down_seconds,
        Route.rejections,
        Route.maximum_minor,
        Route.rerouted_minor,
        Route.rerouted_count,
        Route.reason,
        Route.approval_id,
        Route.set_at,
    ).join(Provider, Provider.number == Route.provider_number)


async def list_routes(
    session: AsyncSession, *, before: int | None, limit: int, provider: str | None
) -> Sequence[AnyRow]:
    """Versions of rules, the latest first."""
    query = _select().order_by(Route.number.desc()).limit(limit)
    if before is not None:
        query = query.where(Route.number < before)
    if provider is not None:
        query = query.where(Provider.code == provider)
    return (await session.execute(query)).all()


async def latest_version(session: AsyncSession, provider_number: int) -> int:
    """The version that is in force; 0: there is no rule."""
    query = (
        select(Route.version)
        .where(Route.provider_number == provider_number)
        .order_by(Route.version.desc())
        .limit(1)
    )
    return await session.scalar(query) or 0


async def insert_route(session: AsyncSession, values: Mapping[str, Any]) -> int:
    """A further version; its number. Raises IntegrityError where there is one of that version."""
    query = insert(Route).values(**values).returning(Route.number)
    return int((await session.execute(query)).scalar_one())


async def due_routes(session: AsyncSession, *, configured: Sequence[str]) -> list[DueRoute]:
    """The rules whose cause holds now."""
    rows = await session.execute(_DUE, {"configured": list(configured)})
    return [
        DueRoute(row.number, row.code, row.provider_number, row.instead, RouteCause(row.cause))
        for row in rows
    ]


async def well_among(
    session: AsyncSession,
    codes: Sequence[str],
    *,
    provider_number: int,
    configured: Sequence[str],
    down_seconds: float,
) -> list[tuple[str, int]]:
    """Those of these providers that could pay in one's place now, with their numbers, in order."""
    given = {
        "codes": list(codes),
        "configured": list(configured),
        "provider_number": provider_number,
        "down_seconds": down_seconds,
    }
    return [(row.code, row.number) for row in await session.execute(_WELL, given)]


async def reroute(
    session: AsyncSession, due: DueRoute, *, to: str, to_number: int, size: int, at: datetime
) -> list[UUID]:
    """Have what was never claimed go the other way; which payments.

    The caller alone claims what is ready at the provider that it is taken from.
    """
    given = {
        "route_number": due.number,
        "from_number": due.provider_number,
        "to": to,
        "to_number": to_number,
        "cause": due.cause.value,
        "size": size,
        "at": at,
    }
    return list((await session.execute(_REROUTE, given)).scalars())


async def route_for_attempt(session: AsyncSession, instruction_id: UUID) -> AttemptRoute | None:
    """The rule by which a rejected payment is tried anew by another provider; None: there is
    none."""
    row = (await session.execute(_FOR_ATTEMPT, {"instruction_id": instruction_id})).one_or_none()
    return None if row is None else AttemptRoute(**row._mapping)


async def reroute_attempt(
    session: AsyncSession,
    attempt_id: UUID,
    *,
    route: AttemptRoute,
    to: str,
    at: datetime,
) -> None:
    """Have an attempt that was just made go the other way."""
    given = {
        "id": attempt_id,
        "route_number": route.number,
        "to": to,
        "amount_minor": route.amount_minor,
        "at": at,
    }
    await session.execute(_REROUTE_ATTEMPT, given)
