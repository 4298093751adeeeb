"""Which role opens which operation, as docs/security.md shows it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.auth.roles import MACHINES, SCOPES, Role
from shared.version import API_PREFIX
from tests.checks.openapi import PROBES, SIGNED, Operation

DOCUMENTATION = {
    "/openapi.json",
    "/asyncapi.json",
    "/provider-openapi.json",
    "/docs",
    "/redoc",
    "/docs/assets",
}
"""Open, where it is on."""
BESIDE = {
    "households:read-personal": "registry: persons, their health and accounts whole, in the "
    "answers about households",
    "spdci:social": "registry: messages of SPDCI at `/spdci/social`, which has a document of "
    "its own",
    "spdci:beneficiaries": "registry: messages of SPDCI at `/spdci/ibr`, which has one as well",
    "observations:publish": "triggers: what a program posts counts at once, with no second person",
}
"""Scopes that open no operation, and what they change in the answers of others."""


class Row(NamedTuple):
    """What one scope, or some together, open in some services."""

    scopes: frozenset[str]
    services: tuple[str, ...]
    operations: tuple[str, ...]


def role_table(by_service: dict[str, list[Operation]]) -> str:
    """The table in Markdown: scopes, what they open, and who has them."""
    columns = sorted(Role, key=lambda role: role in MACHINES)
    lines = [
        f"| scope | opens | {' | '.join(role.replace('-', ' ') for role in columns)} |",
        f"|---|---|{':-:|' * len(columns)}",
    ]

    def add(scopes: Iterable[str], opens: str) -> None:
        marks = " | ".join("●" if role in holders(scopes) else "" for role in columns)
        lines.append(f"| {named(scopes)} | {opens} | {marks} |")

    for row in _rows(by_service):
        where = "each" if len(row.services) == len(by_service) else ", ".join(row.services)
        add(row.scopes, f"{where}: {_by_method(row.operations)}")
    for scope, what in BESIDE.items():
        add([scope], what)
    openly = ", ".join(f"`{path}`" for path in sorted(PROBES | DOCUMENTATION))
    signed = ", ".join(f"`{path}`" for path in sorted(SIGNED))
    lines += ["", f"Open to everybody: {openly}. Signed by the provider instead: {signed}."]
    return "\n".join(lines)


def holders(scopes: Iterable[str]) -> list[Role]:
    """Who has all of them."""
    return [role for role in Role if SCOPES[role].issuperset(scopes)]


def named(scopes: Iterable[str]) -> str:
    return " and ".join(f"`{scope}`" for scope in sorted(scopes)) or "any token"


def _rows(by_service: dict[str, list[Operation]]) -> Iterator[Row]:
    found_in: dict[tuple[frozenset[str], str], list[str]] = defaultdict(list)
    for service, listed in by_service.items():
        for operation in listed:
            for needed in operation.scopes:
                found_in[needed, str(operation)].append(service)
    opened: dict[tuple[frozenset[str], tuple[str, ...]], list[str]] = defaultdict(list)
    for (scopes, name), services in found_in.items():
        opened[scopes, tuple(services)].append(name)
    for (scopes, where), names in sorted(opened.items(), key=lambda found: sorted(found[0][0])):
        yield Row(scopes, where, tuple(names))


def _by_method(names: Iterable[str]) -> str:
    paths: dict[str, list[str]] = defaultdict(list)
    for name in names:
        method, path = name.split(" ")
        paths[method].append(f"`{path.removeprefix(API_PREFIX)}`")
    return "; ".join(f"{method} {' '.join(listed)}" for method, listed in paths.items())
