"""What the database is asked of pauses and holds."""

# Whether a pause concerns an instruction. What was raised before areas were kept, any area's does.
_PAUSED = """
    payments.pause
    JOIN payments.payment_round
        ON (pause.scheme IS NULL OR pause.scheme = payment_round.scheme)
        AND (pause.activation_id IS NULL OR pause.activation_id = payment_round.activation_id)
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    JOIN payments.instruction
        ON instruction.chunk_number = chunk.number
        AND (pause.provider_number IS NULL OR pause.provider_number = instruction.provider_number)
        AND (pause.area_code IS NULL OR pause.area_code = 'KH' OR instruction.area_code IS NULL
            OR starts_with(instruction.area_code, pause.area_code))
"""

PAUSES = f"""
    SELECT given.id, given.paused_at, given.resumed_at,
        ARRAY(SELECT instruction.id FROM {_PAUSED} WHERE pause.id = given.id) AS concerned
    FROM payments.pause AS given
    ORDER BY given.id
"""

CLAIMED_WHILE_PAUSED = f"""
    SELECT pause.id AS pause_id, instruction.id AS instruction_id, journal_entry.posted_at
    FROM {_PAUSED}
    JOIN payments.instruction_move ON instruction_move.instruction_id = instruction.id
    JOIN payments.journal_entry ON journal_entry.number = instruction_move.entry_number
    WHERE instruction_move.to_status::text = 'sending'
      AND journal_entry.posted_at > pause.paused_at
      AND (pause.resumed_at IS NULL OR journal_entry.posted_at < pause.resumed_at)
"""

HOLDS = """
    SELECT hold.instruction_id, hold.ended_at,
        (
            SELECT min(journal_entry.posted_at)
            FROM payments.instruction_move
            JOIN payments.journal_entry ON journal_entry.number = entry_number
            WHERE instruction_move.instruction_id = hold.instruction_id
              AND to_status::text = 'sending'
        ) AS claimed_at
    FROM payments.hold
    ORDER BY hold.number
"""
