"""SQL of what has no end, or not a good one: summed, listed, and told by alarms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import RAISE_AGAIN
from services.payments.alarms.tables import AlarmKind
from services.payments.providers.health.repository import IS_DOWN, RECENT, WINDOW_MINUTES
from services.payments.statements import AnyRow, move_at
from services.payments.unresolved.kinds import UnresolvedKind
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.statements import ROWS, SUMMARY, UNKNOWN, UNKNOWN_STATUS

_SUMMARY = text(SUMMARY)

# The proposal about an item that waits for a second person.
_PROPOSED = """
    SELECT approval.id
    FROM payments.approval
    WHERE approval.decision IS NULL AND approval.expires_at > CAST(:now AS timestamptz)
      AND (
          approval.kind = 'attempt'
              AND approval.document ->> 'instruction_id' = found.instruction_id::text
          OR approval.kind = 'resolution' AND EXISTS (
              SELECT FROM payments.resolution_item
              WHERE resolution_item.resolution_id = approval.id
                AND resolution_item.instruction_id = found.instruction_id
          )
          OR approval.kind = 'round_release' AND EXISTS (
              SELECT FROM payments.instruction
              JOIN payments.chunk ON chunk.number = instruction.chunk_number
              WHERE instruction.id = found.instruction_id
                AND chunk.round_number::text = approval.document ->> 'number'
          )
      )
    ORDER BY approval.id
    LIMIT 1
