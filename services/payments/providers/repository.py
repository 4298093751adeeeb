"""SQL of providers: their numbers, their balances in the ledger, and what waits for them."""

from collections.abc import Collection, Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.health.repository import IS_DOWN, RECENT
from services.payments.providers.tables import Provider
from services.payments.statements import PAUSED, AnyRow

_PAUSED = f"payment_round.status = 'released' AND NOT instruction.withheld AND {PAUSED}"

# What is ready waits for the provider's float, or first for the fund of its round, for two persons
# to release it, or for the rest of its round to arrive; what is in a refused round waits for
# nothing.
_SELECT = f"""
    SELECT provider.code, provider.name, provider.currency,
        coalesce(sum(balance) FILTER (WHERE account.code = 'PROVIDER_FLOAT'), 0)::bigint
            AS float_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'IN_TRANSIT'), 0)::bigint
            AS in_transit_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'SUSPENSE'), 0)::bigint
            AS suspense_minor,
        coalesce(sum(-balance) FILTER (WHERE account.code = 'RETURNS_PAYABLE'), 0)::bigint
            AS returns_payable_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'PROVIDER_CHARGES'), 0)::bigint
            AS charges_minor,
        coalesce(sum(-balance) FILTER (WHERE account.code = 'CHARGES_PAYABLE'), 0)::bigint
            AS charges_payable_minor,
        waiting.minor AS waiting_minor, waiting.count AS waiting_count,
        waiting.unfunded_minor AS waiting_for_fund_minor,
        waiting.unfunded_count AS waiting_for_fund_count,
        waiting.unapproved_minor AS waiting_for_release_minor,
        waiting.unapproved_count AS waiting_for_release_count,
        health.last_reply_at, health.last_failure_at, health.last_failure, health.failing_since,
        coalesce({IS_DOWN}, false) AS is_down,
        resting.rests_until AS resting_until, resting.rest_reason AS resting_because,
        recent.replies, recent.failures, recent.sent_minor, recent.seconds AS recent_seconds,
        in_doubt.count AS unknown_count, in_doubt.minor AS unknown_minor,
        in_doubt.oldest_seconds AS unknown_oldest_seconds,
        waiting.paused_minor AS waiting_for_resumption_minor,
        waiting.paused_count AS waiting_for_resumption_count,
        waiting.withheld_minor AS waiting_for_decision_minor,
        waiting.withheld_count AS waiting_for_decision_count
    FROM payments.provider
    LEFT JOIN payments.provider_health AS health ON health.provider_number = provider.number
    LEFT JOIN payments.provider_allowance AS resting
        ON resting.provider_number = provider.number AND resting.rests_until > clock_timestamp()
    CROSS JOIN LATERAL ({RECENT}) AS recent
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor,
            extract(epoch FROM clock_timestamp() - min(first_sent_at))::bigint AS oldest_seconds
        FROM payments.instruction
        WHERE instruction.status IN ('sending', 'pending', 'unknown')
          AND instruction.status = 'unknown' AND instruction.provider_number = provider.number
    ) AS in_doubt
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor,
            count(*) FILTER (WHERE payment_round.status = 'unfunded') AS unfunded_count,
            coalesce(sum(amount_minor) FILTER (WHERE payment_round.status = 'unfunded'), 0)::bigint
                AS unfunded_minor,
            count(*) FILTER (WHERE payment_round.status = 'unapproved') AS unapproved_count,
            coalesce(
                sum(amount_minor) FILTER (WHERE payment_round.status = 'unapproved'), 0
            )::bigint AS unapproved_minor,
            count(*) FILTER (WHERE {_PAUSED}) AS paused_count,
            coalesce(sum(amount_minor) FILTER (WHERE {_PAUSED}), 0)::bigint AS paused_minor,
            count(*) FILTER (WHERE instruction.withheld) AS withheld_count,
            coalesce(sum(amount_minor) FILTER (WHERE instruction.withheld), 0)::bigint
                AS withheld_minor
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE payment_round.status <> 'refused'
          AND chunk.status = 'raised'
          AND instruction.status = 'ready'
          AND instruction.provider_number = provider.number
    ) AS waiting
    LEFT JOIN LATERAL (
        SELECT account.code, debits_minor - credits_minor AS balance
        FROM payments.account
        WHERE account.scope = provider.code AND account.book = 'cash'
    ) AS account ON true
"""
_GROUP = """
    GROUP BY provider.number, waiting.minor, waiting.count, waiting.unfunded_minor,
        waiting.unfunded_count, waiting.unapproved_minor, waiting.unapproved_count,
        health.provider_number, resting.provider_number, recent.replies, recent.failures,
        recent.sent_minor, recent.seconds, in_doubt.count, in_doubt.minor, in_doubt.oldest_seconds,
        waiting.paused_minor, waiting.paused_count,
        waiting.withheld_minor, waiting.withheld_count
"""
_GET = text(_SELECT + " WHERE provider.code = :code" + _GROUP)
_LIST = text(
    _SELECT + " WHERE provider.code > :after" + _GROUP + " ORDER BY provider.code LIMIT :limit"
)

