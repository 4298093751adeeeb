"""Subscriptions: proposed by one, approved by another, ended by either; and the keys that sign."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.approvals.tables import ApprovalKind
from services.payments.statements import AnyRow
from services.payments.subscriptions import repository
from services.payments.subscriptions.schemas import (
    KeyOut,
    RotationIn,
    SubscriptionIn,
    SubscriptionOut,
)
from services.payments.subscriptions.states import Signing, SubscriptionStatus
from shared import audit
from shared.addresses import refusal_of, url_of
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.ids import new_id
from shared.outbound import Judge
from shared.pagination import Page, PageOf
from shared.personal_data import Cipher
from shared.signatures import new_secret, new_signing_key, public_key_of

_NEW_KEY: dict[Signing, Callable[[], str]] = {
    Signing.HMAC_SHA256: new_secret,
    Signing.ED25519: new_signing_key,
}


def subscription_step(waits: timedelta, *, cipher: Cipher, maximum: int) -> Step:
    """Subscriptions as a kind of step that needs two persons; so many are active at most."""
    return Step(
        kind=ApprovalKind.SUBSCRIPTION,
        waits=waits,
        carry_out=partial(_begin, cipher=cipher, maximum=maximum),
    )


async def propose(
    session: AsyncSession,
    steps: Steps,
    given: SubscriptionIn,
    *,
    judge: Judge,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to send events outside; raises Unprocessable for an address that leads inwards."""
    if refusal := refusal_of(url_of(given.url), judge):
        raise Unprocessable(f"{refusal} Give the public address of the receiver.")
    where = f"about {', '.join(given.areas)}" if given.areas else "about every place"
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.SUBSCRIPTION,
        given.model_dump(mode="json", exclude={"reason"}),
        Effect(
            what=f"Send {', '.join(given.types)}, {where}, to {given.name} at {given.url}. Events "
            "hold ids and counts, and no person."
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def _begin(
    session: AsyncSession, proposal: Approval, clock: Clock, *, cipher: Cipher, maximum: int
) -> str:
    given = SubscriptionIn.model_validate({**proposal.document, "reason": proposal.reason})
    if await repository.count_active(session) >= maximum:
        raise Conflict(
            f"{maximum} subscriptions are active, which is as many as are sent to. End one that "
            "nobody needs, with DELETE /v1/subscriptions/{subscription_id}."
        )
    assert proposal.decided_by is not None  # this is carried out because somebody did
    await repository.begin(
        session,
        id=proposal.id,
        name=given.name,
        url=given.url,
        types=given.types,
        areas=given.areas,
        signing=given.signing,
        proposed_by=proposal.proposed_by,
        approved_by=proposal.decided_by,
        began_at=clock.now(),
    )
    await _make_key(
        session, proposal.id, given.signing, cipher=cipher, made_by=proposal.proposed_by
    )
    return f"/v1/subscriptions/{proposal.id}"


async def list_page(
    session: AsyncSession, page: Page, *, status: SubscriptionStatus | None, caller: Caller
) -> PageOf[SubscriptionOut]:
    """A page of subscriptions: of all for a person, of its own for a program."""
    rows = await repository.list_subscriptions(
        session,
        status=status,
        proposed_by=only_by(caller),
        after=page.after(UUID),
        limit=page.fetch_limit,
    )
    return page.of([_shown(row) for row in rows], key=lambda subscription: (subscription.id,))


async def get(session: AsyncSession, subscription_id: UUID, *, caller: Caller) -> SubscriptionOut:
    """A subscription; raises NotFound, also where a program asks for another's."""
    row = await repository.find_subscription(session, subscription_id, proposed_by=only_by(caller))
    if row is None:
        raise NotFound("There is no such subscription. GET /v1/subscriptions lists them.")
    return _shown(row)


async def end(
    session: AsyncSession, subscription_id: UUID, *, caller: Caller, clock: Clock
) -> SubscriptionOut:
    """Send nothing more to a subscription; raises NotFound, Conflict."""
    await get(session, subscription_id, caller=caller)
    ended = await repository.end(
        session,
        subscription_id,
        SubscriptionStatus.ENDED,
        because=f"Ended by {caller.subject}.",
        at=clock.now(),
    )
    if not ended:
        raise not_active(await get(session, subscription_id, caller=caller))
    return await get(session, subscription_id, caller=caller)


async def list_keys(
    session: AsyncSession, page: Page, subscription_id: UUID, *, cipher: Cipher, caller: Caller
) -> PageOf[KeyOut]:
    """The keys that sign, with the secrets that the caller made; raises NotFound."""
    subscription = await get(session, subscription_id, caller=caller)
    rows = await repository.list_keys(
        session, subscription_id, after=page.after(UUID), limit=page.fetch_limit
    )
    found = page.of(rows, key=lambda row: (row.id,))
    keys = [
        _key_shown(row, subscription.signing, cipher=cipher, caller=caller) for row in found.items
    ]
    for key in keys:
        if key.secret is not None:
            audit.showed(session, f"subscriptions/{subscription_id}/keys/{key.id}")
    return PageOf(items=keys, next_cursor=found.next_cursor)


async def rotate(
    session: AsyncSession,
    subscription_id: UUID,
    given: RotationIn,
    *,
    cipher: Cipher,
    caller: Caller,
) -> KeyOut:
    """Make a key that signs from now on, the earlier ones beside it for a while.

    Raises NotFound, and Conflict where nothing is sent any more. The answer is kept for repeats of
    the request, so the secret is not in it.
    """
    subscription = await get(session, subscription_id, caller=caller)
    if await repository.lock_active(session, subscription_id) is None:
        raise not_active(subscription)
    await repository.let_keys_sign(session, subscription_id, hours=given.overlap_hours)
    key_id = await _make_key(
        session, subscription_id, subscription.signing, cipher=cipher, made_by=caller.subject
    )
    made = await repository.get_key(session, key_id)
    shown = _key_shown(made, subscription.signing, cipher=cipher, caller=caller)
    return shown.model_copy(update={"secret": None})


def not_active(subscription: SubscriptionOut) -> Conflict:
    """Why nothing is sent."""
    return Conflict(
        f"The subscription is {subscription.status}: {subscription.ended_because} Propose it anew, "
        "with POST /v1/subscriptions, and replay what was missed."
    )


async def _make_key(
    session: AsyncSession,
    subscription_id: UUID,
    signing: Signing,
    *,
    cipher: Cipher,
    made_by: str,
) -> UUID:
    key_id = new_id()
    secret = _NEW_KEY[signing]()
    await repository.add_key(
        session,
        subscription_id,
        id=key_id,
        secret_sealed=cipher.encrypt(secret.encode(), bound_to=key_id.bytes),
        public_key=public_key_of(secret),
        made_by=made_by,
    )
    return key_id


def only_by(caller: Caller) -> str | None:
    """A program sees what it proposed itself: who else is sent what is not for it to know."""
    return None if caller.is_person else caller.subject


def _shown(row: AnyRow) -> SubscriptionOut:
    return SubscriptionOut.model_validate(row._asdict())


def _key_shown(row: AnyRow, signing: Signing, *, cipher: Cipher, caller: Caller) -> KeyOut:
    shows_secret = signing is Signing.HMAC_SHA256 and row.made_by == caller.subject
    return KeyOut(
        id=row.id,
        signing=signing,
        secret=(
            cipher.decrypt(row.secret_sealed, bound_to=row.id.bytes).decode()
            if shows_secret
            else None
        ),
        public_key=row.public_key,
        made_by=row.made_by,
        made_at=row.made_at,
        signs_until=row.signs_until,
    )
