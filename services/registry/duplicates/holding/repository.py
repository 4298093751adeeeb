"""What an undecided suspicion holds back: one of two that may be one, while the other is paid."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import plan_anew

# Each side by its own index, for one household after the other: joined as a whole, all suspicions
# were read for each of them where the planner took the chunk for one row.
_HOLDING = """(
    SELECT id, second_household_id AS other_id, false AS other_is_first, settled_at
    FROM registry.duplicate_suspect WHERE holds AND first_household_id = {household}
    UNION ALL
    SELECT id, first_household_id, true, settled_at
    FROM registry.duplicate_suspect WHERE holds AND second_household_id = {household}
)"""

# Of an entitlement: whether it has to wait for somebody to decide about another's.
_HELD = f"""
    EXISTS (
        SELECT FROM {_HOLDING.format(household="{e}.household_id")} AS suspect
        JOIN registry.entitlement AS theirs ON theirs.household_id = suspect.other_id
        JOIN registry.activation AS here ON here.id = {{e}}.activation_id
        JOIN registry.activation AS there ON there.id = theirs.activation_id
        WHERE (suspect.settled_at IS NULL OR {{of_one_household}})
          AND there.scheme_code = here.scheme_code
          AND abs(there.opened_on - here.opened_on) <= {{days}}
          AND CASE
              WHEN theirs.activation_id = {{e}}.activation_id AND theirs.round = {{e}}.round
              THEN {{same_round}}
              ELSE theirs.status IN ('ready', 'paid') AND (suspect.other_is_first OR NOT EXISTS (
                  SELECT FROM registry.entitlement AS own
                  WHERE own.household_id = {{e}}.household_id
                    AND own.activation_id = theirs.activation_id AND own.round = theirs.round
                    AND own.status IN ('ready', 'paid')))
          END
    )
"""
# Two that are one by now were owed one round once; and what two activations owe them is what they
# would owe one household: both, unless their times overlap and the scheme pays one of them then.
_OF_ONE_HOUSEHOLD = """(
    theirs.activation_id = {e}.activation_id AND theirs.round = {e}.round
    OR theirs.activation_id <> {e}.activation_id
    AND EXISTS (
        SELECT FROM registry.scheme_version AS scheme
        WHERE scheme.code = here.scheme_code AND scheme.version = here.scheme_version
          AND scheme.document ->> 'overlapping' = 'excluded')
    AND there.opened_on <= {end_of_here} AND here.opened_on <= {end_of_there}
)"""
_END = """coalesce({activation}.cancelled_on, (
        SELECT max(due_on) FROM registry.payment_round AS round
        WHERE round.activation_id = {activation}.id), {activation}.opened_on)"""


def _held(entitlement: str, *, same_round: str) -> str:
    return _HELD.format(
        e=entitlement,
        days=ONE_SHOCK_DAYS,
        same_round=same_round,
        of_one_household=_OF_ONE_HOUSEHOLD.format(
            e=entitlement,
            end_of_here=_END.format(activation="here"),
            end_of_there=_END.format(activation="there"),
        ),
    )


ONE_SHOCK_DAYS = 90
"""Activations of one scheme that opened within so many days help in one shock."""
SUSPECTED_DUPLICATE = "suspected-duplicate"

HELD_FROM_REPAIR = _held(
    "entitlement",
    # Of two that nobody paid, the first one is announced again, and the other waits.
    same_round="theirs.status IN ('ready', 'paid') "
    "OR theirs.status IN ('failed', 'unpayable', 'refused') AND suspect.other_is_first",
)
"""SQL: whether an ``entitlement`` must not be announced again while a suspicion is undecided."""

# In the order of their ids, so that two who wait for each other's never wait for each other.
LOCK_OF_CHUNK = text(
    f"""
    SELECT suspect.first_household_id, suspect.second_household_id
    FROM registry.duplicate_suspect AS suspect
    WHERE suspect.id IN (
        SELECT holding.id FROM registry.entitlement AS e
        CROSS JOIN LATERAL {_HOLDING.format(household="e.household_id")} AS holding
        WHERE e.activation_id = :activation_id AND e.round = :round AND e.chunk_id = :chunk_id)
    ORDER BY suspect.id
    FOR UPDATE OF suspect
    """
)
SET_ASIDE = text(
    f"""
    WITH aside AS (
        UPDATE registry.entitlement AS e
        SET status = 'unpayable', reason = '{SUSPECTED_DUPLICATE}', payee_account_id = NULL
        WHERE e.household_id = ANY(CAST(:household_ids AS uuid[]))
          AND e.chunk_id = :chunk_id AND e.status = 'ready' AND {
        _held(
            "e",
            same_round="theirs.status IN ('ready', 'paid', 'refused') "
            "AND (theirs.chunk_id <> e.chunk_id OR suspect.other_is_first)",
        )
    }
        RETURNING e.amount_minor
    )
    SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM aside
    """
)


async def lock_of_chunk(
    session: AsyncSession, chunk_id: UUID, *, activation_id: UUID, round_number: int
) -> Sequence[UUID]:
    """Hold what is suspected of whom a chunk entitled, until the commit; the households of it.

    Whoever works the chunk of the other of a pair waits, and then sees what this one made.
    """
    # Suspicions come by ten thousands at once, and plans that were made before know of none.
    await plan_anew(session)
    values = {"chunk_id": chunk_id, "activation_id": activation_id, "round": round_number}
    pairs = (await session.execute(LOCK_OF_CHUNK, values)).all()
    return list({household_id for pair in pairs for household_id in pair})


async def set_aside(
    session: AsyncSession, chunk_id: UUID, household_ids: Sequence[UUID]
) -> tuple[int, int]:
    """Set aside whom of these in a chunk another may be that is paid; how many, of what sum."""
    values = {"chunk_id": chunk_id, "household_ids": household_ids}
    count, minor = (await session.execute(SET_ASIDE, values)).one()
    return count, minor
