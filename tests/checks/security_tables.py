"""Whether docs/security.md says who may do what as the code does.

python -m tests.checks.security_tables [--write]
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

from tests.checks.openapi import operations
from tests.checks.openapi_examples import applications
from tests.checks.role_table import role_table
from tests.checks.step_table import step_table

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "security.md"

_WRITE = "python -m tests.checks.security_tables --write"


def tables() -> dict[str, str]:
    """Each table by its name."""
    with tempfile.TemporaryDirectory(prefix="sangkroh-openapi-") as directory:
        apps = applications(Path(directory))
    by_service = {service: list(operations(app.openapi())) for service, app in apps.items()}
    steps = {
        service: app.state.steps for service, app in apps.items() if hasattr(app.state, "steps")
    }
    return {"roles": role_table(by_service), "steps": step_table(by_service, steps)}


def written(text: str, name: str, table: str) -> str:
    """The text with ``table`` between the marks of ``name``; raises ValueError without them."""
    begin, end = f"<!-- {name}: written by `{_WRITE}` -->", "<!-- end -->"
    place = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if not place.search(text):
        raise ValueError(f"There is no place for the table: {begin} … {end}")
    return place.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.checks.security_tables")
    parser.add_argument("--write", action="store_true", help="write the tables anew")
    arguments = parser.parse_args()
    before = after = DOCUMENT.read_text()
    for name, table in tables().items():
        after = written(after, name, table)
    if arguments.write:
        DOCUMENT.write_text(after)
    elif after != before:
        sys.exit(
            f"docs/{DOCUMENT.name} does not say who may do what as the code does. Write it anew "
            f"with `{_WRITE}`, and read what changed."
        )
    else:
        print(f"The tables of docs/{DOCUMENT.name} say what the code does.")


if __name__ == "__main__":
    main()
