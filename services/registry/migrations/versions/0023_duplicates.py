"""Households that may be one: suspects, decisions, and up to where was looked."""

from alembic import op

from shared.migrations import execute_each, role_of

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'duplicates'")
    execute_each(
        """
        CREATE TYPE registry.duplicate_decision_kind AS ENUM ('merge', 'keep', 'dismiss');
        CREATE TYPE registry.duplicate_step AS ENUM ('merge', 'keep', 'dismiss', 'undo');
        CREATE TABLE registry.duplicate_suspect (
            id uuid NOT NULL,
            first_household_id uuid NOT NULL,
            second_household_id uuid NOT NULL,
            first_member_id uuid,
            second_member_id uuid,
            found_at timestamptz NOT NULL,
            withdrawn_at timestamptz,
            decided_at timestamptz,
            exact_score smallint NOT NULL,
            likeness_score smallint NOT NULL,
            score smallint NOT NULL
                GENERATED ALWAYS AS (greatest(exact_score, likeness_score)) STORED,
            is_whole boolean NOT NULL,
            exact_grounds text[] NOT NULL,
            likeness_grounds text[] NOT NULL,
            decision registry.duplicate_decision_kind,
            decided_by text,
            reason text,
            holds boolean NOT NULL GENERATED ALWAYS AS (
                greatest(exact_score, likeness_score) >= 950 AND is_whole
                AND withdrawn_at IS NULL AND (decision IS NULL
                OR decision = 'merge'::registry.duplicate_decision_kind)
            ) STORED,
            CONSTRAINT duplicate_suspect_primary_key PRIMARY KEY (id),
            CONSTRAINT duplicate_suspect_two_households_check
                CHECK (first_household_id <> second_household_id),
            CONSTRAINT duplicate_suspect_scores_in_thousandths_check CHECK (
                exact_score BETWEEN 0 AND 1000 AND likeness_score BETWEEN 0 AND 1000),
            CONSTRAINT duplicate_suspect_decided_by_somebody_check CHECK (
                (decision IS NULL) = (decided_at IS NULL)
                AND (decision IS NULL) = (reason IS NULL)
                AND (decision IS NULL) = (decided_by IS NULL))
        );
        COMMENT ON TABLE registry.duplicate_suspect IS
        'Pairs of households that may be one, each once, whichever came first.';
        CREATE INDEX duplicate_suspect_score_id_index ON registry.duplicate_suspect (score, id);
        CREATE INDEX duplicate_suspect_first_holding_index
            ON registry.duplicate_suspect (first_household_id) WHERE holds;
        CREATE INDEX duplicate_suspect_second_holding_index
            ON registry.duplicate_suspect (second_household_id) WHERE holds;
        CREATE TABLE registry.duplicate_decision (
            id uuid NOT NULL,
            suspect_id uuid NOT NULL,
            step registry.duplicate_step NOT NULL,
            reason text NOT NULL,
            decided_by text NOT NULL,
            decided_at timestamptz NOT NULL,
            approval_id uuid,
            CONSTRAINT duplicate_decision_primary_key PRIMARY KEY (id),
            CONSTRAINT duplicate_decision_suspect_id_foreign_key FOREIGN KEY (suspect_id)
                REFERENCES registry.duplicate_suspect (id),
            CONSTRAINT duplicate_decision_approval_id_foreign_key FOREIGN KEY (approval_id)
                REFERENCES registry.approval (id)
        );
        COMMENT ON TABLE registry.duplicate_decision IS
        'Decisions about suspected duplicates, and their undoing.';
        CREATE INDEX duplicate_decision_suspect_id_id_index
            ON registry.duplicate_decision (suspect_id, id);
        CREATE TABLE registry.duplicate_look (
            kind text NOT NULL,
            seen_before bigint NOT NULL,
            looked_at timestamptz NOT NULL,
            CONSTRAINT duplicate_look_primary_key PRIMARY KEY (kind)
        );
        COMMENT ON TABLE registry.duplicate_look IS
        'Up to where households were compared with all others.';
        """
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (first_member_id, second_member_id, withdrawn_at, "
        "decided_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds, "
        f"decision, decided_by, reason) ON registry.duplicate_suspect TO {ROLE}"
    )
    op.execute(f"GRANT SELECT, INSERT ON registry.duplicate_decision TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.duplicate_look TO {ROLE}")
    # Of what is set aside while it waits, nothing was announced: it has no account yet.
    op.execute(f"GRANT UPDATE (payee_account_id) ON registry.entitlement TO {ROLE}")


def downgrade() -> None:
    """The kind of approval stays: nothing takes a value out of an enum type."""
    op.execute(f"REVOKE UPDATE (payee_account_id) ON registry.entitlement FROM {ROLE}")
    execute_each(
        """
        DROP TABLE registry.duplicate_look;
        DROP TABLE registry.duplicate_decision;
        DROP TABLE registry.duplicate_suspect;
        DROP TYPE registry.duplicate_step;
        DROP TYPE registry.duplicate_decision_kind;
        """
    )
