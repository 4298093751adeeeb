"""Whom a scheme would pay, without anybody being enrolled."""

from typing import Any

from sqlalchemy import BigInteger, Numeric, Select, and_, cast, false, func, select, true

from services.registry.chunks.tables import EnrolmentRun, EntitlementChunk
from services.registry.enrolments.statements import (
    ACTIVATION_ID,
    MAXIMUM_MINOR,
    eligible_households,
    paid_elsewhere,
)
from services.registry.enrolments.tables import Entitlement
from services.registry.households.tables import Household, PayeeAccount
from services.registry.members.statements import of_households
from services.registry.schemes.benefit import compile_benefit, compile_eligibility
from services.registry.schemes.document import SchemeDocument


def estimate(
    document: SchemeDocument, *, everywhere: bool = False
) -> Select[str, str | None, int, int, int, int, int]:
    """Whom a scheme would pay in a round, by commune and provider (null: no account).

    Households, persons, the sum of what they get; and of these the households that get more than
    the fund's owner lets them, and what that comes to. Takes maximum_minor and as_of, and
    area_codes unless it is asked of the whole country.
    """
    eligible = eligible_households(document, everywhere=everywhere).subquery("eligible")
    account = and_(PayeeAccount.household_id == eligible.c.id, PayeeAccount.ended_at.is_(None))
    is_above = eligible.c.amount_minor > MAXIMUM_MINOR
    return (
        select(
            eligible.c.area_code,
            PayeeAccount.provider_code,
            func.count(),
            func.sum(eligible.c.members),
            cast(func.sum(eligible.c.amount_minor), Numeric),
            func.count().filter(is_above),
            func.coalesce(cast(func.sum(eligible.c.amount_minor).filter(is_above), Numeric), 0),
        )
        .select_from(eligible.outerjoin(PayeeAccount, account))
        .group_by(eligible.c.area_code, PayeeAccount.provider_code)
    )


def left_out(document: SchemeDocument) -> Select[int, Any, Any]:
    """How many of whom a scheme would pay others keep out, their persons, and what they would get.

    Takes area_codes, and what ``Excluding`` gives.
    """
    eligible = eligible_households(document).cte("eligible")
    elsewhere = paid_elsewhere(eligible.c.id, unless=false())
    return select(
        func.count(),
        cast(func.sum(eligible.c.members), BigInteger),
        cast(func.sum(eligible.c.amount_minor), Numeric),
    ).select_from(eligible.join(elsewhere, true()))


def would_pay_now(document: SchemeDocument) -> Select[int, int]:
    """Whom a later round of an activation would pay were it worked out now, and how much.

    Takes activation_id. Of complete runs alone, as they are released.
    """
    benefit = compile_benefit(document)
    looked_at = (
        select(Entitlement.household_id, Entitlement.amount_minor)
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .join(EnrolmentRun, EnrolmentRun.id == EntitlementChunk.enrolment_run_id)
        .where(
            EntitlementChunk.activation_id == ACTIVATION_ID,
            EntitlementChunk.round == 1,
            EntitlementChunk.home_chunk_id.is_(None),
            EnrolmentRun.completed_at.is_not(None),
        )
        .subquery("enrolled")
    )
    paid = of_households(
        select(Household.id, benefit.amount_minor.label("amount_minor")).where(
            Household.id == looked_at.c.household_id
        ),
        having=[compile_eligibility(document), benefit.amount_minor.is_not(None)],
    ).subquery("paid")
    return select(
        func.count(), func.coalesce(cast(func.sum(paid.c.amount_minor), Numeric), 0)
    ).select_from(paid)
