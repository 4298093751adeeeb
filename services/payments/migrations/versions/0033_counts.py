"""Instructions are counted by state as they change."""

from alembic import op

from shared.migrations import role_of

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

TABLES = (
    """
    CREATE TABLE payments.count_change (
        number bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        amount_minor bigint NOT NULL,
        changed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        chunk_number integer NOT NULL,
        count integer NOT NULL,
        status payments.instruction_status NOT NULL,
        provider_number smallint NOT NULL,
        withheld boolean NOT NULL,
        district_code text NOT NULL,
        CONSTRAINT count_change_primary_key PRIMARY KEY (number)
    )
    """,
    """
    COMMENT ON TABLE payments.count_change IS
    'Changes of the counts of instructions, by the trigger on instruction; added up, they go.'
    """,
    """
    CREATE TABLE payments.instruction_count (
        chunk_number integer NOT NULL,
        district_code text NOT NULL,
        provider_number smallint NOT NULL,
        status payments.instruction_status NOT NULL,
        withheld boolean NOT NULL,
        count integer NOT NULL,
        amount_minor bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT instruction_count_primary_key PRIMARY KEY
            (chunk_number, district_code, provider_number, status, withheld)
    ) WITH (fillfactor = 50)
    """,
    """
    COMMENT ON TABLE payments.instruction_count IS
    'How many instructions stand where, without what count_change still has.'
    """,
    """
    CREATE TABLE payments.ended_span (
        chunk_number integer NOT NULL,
        begun_at timestamptz NOT NULL,
        count integer NOT NULL,
        CONSTRAINT ended_span_primary_key PRIMARY KEY (chunk_number, begun_at)
    )
    """,
    """
    COMMENT ON TABLE payments.ended_span IS
    'How fast payments end: of the last hour, in spans of ten seconds.'
    """,
    f"GRANT SELECT, DELETE ON payments.count_change TO {ROLE}",
    f"""
    GRANT SELECT, INSERT, UPDATE (count, amount_minor, changed_at)
    ON payments.instruction_count TO {ROLE}
    """,
    f"GRANT SELECT, INSERT, UPDATE (count), DELETE ON payments.ended_span TO {ROLE}",
)

FUNCTION = """
CREATE FUNCTION payments.count_instructions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO count_change (chunk_number, district_code, provider_number, status, withheld,
            count, amount_minor)
        SELECT chunk_number, coalesce(left(area_code, 4), ''), provider_number, status, withheld,
            count(*), sum(amount_minor)
        FROM after
        GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO count_change (chunk_number, district_code, provider_number, status, withheld,
            count, amount_minor)
        SELECT chunk_number, coalesce(left(area_code, 4), ''), provider_number, status, withheld,
            sum(sign), sum(sign * amount_minor)
        FROM (
            SELECT chunk_number, area_code, provider_number, status, withheld, amount_minor,
                -1 AS sign
            FROM before
            UNION ALL
            SELECT chunk_number, area_code, provider_number, status, withheld, amount_minor, 1
            FROM after
        ) AS version
        GROUP BY 1, 2, 3, 4, 5
        HAVING sum(sign) <> 0 OR sum(sign * amount_minor) <> 0;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS = (
    """
    CREATE TRIGGER instruction_is_counted AFTER INSERT ON payments.instruction
    REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION payments.count_instructions()
    """,
    """
    CREATE TRIGGER instruction_is_counted_anew AFTER UPDATE ON payments.instruction
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION payments.count_instructions()
    """,
)

# Creating the triggers has locked the table against writers: what is counted here is all of it.
COUNT = """
    INSERT INTO payments.instruction_count (chunk_number, district_code, provider_number, status,
        withheld, count, amount_minor, changed_at)
    SELECT chunk_number, coalesce(left(area_code, 4), ''), provider_number, status, withheld,
        count(*), sum(amount_minor), clock_timestamp()
    FROM payments.instruction
    GROUP BY 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    for statement in (*TABLES, FUNCTION, *TRIGGERS, COUNT):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER instruction_is_counted_anew ON payments.instruction")
    op.execute("DROP TRIGGER instruction_is_counted ON payments.instruction")
    op.execute("DROP FUNCTION payments.count_instructions()")
    op.execute("DROP TABLE payments.ended_span")
    op.execute("DROP TABLE payments.instruction_count")
    op.execute("DROP TABLE payments.count_change")
