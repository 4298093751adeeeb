"""Changing where households are paid: alone, so many a day; and by two persons.

Whoever is enrolled in an activation that can still pay would be paid to another account: that is
never one person's. Nor are more changes in a day than a set number, whichever way they come.
"""

import base64
from collections.abc import Collection
from datetime import datetime, time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts import repository
from services.registry.accounts.schemas import AccountBatchOut, PayeeAccountIn
from services.registry.approvals.tables import ApprovalKind
from services.registry.areas.codes import districts_of
from services.registry.households.persons import PersonalData
from services.registry.households.schemas import HouseholdOut
from services.registry.households.service import Households
from services.registry.households.shape import ACCOUNT, PROVIDER
from services.registry.households.tables import PayeeAccount
from services.registry.providers.remedy import is_unknown, remedy
from services.registry.providers.repository import provider_codes
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.contracts.events import HouseholdChanged, PayeeAccountsChanged
from shared.errors import Conflict, Unprocessable
from shared.events import publish
from shared.ids import new_id
from shared.version import API_PREFIX

_SHOWN_DIGITS = 2
_ACCOUNT = "payee-account"


async def change_account(
    session: AsyncSession,
    steps: Steps,
    household_id: UUID,
    given: PayeeAccountIn,
    *,
    personal_data: PersonalData,
    alone: int,
    caller: Caller,
    clock: Clock,
) -> HouseholdOut | ApprovalOut:
    """The household with its new account, or the proposal to give it that.

    ``alone`` is how many accounts one person changes in a day. Entitlements keep the account that
    they were made with. Raises NotFound, Conflict where it was erased, and Unprocessable where
    payments sends to no such provider.
    """
    households = Households(session, personal_data=personal_data, caller=caller)
    household, running = await households.find(household_id)
    if household.erased_at is not None:
        raise Conflict("Nobody knows any more who they were: it is given no account.")
    known = await provider_codes(session)
    if is_unknown(given.provider_code, known=known):
        detail = remedy(known)
        raise Unprocessable(
            detail, errors=[{"pointer": f"/body/{PROVIDER.name}", "detail": detail}]
        )
    index, *other = (found.indexes_of(ACCOUNT)(given.account) for found in personal_data.found_by)
    if (
        running
        and running.provider_code == given.provider_code
        and running.account_index in (index, *other)
    ):
        return households.shown(household, running)
    is_enrolled = await repository.is_enrolled(session, household_id)
    needs_another = is_enrolled or await _left_alone(session, caller, alone, clock=clock) < 1
    now = clock.now()
    if needs_another:
        waiting = await repository.find_waiting(
            session,
            household_id,
            provider_code=given.provider_code,
            account_index=index,
            proposed_by=caller.subject,
            now=now,
        )
        if waiting is not None:
            return approvals.shown(waiting, now=now)
    change_id, batch_id = new_id(), new_id()
    await repository.add_change(
        session,
        id=change_id,
        batch_id=batch_id,
        household_id=household_id,
        provider_code=given.provider_code,
        account_sealed=personal_data.seal_account(given.account, household_id=household_id.bytes),
        account_index=index,
        asked_at=now,
    )
    if not needs_another:
        made = await repository.make_changes(
            session, batch_id, by=caller.subject, approval_id=None, limit=1, now=now
        )
        if not made.changed:
            raise Conflict(
                "Somebody else gave the household an account at this moment. Read it, and try "
                "again if it is not right."
            )
        await tell_of_household(session, household_id, made.communes, clock=clock)
        household, account = await households.find(household_id)
        await audit.record(session, before=_sealed(running), after=_sealed(account))
        return households.shown(household, account)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.ACCOUNT_CHANGE,
        {"household_id": str(household_id), "enrolled": is_enrolled},
        Effect(
            what=f"Pay household {household_id} to {_told(given.provider_code, given.account)} "
            f"instead of {_told_of(running, personal_data)}.",
            households=1,
        ),
        reason=None,
        caller=caller,
        clock=clock,
        approval_id=batch_id,
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Give a household the account that two persons wanted for it."""
    made = await repository.make_changes(
        session,
        proposal.id,
        by=proposal.proposed_by,
        approval_id=proposal.id,
        limit=1,
        now=clock.now(),
    )
    household_id = proposal.document["household_id"]
    if not made.changed:
        raise Conflict(
            "The household was given another account since. Decline this, and propose the change "
            f"again if it is still right: PUT /v1/households/{household_id}/payee-account."
        )
    await tell_of_household(session, UUID(household_id), made.communes, clock=clock)
    return f"{API_PREFIX}/households/{household_id}"


async def settle_import(
    session: AsyncSession,
    steps: Steps,
    import_id: UUID,
    batch_id: UUID,
    *,
    announced_by: str,
    alone: int,
    caller: Caller,
    clock: Clock,
) -> int:
    """Make the account changes of a file that was received, or propose them; how many were made.

    A file is one decision: where one of it needs a second person, all of it wait for that person.
    """
    counted = await repository.count_changes(session, batch_id)
    if not counted.households:
        return 0
    if not counted.enrolled:
        left = await _left_alone(session, caller, alone, clock=clock)
        if counted.households <= left:
            made = await repository.make_changes(
                session,
                batch_id,
                by=caller.subject,
                approval_id=None,
                limit=counted.households,
                now=clock.now(),
            )
            await tell_of_import(session, import_id, made, clock=clock)
            return made.changed
    households = "1 household" if counted.households == 1 else f"{counted.households:,} households"
    await approvals.propose(
        session,
        steps,
        ApprovalKind.IMPORTED_ACCOUNTS,
        {
            "import_id": str(import_id),
            "households": counted.households,
            "enrolled": counted.enrolled,
        },
        Effect(
            what=f"Change the accounts of {households}, {counted.enrolled:,} of them enrolled, as "
            f"import {import_id} says.",
            households=counted.households,
            evidence_by=[announced_by],
        ),
        reason=None,
        caller=caller,
        clock=clock,
        approval_id=batch_id,
    )
    await repository.add_batch(
        session,
        id=batch_id,
        import_id=import_id,
        households=counted.households,
        enrolled=counted.enrolled,
    )
    return 0


async def carry_out_import(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Have the accounts of an import changed: the worker does it, some thousands at a time."""
    batch = await repository.approve_batch(session, proposal.id, at=clock.now())
    return f"{API_PREFIX}/imports/{batch.import_id}"


