"""Further attempts that may be among lost commits are asked about before anything is paid again."""

from alembic import op

from shared.migrations import role_of

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = (
    """
    CREATE TABLE payments.asked_further (
        instruction_id uuid NOT NULL,
        epoch integer NOT NULL,
        is_certain boolean NOT NULL,
        asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT asked_further_primary_key PRIMARY KEY (instruction_id)
    )
    """,
    """
    COMMENT ON TABLE payments.asked_further IS
        'Of what no further attempt is without its row, after commits were lost.'
    """,
    f"""
    GRANT SELECT, INSERT, UPDATE (epoch, is_certain, asked_at) ON payments.asked_further TO {ROLE}
    """,
    """
    CREATE INDEX instruction_announced_anew_index ON payments.instruction (entitlement_id)
        WHERE announcement > 1 AND status = 'ready'
    """,
)

DOWNGRADE = (
    "DROP INDEX payments.instruction_announced_anew_index",
    "DROP TABLE payments.asked_further",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payments.hold_rule ADD VALUE IF NOT EXISTS 'perhaps_tried_anew'")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    for statement in DOWNGRADE:
        op.execute(statement)
