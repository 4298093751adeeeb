"""Having entitlements announced again: by repairs, and whole chunks as they were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation, require_not_cancelled
from services.registry.activations.tables import Activation
from services.registry.approvals.tables import ApprovalKind
from services.registry.chunks import repository as chunks
from services.registry.chunks.planning import plan_repair
from services.registry.chunks.states import ChunkStatus
from services.registry.chunks.tables import EntitlementChunk
from services.registry.enrolments import repository as enrolments
from services.registry.enrolments.completion import announcement_of, completion_of
from services.registry.funds.repository import UNBOUNDED_MINOR, maximum_payment_minor
from services.registry.households.repository import households_with
from services.registry.repairs import repository
from services.registry.repairs.repository import Repairable, Whose
from services.registry.repairs.schemas import (
    ReannouncementIn,
    ReannouncementOut,
    RepairIn,
    RepairOut,
    RepairPreviewOut,
)
from services.registry.schemes.service import get_document
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.bounds import Bound
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound
from shared.events import Published, publish_all
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX

_NO_CHUNK = "There is no such chunk. GET /v1/activations/{activation_id}/chunks lists them."


async def preview(
    session: AsyncSession, activation_id: UUID, number: int, *, bound: Bound
) -> RepairPreviewOut:
    """What a repair of a whole round would find now; raises NotFound."""
    activation = await get_activation(session, activation_id)
    found = await repository.preview(
        session,
        activation_id,
        number,
        bound=bound,
        maximum_minor=await _maximum_minor(session, activation),
    )
    return RepairPreviewOut(activation_id=activation_id, round=number, **found._asdict())


async def propose_repair(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    given: RepairIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose that entitlements of a round are announced again; raises NotFound, Conflict."""
    await _require_theirs(session, given, bound=caller.areas)
    found = await _repairable(session, activation_id, given, bound=caller.areas)
    currency = found.homes[0].currency
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.REPAIR,
        {"activation_id": str(activation_id), "repair": given.model_dump(mode="json")},
        Effect(
            what=f"Announce round {given.round} of activation {activation_id} again, to the "
            f"accounts of now: {_households(found.households)} and {found.amount_minor:,} "
            f"{currency}.",
            households=found.households,
            amount_minor=found.amount_minor,
            currency=currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Plan what two persons wanted announced again, if it is no more than they saw."""
    activation_id = UUID(proposal.document["activation_id"])
    given = RepairIn.model_validate(proposal.document["repair"])
    found = await _repairable(session, activation_id, given)
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    if found.households > proposal.households or found.amount_minor > proposal.amount_minor:
        raise Conflict(
            f"It comes to {_households(found.households)} and {found.amount_minor:,} "
            f"{proposal.currency} by now, more than was proposed. Decline it, and propose it "
            "again."
        )
    run = await plan_repair(
        session,
        activation_id=activation_id,
        round_number=given.round,
        homes=found.homes,
        covers=_covers(given),
        clock=clock,
    )
    await repository.add_repair(
        session,
        run_id=run.id,
        reason=given.reason,
        requested_by=proposal.proposed_by,
        requested_at=proposal.proposed_at,
        approval_id=proposal.id,
        chunk_id=given.chunk_id,
        household_ids=given.household_ids,
        same_account=given.same_account,
    )
    return f"{API_PREFIX}/activations/{activation_id}/repairs/{run.id}"


async def get_repair(
    session: AsyncSession, activation_id: UUID, run_id: UUID, *, bound: Bound
) -> RepairOut:
    """A repair as two persons wanted it; raises NotFound."""
    found = await repository.find_repair(session, run_id, bound=bound)
    if found is None or found[1].activation_id != activation_id:
        raise NotFound(
            "The activation has no such repair. "
            f"GET /v1/activations/{activation_id} lists its runs, those of repairs among them."
        )
    repair, run = found
    return RepairOut(
        run_id=run.id,
        activation_id=activation_id,
        round=run.round,
        reason=repair.reason,
        requested_by=repair.requested_by,
        requested_at=repair.requested_at,
        approval_id=repair.approval_id,
        chunk_id=repair.chunk_id,
        household_count=None if repair.household_ids is None else len(repair.household_ids),
        same_account=repair.same_account,
        chunks_planned=run.chunks_planned,
    )


async def _require_theirs(session: AsyncSession, given: RepairIn, *, bound: Bound) -> None:
    """Raises Forbidden where whoever is bound to areas names nobody, and NotFound for others."""
    if bound is None:
        return
    if given.household_ids is None:
        raise Forbidden(
            f"The token is bound to {', '.join(bound)}, and a whole round or chunk is not of these "
            "areas alone. Name the households: GET /v1/activations/{activation_id}/missed lists "
            "them."
        )
    lives = await households_with(session, given.household_ids, bound=bound)
    missing = len(set(given.household_ids)) - len(lives)
    if missing:
        raise NotFound(
            f"{missing} of the households named are not registered. GET /v1/households lists those "
            "of an area."
        )


async def _repairable(
    session: AsyncSession, activation_id: UUID, given: RepairIn, *, bound: Bound = None
) -> Repairable:
    """Whom a repair is about; raises NotFound, and Conflict where there is nobody."""
    activation = await get_activation(session, activation_id)
    require_not_cancelled(activation)
    # Until the commit nobody else plans a repair of it: each is a number of its own.
    rounds = await activations.lock_rounds(session, activation_id)
    if given.round not in rounds or rounds[given.round].released_at is None:
        raise Conflict(
            f"Round {given.round} is not released, so nothing of it is owed yet. "
            f"GET /v1/activations/{activation_id}/rounds says which are."
        )
    await _require_known(session, activation_id, given, bound=bound)
    whose = Whose(
        chunk_id=given.chunk_id,
        household_ids=given.household_ids,
        same_account=given.same_account,
    )
    found = await repository.repairable(
        session,
        activation_id,
        given.round,
        whose,
        maximum_minor=await _maximum_minor(session, activation),
    )
    if not found.homes:
        raise Conflict(
            "Nobody is there to announce again: whoever is meant is paid, is on the way, is held "
            "above the activation's ceiling, has no account, or has the one still that failed "
            "(`same_account` tries that once more). "
            f"GET /v1/activations/{activation_id}/repairs/preview?round={given.round} counts them."
        )
    return found


async def _maximum_minor(session: AsyncSession, activation: Activation) -> int:
    """The most that the fund of an activation pays to one household."""
    if activation.scheme_version is None:
        return UNBOUNDED_MINOR
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    return await maximum_payment_minor(session, document.fund)


def _households(count: int) -> str:
    return "1 household" if count == 1 else f"{count:,} households"


async def reannounce(
    session: AsyncSession, chunk_id: UUID, given: ReannouncementIn, *, caller: Caller, clock: Clock
) -> ReannouncementOut:
    """Announce a chunk once more, as it was; raises NotFound, Conflict."""
    held = await _hold(session, chunk_id)
    chunk = held[chunk_id]
    activation = await get_activation(session, chunk.activation_id)
    require_not_cancelled(activation)
    if chunk.status == ChunkStatus.REFUSED:
        await _make_ready_again(session, chunk, held)
    elif chunk.status in (ChunkStatus.PLANNED, ChunkStatus.EMPTY):
        raise Conflict(f"The chunk is {chunk.status}: nothing of it was announced.")
    elif chunk.status == ChunkStatus.REFUSING:
        raise Conflict("Payments has just refused the chunk. Try again when it is `refused`.")
    await _tell(session, chunk, activation, clock=clock)
    kept = await repository.add_reannouncement(
        session,
        id=new_id(),
        chunk_id=chunk_id,
        reason=given.reason,
        requested_by=caller.subject,
        requested_at=clock.now(),
        refusal=chunk.refusal,
    )
    return ReannouncementOut.model_validate(kept)


async def list_reannouncements(
    session: AsyncSession, chunk_id: UUID, *, page: Page
) -> PageOf[ReannouncementOut]:
    """A page of when and why a chunk was announced once more; raises NotFound."""
    if await chunks.find_chunk(session, chunk_id) is None:
        raise NotFound(_NO_CHUNK)
    found = await repository.list_reannouncements(
        session, chunk_id, after=page.after(datetime, UUID), limit=page.fetch_limit
    )
    rows = [ReannouncementOut.model_validate(kept) for kept in found]
    return page.of(rows, key=lambda kept: (kept.requested_at, kept.id))


async def _hold(session: AsyncSession, chunk_id: UUID) -> dict[UUID, EntitlementChunk]:
    """The chunk, and the home of what it announced, for this transaction alone."""
    chunk = await chunks.find_chunk(session, chunk_id)
    if chunk is None:
        raise NotFound(_NO_CHUNK)
    held = await chunks.lock_chunks(session, {chunk_id, chunk.home_chunk_id or chunk_id})
    if held is None:
        raise Conflict("The chunk is being worked at this moment. Try again.")
    return held


async def _make_ready_again(
    session: AsyncSession, chunk: EntitlementChunk, held: dict[UUID, EntitlementChunk]
) -> None:
    followed = await repository.count_followed(session, chunk.id)
    if followed:
        raise Conflict(
            f"{followed} of the chunk's entitlements were announced again by a repair since. "
            "Repair the others, too: POST /v1/activations/{activation_id}/repairs, with this chunk."
        )
    await repository.make_ready_again(session, chunk.id)
    await chunks.announce_again(session, chunk.id)
    for touched in held.values():
        sums = await enrolments.sums_of_chunk(session, touched)
        await chunks.keep_sums(session, touched.id, sums)


async def _tell(
    session: AsyncSession, chunk: EntitlementChunk, activation: Activation, *, clock: Clock
) -> None:
    """Payments is told of the chunk in the same words, and of its run if it is complete."""
    assert activation.scheme_version is not None, "nobody is in a chunk of it"
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    facts: list[Published] = [
        announcement_of(
            chunk, document, count=chunk.announced_count, total_minor=chunk.announced_minor
        )
    ]
    run = await chunks.find_run(session, chunk.enrolment_run_id)
    assert run is not None
    if run.completed_at is not None:
        facts.append(await completion_of(session, run, document))
    await publish_all(session, facts, clock=clock)


async def _require_known(
    session: AsyncSession, activation_id: UUID, given: RepairIn, *, bound: Bound
) -> None:
    """Raises NotFound or Conflict where the chunk or the households are not of the round."""
    if given.chunk_id is not None:
        chunk = await chunks.find_chunk(session, given.chunk_id)
        if chunk is None or (chunk.activation_id, chunk.round) != (activation_id, given.round):
            raise NotFound(
                f"Round {given.round} has no such chunk. "
                f"GET /v1/activations/{activation_id}/chunks lists them."
            )
        if chunk.home_chunk_id is not None:
            raise Conflict(
                "The chunk is a repair's. Name the one whose entitlements it announced again: "
                f"{chunk.home_chunk_id}."
            )
    if given.household_ids is not None:
        not_owed = await repository.count_not_owed(
            session, activation_id, given.round, given.household_ids, bound=bound
        )
        if not_owed:
            raise Conflict(
                f"{not_owed} of the {len(given.household_ids)} households named have no "
                f"entitlement in round {given.round}. GET /v1/entitlements lists a household's."
            )


def _covers(given: RepairIn) -> list[UUID | str]:
    tries = ["same-account"] if given.same_account else []
    if given.household_ids is not None:
        return [*tries, "households", *sorted(given.household_ids)]
    if given.chunk_id is not None:
        return [*tries, "chunk", given.chunk_id]
    return [*tries, "everyone"]
