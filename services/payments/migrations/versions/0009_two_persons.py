"""Money comes in, and more than a fund's bounds goes out, by two persons.

A fund that was opened before has no bounds. They stay empty: no figure would be its owner's. A
fund without bounds lets nothing go by itself, so each of its rounds waits for two persons from now
on (GET /v1/rounds?status=unapproved, POST /v1/rounds/{number}/release). So a programme that is
under way goes on, by two persons' word, and as before once its bounds are set
(POST /v1/funds/{fund_code}/bounds). Rounds that were released before this are sent to their end.
"""

from alembic import op

from shared.migrations import role_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

KINDS = ("fund", "fund_bounds", "deposit", "prefunding", "round_release", "attempt")

WAITING_INDEX = """
CREATE INDEX payment_round_waiting_index ON payments.payment_round (number)
    WHERE status IN ({states})
"""


def upgrade() -> None:
    # A new value is used only once it is committed: the index below names one.
    with op.get_context().autocommit_block():
        for kind in KINDS:
            op.execute(f"ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS '{kind}'")
        op.execute(
            "ALTER TYPE payments.set_aside_reason "
            "ADD VALUE IF NOT EXISTS 'above-maximum' AFTER 'no-amount'"
        )
        op.execute(
            "ALTER TYPE payments.round_status ADD VALUE IF NOT EXISTS 'unapproved' AFTER 'unfunded'"
        )
    op.execute(
        """
        ALTER TABLE payments.fund
            ADD COLUMN maximum_payment_minor bigint,
            ADD COLUMN maximum_round_minor bigint,
            ADD CONSTRAINT fund_bounds_are_whole_check
                CHECK (num_nulls(maximum_payment_minor, maximum_round_minor) IN (0, 2)),
            ADD CONSTRAINT fund_bounds_leave_room_check
                CHECK (maximum_payment_minor > 0 AND maximum_round_minor >= maximum_payment_minor)
        """
    )
    op.execute(
        f"GRANT UPDATE (maximum_payment_minor, maximum_round_minor) ON payments.fund TO {ROLE}"
    )
    op.execute("ALTER TABLE payments.transfer ADD COLUMN approval_id uuid")
    op.execute(
        """
        CREATE UNIQUE INDEX transfer_approved_once_index ON payments.transfer (approval_id, code)
            WHERE approval_id IS NOT NULL
        """
    )
    op.execute("ALTER TABLE payments.chunk ADD COLUMN largest_minor bigint")
    op.execute(
        """
        UPDATE payments.chunk
        SET largest_minor = (
            SELECT coalesce(max(instruction.amount_minor), 0)
            FROM payments.instruction
            WHERE instruction.chunk_number = chunk.number
        )
        FROM payments.payment_round
        WHERE payment_round.number = chunk.round_number
          AND payment_round.status IN ('gathering', 'unfunded')
          AND chunk.status = 'raised'
        """
    )
    op.execute("DROP INDEX payments.payment_round_waiting_index")
    op.execute(WAITING_INDEX.format(states="'gathering', 'unfunded', 'unapproved'"))


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out. What waits for two persons is summed
    up again by what runs then."""
    op.execute("DROP INDEX payments.payment_round_waiting_index")
    op.execute("UPDATE payments.payment_round SET status = 'gathering' WHERE status = 'unapproved'")
    op.execute(WAITING_INDEX.format(states="'gathering', 'unfunded'"))
    op.execute("ALTER TABLE payments.chunk DROP COLUMN largest_minor")
    op.execute("ALTER TABLE payments.transfer DROP COLUMN approval_id")
    op.execute(
        """
        ALTER TABLE payments.fund
            DROP COLUMN maximum_round_minor,
            DROP COLUMN maximum_payment_minor
        """
    )
