"""Records as the standard has them: a household is a Group, whoever lives in it a Member.

Source: https://schema.spdci.org/extensions/social/v1, Group, Member and SRPerson, as the examples
of the OpenAPI document show them. What we know and the standard has no name for stands in
``additional_attributes``. What only those see who may see persons is left out for all others.
"""

from collections.abc import Mapping
from typing import Any

from services.registry.households.persons import Person
from services.registry.households.shape import CATEGORIES, ID_NUMBER, PHONE, REGISTRATION_NUMBER
from services.registry.households.tables import Household
from services.registry.spdci.messages.envelope import written

GROUP_CONTEXT = {
    "spdci": "https://schema.spdci.org/extensions/social/v1/",
    "common": "https://schema.spdci.org/common/v1/",
}
_COUNTRY = "KH"


def group(
    household: Household, *, counts: Mapping[str, int], person: Person | None, place: str | None
) -> dict[str, Any]:
    """A household as a Group. ``person`` is its head, where the caller may see persons."""
    record: dict[str, Any] = {
        "@context": GROUP_CONTEXT,
        "@id": f"urn:uuid:{household.id}",
        "@type": "spdci:Group",
        "group_identifier": [_identifier("HOUSEHOLD_ID", str(household.id))],
        "group_type": "household",
        "group_size": counts["members"],
        "place": {
            "@type": "Place",
            "address": ", ".join(part for part in (place, _COUNTRY) if part),
            "identifier": household.area_code,
        },
        "poverty_score_type": "IDPoor",
        "last_updated": written(household.changed_at),
        "additional_attributes": [
            {"name": "poverty_status", "value": household.poverty_status},
            {"name": "commune_code", "value": household.area_code},
            *(
                {"name": field.name, "value": counts[field.name]}
                for field in CATEGORIES
                if person is not None or not field.sensitive
            ),
        ],
    }
    if person is not None:
        number = person[REGISTRATION_NUMBER.name]
        record["group_identifier"].append(_identifier("IDPOOR", str(number)))
        record["group_head_info"] = member_of_head(household, person=person)
        record["member_list"] = [record["group_head_info"]]
    return record


def member_of_head(household: Household, *, person: Person) -> dict[str, Any]:
    """The head of a household as a Member."""
    identifiers = [
        _identifier(kind, value)
        for kind, value in (
            ("NationalID", person[ID_NUMBER.name]),
            ("MOBILE", person[PHONE.name]),
        )
        if value is not None
    ]
    return {
        "@context": GROUP_CONTEXT,
        "@id": f"urn:uuid:{household.id}#head",
        "@type": "spdci:Member",
        "member_identifier": identifiers,
        "demographic_info": {
            "@type": "SRPerson",
            "identifier": identifiers,
            "name": {"@type": "Name", "given_name": person["name"]},
            "address": {
                "@type": "Address",
                "postal_code": household.area_code,
                "country": _COUNTRY,
            },
        },
        "relationship_to_group": "head",
    }


def _identifier(kind: str, value: str) -> dict[str, str]:
    return {"@type": "Identifier", "identifier_type": kind, "identifier_value": value}
