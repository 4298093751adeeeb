"""Whether each thing stands where the house has a place for it (docs/decisions/one-dialect.md).

python -m tests.checks.house
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CHECKED = ("services", "shared", "judge", "demo", "deploy", "sandbox", "benchmarks", "tests")

_SQL_FILES = {"repository.py", "statements.py", "tables.py"}
_SQL_FOLDERS = {"migrations"}
_SQL_COMPOSED = {
    # What compiles a rule's text into conditions, and a benefit into amounts.
    "services/registry/rules",
    "services/registry/schemes/benefit.py",
    # What reads the criteria of a search as conditions.
    "services/registry/spdci/searches/attributes.py",
    "services/registry/spdci/searches/criteria.py",
}
_SQL_DECLARED = {"grants.py", "functions.py"}
"""What a schema holds beside its tables, as the drift check compares it."""

_TYPES_OF_SQLALCHEMY = {"Row", "RowMapping"}
_SQL_MODULES = ("sqlalchemy.dialects", "sqlalchemy.orm", "sqlalchemy.sql")
_STATEMENT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH \w+ AS)\s", re.ASCII)
_UNIT_OF_WORK = {"add", "add_all", "flush", "merge"}


def faults_of(path: str, source: str) -> Iterator[str]:
    """What stands in the wrong place in one file, a line each; ``path`` is from the root."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for what in _faults(path, node):
            yield f"{path}:{getattr(node, 'lineno', 1)}: {what}"


def _faults(path: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == "one":
        yield "`one` says nothing: use the thing's own word"
    if isinstance(node, ast.arg) and node.arg == "one":
        yield "`one` says nothing: use the thing's own word"
    if not path.startswith("services/"):
        return
    if not _may_hold_sql(path):
        yield from _sql(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        receiver = node.func.value
        is_session = isinstance(receiver, ast.Name) and receiver.id.endswith("session")
        if is_session and node.func.attr in _UNIT_OF_WORK:
            yield f"session.{node.func.attr}: write with a statement, in the repository"
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "require"
        and Path(path).name != "scopes.py"
    ):
        yield "a scope is declared in scopes.py of its service"


def _sql(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ImportFrom(module="sqlalchemy", names=names):
            for name in names:
                if name.name not in _TYPES_OF_SQLALCHEMY:
                    yield f"sqlalchemy.{name.name}: SQL stands in repository.py or statements.py"
        case ast.ImportFrom(module=str(module)) if module.startswith(_SQL_MODULES):
            yield f"{module}: SQL stands in repository.py or statements.py"
        case ast.Constant(value=str(text)) if _STATEMENT.match(text):
            yield "a statement: SQL stands in repository.py or statements.py"


def _may_hold_sql(path: str) -> bool:
    parts = Path(path)
    return (
        parts.name in _SQL_FILES | _SQL_DECLARED
        or not _SQL_FOLDERS.isdisjoint(parts.parts)
        # The metadata of a service, on which its tables hang.
        or parts.name == "database.py"
        or any(path == place or path.startswith(f"{place}/") for place in _SQL_COMPOSED)
    )


def main() -> None:
    faults = [
        fault
        for folder in CHECKED
        for file in sorted((ROOT / folder).rglob("*.py"))
        for fault in faults_of(file.relative_to(ROOT).as_posix(), file.read_text())
    ]
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(f"{len(faults)} things stand in the wrong place, listed above.")
    print("Everything stands where the house has a place for it.")


if __name__ == "__main__":
    main()
