"""Where each kind of payment without a good end is found: one set of columns for all of them."""

from services.payments.account_checks.statements import OF_ACCOUNT
from services.payments.instructions.states import (
    EXCLUSIVE,
    MAY_BE_ELSEWHERE,
    MAY_BE_TRIED_ANEW,
    NOT_EXCLUSIVE,
)
from services.payments.statements import PAUSE_FITS, PAUSED, among, move_at
from services.payments.unresolved.kinds import UnresolvedKind


def _instructions(
    condition: str, *, since: str, joins: str = "", reason: str = "instruction.reason"
) -> str:
    """Rows of instructions; ``since`` is domain time, and so is what their age is counted by."""
    return f"""
        SELECT instruction.id, instruction.id AS instruction_id,
            {reason} AS reason, provider.code AS provider, instruction.amount_minor,
            chunk.currency, payment_round.activation_id, {since} AS since,
            extract(epoch FROM CAST(:now AS timestamptz) - {since})::bigint AS age_seconds
        FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        JOIN payments.provider ON provider.number = instruction.provider_number
        {joins}
        WHERE {condition}
    """


def _callbacks(status: str) -> str:
    """Rows of callbacks; they are counted by technical time."""
    return f"""
        SELECT webhook.id, webhook.instruction_id, webhook.reason, provider.code AS provider,
            CAST(NULL AS bigint) AS amount_minor, CAST(NULL AS text) AS currency,
            CAST(NULL AS uuid) AS activation_id, webhook.received_at AS since,
            extract(epoch FROM clock_timestamp() - webhook.received_at)::bigint AS age_seconds
        FROM payments.webhook
        JOIN payments.provider ON provider.number = webhook.provider_number
        WHERE webhook.status = '{status}'
    """


# What was announced again since is none of it any more: it is an instruction, or set aside anew.
_SET_ASIDE = f"""
    SELECT set_aside.entitlement_id AS id, CAST(NULL AS uuid) AS instruction_id,
        set_aside.reason::text AS reason, CAST(NULL AS text) AS provider, set_aside.amount_minor,
        chunk.currency, payment_round.activation_id, set_aside.set_aside_at AS since,
        extract(epoch FROM CAST(:now AS timestamptz) - set_aside.set_aside_at)::bigint
            AS age_seconds
    FROM payments.set_aside
    JOIN payments.chunk ON chunk.number = set_aside.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE set_aside.answered_in IS NULL
      AND NOT EXISTS (
          SELECT FROM payments.instruction AS other
          WHERE other.entitlement_id = set_aside.entitlement_id
            AND other.status IN ({among(EXCLUSIVE)})
      )
      AND NOT EXISTS (
          SELECT FROM payments.instruction AS other
          WHERE other.entitlement_id = set_aside.entitlement_id
            AND other.status IN ({among(NOT_EXCLUSIVE)})
            AND other.announcement >= set_aside.announcement
      )
      AND NOT EXISTS (
          SELECT FROM payments.set_aside AS later
          WHERE later.entitlement_id = set_aside.entitlement_id
            AND (later.announcement, later.chunk_number)
                > (set_aside.announcement, set_aside.chunk_number)
      )
"""

# What is heard is applied within moments; technical time.
_ANSWERS_SECONDS = 60
_ANSWERS = f"""
    SELECT CAST(lpad(to_hex(answer.number), 32, '0') AS uuid) AS id, answer.instruction_id,
        answer.kind::text AS reason, provider.code AS provider, answer.amount_minor,
        answer.currency, CAST(NULL AS uuid) AS activation_id, answer.heard_at AS since,
        extract(epoch FROM clock_timestamp() - answer.heard_at)::bigint AS age_seconds
    FROM payments.answer
    JOIN payments.provider ON provider.number = answer.provider_number
    WHERE answer.applied_at IS NULL
      AND answer.heard_at <= clock_timestamp() - interval '{_ANSWERS_SECONDS} seconds'
"""

# What is in flight is as old as its first sending, however often it was sent and asked about.
_FIRST_MOVE = f"JOIN LATERAL ({move_at('1')}) AS first_move ON true"
_FIRST_MOVE_IF_ANY = f"LEFT {_FIRST_MOVE}"
_LAST_MOVE = f"JOIN LATERAL ({move_at('instruction.moves')}) AS last_move ON true"

_FIRST_PAUSE = f"""
    JOIN LATERAL (
        SELECT min(pause.paused_at) AS paused_at
        FROM payments.pause
        WHERE pause.resumed_at IS NULL AND {PAUSE_FITS}
    ) AS paused ON paused.paused_at IS NOT NULL
"""

