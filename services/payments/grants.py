"""What the service's role may do: the least that it needs, table by table.

Nothing that was owed, paid or posted is ever deleted, and no transfer is ever changed. Balances
are moved by the trigger on transfers alone.
"""

from shared.audit.grants import AUDIT_GRANTS

GRANTS = {
    "provider": "SELECT, INSERT (code, name, currency), UPDATE (name, published, "
    "charge_fixed_minor, charge_basis_points)",
    "provider_health": (
        "SELECT, INSERT, UPDATE (last_reply_at, last_failure_at, last_failure, failing_since)"
    ),
    "provider_minute": "SELECT, INSERT, DELETE, UPDATE (replies, failures, sent_minor)",
    "account_check": (
        "SELECT, INSERT, UPDATE (household_fingerprint, outcome, reason, verdict, likeness, "
        "method, names_pair, accepted_pair, wanted_at, asked_at, tries, ask_at)"
    ),
    "account_preparation": ("SELECT, INSERT, UPDATE (households, after, fetch_at, fetched_at)"),
    "prepared_account": (
        "SELECT, INSERT, DELETE, UPDATE (provider_number, account_fingerprint, account_sealed)"
    ),
    "provider_allowance": ("SELECT, INSERT, UPDATE (tokens, filled_at, rests_until, rest_reason)"),
    "provider_share": "SELECT, INSERT, UPDATE (places, wanted, ends_at), DELETE",
    "fund": "SELECT, INSERT, UPDATE (maximum_payment_minor, maximum_round_minor)",
    "account": "SELECT, INSERT (code, scope, book, currency, overdraft_refused)",
    "journal_entry": "SELECT, INSERT",
    "transfer": "SELECT, INSERT",
    "reservation": (
        "SELECT, INSERT, UPDATE (fund, currency, households, wanted_minor, drawn_minor, "
        "reserved_minor, released_at)"
    ),
    "activation_trigger": "SELECT, INSERT",
    "payment_round": "SELECT, INSERT, UPDATE",
    "chunk": "SELECT, INSERT, UPDATE",
    "set_aside": "SELECT, INSERT",
    "cancelled_activation": "SELECT, INSERT",
    "pause": "SELECT, INSERT, UPDATE (resumed_at)",
    "instruction": (
        "SELECT, INSERT, UPDATE (status, moves, inquiries, next_action_at, first_sent_at, sent_at, "
        "finished_at, server_correlation_id, batch_number, transaction_reference, reason, "
        "paid_minor, resend_approved_at, account_sealed, withheld, account_unchecked, "
        "provider_number)"
    ),
    "route": "SELECT, INSERT, UPDATE (rerouted_minor, rerouted_count)",
    "rerouting": "SELECT, INSERT",
    "asked_elsewhere": "SELECT, INSERT, UPDATE (epoch, is_certain, asked_at)",
    "asked_further": "SELECT, INSERT, UPDATE (epoch, is_certain, asked_at)",
    "count_change": "SELECT, DELETE",
    "instruction_count": "SELECT, INSERT, UPDATE (count, amount_minor, changed_at)",
    "ended_span": "SELECT, INSERT, UPDATE (count), DELETE",
    "batch": (
        "SELECT, INSERT, UPDATE (status, moves, provider_batch_id, server_correlation_id, "
        "completions_read, rejections_read, readings, inquiries, next_action_at, first_sent_at, "
        "sent_at, finished_at, reason)"
    ),
    "batch_move": "SELECT, INSERT",
    "cash_list": "SELECT, INSERT, UPDATE (bringings, returned_at)",
    "cash_line": "SELECT, INSERT, UPDATE (outcome, bringing, reason, paid_on, paper_reference)",
    "cash_upload": "SELECT, INSERT, UPDATE (status, new_count, repeated_count, told_at)",
    "cash_upload_row": "SELECT, INSERT, UPDATE (is_new)",
    "answer": "SELECT, INSERT, UPDATE (applied_at, try_at)",
    "instruction_move": "SELECT, INSERT",
    "alarm": (
        "SELECT, INSERT, UPDATE (occurrences, detail, raised_at, cleared_at, cleared_by, "
        "cleared_reason)"
    ),
    "approval": (
        "SELECT, INSERT, UPDATE (decision, decided_by, decided_at, decision_reason, outcome)"
    ),
    "hold_rules": (
        "SELECT, INSERT, UPDATE (account_households, account_days, cap_minor, cap_currency, "
        "cap_days, duplicate_days, set_at)"
    ),
    "hold": "SELECT, INSERT, UPDATE (ended_at, resolution_id)",
    "resolution": "SELECT, INSERT, UPDATE (approved_at, finished_at)",
    "resolution_item": "SELECT, INSERT, UPDATE (result, detail)",
    "budget_line": "SELECT, INSERT, UPDATE (name, ceiling_minor)",
    "reclaim": "SELECT, INSERT",
    "reclaim_item": "SELECT, INSERT",
    "reversal": "SELECT, INSERT",
    "sweep": "SELECT, INSERT, UPDATE (finished_at)",
    "sweep_item": "SELECT, INSERT, UPDATE (asked, ask_at, finding, detail)",
    "statement_mapping": "SELECT, INSERT",
    "statement": "SELECT, INSERT, UPDATE (superseded_by, superseded_at)",
    "statement_line": "SELECT, INSERT, UPDATE (payment_id)",
    "statement_fault": "SELECT, INSERT",
    "statement_difference": (
        "SELECT, INSERT, UPDATE (kind, found_at, suspense_minor, answered_at, assigned_to, "
        "assigned_by, assigned_at, closed_at, closure, closed_reason, explained_by, approval_id)"
    ),
    "webhook": (
        "SELECT, INSERT, UPDATE (status, worked_at, instruction_id, reason, body_sealed, "
        "differed_at, difference_told), DELETE"
    ),
    "subscription": "SELECT, INSERT, UPDATE (status, ended_at, ended_because)",
    "subscription_key": "SELECT, INSERT, UPDATE (secret_sealed, signs_until)",
    "delivery": (
        "SELECT, INSERT, DELETE, UPDATE (status, attempts, next_attempt_at, attempted_at, "
        "finished_at, answer_status, detail)"
    ),
    "event_cursor": "SELECT, INSERT, UPDATE",
    "dead_letter": "SELECT, INSERT, UPDATE, DELETE",
    "idempotency_key": "SELECT, INSERT, UPDATE, DELETE",
    "known_key": "SELECT, INSERT, UPDATE (emptied_at)",
    **AUDIT_GRANTS,
}
