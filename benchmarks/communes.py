"""Which areas hold about so many households that can be paid."""

import asyncpg

COUNTRY = "KH"

# Smaller activations begin away from the first commune, where every scan begins.
_FIRST_COMMUNE = "02"
_CLOSE_ENOUGH = 0.98

_COMMUNES = """
    SELECT household.area_code, count(*) AS payable
    FROM registry.household
    JOIN registry.payee_account AS account ON account.household_id = household.id
    WHERE account.ended_at IS NULL AND household.area_code >= $1
    GROUP BY household.area_code ORDER BY household.area_code
"""
_PAYABLE = "SELECT count(*) FROM registry.payee_account WHERE ended_at IS NULL"


async def areas_with(connection: asyncpg.Connection, payable: int) -> list[str]:
    """Communes side by side with about so many households that have an account, or the country."""
    if await connection.fetchval(_PAYABLE) * _CLOSE_ENOUGH <= payable:
        return [COUNTRY]
    chosen: list[str] = []
    reached = 0
    for row in await connection.fetch(_COMMUNES, _FIRST_COMMUNE):
        # A commune that is too large for what is left is passed by.
        if reached + row["payable"] <= payable:
            chosen.append(row["area_code"])
            reached += row["payable"]
        if reached >= payable * _CLOSE_ENOUGH:
            break
    return chosen