_HELD_BY_RULE = """
    JOIN (
        SELECT instruction_id, min(held_at) AS held_at,
            string_agg(rule::text, ', ' ORDER BY rule) AS rules
        FROM payments.hold
        WHERE ended_at IS NULL
        GROUP BY instruction_id
    ) AS held ON held.instruction_id = instruction.id
"""

_TRIES = 3
_ASKED_IN_VAIN = f"""
    JOIN payments.account_check AS checked
        ON {OF_ACCOUNT.format(check="checked", payment="instruction")}
        AND checked.outcome IS NULL AND checked.tries >= {_TRIES}
"""

# An end that a later attempt made good, or replaced by its own, is none to look at any more. Two
# partial indexes share the entitlements between them.
_LATEST = f"""
    NOT EXISTS (
        SELECT FROM payments.instruction AS other
        WHERE other.entitlement_id = instruction.entitlement_id
          AND other.status IN ({among(EXCLUSIVE)})
    )
    AND NOT EXISTS (
        SELECT FROM payments.instruction AS other
        WHERE other.entitlement_id = instruction.entitlement_id
          AND other.status IN ({among(NOT_EXCLUSIVE)})
          AND (other.announcement, other.attempt)
              > (instruction.announcement, instruction.attempt)
    )
"""

_CANNOT_POST = """EXISTS (
    SELECT FROM payments.alarm
    WHERE alarm.instruction_id = instruction.id AND alarm.kind = 'cannot_post'
      AND alarm.cleared_at IS NULL
)"""


# A line of a batch that has no answer is as unknown as a payment without one; but what is on a list
# waits for its household, and the list has days of its own.
UNKNOWN = """(
    instruction.status = 'unknown'
    OR instruction.status = 'sending' AND instruction.batch_number IS NOT NULL AND NOT EXISTS (
        SELECT FROM payments.cash_line AS line
        WHERE line.instruction_id = instruction.id AND line.outcome IS NULL
    )
)"""

# Of its provider, where that has a limit of its own: a bank answers later than a wallet.
_UNKNOWN_TOO_LONG_SECONDS = """coalesce(
    (
        SELECT own.seconds
        FROM unnest(
            CAST(:own_codes AS text[]), CAST(:own_unknown_too_long_seconds AS float[])
        ) AS own (code, seconds)
        WHERE own.code = provider.code
    ),
    :unknown_too_long_seconds
)"""


_UNKNOWN_TOO_LONG_LEAST_SECONDS = """least(
    :unknown_too_long_seconds,
    (SELECT min(seconds) FROM unnest(CAST(:own_unknown_too_long_seconds AS float[])) AS seconds)
)"""


def _too_long(condition: str, seconds: str, *, least_seconds: str) -> str:
    """``least_seconds``: the same for whichever provider has the least."""
    until = f"CAST(:now AS timestamptz) - make_interval(secs => {seconds})"
    # Nothing is sent before its round is released: where all rounds are young no payment is looked
    # at, and of a young one none is looked up. What has no end keeps its chunk raised.
    of_old_rounds = f"""
        SELECT raised.number
        FROM payments.chunk AS raised
        JOIN payments.payment_round AS its ON its.number = raised.round_number
        WHERE raised.status = 'raised'
          AND coalesce(its.released_at <= CAST(:now AS timestamptz)
              - make_interval(secs => {least_seconds}), true)
    """
    return _instructions(
        f"{condition} AND EXISTS ({of_old_rounds}) "
        f"AND instruction.chunk_number = ANY (ARRAY({of_old_rounds})) "
        f"AND coalesce(payment_round.released_at <= {until}, true) "
        f"AND first_move.moved_at <= {until}",
        since="first_move.moved_at",
        joins=_FIRST_MOVE,
    )


