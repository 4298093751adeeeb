"""Households one by one: enrolled late or by hand, excluded, appealing; and looked at anew."""

from alembic import op

from shared.migrations import role_of

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute("ALTER TYPE registry.run_kind ADD VALUE IF NOT EXISTS 'further'")
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'further_enrolment'")
    op.execute("ALTER TYPE registry.approval_kind ADD VALUE IF NOT EXISTS 'readmission'")
    # What is older than this does not hold it: what is known now is told of those.
    op.execute("ALTER TABLE registry.enrolment ADD COLUMN poverty_status registry.poverty_status")
    op.execute('ALTER TABLE registry.enrolment ADD COLUMN village_code text COLLATE "C"')
    op.execute(
        """
        CREATE TABLE registry.further_enrolment (
            run_id uuid NOT NULL,
            household_ids uuid[],
            whatever_the_rule boolean NOT NULL,
            known_until timestamptz NOT NULL,
            reason text NOT NULL,
            requested_by text NOT NULL,
            requested_at timestamptz NOT NULL,
            approval_id uuid,
            appeal_id uuid,
            CONSTRAINT further_enrolment_primary_key PRIMARY KEY (run_id),
            CONSTRAINT further_enrolment_run_id_foreign_key FOREIGN KEY (run_id)
                REFERENCES registry.enrolment_run (id),
            CONSTRAINT further_enrolment_approval_id_foreign_key FOREIGN KEY (approval_id)
                REFERENCES registry.approval (id),
            CONSTRAINT further_enrolment_decided_by_two_check
                CHECK (num_nulls(approval_id, appeal_id) = 1),
            CONSTRAINT further_enrolment_by_hand_is_named_check
                CHECK (NOT whatever_the_rule OR household_ids IS NOT NULL)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE registry.exclusion (
            id uuid NOT NULL,
            household_id uuid NOT NULL,
            scheme_code text NOT NULL,
            activation_id uuid,
            reason text NOT NULL,
            excluded_by text NOT NULL,
            excluded_at timestamptz NOT NULL,
            ended_at timestamptz,
            ended_by text,
            ended_because text,
            CONSTRAINT exclusion_primary_key PRIMARY KEY (id),
            CONSTRAINT exclusion_household_id_foreign_key FOREIGN KEY (household_id)
                REFERENCES registry.household (id),
            CONSTRAINT exclusion_activation_id_foreign_key FOREIGN KEY (activation_id)
                REFERENCES registry.activation (id),
            CONSTRAINT exclusion_end_is_whole_check
                CHECK (num_nulls(ended_at, ended_by, ended_because) IN (0, 3))
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX exclusion_standing_unique
            ON registry.exclusion (household_id, scheme_code, activation_id) NULLS NOT DISTINCT
            WHERE ended_at IS NULL
        """
    )
    op.execute(
        """
        CREATE TABLE registry.reassessment (
            household_id uuid NOT NULL,
            activation_id uuid NOT NULL,
            round smallint NOT NULL,
            amount_minor bigint NOT NULL,
            benefit_case smallint,
            poverty_status registry.poverty_status NOT NULL,
            members smallint NOT NULL,
            children_0_5 smallint NOT NULL,
            pregnant smallint NOT NULL,
            disabled smallint NOT NULL,
            elderly_60 smallint NOT NULL,
            area_code text COLLATE "C" NOT NULL,
            village_code text COLLATE "C",
            CONSTRAINT reassessment_primary_key
                PRIMARY KEY (household_id, activation_id, round),
            CONSTRAINT reassessment_amount_positive_check CHECK (amount_minor > 0)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE registry.appeal (
            id uuid NOT NULL,
            household_id uuid NOT NULL,
            scheme_code text NOT NULL,
            activation_id uuid NOT NULL,
            about text NOT NULL,
            wants text NOT NULL,
            opened_by text NOT NULL,
            opened_at timestamptz NOT NULL,
            due_on date NOT NULL,
            decision text,
            decided_by text,
            decided_at timestamptz,
            outcome text,
            CONSTRAINT appeal_primary_key PRIMARY KEY (id),
            CONSTRAINT appeal_household_id_foreign_key FOREIGN KEY (household_id)
                REFERENCES registry.household (id),
            CONSTRAINT appeal_activation_id_foreign_key FOREIGN KEY (activation_id)
                REFERENCES registry.activation (id),
            CONSTRAINT appeal_decided_by_another_check CHECK (decided_by <> opened_by),
            CONSTRAINT appeal_decision_is_whole_check
                CHECK (num_nulls(decision, decided_by, decided_at) IN (0, 3))
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX appeal_open_unique
            ON registry.appeal (household_id, activation_id) WHERE decision IS NULL
        """
    )
    op.execute(
        "CREATE INDEX appeal_due_index ON registry.appeal (due_on, id) WHERE decision IS NULL"
    )
    op.execute(
        """
        CREATE TABLE registry.appeal_step (
            appeal_id uuid NOT NULL,
            number smallint NOT NULL,
            kind text NOT NULL,
            at timestamptz NOT NULL,
            by text NOT NULL,
            words_en text NOT NULL,
            words_km text NOT NULL,
            CONSTRAINT appeal_step_primary_key PRIMARY KEY (appeal_id, number),
            CONSTRAINT appeal_step_appeal_id_foreign_key FOREIGN KEY (appeal_id)
                REFERENCES registry.appeal (id)
        )
        """
    )
    op.execute(
        """
        ALTER TABLE registry.further_enrolment
            ADD CONSTRAINT further_enrolment_appeal_id_foreign_key FOREIGN KEY (appeal_id)
                REFERENCES registry.appeal (id)
        """
    )
    for table, comment in (
        ("further_enrolment", "Runs that enrol late registrants, or households by hand: why."),
        ("exclusion", "Households that an officer keeps out of a scheme, or of an activation."),
        ("reassessment", "What enrolled households were when a later round looked at them anew."),
        ("appeal", "Appeals of households, each opened by one person and decided by another."),
        ("appeal_step", "What was said about an appeal, by whom and when; only added to."),
    ):
        op.execute(f"COMMENT ON TABLE registry.{table} IS '{comment}'")
        op.execute(f"GRANT SELECT, INSERT ON registry.{table} TO {ROLE}")
    op.execute(f"GRANT UPDATE (ended_at, ended_by, ended_because) ON registry.exclusion TO {ROLE}")
    op.execute(
        f"GRANT UPDATE (decision, decided_by, decided_at, outcome) ON registry.appeal TO {ROLE}"
    )


def downgrade() -> None:
    """The kinds of runs and steps stay: PostgreSQL takes no value out of an enum."""
    for table in ("appeal_step", "further_enrolment", "appeal", "reassessment", "exclusion"):
        op.execute(f"DROP TABLE registry.{table}")
    op.execute("ALTER TABLE registry.enrolment DROP COLUMN village_code")
    op.execute("ALTER TABLE registry.enrolment DROP COLUMN poverty_status")
