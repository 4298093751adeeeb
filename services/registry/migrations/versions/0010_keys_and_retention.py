"""Keys that rows need are known, rows are sealed anew, and what is old is removed."""

from alembic import op

from shared.migrations import role_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE registry.known_key (
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
        "COMMENT ON TABLE registry.known_key IS "
        "'Keys by their fingerprints: one that is not emptied may be needed by rows.'"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (emptied_at) ON registry.known_key TO {ROLE}")
    op.execute(f"GRANT DELETE ON registry.idempotency_key TO {ROLE}")
    for table in ("payee_account", "account_change"):
        op.execute(f"GRANT UPDATE (account_sealed, account_index) ON registry.{table} TO {ROLE}")


def downgrade() -> None:
    """Whatever was sealed anew stays so: an earlier version opens it by the same keys."""
    for table in ("payee_account", "account_change"):
        op.execute(f"REVOKE UPDATE (account_sealed, account_index) ON registry.{table} FROM {ROLE}")
    op.execute(f"REVOKE DELETE ON registry.idempotency_key FROM {ROLE}")
    op.execute("DROP TABLE registry.known_key")
