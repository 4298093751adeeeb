"""Steps that need two persons: proposed by the first, decided by another."""

from alembic import op

from shared.migrations import role_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")


def upgrade() -> None:
    op.execute("CREATE TYPE triggers.approval_kind AS ENUM ('trigger')")
    op.execute("CREATE TYPE triggers.approval_decision AS ENUM ('approved', 'declined')")
    op.execute(
        """
        CREATE TABLE triggers.approval (
            id uuid NOT NULL,
            kind triggers.approval_kind NOT NULL,
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
            decision triggers.approval_decision,
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
        "CREATE INDEX approval_waiting_index ON triggers.approval (id) WHERE decision IS NULL"
    )
    op.execute(
        """
        COMMENT ON TABLE triggers.approval IS
        'Steps that need two persons: proposed by the first, decided by another.'
        """
    )
    op.execute(
        f"""
        GRANT SELECT, INSERT,
            UPDATE (decision, decided_by, decided_at, decision_reason, outcome)
            ON triggers.approval TO {ROLE}
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE triggers.approval")
    op.execute("DROP TYPE triggers.approval_decision")
    op.execute("DROP TYPE triggers.approval_kind")
