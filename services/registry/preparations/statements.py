"""The accounts that a scheme would pay into, as preparations tells payments of them."""

from typing import Any

from sqlalchemy import Select, Text, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.registry.enrolments.statements import eligible_households
from services.registry.households.tables import Household, PayeeAccount
from services.registry.schemes.document import SchemeDocument


def accounts(document: SchemeDocument) -> Select[*tuple[Any, ...]]:
    """Accounts of those who are eligible, in the order of their households.

    Takes area_codes, as_of, providers, after (a household's id, or null) and limit.
    """
    after = bindparam("after", type_=Uuid)
    eligible = eligible_households(document).subquery("eligible")
    return (
        select(
            Household.id.label("household_id"),
            PayeeAccount.provider_code,
            PayeeAccount.account_sealed,
            func.substr(func.sha256(PayeeAccount.account_index), 1, 8).label("account_fingerprint"),
            func.substr(func.sha256(Household.content_index), 1, 8).label("household_fingerprint"),
        )
        .where(
            Household.id == eligible.c.id,
            PayeeAccount.household_id == Household.id,
            PayeeAccount.ended_at.is_(None),
            PayeeAccount.provider_code == any_(bindparam("providers", type_=ARRAY(Text))),
            or_(after.is_(None), Household.id > after),
        )
        .order_by(Household.id)
        .limit(bindparam("limit"))
    )
