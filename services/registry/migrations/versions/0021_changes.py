"""Every change of households and members is kept, and households can be archived."""

from alembic import op

from shared.migrations import role_of

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROLE = role_of("registry")

_KINDS = """
'registered', 'corrected', 'imported', 'account', 'moved', 'split', 'merged',
'member-joined', 'member-left', 'member-died', 'archived', 'restored', 'erased',
'area-changed'
"""
_ARCHIVING = """
'moved-away', 'died', 'merged', 'duplicate', 'error', 'at-its-wish'
"""

_HOUSEHOLD_FUNCTION = """
CREATE FUNCTION registry.keep_household_changes() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = on SET enable_nestloop = off AS $$
DECLARE
    said jsonb := coalesce(nullif(current_setting('registry.change', true), ''), '{}')::jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry.household_change (household_id, at, kind, by, import_id, approval_id,
            source, reason, after)
        SELECT id, changed_at,
            CASE WHEN split_from IS NULL THEN 'registered'
                 ELSE 'split' END::registry.household_change_kind,
            coalesce(said ->> 'by', current_user),
            (said ->> 'import_id')::uuid, (said ->> 'approval_id')::uuid, said ->> 'source',
            said ->> 'reason',
            CASE WHEN split_from IS NOT NULL THEN jsonb_build_object('split_from', split_from) END
        FROM after;
        RETURN NULL;
    END IF;
    WITH kept AS (
        INSERT INTO registry.household_change (household_id, member_id, at, kind, by, import_id,
            approval_id, source, reason, before, after)
        SELECT before.id, NULL,
            coalesce((said ->> 'at')::timestamptz,
                CASE WHEN after.changed_at <> before.changed_at THEN after.changed_at END,
                clock_timestamp()),
            coalesce(said ->> 'kind', 'corrected')::registry.household_change_kind,
            coalesce(said ->> 'by', current_user),
            (said ->> 'import_id')::uuid, (said ->> 'approval_id')::uuid, said ->> 'source',
            said ->> 'reason',
            jsonb_strip_nulls(jsonb_build_object(
                'changed_at', before.changed_at,
                'area_code', CASE WHEN before.area_code
                    IS DISTINCT FROM after.area_code THEN before.area_code END,
                'poverty_status', CASE WHEN before.poverty_status
                    IS DISTINCT FROM after.poverty_status THEN before.poverty_status END,
                'members', CASE WHEN before.members
                    IS DISTINCT FROM after.members THEN before.members END,
                'children_0_5', CASE WHEN before.children_0_5
                    IS DISTINCT FROM after.children_0_5 THEN before.children_0_5 END,
                'pregnant', CASE WHEN before.pregnant
                    IS DISTINCT FROM after.pregnant THEN before.pregnant END,
                'disabled', CASE WHEN before.disabled
                    IS DISTINCT FROM after.disabled THEN before.disabled END,
                'elderly_60', CASE WHEN before.elderly_60
                    IS DISTINCT FROM after.elderly_60 THEN before.elderly_60 END,
                'village_code', CASE WHEN before.village_code
                    IS DISTINCT FROM after.village_code THEN before.village_code END,
                'members_listed', CASE WHEN before.members_listed
                    IS DISTINCT FROM after.members_listed THEN before.members_listed END,
                'archived_at', CASE WHEN before.archived_at
                    IS DISTINCT FROM after.archived_at THEN before.archived_at END,
                'archived_because', CASE WHEN before.archived_because
                    IS DISTINCT FROM after.archived_because THEN before.archived_because END,
                'merged_into', CASE WHEN before.merged_into
                    IS DISTINCT FROM after.merged_into THEN before.merged_into END,
                'erased_at', CASE WHEN before.erased_at
                    IS DISTINCT FROM after.erased_at THEN before.erased_at END)),
            jsonb_strip_nulls(jsonb_build_object(
                'area_code', CASE WHEN before.area_code
                    IS DISTINCT FROM after.area_code THEN after.area_code END,
                'poverty_status', CASE WHEN before.poverty_status
                    IS DISTINCT FROM after.poverty_status THEN after.poverty_status END,
                'members', CASE WHEN before.members
                    IS DISTINCT FROM after.members THEN after.members END,
                'children_0_5', CASE WHEN before.children_0_5
                    IS DISTINCT FROM after.children_0_5 THEN after.children_0_5 END,
                'pregnant', CASE WHEN before.pregnant
                    IS DISTINCT FROM after.pregnant THEN after.pregnant END,
                'disabled', CASE WHEN before.disabled
                    IS DISTINCT FROM after.disabled THEN after.disabled END,
                'elderly_60', CASE WHEN before.elderly_60
                    IS DISTINCT FROM after.elderly_60 THEN after.elderly_60 END,
                'village_code', CASE WHEN before.village_code
                    IS DISTINCT FROM after.village_code THEN after.village_code END,
                'members_listed', CASE WHEN before.members_listed
                    IS DISTINCT FROM after.members_listed THEN after.members_listed END,
                'archived_at', CASE WHEN before.archived_at
                    IS DISTINCT FROM after.archived_at THEN after.archived_at END,
                'archived_because', CASE WHEN before.archived_because
                    IS DISTINCT FROM after.archived_because THEN after.archived_because END,
                'merged_into', CASE WHEN before.merged_into
                    IS DISTINCT FROM after.merged_into THEN after.merged_into END,
                'erased_at', CASE WHEN before.erased_at
                    IS DISTINCT FROM after.erased_at THEN after.erased_at END))
        FROM before JOIN after ON after.id = before.id
        WHERE after.changed_at <> before.changed_at
           OR (before.area_code,
              before.poverty_status,
              before.members,
              before.children_0_5,
              before.pregnant,
              before.disabled,
              before.elderly_60,
              before.village_code,
              before.members_listed,
              before.archived_at,
              before.archived_because,
              before.merged_into,
              before.erased_at)
           IS DISTINCT FROM
              (after.area_code,
              after.poverty_status,
              after.members,
              after.children_0_5,
              after.pregnant,
              after.disabled,
              after.elderly_60,
              after.village_code,
              after.members_listed,
              after.archived_at,
              after.archived_because,
              after.merged_into,
              after.erased_at)
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
_MEMBER_FUNCTION = """
CREATE FUNCTION registry.keep_member_changes() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = on SET enable_nestloop = off AS $$
DECLARE
    said jsonb := coalesce(nullif(current_setting('registry.change', true), ''), '{}')::jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry.household_change (household_id, at, kind, by, import_id, approval_id,
            source, reason, after)
        SELECT household_id, max(changed_at),
            coalesce(CASE WHEN said ->> 'kind' IN ('split', 'merged') THEN said ->> 'kind' END,
                'member-joined')::registry.household_change_kind,
            coalesce(said ->> 'by', current_user),
            (said ->> 'import_id')::uuid, (said ->> 'approval_id')::uuid, said ->> 'source',
            said ->> 'reason',
            jsonb_build_object('member_numbers', jsonb_agg(member_number ORDER BY member_number))
        FROM after
        GROUP BY household_id;
        RETURN NULL;
    END IF;
    WITH kept AS (
        INSERT INTO registry.household_change (household_id, member_id, at, kind, by, import_id,
            approval_id, source, reason, before, after)
        SELECT before.household_id, before.id,
            coalesce((said ->> 'at')::timestamptz,
                CASE WHEN after.changed_at <> before.changed_at THEN after.changed_at END,
                clock_timestamp()),
            coalesce(said ->> 'kind', 'corrected')::registry.household_change_kind,
            coalesce(said ->> 'by', current_user),
            (said ->> 'import_id')::uuid, (said ->> 'approval_id')::uuid, said ->> 'source',
            said ->> 'reason',
            jsonb_strip_nulls(jsonb_build_object(
                'changed_at', before.changed_at,
                'member_number', CASE WHEN before.member_number
                    IS DISTINCT FROM after.member_number THEN before.member_number END,
                'relationship', CASE WHEN before.relationship
                    IS DISTINCT FROM after.relationship THEN before.relationship END,
                'sex', CASE WHEN before.sex
                    IS DISTINCT FROM after.sex THEN before.sex END,
                'birth_date', CASE WHEN before.birth_date
                    IS DISTINCT FROM after.birth_date THEN before.birth_date END,
                'disability', CASE WHEN before.disability
                    IS DISTINCT FROM after.disability THEN before.disability END,
                'pregnancy_due_on', CASE WHEN before.pregnancy_due_on
                    IS DISTINCT FROM after.pregnancy_due_on THEN before.pregnancy_due_on END,
                'schooling', CASE WHEN before.schooling
                    IS DISTINCT FROM after.schooling THEN before.schooling END,
                'joined_on', CASE WHEN before.joined_on
                    IS DISTINCT FROM after.joined_on THEN before.joined_on END,
                'left_on', CASE WHEN before.left_on
                    IS DISTINCT FROM after.left_on THEN before.left_on END,
                'left_because', CASE WHEN before.left_because
                    IS DISTINCT FROM after.left_because THEN before.left_because END)),
            jsonb_strip_nulls(jsonb_build_object(
                'member_number', CASE WHEN before.member_number
                    IS DISTINCT FROM after.member_number THEN after.member_number END,
                'relationship', CASE WHEN before.relationship
                    IS DISTINCT FROM after.relationship THEN after.relationship END,
                'sex', CASE WHEN before.sex
                    IS DISTINCT FROM after.sex THEN after.sex END,
                'birth_date', CASE WHEN before.birth_date
                    IS DISTINCT FROM after.birth_date THEN after.birth_date END,
                'disability', CASE WHEN before.disability
                    IS DISTINCT FROM after.disability THEN after.disability END,
                'pregnancy_due_on', CASE WHEN before.pregnancy_due_on
                    IS DISTINCT FROM after.pregnancy_due_on THEN after.pregnancy_due_on END,
                'schooling', CASE WHEN before.schooling
                    IS DISTINCT FROM after.schooling THEN after.schooling END,
                'joined_on', CASE WHEN before.joined_on
                    IS DISTINCT FROM after.joined_on THEN after.joined_on END,
                'left_on', CASE WHEN before.left_on
                    IS DISTINCT FROM after.left_on THEN after.left_on END,
                'left_because', CASE WHEN before.left_because
                    IS DISTINCT FROM after.left_because THEN after.left_because END))
        FROM before JOIN after ON after.id = before.id
        WHERE after.changed_at <> before.changed_at
           OR (before.member_number,
              before.relationship,
              before.sex,
              before.birth_date,
              before.disability,
              before.pregnancy_due_on,
              before.schooling,
              before.joined_on,
              before.left_on,
              before.left_because)
           IS DISTINCT FROM
              (after.member_number,
              after.relationship,
              after.sex,
              after.birth_date,
              after.disability,
              after.pregnancy_due_on,
              after.schooling,
              after.joined_on,
              after.left_on,
              after.left_because)
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
_TRIGGERS = (
    """
CREATE TRIGGER household_is_kept AFTER INSERT ON registry.household
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_household_changes()
""",
    """
CREATE TRIGGER household_change_is_kept AFTER UPDATE ON registry.household
REFERENCING OLD TABLE AS before NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_household_changes()
""",
    """
CREATE TRIGGER member_is_kept AFTER INSERT ON registry.member
REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_member_changes()
""",
    """
CREATE TRIGGER member_change_is_kept AFTER UPDATE ON registry.member
REFERENCING OLD TABLE AS before NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_member_changes()
""",
)


def upgrade() -> None:
    op.execute(f"CREATE TYPE registry.household_change_kind AS ENUM ({_KINDS})")
    op.execute(f"CREATE TYPE registry.household_archiving AS ENUM ({_ARCHIVING})")
    op.execute(
        """
        ALTER TABLE registry.household
            ADD COLUMN archived_at timestamptz,
            ADD COLUMN archived_because registry.household_archiving,
            ADD COLUMN merged_into uuid,
            ADD COLUMN split_from uuid,
            ADD COLUMN erased_at timestamptz,
            ADD CONSTRAINT household_merged_into_foreign_key
                FOREIGN KEY (merged_into) REFERENCES registry.household (id),
            ADD CONSTRAINT household_split_from_foreign_key
                FOREIGN KEY (split_from) REFERENCES registry.household (id),
            ADD CONSTRAINT household_archived_for_a_reason_check
                CHECK ((archived_at IS NULL) = (archived_because IS NULL)),
            ADD CONSTRAINT household_merged_into_another_check
                CHECK ((merged_into IS NOT NULL) = coalesce(archived_because = 'merged', false)),
            ADD CONSTRAINT household_merged_not_into_itself_check CHECK (merged_into <> id),
            ADD CONSTRAINT household_erased_once_archived_check
                CHECK (erased_at IS NULL OR archived_at IS NOT NULL)
        """
    )
    op.execute(
        "CREATE INDEX household_archived_index ON registry.household (id) "
        "WHERE archived_at IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE registry.household_change (
            sequence bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
            household_id uuid NOT NULL,
            member_id uuid,
            import_id uuid,
            approval_id uuid,
            at timestamptz NOT NULL,
            kind registry.household_change_kind NOT NULL,
            by text NOT NULL,
            source text,
            reason text,
            before jsonb,
            after jsonb,
            CONSTRAINT household_change_primary_key PRIMARY KEY (sequence)
        )
        """
    )
    op.execute(
        "CREATE INDEX household_change_household_id_sequence_index "
        "ON registry.household_change (household_id, sequence)"
    )
    op.execute(
        "COMMENT ON TABLE registry.household_change IS "
        "'Every change of a household or a member, with what it was before.'"
    )
    op.execute(
        """
        CREATE TABLE registry.earlier_person (
            id uuid DEFAULT uuidv7() NOT NULL,
            household_id uuid NOT NULL,
            person_id uuid NOT NULL,
            sequence bigint NOT NULL,
            person_sealed bytea NOT NULL,
            CONSTRAINT earlier_person_primary_key PRIMARY KEY (id)
        )
        """
    )
    op.execute(
        "CREATE INDEX earlier_person_household_id_sequence_index "
        "ON registry.earlier_person (household_id, sequence)"
    )
    op.execute(
        "COMMENT ON TABLE registry.earlier_person IS "
        "'Persons as they were sealed before a change; overwritten by an erasure.'"
    )
    op.execute(f"GRANT SELECT, INSERT ON registry.household_change TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (person_sealed) ON registry.earlier_person TO {ROLE}")
    for statement in (_HOUSEHOLD_FUNCTION, _MEMBER_FUNCTION, *_TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Changes that were kept are lost; households that were archived could be enrolled again."""
    for table in ("household", "member"):
        op.execute(f"DROP TRIGGER {table}_is_kept ON registry.{table}")
        op.execute(f"DROP TRIGGER {table}_change_is_kept ON registry.{table}")
        op.execute(f"DROP FUNCTION registry.keep_{table}_changes()")
    op.execute("DROP TABLE registry.earlier_person")
    op.execute("DROP TABLE registry.household_change")
    op.execute("DROP INDEX registry.household_archived_index")
    op.execute(
        """
        ALTER TABLE registry.household
            DROP COLUMN archived_at, DROP COLUMN archived_because, DROP COLUMN merged_into,
            DROP COLUMN split_from, DROP COLUMN erased_at
        """
    )
    op.execute("DROP TYPE registry.household_change_kind")
    op.execute("DROP TYPE registry.household_archiving")
