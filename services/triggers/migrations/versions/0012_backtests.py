"""Backtests: triggers tried on history."""

from shared.migrations import execute_each, role_of

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = role_of("triggers")

UP = f"""
CREATE TYPE triggers.backtest_state AS ENUM ('waiting', 'running', 'finished', 'failed');
CREATE TABLE triggers.backtest (
    id uuid NOT NULL,
    name text NOT NULL,
    trigger_code text NOT NULL,
    trigger_version integer,
    state triggers.backtest_state NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    asked jsonb NOT NULL,
    look_at timestamptz DEFAULT clock_timestamp(),
    attempts integer DEFAULT 0 NOT NULL,
    steps_done integer DEFAULT 0 NOT NULL,
    steps integer NOT NULL,
    finished_at timestamptz,
    report jsonb,
    failure text,
    CONSTRAINT backtest_primary_key PRIMARY KEY (id),
    CONSTRAINT backtest_finished_with_report_check
        CHECK ((state = 'finished') = (report IS NOT NULL)),
    CONSTRAINT backtest_failed_with_reason_check
        CHECK ((state = 'failed') = (failure IS NOT NULL))
);
COMMENT ON COLUMN triggers.backtest.trigger_version IS 'Null: the document was not posted.';
COMMENT ON COLUMN triggers.backtest.asked IS 'What was asked, with the trigger''s document.';
COMMENT ON COLUMN triggers.backtest.look_at IS 'When a worker takes it; null: it is done.';
COMMENT ON COLUMN triggers.backtest.steps IS
    'The definition itself, each value of its curve, and the money.';
COMMENT ON COLUMN triggers.backtest.failure IS 'Why there is no report.';
CREATE INDEX backtest_asked_at_index ON triggers.backtest (asked_at, id);
CREATE INDEX backtest_waiting_index ON triggers.backtest (look_at) WHERE look_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE (state, look_at, attempts, steps_done, finished_at, report, failure)
    ON triggers.backtest TO {ROLE};
"""

DOWN = """
DROP TABLE triggers.backtest;
DROP TYPE triggers.backtest_state;
"""


def upgrade() -> None:
    execute_each(UP)


def downgrade() -> None:
    execute_each(DOWN)
