"""What Python declares of a schema: its tables, what comes with them, and who may do what there.

The migrations make the same, step by step, and know nothing of this: they are history.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, FromClause, MetaData, event, text
from sqlalchemy.schema import CreateSchema


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One schema. ``roles`` may use it, and each has ``grants``: privileges by table, as SQL."""

    metadata: MetaData
    roles: tuple[str, ...]
    grants: Mapping[str, str]

    @property
    def schema(self) -> str:
        assert self.metadata.schema is not None
        return self.metadata.schema


def comes_with(table: FromClause, *statements: str) -> None:
    """Declare what ``table`` has and SQLAlchemy has no words for: its functions and triggers.

    Each is one statement of SQL, executed in turn when ``create_all`` has made the table.
    """

    def execute_each(_: FromClause, connection: Connection, **__: object) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    event.listen(table, "after_create", execute_each)


def create(connection: Connection, declaration: Declaration) -> None:
    """Make what is declared, in a database that has nothing of it yet."""
    schema = declaration.schema
    connection.execute(CreateSchema(schema))
    declaration.metadata.create_all(connection, checkfirst=False)
    for role in declaration.roles:
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        for table, privileges in declaration.grants.items():
            connection.execute(text(f"GRANT {privileges} ON {schema}.{table} TO {role}"))
