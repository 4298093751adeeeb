"""Which steps need two persons, who may propose and who decide, as docs/security.md shows it."""

import ast
import inspect
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from shared.approvals import Steps
from tests.checks.openapi import JSON, Operation
from tests.checks.role_table import holders, named


class Kind(NamedTuple):
    """A kind of step of one service."""

    service: str
    kind: str


PROPOSED_BY: dict[Kind, tuple[str, ...]] = {
    Kind("registry", "scheme"): ("POST /v1/schemes", "POST /v1/schemes/{code}/versions"),
    Kind("registry", "over_ceiling"): ("POST /v1/held-runs/{run_id}/release",),
    Kind("registry", "round_release"): (
        "POST /v1/activations/{activation_id}/rounds/{number}/release",
    ),
    Kind("registry", "repair"): ("POST /v1/activations/{activation_id}/repairs",),
    Kind("registry", "account_change"): ("PUT /v1/households/{household_id}/payee-account",),
    Kind("registry", "imported_accounts"): ("PUT /v1/imports/{import_id}/rows",),
    Kind("registry", "gazetteer_edition"): ("POST /v1/gazetteer/editions/{code}/proposal",),
    Kind("registry", "partner"): ("POST /v1/partners",),
    Kind("registry", "duplicates"): ("POST /v1/duplicates/decisions",),
    Kind("registry", "erasures"): ("POST /v1/households/erasures",),
    Kind("registry", "member_change"): (
        "POST /v1/households/{household_id}/members",
        "PATCH /v1/households/{household_id}/members/{member_id}",
    ),
    Kind("registry", "further_enrolment"): (
        "POST /v1/activations/{activation_id}/further-enrolments",
    ),
    Kind("registry", "readmission"): ("POST /v1/exclusions/{exclusion_id}/readmission",),
    Kind("registry", "household_act"): (
        "PATCH /v1/households/{household_id}",
        "POST /v1/households/{household_id}/archive",
        "POST /v1/households/{household_id}/restoration",
        "POST /v1/households/{household_id}/merger",
        "PUT /v1/duplicates/{suspect_id}/decision",
        "POST /v1/households/{household_id}/split",
        "POST /v1/households/{household_id}/erasure",
        "POST /v1/households/{household_id}/members/{member_id}/death",
        "POST /v1/households/{household_id}/members/{member_id}/departure",
    ),
    Kind("triggers", "trigger"): ("POST /v1/triggers", "POST /v1/triggers/{code}/versions"),
    Kind("triggers", "feed"): ("POST /v1/feeds", "POST /v1/feeds/{code}/versions"),
    Kind("triggers", "observations"): ("POST /v1/observations",),
    Kind("triggers", "observation_import"): ("PUT /v1/observations/imports/{import_id}/file",),
    Kind("triggers", "activation"): (),
    Kind("triggers", "declaration"): ("POST /v1/activations",),
    Kind("triggers", "widening"): (),
    Kind("triggers", "correction"): ("POST /v1/activations/{activation_id}/correction",),
    Kind("triggers", "cancellation"): ("POST /v1/activations/{activation_id}/cancellation",),
    Kind("payments", "fund"): ("POST /v1/funds",),
    Kind("payments", "fund_bounds"): ("POST /v1/funds/{fund_code}/bounds",),
    Kind("payments", "deposit"): ("POST /v1/funds/{fund_code}/deposits",),
    Kind("payments", "prefunding"): ("POST /v1/providers/{provider_code}/prefundings",),
    Kind("payments", "reversal"): ("POST /v1/reversals",),
    Kind("payments", "budget_line"): ("POST /v1/funds/{fund_code}/budget-lines",),
    Kind("payments", "charges"): ("POST /v1/providers/{provider_code}/charges",),
    Kind("payments", "reclaim"): ("POST /v1/reclaims",),
    Kind("payments", "cash_results"): ("POST /v1/cash-lists/{list_id}/results",),
    Kind("payments", "round_release"): ("POST /v1/rounds/{number}/release",),
    Kind("payments", "attempt"): ("POST /v1/instructions/{instruction_id}/attempts",),
    Kind("payments", "subscription"): ("POST /v1/subscriptions",),
    Kind("payments", "resolution"): (
        "POST /v1/resolutions",
        "POST /v1/instructions/{instruction_id}/resolution",
        "POST /v1/holds/decisions",
    ),
    Kind("payments", "hold_rules"): ("POST /v1/hold-rules",),
    Kind("payments", "route"): ("POST /v1/routes",),
    Kind("payments", "resumption"): ("POST /v1/pauses/{pause_id}/resumption",),
    Kind("payments", "difference"): ("POST /v1/differences/{number}/resolution",),
    Kind("payments", "statement_mapping"): (
        "POST /v1/statement-mappings",
        "POST /v1/statement-mappings/{code}/versions",
    ),
}
"""The operations that propose each kind. None: the service itself, on what others published."""

