"""Who works with the system, and the scopes that the issuer gives each of them.

The table is what the development issuer gives, what the tests hold every route against and what
docs/security.md shows. A deployment's own issuer keeps to it, or says why it does not.
"""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """One thing that somebody is trusted with; a person may have several."""

    OFFICER = "officer"
    """Runs the programme: schemes, triggers, declarations, rounds, and payments that went wrong."""
    REGISTRAR = "registrar"
    """Keeps places and households: imports, and the accounts that households are paid to."""
    TREASURER = "treasurer"
    """Puts money in funds and at providers, and holds the books against their statements."""
    CHECKER = "checker"
    """The second person: reads, and decides what others propose."""
    CASE_WORKER = "case-worker"
    """Hears from households: looks one up and tells it what it is owed and what it was paid."""
    PAYMASTER = "paymaster"
    """Pays cash out by hand, or has it paid: prints lists and their names, uploads results."""
    AUDITOR = "auditor"
    """Reads what was done and by whom."""
    OPERATOR = "operator"
    """Keeps the services running: events that failed, callbacks, payments that hang."""

    MONITOR = "monitor"
    """What watches the services, such as Prometheus: numbers by kind, and nothing else."""
    MINISTRY = "ministry"
    """Another ministry's system: follows rules, shocks and their progress, without households."""
    PARTNER = "partner"
    """Another ministry's system that asks who is registered, by SPDCI; persons among it."""
    PUBLISHER = "publisher"
    """A feed's own client: whoever publishes an indicator's figures."""
    PROVIDER = "provider"
    """A payment provider's own program or engineer: reads how its callbacks were taken."""
    REGISTRY = "registry"
    """The registry itself, where it asks payments."""
    TRIGGERS = "triggers"
    """Triggers itself, where it asks the registry."""
    PAYMENTS = "payments"
    """Payments itself, where it asks the registry."""


MACHINES = frozenset(
    {
        Role.MONITOR,
        Role.MINISTRY,
        Role.PARTNER,
        Role.PUBLISHER,
        Role.PROVIDER,
        Role.REGISTRY,
        Role.TRIGGERS,
        Role.PAYMENTS,
    }
)
"""The roles of programs; the others are people's."""

APPROVING = frozenset(
    {"registry:approve", "triggers:approve", "payments:approve", "observations:release"}
)
"""What decides the steps of each service that another person proposed, and doubtful figures that
another posted."""

_FOLLOWING = """
    areas:read schemes:read enrolments:read
    indicators:read observations:read feeds:read triggers:read activations:read
"""
"""Rules, shocks and their progress: no household, no payment."""
_READING = f"""{_FOLLOWING} households:read entitlements:read funds:read payments:read
    event-log:read events:read"""

SCOPES: dict[Role, frozenset[str]] = {
    role: frozenset(scopes.split())
    for role, scopes in {
        Role.OFFICER: f"""{_READING}
            schemes:write rounds:release appeals:write
            indicators:write observations:write feeds:write triggers:write activations:write
            payments:write cash-lists:write subscriptions:read subscriptions:write
        """,
        Role.REGISTRAR: """
            areas:read areas:write schemes:read entitlements:read
            households:read households:search households:read-personal households:write
            partners:read partners:write
        """,
        Role.CHECKER: f"""{_READING} partners:read webhooks:read subscriptions:read
            {" ".join(sorted(APPROVING))}
        """,
        Role.TREASURER: """
            schemes:read enrolments:read funds:read funds:write payments:read statements:write
        """,
        Role.CASE_WORKER: """
            areas:read schemes:read enrolments:read entitlements:read payments:read appeals:write
            households:read households:search households:read-personal
        """,
        Role.PAYMASTER: "payments:read cash-lists:write payees:read",
        Role.AUDITOR: f"{_READING} partners:read webhooks:read subscriptions:read audit:read",
        Role.OPERATOR: f"""{_FOLLOWING} payments:read webhooks:read
            subscriptions:read subscriptions:write
            event-log:read events:read events:replay metrics:read
        """,
        Role.MONITOR: "metrics:read",
        Role.MINISTRY: f"{_FOLLOWING} event-log:read subscriptions:read subscriptions:write",
        Role.PARTNER: "areas:read spdci:social spdci:beneficiaries households:read-personal",
        Role.PUBLISHER: """
            areas:read indicators:read observations:read observations:write observations:publish
        """,
        Role.PROVIDER: "callbacks:read",
        Role.REGISTRY: "funds:read payments:read",
        Role.TRIGGERS: "activations:check enrolments:read funds:read",
        Role.PAYMENTS: "areas:read entitlements:read account-holders:check",
    }.items()
}


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """Everything that whoever has all of ``roles`` may."""
    return frozenset().union(*(SCOPES[role] for role in roles))
