"""Cancelled and returned payments are counted by a code; the history keeps what officers wrote."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Only officers cancel, and record that money came back: every such reason is what one wrote.
CODES = """
UPDATE payments.instruction
SET reason = CASE status WHEN 'cancelled' THEN 'cancelled_by_officer' ELSE 'returned_by_officer' END
WHERE status IN ('cancelled', 'returned')
"""

WORDS = """
UPDATE payments.instruction
SET reason = instruction_move.reason
FROM payments.instruction_move
WHERE instruction.status IN ('cancelled', 'returned')
  AND instruction_move.instruction_id = instruction.id
  AND instruction_move.position = instruction.moves
"""


def upgrade() -> None:
    op.execute(CODES)


def downgrade() -> None:
    op.execute(WORDS)
