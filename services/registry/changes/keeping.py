"""How changes are kept: by the tables of households and members themselves, a statement at a time.

A trigger on each table writes one row of ``household_change`` for each row that a statement
changed, from the statement's own rows before and after: whoever writes, an import by the
thousand or an act on one household, keeps history, and nobody has to remember it. Who it was and
why is said once for the transaction (``repository.say``).
"""

from services.registry.households import shape as household
from services.registry.members import shape as member

SETTING = "registry.change"
"""What the transaction says of its changes, as JSON."""

KEPT_OF_HOUSEHOLD = (
    *(known.name for known in household.OPEN),
    "members_listed",
    "archived_at",
    "archived_because",
    "merged_into",
    "erased_at",
)
KEPT_OF_MEMBER = (
    *(known.name for known in member.OPEN),
    "joined_on",
    "left_on",
    "left_because",
)
"""Open columns: what they were, and what they became, is kept of each change."""

_SAID = """coalesce(said ->> 'by', current_user),
            (said ->> 'import_id')::uuid, (said ->> 'approval_id')::uuid, said ->> 'source',
            said ->> 'reason'"""


# Whoever stores blocks has switched hash joins off: of a statement's rows nothing else will do,
# whatever plan a statement of one row left behind.
def _function(table: str, owner: str, member_id: str, kept: tuple[str, ...], inserted: str) -> str:
    def of(version: str) -> str:
        return ",\n".join(
            f"                '{name}', CASE WHEN before.{name}\n"
            f"                    IS DISTINCT FROM after.{name} THEN {version}.{name} END"
            for name in kept
        )

    def row(version: str) -> str:
        return ",\n              ".join(f"{version}.{name}" for name in kept)

    return f"""
CREATE FUNCTION registry.keep_{table}_changes() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = on SET enable_nestloop = off AS $$
DECLARE
    said jsonb := coalesce(nullif(current_setting('{SETTING}', true), ''), '{{}}')::jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry.household_change (household_id, at, kind, by, import_id, approval_id,
            source, reason, after)
        SELECT {inserted}
        RETURN NULL;
    END IF;
    WITH kept AS (
        INSERT INTO registry.household_change (household_id, member_id, at, kind, by, import_id,
            approval_id, source, reason, before, after)
        SELECT {owner}, {member_id},
            coalesce((said ->> 'at')::timestamptz,
                CASE WHEN after.changed_at <> before.changed_at THEN after.changed_at END,
                clock_timestamp()),
            coalesce(said ->> 'kind', 'corrected')::registry.household_change_kind,
            {_SAID},
            jsonb_strip_nulls(jsonb_build_object(
                'changed_at', before.changed_at,
{of("before")})),
            jsonb_strip_nulls(jsonb_build_object(
{of("after")}))
        FROM before JOIN after ON after.id = before.id
        WHERE after.changed_at <> before.changed_at
           OR ({row("before")})
           IS DISTINCT FROM
              ({row("after")})
        RETURNING sequence, household_id, coalesce(member_id, household_id) AS person_id
    )
    INSERT INTO registry.earlier_person (sequence, household_id, person_id, person_sealed)
    SELECT kept.sequence, kept.household_id, kept.person_id, before.person_sealed
    FROM kept
    JOIN before ON before.id = kept.person_id
    JOIN after ON after.id = kept.person_id
    WHERE after.changed_at <> before.changed_at AND after.person_sealed <> before.person_sealed;
    RETURN NULL;
END
$$
"""


HOUSEHOLD_FUNCTION = _function(
    "household",
    "before.id",
    "NULL",
    KEPT_OF_HOUSEHOLD,
    f"""id, changed_at,
            CASE WHEN split_from IS NULL THEN 'registered'
                 ELSE 'split' END::registry.household_change_kind,
            {_SAID},
            CASE WHEN split_from IS NOT NULL THEN jsonb_build_object('split_from', split_from) END
        FROM after;""",
)
# Of who is new one row for each household: who they are stands in their own rows.
MEMBER_FUNCTION = _function(
    "member",
    "before.household_id",
    "before.id",
    KEPT_OF_MEMBER,
    f"""household_id, max(changed_at),
            coalesce(CASE WHEN said ->> 'kind' IN ('split', 'merged') THEN said ->> 'kind' END,
                'member-joined')::registry.household_change_kind,
            {_SAID},
            jsonb_build_object('member_numbers', jsonb_agg(member_number ORDER BY member_number))
        FROM after
        GROUP BY household_id;""",
)


def _triggers(table: str) -> tuple[str, str]:
    return (
        f"""
CREATE TRIGGER {table}_is_kept AFTER INSERT ON registry.{table}
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_{table}_changes()
""",
        f"""
CREATE TRIGGER {table}_change_is_kept AFTER UPDATE ON registry.{table}
REFERENCING OLD TABLE AS before NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_{table}_changes()
""",
    )


HOUSEHOLD_TRIGGERS = _triggers("household")
MEMBER_TRIGGERS = _triggers("member")
