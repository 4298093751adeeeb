"""Which proposals are about nothing but what lies in some areas."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.bounds import within_text


def _lives(household_id: str) -> str:
    return f"""EXISTS (
        SELECT FROM registry.household
        WHERE household.id = CAST({household_id} AS uuid) AND {within_text("household.area_code")})
    """


def _all_live(household_ids: str) -> str:
    return f"""NOT EXISTS (
        SELECT FROM ({household_ids}) AS named (id) WHERE NOT {_lives("named.id")})
    """


# Of what decides for a country, and of what may be about anybody, nothing is told.
_WITHIN = f"""
    CASE
    WHEN approval.kind IN ('account_change', 'member_change')
        THEN {_lives("approval.document ->> 'household_id'")}
    WHEN approval.kind = 'household_act' THEN
        jsonb_typeof(approval.document -> 'versions') = 'object' AND
        {_all_live("SELECT jsonb_object_keys(approval.document -> 'versions')")}
        AND (approval.document #>> '{{given,area_code}}' IS NULL
             OR {within_text("(approval.document #>> '{given,area_code}')")})
    WHEN approval.kind = 'readmission' THEN EXISTS (
        SELECT FROM registry.exclusion
        JOIN registry.household ON household.id = exclusion.household_id
        WHERE exclusion.id = CAST(approval.document ->> 'exclusion_id' AS uuid)
          AND {within_text("household.area_code")})
    WHEN approval.kind = 'further_enrolment' THEN
        jsonb_typeof(approval.document -> 'by_commune') = 'array' AND
        {
    _all_live(
        "SELECT jsonb_path_query(approval.document, "
        "'$.enrolment.household_ids[*] ? (@ != null)') #>> '{}'"
    )
}
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(approval.document -> 'by_commune') AS commune
            WHERE NOT {within_text("(commune ->> 'area_code')")})
    WHEN approval.kind = 'repair' THEN
        jsonb_typeof(approval.document #> '{{repair,household_ids}}') = 'array' AND
        {
    _all_live("SELECT jsonb_path_query(approval.document, '$.repair.household_ids[*]') #>> '{}'")
}
    ELSE false
    END
"""


def lies_within(bound: Sequence[str]) -> ColumnElement[bool]:
    """Whether a proposal is about households, communes and places in these areas alone."""
    codes: Any = bindparam("bound", value=list(bound), type_=ARRAY(Text))
    return cast("ColumnElement[bool]", text(_WITHIN).bindparams(codes))
