"""Records as the standard has them: a household is a Group, whoever lives in it a Member.

Source: https://schema.spdci.org/extensions/social/v1, Group, Member and SRPerson, as the examples
of the OpenAPI document show them. What we know and the standard has no name for stands in
``additional_attributes``. What only those see who may see persons is left out for all others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.registry.households.persons import Person
from services.registry.households.shape import CATEGORIES, ID_NUMBER, PHONE, REGISTRATION_NUMBER
from services.registry.households.tables import Household
from services.registry.members import shape
from services.registry.members.shape import Relationship
from services.registry.members.tables import Member
from services.registry.spdci.messages.envelope import written

GROUP_CONTEXT = {
    "spdci": "https://schema.spdci.org/extensions/social/v1/",
    "common": "https://schema.spdci.org/common/v1/",
}
_COUNTRY = "KH"
_HEAD = "#head"


def group(
    household: Household,
    *,
    counts: Mapping[str, int],
    person: Person | None,
    place: str | None,
    members: Sequence[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A household as a Group.

    ``person`` is its head, where the caller may see persons; ``members`` are its Members, where
    they are listed.
    """
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
        if members is None:
            members = [member_of_head(household, person=person)]
        heads = [each for each in members if each["relationship_to_group"] == Relationship.HEAD]
        record["group_head_info"] = heads[0] if heads else member_of_head(household, person=person)
        record["member_list"] = list(members)
    return record


def member(
    of: Member, *, person: Person, household: Household, programmes: Sequence[str]
) -> dict[str, Any]:
    """Somebody in a household as a Member."""
    fields = {field.name: getattr(of, field.name) for field in shape.OPEN}
    identifiers = _identifiers(
        ("NationalID", person[shape.ID_NUMBER.name]),
        ("MOBILE", person[shape.PHONE.name]),
        ("REFERENCE", person[shape.REFERENCE.name]),
    )
    told = _member(
        f"urn:uuid:{of.id}",
        identifiers,
        name=person[shape.NAME.name],
        area_code=household.area_code,
        relationship=fields[shape.RELATIONSHIP.name],
    )
    told["demographic_info"]["sex"] = fields[shape.SEX.name]
    born = fields[shape.BIRTH_DATE.name]
    if born is not None:
        told["demographic_info"]["birth_date"] = born.isoformat()
    told["is_disabled"] = fields[shape.DISABILITY.name]
    told["last_updated"] = written(of.changed_at)
    due = fields[shape.PREGNANCY_DUE_ON.name]
    told["additional_attributes"] = [
        {"name": "group_id", "value": str(household.id)},
        {"name": "member_number", "value": of.member_number},
        {"name": "schooling", "value": fields[shape.SCHOOLING.name]},
        {"name": "pregnancy_due_on", "value": None if due is None else due.isoformat()},
        {"name": "programmes", "value": list(programmes)},
    ]
    return told


def household_of(record: Mapping[str, Any]) -> str:
    """The id of the household that a record of ours is of: a Group, a Member or a Beneficiary."""
    if "group_identifier" in record:
        return str(record["group_identifier"][0]["identifier_value"])
    for attribute in record.get("additional_attributes", ()):
        if attribute["name"] == "group_id":
            return str(attribute["value"])
    return str(record["@id"]).removeprefix("urn:uuid:").removesuffix(_HEAD)


def member_of_head(household: Household, *, person: Person) -> dict[str, Any]:
    """The head of a household as a Member."""
    identifiers = _identifiers(
        ("NationalID", person[ID_NUMBER.name]), ("MOBILE", person[PHONE.name])
    )
    return _member(
        f"urn:uuid:{household.id}{_HEAD}",
        identifiers,
        name=person["name"],
        area_code=household.area_code,
        relationship=Relationship.HEAD,
    )


def _member(
    id: str,
    identifiers: list[dict[str, str]],
    *,
    name: str | None,
    area_code: str,
    relationship: str,
) -> dict[str, Any]:
    return {
        "@context": GROUP_CONTEXT,
        "@id": id,
        "@type": "spdci:Member",
        "member_identifier": identifiers,
        "demographic_info": {
            "@type": "SRPerson",
            "identifier": identifiers,
            "name": {"@type": "Name", "given_name": name},
            "address": {"@type": "Address", "postal_code": area_code, "country": _COUNTRY},
        },
        "relationship_to_group": relationship,
    }


def _identifiers(*known: tuple[str, str | None]) -> list[dict[str, str]]:
    return [_identifier(kind, value) for kind, value in known if value is not None]


def _identifier(kind: str, value: str) -> dict[str, str]:
    return {"@type": "Identifier", "identifier_type": kind, "identifier_value": value}
