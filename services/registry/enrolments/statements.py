"""One statement for a chunk: eligible households become enrolments and entitlements at once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Numeric,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.registry.areas.tables import CODE
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments.states import EntitlementStatus
from services.registry.enrolments.tables import Enrolment, Entitlement
from services.registry.households.shape import COUNTED
from services.registry.households.tables import Household, PayeeAccount
from services.registry.members.statements import of_households, value_of
from services.registry.providers.tables import Provider
from services.registry.schemes.benefit import (
    CompiledBenefit,
    compile_benefit,
    compile_eligibility,
)
from services.registry.schemes.document import SchemeDocument
from shared.ids import ENTITLEMENT_ID

NO_ACCOUNT = "no-payee-account"
ABOVE_FUND_BOUND = "above-fund-bound"
PAID_BY_ANOTHER_SCHEME = "paid-by-another-scheme"

_ACTIVATION_ID = bindparam("activation_id", type_=Uuid)
_CHUNK_ID = bindparam("chunk_id", type_=Uuid)
_ROUND = bindparam("round", type_=SmallInteger)
_MAXIMUM_MINOR = bindparam("maximum_minor", type_=BigInteger)

Totals = Select[EntitlementStatus, int, Any]
"""Status, count and sum of the entitlements that were made."""


def estimate(document: SchemeDocument) -> Select[int, Any, int, int]:
    """How many households are eligible, and the sum of what they get in a round.

    And how many of them have no account, or one at a provider that cannot pay the scheme's
    currency; as long as payments told of no provider, none has. Takes area_codes and as_of.
    """
    benefit = compile_benefit(document)
    eligible = _of_eligible(
        select(Household.id, benefit.amount_minor.label("amount_minor")), document, benefit
    ).subquery("eligible")
    account = and_(PayeeAccount.household_id == eligible.c.id, PayeeAccount.ended_at.is_(None))
    told = Provider.__table__.alias("told")
    pays = and_(Provider.code == PayeeAccount.provider_code, Provider.currency == document.currency)
    return select(
        func.count(),
        cast(func.sum(eligible.c.amount_minor), Numeric),
        func.count().filter(PayeeAccount.id.is_(None)),
        func.count().filter(
            PayeeAccount.id.is_not(None),
            Provider.code.is_(None),
            select(told.c.code).exists(),
        ),
    ).select_from(eligible.outerjoin(PayeeAccount, account).outerjoin(Provider, pays))


def accounts(document: SchemeDocument) -> Select[*tuple[Any, ...]]:
    """Accounts of those who are eligible, in the order of their households.

    Takes area_codes, providers, after (a household's id, or null) and limit.
    """
    benefit = compile_benefit(document)
    after = bindparam("after", type_=Uuid)
    query = _of_eligible(
        select(
            Household.id.label("household_id"),
            PayeeAccount.provider_code,
            PayeeAccount.account_sealed,
            func.substr(func.sha256(PayeeAccount.account_index), 1, 8).label("account_fingerprint"),
            func.substr(func.sha256(Household.content_index), 1, 8).label("household_fingerprint"),
        ),
        document,
        benefit,
    )
    return (
        query.where(
            PayeeAccount.household_id == Household.id,
            PayeeAccount.ended_at.is_(None),
            PayeeAccount.provider_code == any_(bindparam("providers", type_=ARRAY(Text))),
            or_(after.is_(None), Household.id > after),
        )
        .order_by(Household.id)
        .limit(bindparam("limit"))
    )


def _of_eligible(
    query: Select[*tuple[Any, ...]], document: SchemeDocument, benefit: CompiledBenefit
) -> Select[*tuple[Any, ...]]:
    """A query over ``household``, of those in ``area_codes`` that get anything."""
    condition = compile_eligibility(document)
    if document.benefit[-1].where is not None:
        condition = and_(condition, benefit.case_number.is_not(None))
    in_areas = Household.area_code == any_(bindparam("area_codes", type_=ARRAY(CODE)))
    return of_households(query.where(in_areas), having=[condition])


def first_round(document: SchemeDocument, *, excluding: bool, careful: bool) -> Totals:
    """Enrol a chunk's eligible households and entitle them to round 1.

    Takes activation_id, chunk_id, round, maximum_minor, what ``round_parts`` gives, area_codes and
    as_of, the day that counts; with ``excluding``, also excluding_activations and excluding_since.
    A household that is enrolled already violates the primary key; ``careful``, it is passed by,
    which costs a third more.
    """
    benefit = compile_benefit(document)
    eligible = _of_eligible(
        select(
            Household.id,
            _ACTIVATION_ID,
            benefit.amount_minor,
            benefit.case_number,
            *(value_of(field) for field in COUNTED),
            Household.area_code,
        ),
        document,
        benefit,
    )
    enrol = insert(Enrolment).from_select(
        [
            "household_id",
            "activation_id",
            "amount_minor",
            "benefit_case",
            *(field.name for field in COUNTED),
            "area_code",
        ],
        eligible,
        include_defaults=False,
    )
    if careful:
        enrol = enrol.on_conflict_do_nothing()
    enrolled = enrol.returning(
        Enrolment.household_id, Enrolment.area_code, Enrolment.amount_minor
    ).cte("enrolled")
    return _entitle(enrolled, excluding=excluding, careful=False)


def later_round(*, excluding: bool) -> Totals:
    """Entitle to a later round whom a chunk of round 1 enrolled.

    Takes activation_id, chunk_id, round, maximum_minor, what ``round_parts`` gives, and
    first_round_chunk_id;
    with ``excluding``, also excluding_activations and excluding_since. Those who have the round
    already are passed by.
    """
    enrolled = (
        select(Enrolment.household_id, Enrolment.area_code, Enrolment.amount_minor)
        .join(
            Entitlement,
            and_(
                Entitlement.household_id == Enrolment.household_id,
                Entitlement.activation_id == Enrolment.activation_id,
            ),
        )
        .where(
            Entitlement.chunk_id == bindparam("first_round_chunk_id", type_=Uuid),
            Entitlement.round == 1,
        )
        .cte("enrolled")
    )
    return _entitle(enrolled, excluding=excluding, careful=True)


def _entitle(enrolled: CTE, *, excluding: bool, careful: bool) -> Totals:
    account = PayeeAccount.__table__.alias("account")
    source = enrolled.outerjoin(
        account,
        and_(account.c.household_id == enrolled.c.household_id, account.c.ended_at.is_(None)),
    )
    excluded: ColumnElement[bool] = false()
    if excluding:
        # A lateral join is evaluated once a row; a subquery in the columns, once a column.
        paid_elsewhere = _paid_elsewhere(enrolled)
        source = source.outerjoin(paid_elsewhere, true())
        excluded = paid_elsewhere.c.found.is_not(None)
    above = enrolled.c.amount_minor > _MAXIMUM_MINOR
    kinds: Mapping[str, ColumnElement[Any]] = {
        "payee_account_id": case((or_(excluded, above), cast(null(), Uuid)), else_=account.c.id),
        "status": case(
            (excluded, _status(EntitlementStatus.EXCLUDED)),
            (or_(above, account.c.id.is_(None)), _status(EntitlementStatus.UNPAYABLE)),
            else_=_status(EntitlementStatus.READY),
        ),
        "reason": case(
            (excluded, literal(PAID_BY_ANOTHER_SCHEME, Text)),
            (above, literal(ABOVE_FUND_BOUND, Text)),
            (account.c.id.is_(None), literal(NO_ACCOUNT, Text)),
            else_=cast(null(), Text),
        ),
    }
    owed = select(
        text(ENTITLEMENT_ID.format(household_id=f"{enrolled.name}.household_id")),
        enrolled.c.household_id,
        _ACTIVATION_ID,
        _CHUNK_ID,
        kinds["payee_account_id"],
        enrolled.c.amount_minor,
        _ROUND,
        enrolled.c.area_code,
        kinds["status"],
        kinds["reason"],
    ).select_from(source)
    entitle = insert(Entitlement).from_select(
        [
            "id",
            "household_id",
            "activation_id",
            "chunk_id",
            "payee_account_id",
            "amount_minor",
            "round",
            "area_code",
            "status",
            "reason",
        ],
        owed,
        include_defaults=False,
    )
    if careful:
        entitle = entitle.on_conflict_do_nothing()
    entitled = entitle.returning(Entitlement.status, Entitlement.amount_minor).cte("entitled")
    return select(
        entitled.c.status,
        func.count(),
        cast(func.sum(entitled.c.amount_minor), Numeric),
    ).group_by(entitled.c.status)


def _status(status: EntitlementStatus) -> ColumnElement[EntitlementStatus]:
    return literal(status, Entitlement.status.type)


def _paid_elsewhere(enrolled: CTE) -> Any:
    """Whether another scheme paid the household lately, or is about to."""
    excluding = (
        func.unnest(
            bindparam("excluding_activations", type_=ARRAY(Uuid)),
            bindparam("excluding_since", type_=ARRAY(DateTime(timezone=True))),
        )
        .table_valued(column("activation_id", Uuid), column("since", DateTime(timezone=True)))
        .render_derived(name="excluding")
    )
    return (
        select(literal(1, SmallInteger).label("found"))
        .select_from(excluding)
        .join(
            Entitlement,
            and_(
                Entitlement.household_id == enrolled.c.household_id,
                Entitlement.activation_id == excluding.c.activation_id,
                Entitlement.status.in_([EntitlementStatus.READY, EntitlementStatus.PAID]),
            ),
        )
        .join(
            EntitlementChunk,
            and_(
                EntitlementChunk.id == Entitlement.chunk_id,
                EntitlementChunk.announced_at >= excluding.c.since,
            ),
        )
        .limit(1)
        .lateral("paid_elsewhere")
    )
