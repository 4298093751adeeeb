"""Another provider pays in a provider's place, by rules of two persons."""

from alembic import op

from shared.migrations import role_of

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ROLE = role_of("payments")

UPGRADE = (
    """
    CREATE TYPE payments.route_cause AS ENUM (
        'always', 'disabled', 'paused', 'down', 'rejected', 'found_there'
    )
    """,
    """
    CREATE TABLE payments.route (
        number integer GENERATED ALWAYS AS IDENTITY,
        provider_number smallint NOT NULL,
        version integer NOT NULL,
        instead text[] NOT NULL,
        causes text[] NOT NULL,
        down_seconds integer NOT NULL,
        rejections text[] NOT NULL,
        maximum_minor bigint NOT NULL,
        rerouted_minor bigint DEFAULT 0 NOT NULL,
        rerouted_count integer DEFAULT 0 NOT NULL,
        reason text NOT NULL,
        approval_id uuid NOT NULL,
        set_at timestamptz NOT NULL,
        CONSTRAINT route_primary_key PRIMARY KEY (number),
        CONSTRAINT route_provider_number_version_unique UNIQUE (provider_number, version),
        CONSTRAINT route_provider_number_foreign_key FOREIGN KEY (provider_number)
            REFERENCES payments.provider (number),
        CONSTRAINT route_approval_id_foreign_key FOREIGN KEY (approval_id)
            REFERENCES payments.approval (id),
        CONSTRAINT route_stays_below_its_maximum_check CHECK (rerouted_minor <= maximum_minor)
    )
    """,
    """
    COMMENT ON TABLE payments.route IS
        'Who pays in a provider''s place, and when: documents of two persons.'
    """,
    """
    CREATE TABLE payments.rerouting (
        instruction_id uuid NOT NULL,
        from_provider_number smallint NOT NULL,
        to_provider_number smallint NOT NULL,
        cause payments.route_cause NOT NULL,
        route_number integer,
        rerouted_at timestamptz NOT NULL,
        CONSTRAINT rerouting_primary_key PRIMARY KEY (instruction_id, to_provider_number),
        CONSTRAINT rerouting_route_number_foreign_key FOREIGN KEY (route_number)
            REFERENCES payments.route (number)
    )
    """,
    """
    COMMENT ON TABLE payments.rerouting IS
        'By whom a payment goes, where its account names another. Gains rows.'
    """,
    """
    CREATE TABLE payments.asked_elsewhere (
        instruction_id uuid NOT NULL,
        epoch integer NOT NULL,
        is_certain boolean NOT NULL,
        asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT asked_elsewhere_primary_key PRIMARY KEY (instruction_id)
    )
    """,
    """
    COMMENT ON TABLE payments.asked_elsewhere IS
        'What is not with another provider, after commits were lost.'
    """,
    f"GRANT SELECT, INSERT, UPDATE (rerouted_minor, rerouted_count) ON payments.route TO {ROLE}",
    f"GRANT SELECT, INSERT ON payments.rerouting TO {ROLE}",
    f"""
    GRANT SELECT, INSERT, UPDATE (epoch, is_certain, asked_at) ON payments.asked_elsewhere TO {ROLE}
    """,
    f"GRANT UPDATE (provider_number) ON payments.instruction TO {ROLE}",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payments.approval_kind ADD VALUE IF NOT EXISTS 'route'")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Values of enumerations stay: they cannot be taken out."""
    op.execute(f"REVOKE UPDATE (provider_number) ON payments.instruction FROM {ROLE}")
    for table in ("asked_elsewhere", "rerouting", "route"):
        op.execute(f"DROP TABLE payments.{table}")
    op.execute("DROP TYPE payments.route_cause")
