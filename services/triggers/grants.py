"""What the service's role may do: the least that it needs, table by table.

What is evidence is only ever added to, and no activation is ever deleted.
"""

from shared.audit.grants import AUDIT_GRANTS

GRANTS = {
    "known_area": "SELECT, INSERT",
    "indicator": "SELECT, INSERT, UPDATE (judge_at, judged_until, failing_since)",
    "observation": "SELECT, INSERT",
    "feed": "SELECT, INSERT",
    "feed_state": "SELECT, INSERT, UPDATE",
    "feed_pull": "SELECT, INSERT",
    "observation_import": "SELECT, INSERT, UPDATE (sent_by, read_at, digest, seen, recorded, "
    "unchanged, set_aside, refused, refusals, proposed, approval_id)",
    "place": "SELECT, INSERT",
    "place_alias": "SELECT, INSERT",
    "doubtful_observation": "SELECT, INSERT, UPDATE (reason, says, suggested_place, decision, "
    "decided_by, decided_at, decision_reason)",
    "trigger_definition": "SELECT, INSERT",
    "trigger_leg": "SELECT, INSERT",
    "evaluation": "SELECT, INSERT",
    "trigger_standing": "SELECT, INSERT, UPDATE (known_at, told_by, standing), DELETE",
    "readiness": "SELECT, INSERT, UPDATE (stood_down_on, areas)",
    "activation": "SELECT, INSERT, UPDATE (state, opened_on, evidence_from, evidence_to, "
    "approval_id, weigh_at, weighing_since, judge_again_at, ceiling_households, ceiling_minor, "
    "severity, doubt)",
    "activation_area": "SELECT, INSERT, UPDATE (added_at, added_by, announced_at, declined_at, "
    "declined_by, refused_at, refused_by, filtered)",
    "activation_move": "SELECT, INSERT",
    "approval": "SELECT, INSERT, UPDATE (decision, decided_by, decided_at, decision_reason, "
    "outcome)",
    "backtest": "SELECT, INSERT, UPDATE (state, look_at, attempts, steps_done, finished_at, "
    "report, failure)",
    "idempotency_key": "SELECT, INSERT, UPDATE (status, body), DELETE",
    "event_cursor": "SELECT, INSERT, UPDATE",
    "dead_letter": "SELECT, INSERT, UPDATE, DELETE",
    **AUDIT_GRANTS,
}
