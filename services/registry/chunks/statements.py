"""Chunks as they are summed up: pieces of SQL for the slices that do."""

_COUNTED = """
    chunk.status IN ('announced', 'settling')
    AND counted.paid_count + counted.failed_count BETWEEN chunk.paid_count + chunk.failed_count + 1
        AND chunk.payable_count - chunk.refused_count
"""

_SUMS = ", ".join(
    f"CASE WHEN {_COUNTED} THEN counted.{name} ELSE chunk.{name} END AS {name}"
    for name in ("paid_count", "paid_minor", "failed_count", "failed_minor")
)

CHUNKS = f"""
    SELECT chunk.id, chunk.activation_id, chunk.round, chunk.province_code, chunk.status,
        chunk.currency, chunk.payable_count, chunk.payable_minor, chunk.unpayable_count,
        chunk.unpayable_minor, chunk.excluded_count, chunk.refused_count, chunk.refused_minor,
        chunk.announced_at, chunk.first_paid_at, chunk.last_paid_at, {_SUMS}
    FROM registry.entitlement_chunk AS chunk
    LEFT JOIN registry.payment_count AS counted ON counted.chunk_id = chunk.id
    WHERE chunk.home_chunk_id IS NULL
"""
"""Chunks with what came of them: by their entitlements, or where more have ended since, by what
payments counted. Not those of repairs: what they announce again is counted where it is at home."""
