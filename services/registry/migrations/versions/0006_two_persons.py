"""Steps that need two persons: proposed by the first, decided by another."""

from alembic import op

from shared.migrations import role_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute("CREATE TYPE registry.approval_kind AS ENUM ('scheme')")
    op.execute("CREATE TYPE registry.approval_decision AS ENUM ('approved', 'declined')")
    op.execute(
        """
        CREATE TABLE registry.approval (
            id uuid NOT NULL,
            kind registry.approval_kind NOT NULL,
            what text NOT NULL,
            document jsonb NOT NULL,
            households integer,
            amount_minor bigint,
            currency text,
            proposed_by text NOT NULL,
            proposed_at timestamptz NOT NULL,
            reason text,
            evidence_by text[] DEFAULT '{}' NOT NULL,
            expires_at timestamptz NOT NULL,
            decided_by text,
            decided_at timestamptz,
            decision_reason text,
            outcome text,
            decision registry.approval_decision,
            CONSTRAINT approval_primary_key PRIMARY KEY (id),
            CONSTRAINT approval_checker_is_not_the_maker_check
                CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> proposed_by),
            CONSTRAINT approval_checker_is_not_in_the_evidence_check
                CHECK (decision IS DISTINCT FROM 'approved' OR decided_by <> ALL (evidence_by)),
            CONSTRAINT approval_decision_is_whole_check
                CHECK (num_nulls(decision, decided_by, decided_at, decision_reason) IN (0, 4)),
            CONSTRAINT approval_amount_has_a_currency_check
                CHECK (num_nulls(amount_minor, currency) IN (0, 2))
        )
        """
    )
    op.execute(
        "CREATE INDEX approval_waiting_index ON registry.approval (id) WHERE decision IS NULL"
    )
    op.execute(
        """
        COMMENT ON TABLE registry.approval IS
        'Steps that need two persons: proposed by the first, decided by another.'
        """
    )
    op.execute(
        f"""
        GRANT SELECT, INSERT,
            UPDATE (decision, decided_by, decided_at, decision_reason, outcome)
            ON registry.approval TO {ROLE}
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE registry.approval")
    op.execute("DROP TYPE registry.approval_decision")
    op.execute("DROP TYPE registry.approval_kind")
