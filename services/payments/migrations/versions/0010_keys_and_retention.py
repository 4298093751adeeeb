"""Keys that rows need are known, rows are sealed anew, and what is old is removed."""

from alembic import op

from shared.migrations import role_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = role_of("payments")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE payments.known_key (
            variable text NOT NULL,
            version integer NOT NULL,
            fingerprint bytea NOT NULL,
            first_seen_at timestamptz DEFAULT now() NOT NULL,
            emptied_at timestamptz,
            CONSTRAINT known_key_primary_key PRIMARY KEY (variable, version, fingerprint)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE payments.known_key IS "
        "'Keys by their fingerprints: one that is not emptied may be needed by rows.'"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (emptied_at) ON payments.known_key TO {ROLE}")
    op.execute(f"GRANT DELETE ON payments.idempotency_key TO {ROLE}")
    op.execute(f"GRANT UPDATE (account_sealed) ON payments.instruction TO {ROLE}")
    op.execute(f"GRANT UPDATE (body_sealed), DELETE ON payments.webhook TO {ROLE}")


def downgrade() -> None:
    """Whatever was sealed anew stays so: an earlier version opens it by the same keys."""
    op.execute(f"REVOKE DELETE ON payments.webhook FROM {ROLE}")
    op.execute(f"REVOKE UPDATE (body_sealed) ON payments.webhook FROM {ROLE}")
    op.execute(f"REVOKE UPDATE (account_sealed) ON payments.instruction FROM {ROLE}")
    op.execute(f"REVOKE DELETE ON payments.idempotency_key FROM {ROLE}")
    op.execute("DROP TABLE payments.known_key")
