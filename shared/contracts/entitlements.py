"""The body of a chunk of entitlements: rows of ``COLUMNS``, one a payment, in one of two formats.

``BINARY`` is for payments: what PostgreSQL's ``COPY … (FORMAT binary)`` writes, of the types uuid,
uuid, text, bigint, text, text, bytea, smallint, bytea and bytea. ``CSV`` is the same for people:
RFC 4180 without a header.

``account_sealed`` (in CSV PostgreSQL's hex form of bytea, ``\\x…``) is the payee account, sealed
with ACCOUNT_KEYS in the context ``ACCOUNT_CONTEXT`` and bound to the household id's 16 bytes.
``announcement`` is 1 the first time that an entitlement is announced, n the n-th: the id of what is
sent follows from both. ``account_fingerprint`` is the same for the same account and tells nothing
else of it: eight bytes of the SHA-256 of the keyed index by which the registry finds accounts.
While that key is changed, one account may have two. ``household_fingerprint`` is in the same way
the same while the registry knows the same of the household: of now, where all else is of when the
chunk was worked. It is empty unless it is asked for, with ``households=true``.
"""

COLUMNS = (
    "entitlement_id",
    "household_id",
    "area_code",
    "amount_minor",
    "currency",
    "provider_code",
    "account_sealed",
    "announcement",
    "account_fingerprint",
    "household_fingerprint",
)
BINARY = "application/vnd.sangkroh.entitlements"
CSV = "text/csv; charset=utf-8; header=absent"
ACCOUNT_CONTEXT = "payee-account"
