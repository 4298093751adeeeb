"""What a loop may have to do, by the loop's name without its provider's, as a condition in SQL.

Each is true wherever the step would find something, and is answered by an index. Where that takes
more than the step's own look would, it is true more often: a step that finds nothing costs a look,
and one that is not taken costs somebody the time until it is.
"""

from collections.abc import Mapping

from services.payments.batches.states import OPEN
from services.payments.rounds.states import WAITING
from services.payments.statements import among
from shared.database import NOW

_RAISED = "EXISTS (SELECT FROM payments.chunk WHERE status = 'raised')"
_ANNOUNCED = "EXISTS (SELECT FROM payments.chunk WHERE status = 'announced')"
_UNDECIDED = f"EXISTS (SELECT FROM payments.payment_round WHERE status IN ({among(WAITING)}))"
_UNCHECKED = """
    EXISTS (
        SELECT FROM payments.instruction
        WHERE account_unchecked AND status IN ('ready', 'unknown')
    )
"""
_RAISED_EARLIER = """
    EXISTS (
        SELECT FROM payments.chunk
        WHERE status = 'raised' AND epoch < (SELECT events.current_epoch())
    )
"""

QUESTIONS: Mapping[str, str] = {
    "close": _RAISED,
    "send": _RAISED,
    "send-batches": _RAISED,
    "inquire": f"""
        EXISTS (
            SELECT FROM payments.instruction
            WHERE status IN ('pending', 'unknown') AND batch_number IS NULL
              AND next_action_at <= {NOW}
        )
    """,
    "leases": f"""
        EXISTS (
            SELECT FROM payments.instruction
            WHERE status = 'sending' AND next_action_at <= {NOW}
        )
    """,
    "batches": f"""
        EXISTS (
            SELECT FROM payments.batch
            WHERE status IN ({among(OPEN)}) AND next_action_at <= {NOW}
        )
    """,
    "fetch": f"""
        EXISTS (
            SELECT FROM payments.chunk WHERE status = 'announced' AND fetch_at <= {NOW}
        )
    """,
    "release": _UNDECIDED,
    "reserve": "EXISTS (SELECT FROM payments.reservation WHERE released_at IS NULL)",
    "cancel": f"""
        EXISTS (SELECT FROM payments.cancelled_activation)
        AND ({_UNDECIDED} OR {_ANNOUNCED} OR {_RAISED})
    """,
    "ask-first": _RAISED_EARLIER,
    "ask-elsewhere": _RAISED_EARLIER,
    # What is tried anew may be of this epoch, and what it follows of an earlier one.
    "ask-further": f"""
        {_RAISED}
        AND EXISTS (SELECT FROM payments.chunk WHERE epoch < (SELECT events.current_epoch()))
    """,
    "check-accounts": f"""
        EXISTS (SELECT FROM payments.account_check WHERE ask_at <= {NOW})
        OR {_UNCHECKED}
           AND EXISTS (SELECT FROM payments.account_check WHERE outcome = 'closed')
    """,
    "unseen-accounts": _UNCHECKED,
    "reroute": "EXISTS (SELECT FROM payments.route WHERE cardinality(causes) > 0)",
    "apply-answers": f"""
        EXISTS (SELECT FROM payments.answer WHERE applied_at IS NULL AND try_at <= {NOW})
    """,
    "apply-callbacks": "EXISTS (SELECT FROM payments.webhook WHERE status = 'received')",
    "sweep": "EXISTS (SELECT FROM payments.sweep WHERE finished_at IS NULL)",
    "resolve": """
        EXISTS (
            SELECT FROM payments.resolution
            WHERE approved_at IS NOT NULL AND finished_at IS NULL
        )
    """,
    "deliver": f"""
        EXISTS (
            SELECT FROM payments.subscription
            CROSS JOIN LATERAL (
                SELECT FROM payments.delivery
                WHERE delivery.subscription_id = subscription.id AND delivery.status = 'waiting'
                  AND delivery.next_attempt_at <= {NOW}
                LIMIT 1
            ) AS due
            WHERE subscription.status = 'active'
        )
    """,
}
