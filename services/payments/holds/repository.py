"""SQL of holds: the rules, what they hold, and what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.holds.statements import WITHHOLD
from services.payments.holds.states import HoldRule
from services.payments.holds.tables import Hold, HoldRules
from services.payments.statements import HEARD_OF, AnyRow, paged

_WITHHOLD = text(WITHHOLD)

_HEARD_OF = text(HEARD_OF)

_LOCK_ID = 7_205_015
# One round is looked at after the other: two that are released at once would not see each other.
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")

_PROPOSED = """
    SELECT approval.id
    FROM payments.approval
    JOIN payments.resolution_item ON resolution_item.resolution_id = approval.id
    WHERE (approval.decision IS NULL AND approval.expires_at > CAST(:now AS timestamptz)
        OR approval.decision = 'approved' AND resolution_item.result IS NULL)
      AND approval.kind = 'resolution'
      AND resolution_item.instruction_id = hold.instruction_id
    ORDER BY approval.id
    LIMIT 1
"""

_LIST = text(
    f"""
    SELECT hold.number, hold.instruction_id, hold.rule::text AS rule, hold.found, hold.allowed,
        hold.window_days, hold.held_at, hold.ended_at, hold.resolution_id,
        instruction.status::text AS status, instruction.amount_minor, chunk.currency,
        provider.code AS provider, payment_round.scheme, payment_round.activation_id,
        ({_PROPOSED}) AS approval_id
    FROM payments.hold
    JOIN payments.instruction ON instruction.id = hold.instruction_id
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE hold.number > :after
      AND (:ended OR hold.ended_at IS NULL AND instruction.withheld
          AND instruction.status IN ('ready', 'unknown'))
      AND (CAST(:rule AS text) IS NULL OR hold.rule::text = :rule)
      AND (CAST(:scheme AS text) IS NULL OR payment_round.scheme = :scheme)
      AND (CAST(:activation_id AS uuid) IS NULL OR payment_round.activation_id = :activation_id)
      AND (CAST(:provider AS text) IS NULL OR provider.code = :provider)
      AND (CAST(:instruction_id AS uuid) IS NULL OR hold.instruction_id = :instruction_id)
    ORDER BY hold.number
    LIMIT :limit
    """
)


# One person's question about one hold: a look at every payment, so no index is kept for it.
_COUNTED = text(
    """
    WITH held AS MATERIALIZED (
        SELECT hold.rule, hold.held_at, hold.window_days, instruction.household_id,
            instruction.provider_number, instruction.account_fingerprint, payment_round.scheme,
            payment_round.activation_id
        FROM payments.hold
        JOIN payments.instruction ON instruction.id = hold.instruction_id
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        WHERE hold.number = :number
    )
    SELECT instruction.id AS instruction_id, instruction.household_id, provider.code AS provider,
        payment_round.scheme, payment_round.activation_id, payment_round.released_at,
        instruction.status::text AS status, instruction.amount_minor, chunk.currency
    FROM held
    JOIN payments.instruction ON CASE held.rule
        WHEN 'same_account' THEN instruction.provider_number = held.provider_number
            AND instruction.account_fingerprint = held.account_fingerprint
        ELSE instruction.household_id = held.household_id
    END
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE payment_round.released_at <= held.held_at
      AND payment_round.released_at > held.held_at - make_interval(days => held.window_days)
      AND (held.rule = 'same_account' OR payment_round.scheme = held.scheme)
      AND (held.rule <> 'suspected_duplicate'
        OR payment_round.activation_id <> held.activation_id)
      AND NOT coalesce(
          instruction.status IN ('rejected', 'returned', 'cancelled')
          AND instruction.finished_at <= held.held_at, false
      )
      AND (CAST(:after AS uuid) IS NULL OR instruction.id > :after)
    ORDER BY instruction.id
    LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scheme's rules let go; what is None is not looked at."""

    account_households: int | None = None
    account_days: int | None = None
    cap_minor: int | None = None
    cap_currency: str | None = None
    cap_days: int | None = None
    duplicate_days: int | None = None


@dataclass(frozen=True, slots=True)
class HoldFilter:
    """Which holds; what is None does not narrow."""

    rule: HoldRule | None = None
    scheme: str | None = None
    activation_id: UUID | None = None
    provider: str | None = None
    instruction_id: UUID | None = None


async def is_heard_of(session: AsyncSession, scheme: str) -> bool:
    """Whether a round of the scheme has come."""
    heard = (await session.execute(_HEARD_OF, {"scheme": scheme, "activation_id": None})).one()
    return bool(heard.scheme)


async def find_limits(session: AsyncSession, scheme: str) -> Limits | None:
    """A scheme's rules; None: it has none."""
    query = select(*_LIMITS).where(HoldRules.scheme == scheme)
    row = (await session.execute(query)).one_or_none()
    return Limits(**row._mapping) if row else None


async def lock_limits(session: AsyncSession, scheme: str) -> Limits | None:
    """The same, and nobody else sets or uses rules meanwhile."""
    await session.execute(_LOCK, {"lock": _LOCK_ID})
    return await find_limits(session, scheme)


async def set_limits(session: AsyncSession, scheme: str, limits: Limits, *, at: datetime) -> None:
    """Have a scheme looked at by these rules from now on."""
    values = {**asdict(limits), "set_at": at}
    await session.execute(
        insert(HoldRules)
        .values(scheme=scheme, **values)
        .on_conflict_do_update(index_elements=[HoldRules.scheme], set_=values)
    )


async def list_rules(session: AsyncSession, *, after: str | None, limit: int) -> Sequence[AnyRow]:
    """The rules of schemes, in the order of the schemes' codes."""
    query = select(HoldRules.scheme, *_LIMITS, HoldRules.set_at)
    return (await session.execute(paged(query, HoldRules.scheme, after=after, limit=limit))).all()


async def withhold(
    session: AsyncSession,
    round_number: int,
    limits: Limits,
    *,
    scheme: str,
    activation_id: UUID,
    at: datetime,
) -> int:
    """Hold what rules hold of a round that is released in this transaction; how many payments."""
    rows = await session.execute(
        _WITHHOLD,
        {
            "round_number": round_number,
            "scheme": scheme,
            "activation_id": activation_id,
            "at": at,
            **asdict(limits),
        },
    )
    return len(set(rows.scalars()))


async def list_holds(
    session: AsyncSession,
    chosen: HoldFilter,
    *,
    ended: bool,
    after: int,
    limit: int,
    now: datetime,
) -> Sequence[AnyRow]:
    """Holds in the order in which they were made: those that wait, or with those that ended."""
    return (
        await session.execute(
            _LIST,
            {"ended": ended, "after": after, "limit": limit, "now": now, **asdict(chosen)},
        )
    ).all()


async def exists(session: AsyncSession, number: int) -> bool:
    """Whether there is a hold of that number."""
    return await session.scalar(select(Hold.number).where(Hold.number == number)) is not None


async def list_counted(
    session: AsyncSession, number: int, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """The payments that a hold's rule counted, in the order of their ids, as they are now."""
    given = {"number": number, "after": after, "limit": limit}
    return (await session.execute(_COUNTED, given)).all()


_LIMITS = (
    HoldRules.account_households,
    HoldRules.account_days,
    HoldRules.cap_minor,
    HoldRules.cap_currency,
    HoldRules.cap_days,
    HoldRules.duplicate_days,
)
