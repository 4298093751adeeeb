"""One statement for a chunk: eligible households become enrolments and entitlements at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
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
from services.registry.enrolments.tables import (
    EnrolledBefore,
    Enrolment,
    Entitlement,
    HouseholdExclusion,
    Reassessment,
)
from services.registry.households.shape import ASKED_ABOUT, MEMBERS
from services.registry.households.tables import Household, PayeeAccount
from services.registry.members.statements import of_all_households, of_households, value_of
from services.registry.schemes.benefit import (
    CompiledBenefit,
    compile_benefit,
    compile_eligibility,
)
from services.registry.schemes.document import LaterRounds, SchemeDocument
from shared.ids import ENTITLEMENT_ID

NO_ACCOUNT = "no-payee-account"
ABOVE_FUND_BOUND = "above-fund-bound"
PAID_BY_ANOTHER_SCHEME = "paid-by-another-scheme"
TAKEN_BY_AN_ACTIVATION = "taken-by-another-activation"
EXCLUDED_BY_AN_OFFICER = "excluded-by-an-officer"
NOT_ELIGIBLE_ANY_MORE = "not-eligible-any-more"
READMITTED = "readmitted"
ARCHIVED = "household-archived"

ACTIVATION_ID = bindparam("activation_id", type_=Uuid)
_CHUNK_ID = bindparam("chunk_id", type_=Uuid)
_ROUND = bindparam("round", type_=SmallInteger)
MAXIMUM_MINOR = bindparam("maximum_minor", type_=BigInteger)


class Further(StrEnum):
    """Whom a run enrols that the activation's areas were enrolled without."""

    LATE = "late"
    """Who is eligible by now."""
    NAMED = "named"
    """Of those who are named, who is eligible."""
    BY_HAND = "by-hand"
    """All who are named and whom a case of the benefit fits, whatever the rule says."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What a chunk's statement has to look at, besides the scheme."""

    excluding: bool = False
    """Others may keep households out; it takes what ``Excluding`` gives."""
    officers: bool = False
    """Officers keep households out of the scheme; it takes scheme."""
    careful: bool = False
    """A household may be enrolled already: it is passed by, which costs a third more."""
    further: Further | None = None
    """It takes known_until, and household_ids where they are named."""


Totals = Select[EntitlementStatus, int, Any]
"""Status, count and sum of the entitlements that were made."""


def eligible_households(
    document: SchemeDocument, *, whatever_the_rule: bool = False, everywhere: bool = False
) -> Select[Any, str, int, int]:
    """The households in ``area_codes`` that a scheme would pay: id, commune, members, amount.

    ``everywhere``: in all that there are.
    """
    benefit = compile_benefit(document)
    return _of_eligible(
        select(
            Household.id,
            Household.area_code,
            value_of(MEMBERS).label("members"),
            benefit.amount_minor.label("amount_minor"),
        ).where(true() if everywhere else in_areas()),
        document,
        benefit,
        whatever_the_rule=whatever_the_rule,
        everywhere=everywhere,
    )


def in_areas() -> ColumnElement[bool]:
    """Whether a household lives in one of ``area_codes``."""
    return Household.area_code == any_(bindparam("area_codes", type_=ARRAY(CODE)))


def _of_eligible(
    query: Select[*tuple[Any, ...]],
    document: SchemeDocument,
    benefit: CompiledBenefit,
    *,
    whatever_the_rule: bool = False,
    everywhere: bool = False,
) -> Select[*tuple[Any, ...]]:
    """A query over ``household``, of those that get anything, and are no past households."""
    having: list[ColumnElement[bool]] = []
    if not whatever_the_rule:
        having.append(compile_eligibility(document))
    if document.benefit[-1].where is not None:
        having.append(benefit.case_number.is_not(None))
    query = query.where(Household.archived_at.is_(None))
    if everywhere:
        return of_all_households(query, having=having)
    return of_households(query, having=having)


def first_round(document: SchemeDocument, variant: Variant) -> Totals:
    """Enrol a chunk's eligible households and entitle them to round 1.

    Takes activation_id, chunk_id, round, maximum_minor, what ``round_parts`` gives, area_codes,
    as_of, the day that counts, and what the variant says. A household that is enrolled already
    violates the primary key, unless it is ``careful``.
    """
    benefit = compile_benefit(document)
    by_hand = variant.further is Further.BY_HAND
    eligible = _of_eligible(
        select(
            Household.id,
            ACTIVATION_ID,
            benefit.amount_minor,
            benefit.case_number,
            *(value_of(field) for field in ASKED_ABOUT),
            Household.area_code,
        ).where(in_areas()),
        document,
        benefit,
        whatever_the_rule=by_hand,
    ).where(~_enrolled_before())
    if variant.further is not None:
        eligible = eligible.where(*_further(variant.further))
    # Keys that come in their order go into few pages of their indexes: a quarter of the time.
    eligible = eligible.order_by(Household.id)
    enrol = insert(Enrolment).from_select(
        [
            "household_id",
            "activation_id",
            "amount_minor",
            "benefit_case",
            *(field.name for field in ASKED_ABOUT),
            "area_code",
        ],
        eligible,
        include_defaults=False,
    )
    if variant.careful or variant.further is not None:
        enrol = enrol.on_conflict_do_nothing()
    enrolled = enrol.returning(
        Enrolment.household_id, Enrolment.area_code, Enrolment.amount_minor
    ).cte("enrolled")
    return _entitle(enrolled, variant, later=False)


