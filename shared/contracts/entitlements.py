"""The body of a chunk of entitlements: CSV (RFC 4180) without a header, one row a payment.

``account_sealed`` is PostgreSQL's hex form of bytea (``\\x…``): the payee account, sealed with
ACCOUNT_KEYS in the context ``ACCOUNT_CONTEXT`` and bound to the household id's 16 bytes.
"""

COLUMNS = (
    "entitlement_id",
    "household_id",
    "area_code",
    "amount_minor",
    "currency",
    "provider_code",
    "account_sealed",
)
MEDIA_TYPE = "text/csv; charset=utf-8; header=absent"
ACCOUNT_CONTEXT = "payee-account"