ROWS: dict[UnresolvedKind, str] = {
    UnresolvedKind.NOT_FUNDED: _instructions(
        "instruction.status = 'ready' AND payment_round.status = 'unfunded'",
        since="chunk.announced_at",
    ),
    UnresolvedKind.NOT_RELEASED: _instructions(
        "instruction.status = 'ready' AND payment_round.status = 'unapproved'",
        since="chunk.announced_at",
    ),
    UnresolvedKind.PAUSED: _instructions(
        "chunk.status = 'raised' AND payment_round.status = 'released' "
        "AND NOT instruction.withheld AND (instruction.status = 'ready' "
        "OR instruction.status = 'unknown' AND instruction.reason = 'paused')",
        since="greatest(payment_round.released_at, paused.paused_at)",
        joins=_FIRST_PAUSE,
    ),
    UnresolvedKind.HELD_BY_RULE: _instructions(
        "instruction.withheld AND instruction.status IN ('ready', 'unknown')",
        since="held.held_at",
        joins=_HELD_BY_RULE,
        reason="held.rules",
    ),
    UnresolvedKind.ACCOUNT_NOT_CHECKED: _instructions(
        "instruction.account_unchecked AND instruction.status IN ('ready', 'unknown') "
        "AND chunk.status = 'raised' AND payment_round.status = 'released'",
        since="checked.wanted_at",
        joins=_ASKED_IN_VAIN,
        reason="checked.reason",
    ),
    UnresolvedKind.NOT_SENT_TOO_LONG: _instructions(
        "instruction.status = 'ready' AND chunk.status = 'raised' "
        f"AND payment_round.status = 'released' AND NOT withheld AND NOT {PAUSED} "
        "AND provider.code = ANY(CAST(:configured AS text[])) AND payment_round.released_at <= "
        "CAST(:now AS timestamptz) - make_interval(secs => :not_sent_too_long_seconds)",
        since="payment_round.released_at",
    ),
    UnresolvedKind.PENDING_TOO_LONG: _too_long(
        "instruction.status = 'pending'",
        ":pending_too_long_seconds",
        least_seconds=":pending_too_long_seconds",
    ),
    UnresolvedKind.UNKNOWN_TOO_LONG: _too_long(
        UNKNOWN, _UNKNOWN_TOO_LONG_SECONDS, least_seconds=_UNKNOWN_TOO_LONG_LEAST_SECONDS
    ),
    UnresolvedKind.NOT_KNOWN_TO_PROVIDER: _instructions(
        "instruction.status = 'unknown' AND instruction.reason IN ('repeats_not_recognised', "
        "'repeats_no_longer_recognised', 'first_sending_not_known', "
        f"'{MAY_BE_ELSEWHERE}', '{MAY_BE_TRIED_ANEW}', "
        "'perhaps_paid_by_another_attempt', 'activation_cancelled')",
        since="first_move.moved_at",
        joins=_FIRST_MOVE,
    ),
    UnresolvedKind.PROVIDER_NOT_CONFIGURED: _instructions(
        "instruction.status IN ('ready', 'sending', 'pending', 'unknown') "
        "AND chunk.status = 'raised' AND payment_round.status <> 'refused' "
        "AND provider.code <> ALL(CAST(:configured AS text[])) "
        # Where all are, no payment is looked at.
        "AND EXISTS (SELECT FROM payments.provider AS missing "
        "WHERE missing.code <> ALL(CAST(:configured AS text[])))",
        since="coalesce(first_move.moved_at, chunk.raised_at, chunk.announced_at)",
        joins=_FIRST_MOVE_IF_ANY,
    ),
    UnresolvedKind.HELD: _instructions(
        "instruction.status = 'held'", since="last_move.moved_at", joins=_LAST_MOVE
    ),
    UnresolvedKind.RETURNED: _instructions(
        f"instruction.status = 'returned' AND {_LATEST} AND NOT EXISTS ("
        "SELECT FROM payments.reclaim_item WHERE instruction_id = instruction.id)",
        since="instruction.finished_at",
    ),
    UnresolvedKind.REJECTED: _instructions(
        f"instruction.status = 'rejected' AND NOT {_CANNOT_POST} AND {_LATEST}",
        since="instruction.finished_at",
    ),
    UnresolvedKind.BOOKED_BUT_REJECTED: _instructions(
        f"instruction.status = 'rejected' AND {_CANNOT_POST}", since="instruction.finished_at"
    ),
    UnresolvedKind.ANSWER_NOT_APPLIED: _ANSWERS,
    UnresolvedKind.UNPAYABLE: _SET_ASIDE,
    UnresolvedKind.CALLBACK_UNMATCHED: _callbacks("unmatched"),
    UnresolvedKind.CALLBACK_BLOCKED: _callbacks("blocked"),
    UnresolvedKind.CALLBACK_MALFORMED: _callbacks("malformed"),
}
"""For each kind, its rows: id, instruction_id, reason, provider, amount_minor, currency,
activation_id, since, age_seconds."""

UNKNOWN_STATUS = _instructions(
    "instruction.status = 'pending' AND instruction.reason LIKE 'transaction\\_%' "
    "AND first_move.moved_at <= "
    "CAST(:now AS timestamptz) - make_interval(secs => :unknown_status_seconds)",
    since="first_move.moved_at",
    joins=_FIRST_MOVE,
)
"""What is pending because its provider tells a status by a word that nobody here knows."""

SUMMARY = " UNION ALL ".join(
    f"""
    SELECT '{kind}' AS kind, reason, currency, count(*) AS rows,
        coalesce(sum(amount_minor), 0)::bigint AS amount_minor,
        max(age_seconds) AS oldest_age_seconds
    FROM ({rows}) AS found
    GROUP BY reason, currency
    """
    for kind, rows in ROWS.items()
)
