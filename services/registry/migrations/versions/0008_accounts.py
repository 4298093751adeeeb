"""Accounts say who changed them, and those that a second person decides about are kept sealed."""

from alembic import op

from shared.migrations import role_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = role_of("registry")


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE registry.payee_account
            ADD COLUMN changed_by text,
            ADD COLUMN changed_alone boolean DEFAULT false NOT NULL,
            ADD COLUMN approval_id uuid,
            ADD CONSTRAINT payee_account_approval_id_foreign_key
                FOREIGN KEY (approval_id) REFERENCES registry.approval (id),
            ADD CONSTRAINT payee_account_alone_or_approved_check
                CHECK (NOT changed_alone OR approval_id IS NULL AND changed_by IS NOT NULL)
        """
    )
    op.execute(
        """
        CREATE INDEX payee_account_changed_alone_index
        ON registry.payee_account (changed_by, began_at) WHERE changed_alone
        """
    )
    op.execute("ALTER TABLE registry.household_import ADD COLUMN sent_by text")
    op.execute(
        "ALTER TABLE registry.household_import "
        "ADD COLUMN accounts_changed integer DEFAULT 0 NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE registry.account_change (
            id uuid NOT NULL,
            batch_id uuid NOT NULL,
            household_id uuid NOT NULL,
            provider_code text NOT NULL,
            account_sealed bytea NOT NULL,
            account_index bytea NOT NULL,
            content_index bytea,
            asked_at timestamptz NOT NULL,
            CONSTRAINT account_change_primary_key PRIMARY KEY (id)
        )
        """
    )
    op.execute(
        """
        CREATE INDEX account_change_batch_id_household_id_index
        ON registry.account_change (batch_id, household_id)
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.account_change IS
        'Accounts that were asked for and do not hold by themselves, sealed; see account_batch.'
        """
    )
    op.execute(f"GRANT SELECT, INSERT ON registry.account_change TO {ROLE}")
    op.execute(
        """
        CREATE TABLE registry.account_batch (
            id uuid NOT NULL,
            import_id uuid NOT NULL,
            households integer NOT NULL,
            enrolled integer NOT NULL,
            changed integer DEFAULT 0 NOT NULL,
            done_up_to uuid,
            approved_at timestamptz,
            finished_at timestamptz,
            CONSTRAINT account_batch_primary_key PRIMARY KEY (id),
            CONSTRAINT account_batch_id_foreign_key
                FOREIGN KEY (id) REFERENCES registry.approval (id),
            CONSTRAINT account_batch_import_id_foreign_key
                FOREIGN KEY (import_id) REFERENCES registry.household_import (id),
            CONSTRAINT account_batch_finished_once_approved_check
                CHECK (finished_at IS NULL OR approved_at IS NOT NULL)
        )
        """
    )
    op.execute("CREATE INDEX account_batch_import_id_index ON registry.account_batch (import_id)")
    op.execute(
        """
        CREATE INDEX account_batch_unfinished_index ON registry.account_batch (approved_at)
        WHERE approved_at IS NOT NULL AND finished_at IS NULL
        """
    )
    op.execute(
        """
        COMMENT ON TABLE registry.account_batch IS
        'Account changes of an import that wait for a second person, or were made since.'
        """
    )
    op.execute(
        f"""
        GRANT SELECT, INSERT, UPDATE (approved_at, done_up_to, changed, finished_at)
            ON registry.account_batch TO {ROLE}
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE registry.account_batch")
    op.execute("DROP TABLE registry.account_change")
    op.execute("ALTER TABLE registry.household_import DROP COLUMN accounts_changed")
    op.execute("ALTER TABLE registry.household_import DROP COLUMN sent_by")
    op.execute("DROP INDEX registry.payee_account_changed_alone_index")
    op.execute(
        """
        ALTER TABLE registry.payee_account
            DROP CONSTRAINT payee_account_alone_or_approved_check,
            DROP COLUMN approval_id,
            DROP COLUMN changed_alone,
            DROP COLUMN changed_by
        """
    )
