"""Setting by two persons what is held by rule, and reading what is."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.existence import Named
from services.payments.holds import repository
from services.payments.holds.repository import HoldFilter, Limits
from services.payments.holds.schemas import (
    AccountRule,
    CapRule,
    CountedOut,
    DuplicateRule,
    HoldOut,
    HoldRulesIn,
    HoldRulesOut,
    RulesIn,
)
from services.payments.holds.states import HoldRule
from services.payments.statements import AnyRow
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf


def hold_rules_step(waits: timedelta) -> Step:
    """A scheme's rules as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.HOLD_RULES, waits=waits, carry_out=_set)


async def propose_rules(
    session: AsyncSession,
    steps: Steps,
    body: HoldRulesIn,
    *,
    named: Named,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose the rules of a scheme, in place of those that it has.

    ``named`` is what the registry said of the scheme. Raises Unprocessable where there is none; the
    proposal says so where nobody can tell.
    """
    unsure = ""
    if (named.unknown or named.unsaid) and not await repository.is_heard_of(session, body.scheme):
        if named.unknown:
            raise Unprocessable(
                f"There is no scheme {body.scheme}, so this would hold nothing. GET /v1/schemes of "
                "the registry lists them."
            )
        unsure = (
            " Payments has not heard of the scheme, and the registry does not say whether there "
            "is one: check its code."
        )
    before = await repository.find_limits(session, body.scheme) or Limits()
    after = _limits_of(body)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.HOLD_RULES,
        {"scheme": body.scheme, "rules": asdict(after), "before": asdict(before)},
        Effect(
            what=f"Hold payments of scheme {body.scheme} by these rules, before they are sent. "
            f"{_told(after)} Until now: {_told(before)}{unsure}"
        ),
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


async def list_rules(session: AsyncSession, page: Page) -> PageOf[HoldRulesOut]:
    """A page of schemes that have rules."""
    rows = await repository.list_rules(session, after=page.after(str), limit=page.fetch_limit)
    return page.of([_rules_shown(row) for row in rows], key=lambda rules: (rules.scheme,))


async def list_holds(
    session: AsyncSession, page: Page, chosen: HoldFilter, *, ended: bool, clock: Clock
) -> PageOf[HoldOut]:
    """A page of holds, oldest first."""
    now = clock.now()
    rows = await repository.list_holds(
        session, chosen, ended=ended, after=page.after(int) or 0, limit=page.fetch_limit, now=now
    )
    return page.of([_shown(row, now=now) for row in rows], key=lambda hold: (hold.number,))


async def list_counted(session: AsyncSession, number: int, page: Page) -> PageOf[CountedOut]:
    """A page of the payments that a hold's rule counted; raises NotFound."""
    if not await repository.exists(session, number):
        raise NotFound("There is no such hold. GET /v1/holds lists them.")
    rows = await repository.list_counted(
        session, number, after=page.after(UUID), limit=page.fetch_limit
    )
    counted = [CountedOut.model_validate(row._asdict()) for row in rows]
    return page.of(counted, key=lambda each: (each.instruction_id,))


async def _set(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    scheme = str(proposal.document["scheme"])
    known = await repository.lock_limits(session, scheme) or Limits()
    if known != Limits(**proposal.document["before"]):
        raise Conflict(
            f"The rules of scheme {scheme} were changed after this was proposed. Read them with "
            "GET /v1/hold-rules, and propose it again."
        )
    await repository.set_limits(
        session, scheme, Limits(**proposal.document["rules"]), at=clock.now()
    )
    return "/v1/hold-rules"


def _limits_of(rules: RulesIn) -> Limits:
    account, cap, duplicate = rules.same_account, rules.above_cap, rules.suspected_duplicate
    return Limits(
        account_households=account.households if account else None,
        account_days=account.window_days if account else None,
        cap_minor=cap.amount_minor if cap else None,
        cap_currency=cap.currency if cap else None,
        cap_days=cap.window_days if cap else None,
        duplicate_days=duplicate.window_days if duplicate else None,
    )


def _rules_shown(row: AnyRow) -> HoldRulesOut:
    return HoldRulesOut(
        scheme=row.scheme,
        set_at=row.set_at,
        same_account=AccountRule(households=row.account_households, window_days=row.account_days)
        if row.account_days
        else None,
        above_cap=CapRule(
            amount_minor=row.cap_minor, currency=row.cap_currency, window_days=row.cap_days
        )
        if row.cap_days
        else None,
        suspected_duplicate=DuplicateRule(window_days=row.duplicate_days)
        if row.duplicate_days
        else None,
    )


def _told(limits: Limits) -> str:
    told = []
    if limits.account_days is not None:
        told.append(
            f"An account that is to be paid for more than {limits.account_households} "
            f"household{'s'[: limits.account_households != 1]} within {limits.account_days} days."
        )
    if limits.cap_days is not None:
        told.append(
            "A household that would come to more than "
            f"{readable(limits.cap_minor or 0, limits.cap_currency)} within {limits.cap_days} days."
        )
    if limits.duplicate_days is not None:
        told.append(
            "A household that another activation of the scheme paid within "
            f"{limits.duplicate_days} days."
        )
    return " ".join(told) or "Nothing is held."


def _shown(row: AnyRow, *, now: datetime) -> HoldOut:
    rule = HoldRule(row.rule)
    match rule:
        case HoldRule.SAME_ACCOUNT:
            reason = (
                f"Its account is to be paid for {row.found} households within {row.window_days} "
                f"days; {row.allowed} may be."
            )
        case HoldRule.ABOVE_CAP:
            reason = (
                f"Its household would come to {readable(row.found, row.currency)} within "
                f"{row.window_days} days; {readable(row.allowed, row.currency)} are the most."
            )
        case HoldRule.SUSPECTED_DUPLICATE:
            reason = (
                f"{row.found} payments of other activations of the scheme went to its household "
                f"within {row.window_days} days."
            )
        case HoldRule.ACCOUNT_NAME:
            reason = (
                f"Its account is held under a name that is like the household's by {row.found} of "
                f"100; {row.allowed} are the least."
            )
        case HoldRule.PERHAPS_TRIED_ANEW:
            reason = (
                "It was rejected before, commits were lost since, and whoever may have had a "
                "further attempt cannot be asked, or may have forgotten it: compare with the "
                "provider's statement."
            )
    until = row.ended_at or now
    return HoldOut(
        number=row.number,
        instruction_id=row.instruction_id,
        rule=rule,
        reason=reason,
        status=row.status,
        provider=row.provider,
        scheme=row.scheme,
        activation_id=row.activation_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        held_at=row.held_at,
        age_seconds=max(int((until - row.held_at).total_seconds()), 0),
        approval_id=row.approval_id,
        ended_at=row.ended_at,
        resolution_id=row.resolution_id,
    )
