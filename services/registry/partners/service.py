"""Partners: proposed by one person, approved by another, ended by either."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.partners import repository
from services.registry.partners.schemas import PartnerIn, PartnerOut
from services.registry.partners.tables import DEFAULT_PURPOSE, Partner
from shared import audit
from shared.addresses import refusal_of, url_of
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.outbound import Judge
from shared.pagination import Page, PageOf


async def propose(
    session: AsyncSession,
    steps: Steps,
    given: PartnerIn,
    *,
    judge: Judge,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose a partner, or what is to hold of one from now on; raises Unprocessable."""
    try:
        keys = given.jwks()
    except ValueError as error:
        raise Unprocessable(str(error)) from None
    if given.callback_url and (refusal := refusal_of(url_of(given.callback_url), judge)):
        raise Unprocessable(f"{refusal} Give the public address of the partner.")
    known = await repository.find_partner(session, given.sender_id)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.PARTNER,
        {**given.model_dump(mode="json", exclude={"reason", "keys"}), "keys": keys},
        Effect(
            what=f"{'Change' if known else 'Take'} {given.name} as the sender {given.sender_id}, "
            f"which tokens of {given.subject} speak for. What it may see follows from the scopes "
            f"of its tokens; persons, of households alone that agree to '{given.purpose}'."
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """What an approved proposal brings about."""
    document = proposal.document
    await repository.put(
        session,
        sender_id=document["sender_id"],
        name=document["name"],
        subject=document["subject"],
        keys=document["keys"],
        callback_url=document["callback_url"],
        # What was proposed before partners had a purpose has none.
        purpose=document.get("purpose", DEFAULT_PURPOSE),
        proposed_by=proposal.proposed_by,
        approved_by=proposal.decided_by,
        changed_at=clock.now(),
    )
    return f"/v1/partners/{document['sender_id']}"


async def list_page(session: AsyncSession, page: Page) -> PageOf[PartnerOut]:
    """A page of partners, by id."""
    rows = await repository.list_partners(session, after=page.after(str), limit=page.fetch_limit)
    return page.of([_shown(row) for row in rows], key=lambda partner: (partner.sender_id,))


async def get(session: AsyncSession, sender_id: str) -> PartnerOut:
    """One partner; raises NotFound."""
    partner = await repository.find_partner(session, sender_id)
    if partner is None:
        raise NotFound("There is no such partner. GET /v1/partners lists them.")
    return _shown(partner)


async def end(session: AsyncSession, sender_id: str, *, clock: Clock) -> PartnerOut:
    """Take nothing from a partner any more, nor send to it; raises NotFound, Conflict."""
    await get(session, sender_id)
    if not await repository.end(session, sender_id, at=clock.now()):
        raise Conflict("It has ended already. To take it again, propose it with POST /v1/partners.")
    session.expire_all()
    ended = await get(session, sender_id)
    await audit.record(session, f"partners/{sender_id}", after={"ended_at": ended.ended_at})
    return ended


def _shown(partner: Partner) -> PartnerOut:
    return PartnerOut.model_validate(partner, from_attributes=True)
