"""Money that came back after it was paid goes back to its fund by two persons."""

from alembic import op

from shared.migrations import role_of

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

VALUES = (
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'return_restored'",
    "ALTER TYPE payments.transfer_code ADD VALUE IF NOT EXISTS 'return_unspent'",
    "ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'reclaim'",
)

UPGRADE = (
    """
    CREATE TABLE payments.reclaim (
        id uuid NOT NULL,
        fund text NOT NULL,
        provider text NOT NULL,
        amount_minor bigint NOT NULL,
        currency text NOT NULL,
        reclaimed_at timestamptz NOT NULL,
        CONSTRAINT reclaim_primary_key PRIMARY KEY (id),
        CONSTRAINT reclaim_amount_is_positive_check CHECK (amount_minor > 0)
    )
    """,
    """
    COMMENT ON TABLE payments.reclaim IS
    'Money that came back after it was paid, given back to its fund. It only gains rows.'
    """,
    """
    CREATE TABLE payments.reclaim_item (
        instruction_id uuid NOT NULL,
        reclaim_id uuid NOT NULL,
        amount_minor bigint NOT NULL,
        CONSTRAINT reclaim_item_primary_key PRIMARY KEY (instruction_id)
    )
    """,
    """
    CREATE INDEX reclaim_item_reclaim_index
        ON payments.reclaim_item (reclaim_id, instruction_id)
    """,
    """
    COMMENT ON TABLE payments.reclaim_item IS
    'The payments of reclaims. It only gains rows.'
    """,
    f"GRANT SELECT, INSERT ON payments.reclaim, payments.reclaim_item TO {ROLE}",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in VALUES:
            op.execute(statement)
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """The transfers stay: which payments they were for does not."""
    op.execute("DROP TABLE payments.reclaim_item")
    op.execute("DROP TABLE payments.reclaim")
