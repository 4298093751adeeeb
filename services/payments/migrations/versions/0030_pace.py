"""How fast a provider may be spoken to, by all workers together, and until when it rests."""

from alembic import op

from shared.migrations import role_of

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = (
    """
    CREATE TABLE payments.provider_allowance (
        provider_number smallint NOT NULL,
        tokens double precision DEFAULT 0 NOT NULL,
        filled_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        rests_until timestamptz,
        rest_reason text,
        CONSTRAINT provider_allowance_primary_key PRIMARY KEY (provider_number)
    )
    """,
    """
    COMMENT ON TABLE payments.provider_allowance IS
    'How many requests may leave for a provider, by all workers together.'
    """,
    f"""
    GRANT SELECT, INSERT, UPDATE (tokens, filled_at, rests_until, rest_reason)
        ON payments.provider_allowance TO {ROLE}
    """,
    """
    CREATE TABLE payments.provider_share (
        provider_number smallint NOT NULL,
        worker_id uuid NOT NULL,
        places integer NOT NULL,
        wanted integer NOT NULL,
        ends_at timestamptz NOT NULL,
        CONSTRAINT provider_share_primary_key PRIMARY KEY (provider_number, worker_id)
    )
    """,
    """
    COMMENT ON TABLE payments.provider_share IS
    'A worker''s part of the requests at once; a dead worker''s part lapses.'
    """,
    f"""
    GRANT SELECT, INSERT, UPDATE (places, wanted, ends_at), DELETE
        ON payments.provider_share TO {ROLE}
    """,
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE payments.provider_share")
    op.execute("DROP TABLE payments.provider_allowance")
