"""Files as people save them: kept sealed in pieces while they are read, and how each is read."""

from alembic import op

from shared.migrations import role_of

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ROLE = role_of("registry")

_ROWS_ADD_UP = "household_import_rows_add_up_check"
_ADDING_UP = (
    "rows_read = rows_rejected + households_added + households_changed + households_unchanged"
)
_TYPES = {
    "import_rows_of": ("households", "members"),
    "import_format": ("csv", "ndjson", "xlsx"),
    "import_run_kind": ("dry-run", "import"),
    "import_run_status": ("waiting", "running", "completed", "stopped", "refused"),
}
_TABLES = (
    (
        "import_file",
        "SELECT, INSERT, UPDATE, DELETE",
        "Files that imports are read from, with what was seen of each, sealed.",
        """
        id uuid NOT NULL,
        import_id uuid NOT NULL,
        format registry.import_format NOT NULL,
        size_bytes bigint NOT NULL,
        digest bytea NOT NULL,
        piece_count integer NOT NULL,
        seen_sealed bytea NOT NULL,
        mapping jsonb NOT NULL,
        mapping_name text,
        mapped_by text,
        received_at timestamptz NOT NULL,
        received_by text NOT NULL,
        CONSTRAINT import_file_primary_key PRIMARY KEY (id),
        CONSTRAINT import_file_import_id_unique UNIQUE (import_id),
        CONSTRAINT import_file_import_id_foreign_key
            FOREIGN KEY (import_id) REFERENCES registry.household_import (id)
        """,
    ),
    (
        "import_piece",
        "SELECT, INSERT, UPDATE (piece_sealed), DELETE",
        "The pieces of files, compressed and sealed; kept for a time.",
        """
        id uuid NOT NULL,
        file_id uuid NOT NULL,
        import_id uuid NOT NULL,
        number integer NOT NULL,
        piece_sealed bytea NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT import_piece_primary_key PRIMARY KEY (id),
        CONSTRAINT import_piece_file_id_number_unique UNIQUE (file_id, number),
        CONSTRAINT import_piece_import_id_foreign_key
            FOREIGN KEY (import_id) REFERENCES registry.household_import (id)
        """,
    ),
    (
        "import_run",
        "SELECT, INSERT, UPDATE",
        "Readings of a file, dry or not: how far each is, and what came of it.",
        """
        id uuid NOT NULL,
        import_id uuid NOT NULL,
        file_id uuid NOT NULL,
        kind registry.import_run_kind NOT NULL,
        all_or_nothing boolean NOT NULL,
        mapping jsonb NOT NULL,
        status registry.import_run_status NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        begun_at timestamptz,
        checked_at timestamptz,
        ended_at timestamptz,
        line_done integer DEFAULT 0 NOT NULL,
        share_done double precision DEFAULT 0 NOT NULL,
        seconds double precision DEFAULT 0 NOT NULL,
        rows_read integer DEFAULT 0 NOT NULL,
        rows_bad integer DEFAULT 0 NOT NULL,
        households_added integer DEFAULT 0 NOT NULL,
        households_changed integer DEFAULT 0 NOT NULL,
        households_unchanged integer DEFAULT 0 NOT NULL,
        members_added integer DEFAULT 0 NOT NULL,
        members_changed integer DEFAULT 0 NOT NULL,
        members_unchanged integer DEFAULT 0 NOT NULL,
        members_left integer DEFAULT 0 NOT NULL,
        stopped_because text,
        CONSTRAINT import_run_primary_key PRIMARY KEY (id),
        CONSTRAINT import_run_import_id_foreign_key
            FOREIGN KEY (import_id) REFERENCES registry.household_import (id)
        """,
    ),
    (
        "import_area",
        "SELECT, INSERT, UPDATE, DELETE",
        "What a reading found by commune; the empty code: rows without a known one.",
        """
        run_id uuid NOT NULL,
        area_code text COLLATE "C" NOT NULL,
        households_added integer NOT NULL,
        households_changed integer NOT NULL,
        households_unchanged integer NOT NULL,
        rows_bad integer NOT NULL,
        CONSTRAINT import_area_primary_key PRIMARY KEY (run_id, area_code),
        CONSTRAINT import_area_run_id_foreign_key
            FOREIGN KEY (run_id) REFERENCES registry.import_run (id)
        """,
    ),
    (
        "import_note",
        "SELECT, INSERT, UPDATE, DELETE",
        "What a reading put right or passed over, by column; no personal data.",
        """
        run_id uuid NOT NULL,
        column_name text NOT NULL,
        code text NOT NULL,
        rows integer NOT NULL,
        CONSTRAINT import_note_primary_key PRIMARY KEY (run_id, column_name, code),
        CONSTRAINT import_note_run_id_foreign_key
            FOREIGN KEY (run_id) REFERENCES registry.import_run (id)
        """,
    ),
    (
        "import_mapping",
        "SELECT, INSERT, UPDATE, DELETE",
        "Mappings kept by name, for the next file of the same kind.",
        """
        name text NOT NULL,
        rows_of registry.import_rows_of NOT NULL,
        document jsonb NOT NULL,
        changed_by text NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT import_mapping_primary_key PRIMARY KEY (name)
        """,
    ),
)


def upgrade() -> None:
    for name, values in _TYPES.items():
        listed = ", ".join(f"'{value}'" for value in values)
        op.execute(f"CREATE TYPE registry.{name} AS ENUM ({listed})")
    op.execute(
        "ALTER TABLE registry.household_import "
        "ADD COLUMN rows_of registry.import_rows_of DEFAULT 'households' NOT NULL"
    )
    # Of members there are more rows than households.
    _add_up(f"rows_of = 'members' OR {_ADDING_UP}")
    for name, grants, comment, columns in _TABLES:
        op.execute(f"CREATE TABLE registry.{name} ({columns})")
        op.execute(f"COMMENT ON TABLE registry.{name} IS '{comment}'")
        op.execute(f"GRANT {grants} ON registry.{name} TO {ROLE}")
    op.execute(
        "CREATE UNIQUE INDEX import_run_active_unique ON registry.import_run (import_id) "
        "WHERE ended_at IS NULL"
    )
    op.execute("CREATE INDEX import_run_import_id_id_index ON registry.import_run (import_id, id)")
    op.execute("CREATE INDEX import_piece_import_id_index ON registry.import_piece (import_id)")


def _add_up(condition: str) -> None:
    op.execute(f"ALTER TABLE registry.household_import DROP CONSTRAINT {_ROWS_ADD_UP}")
    op.execute(
        f"ALTER TABLE registry.household_import ADD CONSTRAINT {_ROWS_ADD_UP} CHECK ({condition})"
    )


def downgrade() -> None:
    for name, *_ in reversed(_TABLES):
        op.execute(f"DROP TABLE registry.{name}")
    op.execute(f"ALTER TABLE registry.household_import DROP CONSTRAINT {_ROWS_ADD_UP}")
    op.execute(
        f"ALTER TABLE registry.household_import ADD CONSTRAINT {_ROWS_ADD_UP} "
        f"CHECK ({_ADDING_UP}) NOT VALID"
    )
    op.execute("ALTER TABLE registry.household_import DROP COLUMN rows_of")
    for name in reversed(_TYPES):
        op.execute(f"DROP TYPE registry.{name}")