def _further(whom: Further) -> list[ColumnElement[bool]]:
    known = Household.changed_at <= bindparam("known_until", type_=DateTime(timezone=True))
    if whom is Further.LATE:
        return [known]
    return [known, Household.id == any_(bindparam("household_ids", type_=ARRAY(Uuid)))]


def not_enrolled(document: SchemeDocument, whom: Further) -> Select[Any, str, int, int]:
    """The households that a run would enrol whom an activation was enrolled without.

    Takes activation_id, area_codes and what the variant of a further run takes.
    """
    enrolled = (
        select(Enrolment.household_id)
        .where(Enrolment.household_id == Household.id, Enrolment.activation_id == ACTIVATION_ID)
        .exists()
    )
    found = eligible_households(document, whatever_the_rule=whom is Further.BY_HAND)
    kept_out = (
        select(HouseholdExclusion.id)
        .where(
            HouseholdExclusion.household_id == Household.id,
            HouseholdExclusion.scheme_code == document.code,
            HouseholdExclusion.ended_at.is_(None),
            or_(
                HouseholdExclusion.activation_id.is_(None),
                HouseholdExclusion.activation_id == ACTIVATION_ID,
            ),
        )
        .exists()
    )
    return found.where(~enrolled, ~kept_out, *_further(whom))


