"""Reading providers with their balances, and prefunding them by two persons."""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.ledger.accounts import CHARGES_PAID, CHARGES_TAKEN, PROVIDER_PREFUNDED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.providers import repository
from services.payments.providers.health.schemas import HealthOut
from services.payments.providers.schemas import ChargesIn, PaidFrom, PrefundingIn, ProviderOut
from services.payments.providers.tables import Provider
from services.payments.settings import Settings
from services.payments.statements import AnyRow
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


def provider_steps(waits: timedelta) -> list[Step]:
    """What needs two persons about providers, each with what carries it out."""
    return [
        Step(kind=ApprovalKind.PREFUNDING, waits=waits, carry_out=_prefund),
        Step(kind=ApprovalKind.CHARGES, waits=waits, carry_out=_pay_charges),
    ]


async def list_providers(
    session: AsyncSession, *, after: str | None, limit: int, settings: Settings
) -> list[ProviderOut]:
    """Providers in the order of their codes."""
    rows = await repository.list_providers_with_money(
        session, after=after, limit=limit, down_seconds=settings.provider_down_seconds
    )
    return [_shown(row, settings) for row in rows]


async def get_provider(session: AsyncSession, code: str, *, settings: Settings) -> ProviderOut:
    """A provider with its balances, and how it answers; raises NotFound."""
    row = await repository.find_provider_with_money(
        session, code, down_seconds=settings.provider_down_seconds
    )
    if row is None:
        raise _not_found(code)
    return _shown(row, settings)


async def propose_prefunding(
    session: AsyncSession,
    steps: Steps,
    code: str,
    given: PrefundingIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to record treasury money paid to a provider; raises NotFound.

    Whether the treasury has it shows when it is approved: the deposit may be proposed beside it.
    """
    provider = await _find(session, code)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.PREFUNDING,
        {"provider": code, **given.model_dump(mode="json")},
        Effect(
            what=f"Record {readable(given.amount_minor, provider.currency)} as paid from the "
            f"treasury to {code}: {given.reference}",
            amount_minor=given.amount_minor,
            currency=provider.currency,
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def propose_charges(
    session: AsyncSession,
    steps: Steps,
    code: str,
    given: ChargesIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to record what a provider took, or was paid, of what it charges.

    Raises NotFound, and Conflict where its statement has it already.
    """
    provider = await _find(session, code)
    if given.paid_from is PaidFrom.FLOAT:
        await _is_not_on_statement(
            session, code, reference=given.reference, amount_minor=given.amount_minor
        )
    owed_minor = await repository.charges_payable_minor(session, code)
    amount = readable(given.amount_minor, provider.currency)
    what = (
        f"Record that {code} took {amount} of its charges from our money with it"
        if given.paid_from is PaidFrom.FLOAT
        else f"Record {amount} of its charges as paid from the treasury to {code}"
    )
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.CHARGES,
        {"provider": code, **given.model_dump(mode="json")},
        Effect(
            what=f"{what}: {given.reference}. By what it was to charge, "
            f"{readable(owed_minor, provider.currency)} is owed.",
            amount_minor=given.amount_minor,
            currency=provider.currency,
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def _pay_charges(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    code = str(proposal.document["provider"])
    provider = await _find(session, code)
    await repository.lock_charges_payable(session, code)
    is_taken = PaidFrom(proposal.document["paid_from"]) is PaidFrom.FLOAT
    if is_taken:
        await _is_not_on_statement(
            session,
            code,
            reference=str(proposal.document["reference"]),
            amount_minor=int(proposal.document["amount_minor"]),
        )
    try:
        await post(
            session,
            CHARGES_TAKEN if is_taken else CHARGES_PAID,
            debit_scope=provider.code,
            credit_scope=provider.code if is_taken else provider.currency,
            amount_minor=int(proposal.document["amount_minor"]),
            currency=provider.currency,
            posted_at=clock.now(),
            reason=str(proposal.document["reference"]),
            posted_by=proposal.proposed_by,
            approval_id=proposal.id,
        )
    except IntegrityError as error:
        if is_overdraft(error) or "credit_account" in str(error.orig):
            raise Conflict(
                f"The float at {code} is less than that: what was paid to it in advance is "
                f"recorded with POST /v1/providers/{code}/prefundings. Approve that first."
                if is_taken
                else _treasury_short(provider.currency)
            ) from None
        raise
    return f"/v1/providers/{code}"


async def _is_not_on_statement(
    session: AsyncSession, code: str, *, reference: str, amount_minor: int
) -> None:
    """A line is booked as it is read, so the same charge would leave the float twice."""
    found = await repository.find_on_statement(
        session, code, reference=reference, amount_minor=amount_minor
    )
    if found is None:
        return
    way = (
        f"POST /v1/differences/{found.number}/resolution with the outcome charged books it."
        if found.is_open
        else "It was decided on: a charge beside it has a reference of its own."
    )
    raise Conflict(
        f"The statement of {code} of {found.day} has a charge of that reference and amount, and it "
        f"left the float with it: GET /v1/differences/{found.number} shows it. {way}"
    )


async def _prefund(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    code = str(proposal.document["provider"])
    provider = await _find(session, code)
    try:
        await post(
            session,
            PROVIDER_PREFUNDED,
            debit_scope=provider.code,
            credit_scope=provider.currency,
            amount_minor=int(proposal.document["amount_minor"]),
            currency=provider.currency,
            posted_at=clock.now(),
            reason=str(proposal.document["reference"]),
            posted_by=proposal.proposed_by,
            approval_id=proposal.id,
        )
    except IntegrityError as error:
        if is_overdraft(error) or "credit_account" in str(error.orig):
            raise Conflict(_treasury_short(provider.currency)) from None
        raise
    return f"/v1/providers/{code}"


def _treasury_short(currency: str) -> str:
    return (
        f"The treasury account in {currency} holds less than that: record the deposit that it came "
        "from first, with POST /v1/funds/{fund_code}/deposits, and approve that."
    )


async def _find(session: AsyncSession, code: str) -> Provider:
    provider = await repository.find_provider(session, code)
    if provider is None:
        raise _not_found(code)
    return provider


def _not_found(code: str) -> NotFound:
    return NotFound(f"There is no provider {code}. GET /v1/providers lists them.")


def _shown(row: AnyRow, settings: Settings) -> ProviderOut:
    return ProviderOut(
        **row._mapping,
        configured=any(provider.code == row.code for provider in settings.providers),
        health=HealthOut.of(row),
    )
