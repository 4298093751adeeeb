"""Setting by two persons who pays in whose place, and reading it."""

from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.providers.repository import find_provider
from services.payments.routing import repository
from services.payments.routing.schemas import RouteIn, RouteOut
from services.payments.settings import ApiSettings
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf


def route_step(waits: timedelta) -> Step:
    """A rule as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.ROUTE, waits=waits, carry_out=_set)


async def propose_route(
    session: AsyncSession,
    steps: Steps,
    body: RouteIn,
    *,
    caller: Caller,
    settings: ApiSettings,
    clock: Clock,
) -> ApprovalOut:
    """Propose a rule for another person to approve; raises NotFound, Conflict."""
    provider = await find_provider(session, body.provider)
    if provider is None:
        raise NotFound("There is no such provider. GET /v1/providers lists them.")
    strangers = set(body.instead) - set(settings.group_of(body.provider))
    if strangers:
        raise Conflict(
            f"{', '.join(sorted(strangers))} may not pay in the place of {body.provider}: name "
            "them together in PAYMENTS_STAND_INS of the API and the worker first. Whoever may "
            "have had a payment is asked by it, whatever the database has lost."
        )
    version = await repository.latest_version(session, provider.number) + 1
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.ROUTE,
        {**body.model_dump(mode="json", exclude={"reason"}), "version": version},
        Effect(
            what=_told(body, currency=provider.currency),
            amount_minor=body.maximum_minor,
            currency=provider.currency,
        ),
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


async def list_routes(
    session: AsyncSession, page: Page, *, provider: str | None
) -> PageOf[RouteOut]:
    """A page of versions, the latest first."""
    rows = await repository.list_routes(
        session, before=page.after(int), limit=page.fetch_limit, provider=provider
    )
    return page.of(
        [RouteOut.model_validate(row._asdict()) for row in rows], key=lambda route: (route.number,)
    )


async def _set(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    given: dict[str, Any] = dict(proposal.document)
    code, version = given.pop("provider"), given["version"]
    provider = await find_provider(session, code)
    if provider is None or await repository.latest_version(session, provider.number) >= version:
        raise _changed(code)
    values = {
        **given,
        "provider_number": provider.number,
        "reason": proposal.reason,
        "approval_id": proposal.id,
        "set_at": clock.now(),
    }
    try:
        await repository.insert_route(session, values)
    except IntegrityError:
        raise _changed(code) from None
    return f"/v1/routes?provider={code}"


def _changed(code: str) -> Conflict:
    return Conflict(
        f"The rule about {code} was changed after this was proposed. Read it with GET "
        f"/v1/routes?provider={code}, and propose it again."
    )


def _told(rule: RouteIn, *, currency: str) -> str:
    if not rule.causes:
        return f"Have {rule.provider} pay what is its own, whatever happens."
    causes = ", ".join(cause.value for cause in rule.causes)
    more = f" (rejections: {', '.join(rule.rejections)})" if rule.rejections else ""
    return (
        f"Have {', then '.join(rule.instead)} pay in the place of {rule.provider} where it is "
        f"{causes}{more}; down after {rule.down_seconds} seconds; "
        f"{readable(rule.maximum_minor, currency)} at most, in all."
    )
