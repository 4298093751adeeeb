"""What the service's role may do: the least that it needs, table by table.

Nothing registered or owed is ever deleted; the list of providers is payments' and not ours.
"""

from shared.audit.grants import AUDIT_GRANTS

GRANTS = {
    "area": "SELECT, INSERT, UPDATE",
    "gazetteer_edition": "SELECT, INSERT, UPDATE, DELETE",
    "area_change": "SELECT, INSERT",
    "area_successor": "SELECT, INSERT, DELETE",
    "household_following": "SELECT, INSERT, UPDATE (choices, to_code, to_village, decided_by, "
    "decided_at)",
    "provider": "SELECT, INSERT, UPDATE, DELETE",
    "fund": "SELECT, INSERT, UPDATE",
    "household": "SELECT, INSERT, UPDATE",
    "household_key": "SELECT, INSERT, UPDATE (material, destroyed_at)",
    "household_change": "SELECT, INSERT, UPDATE (before, after)",
    "earlier_person": "SELECT, INSERT, UPDATE (person_sealed)",
    "erasure_batch": "SELECT, INSERT, UPDATE (households, approved_at, finished_at, done_up_to, "
    "erased, passed_over)",
    "erasure_planned": "SELECT, INSERT",
    "household_act": "SELECT, INSERT, UPDATE (given_sealed)",
    "enrolled_before": "SELECT, INSERT",
    "household_consent": ("SELECT, INSERT, UPDATE (withdrawn_on, withdrawn_at, withdrawn_by)"),
    "payee_account": "SELECT, INSERT, UPDATE (ended_at, account_sealed, account_index)",
    "member": "SELECT, INSERT, UPDATE",
    "member_change": "SELECT, INSERT, UPDATE (made_at, alone, person_sealed, birth_date, "
    "content_index, id_number_index, phone_index, reference_index, name_tokens)",
    "programme": "SELECT, INSERT, UPDATE (name_en, name_km)",
    "programme_membership": "SELECT, INSERT, UPDATE (since, until)",
    "duplicate_suspect": (
        "SELECT, INSERT, UPDATE (first_member_id, second_member_id, withdrawn_at, decided_at, "
        "exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds, decision, "
        "decided_by, reason, merger_id, settled_at, passed_to)"
    ),
    "duplicate_decision": "SELECT, INSERT",
    "duplicate_look": "SELECT, INSERT, UPDATE",
    "account_change": "SELECT, INSERT, UPDATE (account_sealed, account_index)",
    "account_batch": "SELECT, INSERT, UPDATE (approved_at, done_up_to, changed, finished_at)",
    "household_import": "SELECT, INSERT, UPDATE",
    "import_rejection": "SELECT, INSERT, DELETE",
    "import_file": "SELECT, INSERT, UPDATE, DELETE",
    "import_piece": "SELECT, INSERT, UPDATE (piece_sealed), DELETE",
    "import_run": "SELECT, INSERT, UPDATE",
    "import_area": "SELECT, INSERT, UPDATE, DELETE",
    "import_note": "SELECT, INSERT, UPDATE, DELETE",
    "import_mapping": "SELECT, INSERT, UPDATE, DELETE",
    "scheme_version": "SELECT, INSERT",
    "activation": "SELECT, INSERT, UPDATE (areas, areas_refused, scheme_version, not_enrolled, "
    "cancelled_on, has_ceiling, ceiling_households, ceiling_minor, allowed_households, "
    "allowed_minor)",
    "partner": "SELECT, INSERT, UPDATE",
    "partner_message": "SELECT, INSERT, DELETE",
    "partner_request": "SELECT, INSERT, DELETE, UPDATE (status, answered_at, message_sealed)",
    "partner_delivery": (
        "SELECT, INSERT, DELETE, UPDATE (status, attempts, next_attempt_at, attempted_at, "
        "finished_at, answer_status, detail, message_sealed)"
    ),
    "partner_subscription": "SELECT, INSERT, UPDATE (ended_at, filter_sealed)",
    "partner_search": "SELECT, INSERT",
    "partner_callback": "SELECT, INSERT, DELETE, UPDATE (message_sealed)",
    "preparation": "SELECT, INSERT, UPDATE",
    "payment_round": "SELECT, INSERT, UPDATE (released_at, released_by)",
    "enrolment_run": "SELECT, INSERT, UPDATE (chunks_done, completed_at, held_at, approval_id)",
    "activation_commune": "SELECT, INSERT, UPDATE (enrolment_run_id, edition)",
    "enrolment": "SELECT, INSERT",
    "reassessment": "SELECT, INSERT",
    "further_enrolment": "SELECT, INSERT",
    "exclusion": "SELECT, INSERT, UPDATE (ended_at, ended_by, ended_because)",
    "appeal": "SELECT, INSERT, UPDATE (decision, decided_by, decided_at, outcome)",
    "appeal_step": "SELECT, INSERT",
    "entitlement_chunk": "SELECT, INSERT, UPDATE",
    "payment_count": (
        "SELECT, INSERT, UPDATE (counted_at, paid_count, paid_minor, failed_count, failed_minor)"
    ),
    "entitlement": "SELECT, INSERT, UPDATE (status, reason, finished_at, payee_account_id)",
    "announcement": "SELECT, INSERT, UPDATE (status, reason, finished_at)",
    "repair": "SELECT, INSERT",
    "reannouncement": "SELECT, INSERT",
    "approval": "SELECT, INSERT, UPDATE (decision, decided_by, decided_at, decision_reason, "
    "outcome)",
    "idempotency_key": "SELECT, INSERT, UPDATE, DELETE",
    "known_key": "SELECT, INSERT, UPDATE (emptied_at)",
    "event_cursor": "SELECT, INSERT, UPDATE",
    "dead_letter": "SELECT, INSERT, UPDATE, DELETE",
    **AUDIT_GRANTS,
}