_CHARGES_PAYABLE = text(
    """
    SELECT credits_minor - debits_minor
    FROM payments.account
    WHERE code = 'CHARGES_PAYABLE' AND scope = :code
    """
)

# A line that nobody booked as a charge before: what two persons decide on, or did.
_ON_STATEMENT = text(
    """
    SELECT statement.day, difference.number, difference.closed_at IS NULL AS is_open
    FROM payments.statement_difference AS difference
    JOIN payments.statement ON statement.number = difference.statement_number
    JOIN payments.provider ON provider.number = statement.provider_number
    WHERE provider.code = :code
      AND difference.kind = 'unknown_payment'
      AND difference.closure IS DISTINCT FROM 'explained'
      AND difference.reference = :reference AND difference.statement_minor = :amount_minor
      AND statement.superseded_at IS NULL
    ORDER BY difference.number
    LIMIT 1
    """
)

_LOCK = text("SELECT number FROM payments.provider WHERE code = :code FOR NO KEY UPDATE")

# Inserted only where it is missing: an upsert would use up a number at every start.
_INSERT = text(
    """
    INSERT INTO payments.provider (code, name, currency)
    SELECT :code, :name, :currency
    WHERE NOT EXISTS (SELECT 1 FROM payments.provider WHERE code = :code)
    ON CONFLICT (code) DO NOTHING
    """
)
_KEEP = text(
    """
    UPDATE payments.provider
    SET name = :name, charge_fixed_minor = :fixed_minor, charge_basis_points = :basis_points
    WHERE code = :code
      AND (name, charge_fixed_minor, charge_basis_points) <> (:name, :fixed_minor, :basis_points)
    """
)


# In one order everywhere, and locked: several processes start at the same time.
_LOCK_PUBLISHED = text(
    "SELECT code, published FROM payments.provider ORDER BY code FOR NO KEY UPDATE"
)
_PUBLISH = text(
    """
    UPDATE payments.provider SET published = NOT published
    WHERE published <> (code = ANY(CAST(:codes AS text[])))
    """
)


async def publish_list(session: AsyncSession, codes: Collection[str]) -> bool:
    """Keep which providers the published list names; whether that is another list than before."""
    rows = (await session.execute(_LOCK_PUBLISHED)).all()
    if {row.code for row in rows if row.published} == set(codes):
        return False
    await session.execute(_PUBLISH, {"codes": list(codes)})
    return True


async def keep_provider(
    session: AsyncSession,
    *,
    code: str,
    name: str,
    currency: str,
    charge_fixed_minor: int,
    charge_basis_points: int,
) -> tuple[int, str]:
    """The provider's number and its currency; a new one is inserted, of a known one the name and
    what it charges are kept."""
    await session.execute(_INSERT, {"code": code, "name": name, "currency": currency})
    given = {
        "code": code,
        "name": name,
        "fixed_minor": charge_fixed_minor,
        "basis_points": charge_basis_points,
    }
    await session.execute(_KEEP, given)
    query = select(Provider.number, Provider.currency).where(Provider.code == code)
    number, kept_currency = (await session.execute(query)).one()
    return number, kept_currency


async def find_provider(session: AsyncSession, code: str) -> Provider | None:
    """A provider as such."""
    return await session.scalar(select(Provider).where(Provider.code == code))


async def charges_payable_minor(session: AsyncSession, code: str) -> int:
    """What a provider was to charge and was not paid yet, by our books."""
    return int(await session.scalar(_CHARGES_PAYABLE, {"code": code}) or 0)


async def find_on_statement(
    session: AsyncSession, code: str, *, reference: str, amount_minor: int
) -> AnyRow | None:
    """The difference (day, number, is_open) by which a provider's statement has a charge that our
    books did not have when it came; None: there is none."""
    given = {"code": code, "reference": reference, "amount_minor": amount_minor}
    return (await session.execute(_ON_STATEMENT, given)).one_or_none()


async def lock_charges_payable(session: AsyncSession, code: str) -> int:
    """The same, and nobody else records what of it is taken or paid until this is committed."""
    await session.execute(_LOCK, {"code": code})
    return await charges_payable_minor(session, code)


async def find_provider_with_money(
    session: AsyncSession, code: str, *, down_seconds: float
) -> AnyRow | None:
    """A provider with its balances, and how it answers."""
    given = {"code": code, "provider_down_seconds": down_seconds}
    return (await session.execute(_GET, given)).one_or_none()


async def list_providers_with_money(
    session: AsyncSession, *, after: str | None, limit: int, down_seconds: float
) -> Sequence[AnyRow]:
    """Providers with their balances, and how they answer, in the order of their codes."""
    given = {"after": after or "", "limit": limit, "provider_down_seconds": down_seconds}
    return (await session.execute(_LIST, given)).all()