"""

_ITEMS = {
    kind: text(
        f"""
        SELECT found.*, ({_PROPOSED}) AS approval_id FROM ({rows}) AS found
        WHERE (CAST(:after_since AS timestamptz) IS NULL
                OR (since, id) > (CAST(:after_since AS timestamptz), CAST(:after_id AS uuid)))
          AND (CAST(:provider AS text) IS NULL OR provider = :provider)
          AND (CAST(:activation_id AS uuid) IS NULL OR activation_id = :activation_id)
          AND (CAST(:reason AS text) IS NULL OR reason = :reason)
        ORDER BY since, id
        LIMIT :limit
        """
    )
    for kind, rows in ROWS.items()
}

_ONCE_EACH = "ON CONFLICT (instruction_id, kind)"


def _raise_about(kind: AlarmKind, rows: str, detail: str) -> TextClause:
    return text(
        f"""
        INSERT INTO payments.alarm (instruction_id, kind, detail, raised_at)
        SELECT found.instruction_id, '{kind}', {detail}, CAST(:now AS timestamptz)
        FROM ({rows}) AS found
        WHERE NOT EXISTS (
            SELECT FROM payments.alarm
            WHERE alarm.instruction_id = found.instruction_id AND alarm.kind = '{kind}'
              AND alarm.cleared_at IS NULL
        )
        LIMIT :size
        {_ONCE_EACH} {RAISE_AGAIN}
        RETURNING instruction_id
        """
    )


_DECIDE = "Ask the provider; then two persons decide, with POST /v1/resolutions."

_RAISE: Mapping[AlarmKind, TextClause] = {
    AlarmKind.PENDING_TOO_LONG: _raise_about(
        AlarmKind.PENDING_TOO_LONG,
        ROWS[UnresolvedKind.PENDING_TOO_LONG],
        f"'The provider has not decided for ' || age_seconds / 60 || ' minutes. {_DECIDE}'",
    ),
    AlarmKind.UNKNOWN_TOO_LONG: _raise_about(
        AlarmKind.UNKNOWN_TOO_LONG,
        ROWS[UnresolvedKind.UNKNOWN_TOO_LONG],
        "'It may have been sent ' || age_seconds / 60 || ' minutes ago, and nobody knows what "
        f"became of it. {_DECIDE}'",
    ),
    AlarmKind.UNKNOWN_STATUS: _raise_about(
        AlarmKind.UNKNOWN_STATUS,
        UNKNOWN_STATUS,
        "'The provider tells its status by a word that is not known here (' || found.reason || "
        f"'), so it counts as pending. {_DECIDE}'",
    ),
}

# One for each provider, however many payments it has: nothing is to be done about them singly.
_RAISE_PROVIDERS = text(
    f"""
    INSERT INTO payments.alarm (provider_number, kind, detail, raised_at)
    SELECT provider.number, '{AlarmKind.PROVIDER_NOT_CONFIGURED}',
        count(*) || ' payments have no end, and their provider ' || provider.code
            || ' is not in the settings. Put it back into PAYMENTS_PROVIDERS, or let two persons '
            || 'decide, with POST /v1/resolutions.',
        CAST(:now AS timestamptz)
    FROM ({ROWS[UnresolvedKind.PROVIDER_NOT_CONFIGURED]}) AS found
    JOIN payments.provider ON provider.code = found.provider
    WHERE NOT EXISTS (
        SELECT FROM payments.alarm
        WHERE alarm.provider_number = provider.number AND alarm.instruction_id IS NULL
          AND alarm.kind = '{AlarmKind.PROVIDER_NOT_CONFIGURED}' AND alarm.cleared_at IS NULL
    )
    GROUP BY provider.number, provider.code
    ON CONFLICT (provider_number, kind) WHERE instruction_id IS NULL {RAISE_AGAIN}
    RETURNING provider_number
    """
)

_RAISE_UNCHECKED = text(
    f"""
    INSERT INTO payments.alarm (provider_number, kind, detail, raised_at)
    SELECT provider.number, '{AlarmKind.ACCOUNTS_NOT_CHECKED}',
        count(*) || ' payments to ' || provider.code || ' wait, for nothing can be learnt of '
            || 'their accounts (' || min(found.reason) || '). They are asked about again by '
            || 'themselves; GET /v1/unresolved/account_not_checked says what can be done.',
        CAST(:now AS timestamptz)
    FROM ({ROWS[UnresolvedKind.ACCOUNT_NOT_CHECKED]}) AS found
    JOIN payments.provider ON provider.code = found.provider
    WHERE NOT EXISTS (
        SELECT FROM payments.alarm
        WHERE alarm.provider_number = provider.number AND alarm.instruction_id IS NULL
          AND alarm.kind = '{AlarmKind.ACCOUNTS_NOT_CHECKED}' AND alarm.cleared_at IS NULL
    )
    GROUP BY provider.number, provider.code
    ON CONFLICT (provider_number, kind) WHERE instruction_id IS NULL {RAISE_AGAIN}
    RETURNING provider_number
    """
)

_RAISE_DOWN = text(
    f"""
    INSERT INTO payments.alarm (provider_number, kind, detail, raised_at)
    SELECT provider.number, '{AlarmKind.PROVIDER_DOWN}',
        provider.code || ' has answered nothing that could be used since '
            || to_char(health.failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
            || ' UTC (' || recent.failures || ' requests failed in the last {WINDOW_MINUTES} '
            || 'minutes, the last with ' || health.last_failure || '). Payments to it wait and '
            || 'nothing is lost. Call its engineers; this ends by itself when it answers.',
        CAST(:now AS timestamptz)
    FROM payments.provider_health AS health
    JOIN payments.provider ON provider.number = health.provider_number
    CROSS JOIN LATERAL ({RECENT}) AS recent
    WHERE {IS_DOWN}
      AND provider.code = ANY(CAST(:configured AS text[]))
      AND NOT EXISTS (
          SELECT FROM payments.alarm
          WHERE alarm.provider_number = provider.number AND alarm.instruction_id IS NULL
            AND alarm.kind = '{AlarmKind.PROVIDER_DOWN}' AND alarm.cleared_at IS NULL
      )
    ON CONFLICT (provider_number, kind) WHERE instruction_id IS NULL {RAISE_AGAIN}
    RETURNING provider_number
    """
)

# While this holds, the cause of an alarm lasts. What is not here lasts until a person clears it.
_LASTS: Mapping[AlarmKind, str] = {
    # Rejected still: it could not be booked yet.
    AlarmKind.LATE_SUCCESS: "instruction.status IN ('rejected', 'held')",
    # Paid otherwise than ordered, until that is decided; or paid once more after it was settled.
    AlarmKind.DIFFERENT_PAYMENT: "instruction.status = 'held' OR instruction.status = 'settled' "
    "AND (last_move.from_status <> 'held' OR last_move.moved_at < alarm.raised_at)",
    AlarmKind.CONTRADICTION: "instruction.status NOT IN ('returned', 'held')",
    AlarmKind.CANNOT_POST: "instruction.status = 'rejected'",
    AlarmKind.ANSWER_NOT_APPLIED: "EXISTS (SELECT FROM payments.answer "
    "WHERE answer.instruction_id = alarm.instruction_id AND answer.applied_at IS NULL)",
    AlarmKind.ACCOUNT_UNREADABLE: "instruction.status = 'held'",
    AlarmKind.PENDING_TOO_LONG: "instruction.status = 'pending'",
    AlarmKind.UNKNOWN_TOO_LONG: UNKNOWN,
    AlarmKind.UNKNOWN_STATUS: "instruction.status = 'pending' "
    "AND instruction.reason LIKE 'transaction\\_%'",
    AlarmKind.SETTLED_NOT_BOOKED: "instruction.status = 'settled'",
}
_LASTS_CASE = " ".join(f"WHEN '{kind}' THEN {lasts}" for kind, lasts in _LASTS.items())

_CLEAR = text(
    f"""
    UPDATE payments.alarm SET cleared_at = :now
    WHERE number IN (
        SELECT alarm.number
        FROM payments.alarm
        LEFT JOIN payments.instruction ON instruction.id = alarm.instruction_id
        LEFT JOIN LATERAL ({move_at("instruction.moves")}) AS last_move ON true
        WHERE alarm.cleared_at IS NULL AND alarm.instruction_id IS NOT NULL
          AND NOT (CASE alarm.kind {_LASTS_CASE} ELSE true END)
        LIMIT :size
        FOR NO KEY UPDATE OF alarm SKIP LOCKED
    )
    RETURNING number
    """
)

_CLEAR_PROVIDERS = text(
    f"""
    UPDATE payments.alarm SET cleared_at = CAST(:now AS timestamptz)
    WHERE alarm.instruction_id IS NULL AND alarm.cleared_at IS NULL
      AND alarm.kind = '{AlarmKind.PROVIDER_NOT_CONFIGURED}'
      AND alarm.provider_number NOT IN (
          SELECT provider.number
          FROM ({ROWS[UnresolvedKind.PROVIDER_NOT_CONFIGURED]}) AS found
          JOIN payments.provider ON provider.code = found.provider
      )
    RETURNING number
    """
)

_CLEAR_CHECKED = text(
    f"""
    UPDATE payments.alarm SET cleared_at = CAST(:now AS timestamptz)
    WHERE alarm.instruction_id IS NULL AND alarm.cleared_at IS NULL
      AND alarm.kind = '{AlarmKind.ACCOUNTS_NOT_CHECKED}'
      AND alarm.provider_number NOT IN (
          SELECT provider.number
          FROM ({ROWS[UnresolvedKind.ACCOUNT_NOT_CHECKED]}) AS found
          JOIN payments.provider ON provider.code = found.provider
      )
    RETURNING number
    """
)

_CLEAR_ANSWERING = text(
    f"""
    UPDATE payments.alarm SET cleared_at = CAST(:now AS timestamptz)
    WHERE instruction_id IS NULL AND cleared_at IS NULL AND kind = '{AlarmKind.PROVIDER_DOWN}'
      AND provider_number NOT IN (
          SELECT provider_health.provider_number
          FROM payments.provider_health
          JOIN payments.provider ON provider.number = provider_health.provider_number
          WHERE failing_since IS NOT NULL AND provider.code = ANY(CAST(:configured AS text[]))
            -- Of one that nothing is asked of any more, nobody knows.
            AND last_failure_at > now() - interval '{WINDOW_MINUTES} minutes'
      )
    RETURNING number
    """
)


async def summary(session: AsyncSession, limits: Limits, *, now: datetime) -> Sequence[AnyRow]:
    """How many there are of each kind, by reason and currency: rows, amount_minor, oldest."""
    return (await session.execute(_SUMMARY, {"now": now, **limits.given()})).all()


async def list_items(
    session: AsyncSession,
    kind: UnresolvedKind,
    limits: Limits,
    *,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
    provider: str | None,
    activation_id: UUID | None,
    reason: str | None,
) -> Sequence[AnyRow]:
    """The items of a kind, oldest first; what is None does not narrow."""
    since, item_id = after or (None, None)
    rows = await session.execute(
        _ITEMS[kind],
        {
            "now": now,
            "after_since": since,
            "after_id": item_id,
            "limit": limit,
            "provider": provider,
            "activation_id": activation_id,
            "reason": reason,
            **limits.given(),
        },
    )
    return rows.all()


async def raise_for_time(
    session: AsyncSession, limits: Limits, *, now: datetime, size: int
) -> dict[AlarmKind, int]:
    """Raise alarms about what has had no end for too long, ``size`` of each kind at most."""
    given = {"now": now, "size": size, **limits.given()}
    raised = {
        kind: len((await session.execute(statement, given)).all())
        for kind, statement in _RAISE.items()
    }
    providers = await session.execute(_RAISE_PROVIDERS, {"now": now, **limits.given()})
    raised[AlarmKind.PROVIDER_NOT_CONFIGURED] = len(providers.all())
    unchecked = await session.execute(_RAISE_UNCHECKED, {"now": now, **limits.given()})
    raised[AlarmKind.ACCOUNTS_NOT_CHECKED] = len(unchecked.all())
    down = await session.execute(_RAISE_DOWN, {"now": now, **limits.given()})
    raised[AlarmKind.PROVIDER_DOWN] = len(down.all())
    return raised


async def clear_gone(session: AsyncSession, limits: Limits, *, now: datetime, size: int) -> int:
    """Clear alarms whose cause is gone, ``size`` at most; returns how many."""
    gone = len((await session.execute(_CLEAR, {"now": now, "size": size})).all())
    providers = await session.execute(_CLEAR_PROVIDERS, {"now": now, **limits.given()})
    answering = await session.execute(_CLEAR_ANSWERING, {"now": now, **limits.given()})
    checked = await session.execute(_CLEAR_CHECKED, {"now": now, **limits.given()})
    return gone + sum(len(ended.all()) for ended in (providers, answering, checked))