async def tell_of_household(
    session: AsyncSession, household_id: UUID, communes: Collection[str], *, clock: Clock
) -> None:
    """Tell that a household is paid to another account; not to which."""
    changed = HouseholdChanged(
        household_id=household_id, changes=[_ACCOUNT], areas=sorted(communes)
    )
    await publish(session, changed, clock=clock)


async def tell_of_import(
    session: AsyncSession, import_id: UUID, made: repository.MadeChanges, *, clock: Clock
) -> None:
    """Tell how many households of an import are paid to other accounts: one event for them all."""
    if made.changed:
        told = PayeeAccountsChanged(
            import_id=import_id, count=made.changed, areas=districts_of(made.communes)
        )
        await publish(session, told, clock=clock)


async def batches_of(
    session: AsyncSession, import_ids: Collection[UUID], *, clock: Clock
) -> dict[UUID, list[AccountBatchOut]]:
    """What waits, or waited, of some imports, by import."""
    found: dict[UUID, list[AccountBatchOut]] = {import_id: [] for import_id in import_ids}
    for batch, proposal in await repository.batches_of(session, import_ids):
        found[batch.import_id].append(
            AccountBatchOut(
                approval_id=batch.id,
                status=approvals.status_of(proposal, now=clock.now()),
                households=batch.households,
                enrolled=batch.enrolled,
                changed=batch.changed,
                finished_at=batch.finished_at,
            )
        )
    return found


async def _left_alone(session: AsyncSession, caller: Caller, alone: int, *, clock: Clock) -> int:
    """How many accounts a person may still change today without a second."""
    await repository.lock_changes_of(session, caller.subject)
    since = datetime.combine(clock.today(), time(), COUNTRY_ZONE)
    return alone - await repository.count_alone(session, caller.subject, since=since)


def _sealed(account: PayeeAccount | None) -> dict[str, str] | None:
    """An account for the audit record: the number as it is stored."""
    if account is None:
        return None
    return {
        "provider_code": account.provider_code,
        "account_sealed": base64.b64encode(account.account_sealed).decode(),
    }


def _told(provider_code: str, account: str) -> str:
    return f"{provider_code} …{account[-_SHOWN_DIGITS:]}"


def _told_of(running: PayeeAccount | None, personal_data: PersonalData) -> str:
    if running is None:
        return "no account"
    account = personal_data.open_account(running.account_sealed, household_id=running.household_id)
    return _told(running.provider_code, account)
