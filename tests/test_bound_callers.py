"""Whoever is bound to areas is refused by every operation that does not keep to them by itself."""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import ServeService

NARROWED: dict[str, set[str]] = {
    "registry": {
        "GET /v1/households",
        "GET /v1/household-exports",
        "POST /v1/households/search",
        "POST /v1/households/search-by-name",
        "GET /v1/households/{household_id}",
        "GET /v1/households/{household_id}/members",
        "POST /v1/households/{household_id}/members",
        "PATCH /v1/households/{household_id}/members/{member_id}",
        "PUT /v1/households/{household_id}/payee-account",
        "GET /v1/households/{household_id}/entitlements",
        "PATCH /v1/households/{household_id}",
        *(
            f"POST /v1/households/{{household_id}}/{act}"
            for act in ("move", "archive", "restoration", "merger", "split")
        ),
        "POST /v1/households/{household_id}/members/{member_id}/death",
        "POST /v1/households/{household_id}/members/{member_id}/departure",
        "GET /v1/households/{household_id}/consents",
        "POST /v1/households/{household_id}/consents",
        "POST /v1/households/consents",
        "POST /v1/households/{household_id}/consents/withdrawal",
        "GET /v1/households/{household_id}/history",
        "GET /v1/households/{household_id}/member-changes/{change_id}",
        "GET /v1/households/{household_id}/decisions",
        "GET /v1/activations",
        "GET /v1/activations/{activation_id}",
        "GET /v1/activations/{activation_id}/summary",
        "GET /v1/activations/{activation_id}/households/{household_id}/decision",
        "POST /v1/activations/{activation_id}/households/{household_id}/exclusion",
        "GET /v1/activations/{activation_id}/missed",
        "GET /v1/activations/{activation_id}/missed/{why}",
        "GET /v1/activations/{activation_id}/missed/{why}/csv",
        "POST /v1/activations/{activation_id}/further-enrolments",
        "GET /v1/activations/{activation_id}/repairs/preview",
        "POST /v1/activations/{activation_id}/repairs",
        "GET /v1/activations/{activation_id}/repairs/{run_id}",
        "GET /v1/preparations",
        "GET /v1/preparations/{readiness_id}",
        "GET /v1/exclusions",
        "GET /v1/exclusions/{exclusion_id}",
        "POST /v1/exclusions/{exclusion_id}/readmission",
        "GET /v1/appeals",
        "POST /v1/appeals",
        "GET /v1/appeals/{appeal_id}",
        "POST /v1/appeals/{appeal_id}/notes",
        "POST /v1/appeals/{appeal_id}/decision",
        "GET /v1/duplicates",
        "GET /v1/duplicates/{suspect_id}",
        "PUT /v1/duplicates/{suspect_id}/decision",
        "PUT /v1/duplicates/{suspect_id}/undoing",
        "GET /v1/approvals",
        "POST /v1/approvals/decisions",
        "GET /v1/approvals/{approval_id}",
        "DELETE /v1/approvals/{approval_id}",
        "POST /v1/approvals/{approval_id}/approval",
        "POST /v1/approvals/{approval_id}/refusal",
        "GET /v1/entitlements",
        "GET /v1/entitlements/{entitlement_id}",
        "POST /v1/name-sheets",
        "POST /v1/name-sheets/pdf",
    },
    "triggers": set(),
    "payments": {
        "GET /v1/entitlements/{entitlement_id}/history",
        "GET /v1/entitlements/{entitlement_id}/receipt",
        "GET /v1/instructions",
        "GET /v1/instructions/export",
        "GET /v1/instructions/{instruction_id}",
        "GET /v1/activations/{activation_id}/progress",
        "GET /v1/activations/{activation_id}/progress/stream",
        "GET /v1/cash-lists",
        "GET /v1/cash-lists/{list_id}",
        "GET /v1/cash-lists/{list_id}/lines",
        "GET /v1/cash-lists/{list_id}/sheet.csv",
        "GET /v1/cash-lists/{list_id}/sheet.pdf",
        "GET /v1/cash-lists/{list_id}/results",
        "POST /v1/cash-lists/{list_id}/results",
        "GET /v1/cash-lists/{list_id}/results/{upload_id}",
        "GET /v1/cash-lists/{list_id}/results/{upload_id}/rows",
    },
}
"""What tells them of their own areas. Each is tried in ``test_bound_callers.py`` of its service."""

PUBLIC = {
    "registry": {
        "GET /v1/areas",
        "GET /v1/areas/{code}",
        "GET /v1/areas/{code}/boundary",
        "GET /v1/areas/{code}/boundaries",
        "GET /v1/programmes",
        "GET /v1/schemes",
        "GET /v1/schemes/{code}",
        "GET /v1/schemes/{code}/versions",
        "GET /v1/schemes/{code}/versions/{version}",
    },
    "triggers": {
        "GET /v1/feeds",
        "GET /v1/feeds/{code}",
        "GET /v1/feeds/{code}/versions",
        "GET /v1/feeds/{code}/versions/{version}",
        "GET /v1/triggers",
        "GET /v1/triggers/{code}",
        "GET /v1/triggers/{code}/versions",
        "GET /v1/triggers/{code}/versions/{version}",
    },
    "payments": {
        "GET /v1/statement-mappings",
        "GET /v1/statement-mappings/{code}",
        "GET /v1/statement-mappings/{code}/versions",
        "GET /v1/statement-mappings/{code}/versions/{version}",
    },
}
"""What tells everybody the same, and nothing of households."""


@pytest.mark.parametrize("name", ["registry", "triggers", "payments"])
async def test_what_is_about_the_country_is_refused_to_who_is_bound(
    name: str, serve: ServeService
) -> None:
    service = await serve(name)
    document: dict[str, Any] = service.app.openapi()
    told: dict[str, set[str]] = {"narrowed": set(), "public": set()}
    refused = 0
    async with service.client(areas=["0201"]) as client:
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if not operation.get("security"):
                    continue
                called = f"{method.upper()} {path}"
                reach = operation.get("x-areas")
                if reach is not None:
                    told[reach].add(called)
                    continue
                url = client.base_url.join(re.sub(r"\{[^}]+\}", str(uuid4()), path))
                answer = await client.request(method, url)
                assert answer.status_code == 403, (called, answer.text)
                assert "the token is bound to 0201" in answer.json()["detail"], called
                refused += 1

    assert refused > 10
    assert told == {"narrowed": NARROWED[name], "public": PUBLIC[name]}
