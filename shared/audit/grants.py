"""What a service's role may do with its audit record: add to it and read it, and nothing else.

When, in which epoch and in which transaction a record was written is for the database to say.
"""

AUDIT_GRANTS = {
    "audit_record": "SELECT, INSERT (id, subject, client, request_id, operation, unmasked_read, "
    "objects, before, after, reason)",
    "audit_link": "SELECT, INSERT",
}