PROPOSED_AGAIN = {Kind("registry", "over_ceiling")}
"""Kinds that the service proposes first, and a person again where that ended undecided."""

APPROVING_OPERATION = "POST /v1/approvals/{approval_id}/approval"


class NotListed(Exception):
    """The services have other steps than PROPOSED_BY; says which."""


def kinds_of(steps: dict[str, Steps]) -> list[Kind]:
    """Each kind of step that the services register."""
    return [
        Kind(service, str(kind)) for service in steps for kind in sorted(steps[service].by_kind)
    ]


def step_table(by_service: dict[str, list[Operation]], steps: dict[str, Steps]) -> str:
    """The table in Markdown; raises NotListed."""
    registered = kinds_of(steps)
    if differing := PROPOSED_BY.keys() ^ set(registered):
        raise NotListed(
            "PROPOSED_BY lists other kinds of steps than the services register: "
            + ", ".join(f"{service} {kind}" for service, kind in sorted(differing))
        )
    proposing = {(service, name) for (service, _), names in PROPOSED_BY.items() for name in names}
    answering = {
        (service, str(operation))
        for service, listed in by_service.items()
        for operation in listed
        if _proposes(operation)
    }
    if missing := answering - proposing:
        raise NotListed(
            "PROPOSED_BY leaves out operations that answer 202 with a proposal: "
            + ", ".join(f"{service} {name}" for service, name in sorted(missing))
        )
    lines = [
        "| step | what it does | who may propose it | who may approve it | waits |",
        "|---|---|---|---|---|",
    ]
    for service, kind in registered:
        operations = {str(operation): operation for operation in by_service[service]}
        kinds = steps[service].kinds
        proposers = [_by_whom(operations[name]) for name in PROPOSED_BY[Kind(service, kind)]]
        if not proposers or Kind(service, kind) in PROPOSED_AGAIN:
            proposers.insert(0, f"{service} itself")
        cells = (
            f"{service}: {kind}",
            _described(kinds)[kind],
            "; ".join(dict.fromkeys(proposers)),
            _by_whom(operations[APPROVING_OPERATION]),
            f"{steps[service].by_kind[kinds(kind)].waits.days} days",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _proposes(operation: Operation) -> bool:
    content = operation.body["responses"].get("202", {}).get("content", {})
    schema = content.get(JSON, {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/ApprovalOut"))


def _by_whom(operation: Operation) -> str:
    return " or ".join(
        f"{', '.join(holders(needed))} ({named(needed)})" for needed in operation.scopes
    )


def _described(kinds: type[StrEnum]) -> dict[str, str]:
    """What is written below each member of an enum."""
    [declared] = ast.parse(inspect.getsource(kinds)).body
    assert isinstance(declared, ast.ClassDef)
    found: dict[str, str] = {}
    for member, words in pairwise(declared.body):
        match member, words:
            case (
                ast.Assign(value=ast.Constant(value=str(value))),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[value] = " ".join(said.split())
    return found
