"""Records of the integrated beneficiary registry: who, in what, since when, and how much.

Source: the example of a Beneficiary in the OpenAPI document, whose schema leaves it open. What the
standard has one of and we have several of is a list.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from services.registry.households.tables import Household
from shared.money import Money

_CONTEXT = {"@vocab": "https://schema.spdci.org/extensions/ibr/v1"}
HOUSEHOLD, INDIVIDUAL = "household", "individual"


def beneficiary(
    row: Row[Any],
    *,
    household: Household,
    member: dict[str, Any] | None,
    name: str,
    amounts: Sequence[Row[Any]],
) -> dict[str, Any]:
    """A household in a scheme, or a member in a programme. ``member`` is the head or the member,
    where the caller may see persons."""
    told = dict(member or {"member_identifier": []})
    told.pop("@context", None)
    told["programme_identifier"] = {
        "programme": {"programme_identifier": row.code, "programme_name": name},
        "enrolment_date": None if row.since is None else row.since.isoformat(),
        "enrolment_status": row.status,
        "status_change_date": None if row.until is None else row.until.isoformat(),
        "benefits": [
            {
                "benefit_type": "Cash",
                "benefit_date": each.finished_at and each.finished_at.date().isoformat(),
                "benefit_value": f"{each.currency} "
                f"{Money(each.amount_minor, each.currency).to_decimal():f}",
                "benefit_frequency": "Once",
                "benefit_status": each.status,
                "round": each.round,
            }
            for each in amounts
        ],
    }
    return {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{row.member_id or household.id}#{row.activation_id or row.code}",
        "@type": "Beneficiary",
        "assistance_unit": HOUSEHOLD if row.member_id is None else INDIVIDUAL,
        "group_identifier": [
            {
                "@type": "Identifier",
                "identifier_type": "HOUSEHOLD_ID",
                "identifier_value": str(household.id),
            }
        ],
        "member": told,
    }