def later_round(document: SchemeDocument, variant: Variant) -> Totals:
    """Entitle to a later round whom a chunk of round 1 enrolled.

    Takes activation_id, chunk_id, round, maximum_minor, what ``round_parts`` gives, and
    first_round_chunk_id, and what the variant says. Those who have the round already are passed by.
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
    if document.later_rounds is LaterRounds.AS_THEY_ARE:
        enrolled = _reassessed(document, enrolled)
    return _entitle(enrolled, variant, later=True)


def _reassessed(document: SchemeDocument, enrolled: CTE) -> CTE:
    """The same households by what they are now, which is kept."""
    benefit = compile_benefit(document)
    case_number = case((compile_eligibility(document), benefit.case_number))
    amount_minor = case((compile_eligibility(document), benefit.amount_minor))
    now = of_households(
        select(
            enrolled.c.household_id,
            ACTIVATION_ID,
            _ROUND,
            func.coalesce(amount_minor, enrolled.c.amount_minor),
            case_number,
            *(value_of(field) for field in ASKED_ABOUT),
            Household.area_code,
        ).where(Household.id == enrolled.c.household_id),
        beside=[enrolled.c.household_id, enrolled.c.amount_minor],
    )
    reassess = insert(Reassessment).from_select(
        [
            "household_id",
            "activation_id",
            "round",
            "amount_minor",
            "benefit_case",
            *(field.name for field in ASKED_ABOUT),
            "area_code",
        ],
        now,
        include_defaults=False,
    )
    # Whoever has the round already was looked at for it.
    looked_at = (
        reassess.on_conflict_do_nothing()
        .returning(Reassessment.household_id, Reassessment.amount_minor, Reassessment.benefit_case)
        .cte("looked_at")
    )
    return (
        select(
            looked_at.c.household_id,
            enrolled.c.area_code,
            looked_at.c.amount_minor,
            looked_at.c.benefit_case,
        )
        .join(enrolled, enrolled.c.household_id == looked_at.c.household_id)
        .cte("reassessed")
    )


def _enrolled_before() -> ColumnElement[bool]:
    """Whether persons of a household are enrolled in the activation through another household."""
    return (
        select(literal(1))
        .where(
            EnrolledBefore.household_id == Household.id,
            EnrolledBefore.activation_id == ACTIVATION_ID,
        )
        .correlate(Household)
        .exists()
    )


def _entitle(enrolled: CTE, variant: Variant, *, later: bool) -> Totals:
    account = PayeeAccount.__table__.alias("account")
    source = enrolled.outerjoin(
        account,
        and_(account.c.household_id == enrolled.c.household_id, account.c.ended_at.is_(None)),
    )
    left_out: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    # A lateral join is evaluated once a row; a subquery in the columns, once a column.
    if variant.officers:
        kept_out = _kept_out_by_an_officer(enrolled)
        source = source.outerjoin(kept_out, true())
        left_out.append((kept_out.c.found.is_not(None), literal(EXCLUDED_BY_AN_OFFICER, Text)))
    if "benefit_case" in enrolled.c:
        fits_none = enrolled.c.benefit_case.is_(None)
        left_out.append((fits_none, literal(NOT_ELIGIBLE_ANY_MORE, Text)))
    if variant.excluding:
        elsewhere = paid_elsewhere(
            enrolled.c.household_id, unless=_taken_before(enrolled) if later else false()
        )
        source = source.outerjoin(elsewhere, true())
        left_out.append((elsewhere.c.reason.is_not(None), elsewhere.c.reason))
    if later:
        # Archived since it was enrolled: of few, which have an index of their own.
        past = Household.__table__.alias("past")
        source = source.outerjoin(
            past, and_(past.c.id == enrolled.c.household_id, past.c.archived_at.is_not(None))
        )
        left_out.insert(0, (past.c.id.is_not(None), literal(ARCHIVED, Text)))
    excluded = or_(false(), *(condition for condition, _ in left_out))
    above = enrolled.c.amount_minor > MAXIMUM_MINOR
    kinds: Mapping[str, ColumnElement[Any]] = {
        "payee_account_id": case((or_(excluded, above), cast(null(), Uuid)), else_=account.c.id),
        "status": case(
            (excluded, _status(EntitlementStatus.EXCLUDED)),
            (or_(above, account.c.id.is_(None)), _status(EntitlementStatus.UNPAYABLE)),
            else_=_status(EntitlementStatus.READY),
        ),
        "reason": case(
            *left_out,
            (above, literal(ABOVE_FUND_BOUND, Text)),
            (account.c.id.is_(None), literal(NO_ACCOUNT, Text)),
            else_=cast(null(), Text),
        ),
    }
    owed = select(
        text(ENTITLEMENT_ID.format(household_id=f"{enrolled.name}.household_id")),
        enrolled.c.household_id,
        ACTIVATION_ID,
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
    if later:
        entitle = entitle.on_conflict_do_nothing()
    entitled = entitle.returning(Entitlement.status, Entitlement.amount_minor).cte("entitled")
    return select(
        entitled.c.status,
        func.count(),
        cast(func.sum(entitled.c.amount_minor), Numeric),
    ).group_by(entitled.c.status)


def _status(status: EntitlementStatus) -> ColumnElement[EntitlementStatus]:
    return literal(status, Entitlement.status.type)


def _kept_out_by_an_officer(enrolled: CTE) -> Any:
    return (
        select(literal(1, SmallInteger).label("found"))
        .where(
            HouseholdExclusion.household_id == enrolled.c.household_id,
            HouseholdExclusion.scheme_code == bindparam("scheme", type_=Text),
            or_(
                HouseholdExclusion.activation_id.is_(None),
                HouseholdExclusion.activation_id == ACTIVATION_ID,
            ),
            HouseholdExclusion.ended_at.is_(None),
        )
        .limit(1)
        .lateral("kept_out")
    )


def _taken_before(enrolled: CTE) -> ColumnElement[bool]:
    """Whether an earlier round of this activation took the household: then it was here first."""
    earlier = Entitlement.__table__.alias("earlier")
    return (
        select(earlier.c.id)
        .where(
            earlier.c.household_id == enrolled.c.household_id,
            earlier.c.activation_id == ACTIVATION_ID,
            earlier.c.round < _ROUND,
            earlier.c.status != _status(EntitlementStatus.EXCLUDED),
        )
        .correlate(enrolled)
        .exists()
    )


def paid_elsewhere(household_id: ColumnElement[Any], *, unless: ColumnElement[bool]) -> Any:
    """Why others keep a household out: they paid it lately, are about to, or owe it something.

    It is not kept out for what another activation of its own scheme owes ``unless``.
    """
    excluding = (
        func.unnest(
            bindparam("excluding_activations", type_=ARRAY(Uuid)),
            bindparam("excluding_since", type_=ARRAY(DateTime(timezone=True))),
            bindparam("excluding_reasons", type_=ARRAY(Text)),
            bindparam("excluding_owed", type_=ARRAY(Boolean)),
        )
        .table_valued(
            column("activation_id", Uuid),
            column("since", DateTime(timezone=True)),
            column("reason", Text),
            column("owed", Boolean),
        )
        .render_derived(name="excluding")
    )
    on_its_way = Entitlement.status.in_([EntitlementStatus.READY, EntitlementStatus.PAID])
    return (
        select(excluding.c.reason)
        .select_from(excluding)
        .join(
            Entitlement,
            and_(
                Entitlement.household_id == household_id,
                Entitlement.activation_id == excluding.c.activation_id,
                Entitlement.status != _status(EntitlementStatus.EXCLUDED),
            ),
        )
        .join(EntitlementChunk, EntitlementChunk.id == Entitlement.chunk_id)
        .where(
            or_(
                excluding.c.owed,
                and_(on_its_way, EntitlementChunk.announced_at >= excluding.c.since),
            ),
            or_(excluding.c.reason != TAKEN_BY_AN_ACTIVATION, ~unless),
        )
        .limit(1)
        .lateral("paid_elsewhere")
    )
