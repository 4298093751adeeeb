"""Whose message it is: a partner that is known, a token that may speak for it, a signature."""

import time
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.partners import signing
from services.registry.partners.repository import add_message, find_partner
from services.registry.partners.tables import Partner
from services.registry.spdci.messages.codes import ErrorCode, HeaderFault
from services.registry.spdci.messages.envelope import HeaderRejected, Json, Refused, sender_of
from shared.auth import Caller


async def require_sender(
    session: AsyncSession,
    header: Json,
    message: Json,
    signature: str | None,
    *,
    caller: Caller,
    receiver_id: str,
    unsigned: bool,
) -> Partner:
    """The partner whose message it is; raises Refused.

    ``receiver_id`` is whom messages to us are for. ``unsigned``: those without a signature are
    taken as well.
    """
    partner = await find_partner(session, sender_of(header))
    if partner is None or partner.ended_at is not None:
        raise Refused(403, ErrorCode.SENDER_ID, "The sender_id is no partner's here.")
    if partner.subject not in (caller.subject, caller.client):
        raise Refused(403, ErrorCode.SENDER_ID, "This token may not speak for the sender_id.")
    if header.get("receiver_id") not in (None, "", receiver_id):
        raise Refused(400, ErrorCode.RECEIVER_ID, f"The receiver_id here is {receiver_id}.")
    if signature is None:
        if not unsigned:
            raise Refused(
                401, ErrorCode.SIGNATURE_MISSING, "Sign header and message: signature is missing."
            )
        return partner
    try:
        signing.verify(
            signature,
            sender_id=partner.sender_id,
            keys={key["kid"]: signing.public_key(key) for key in partner.keys},
            header=header,
            message=message,
            now=time.time(),
        )
    except signing.BadSignature as fault:
        raise Refused(401, ErrorCode.SIGNATURE, str(fault)) from None
    return partner


async def take_once(
    session: AsyncSession, partner: Partner, message_id: str, *, now: datetime
) -> None:
    """Take a message of the partner's, once; raises HeaderRejected for one that was taken."""
    if not await add_message(session, partner.sender_id, message_id, at=now):
        raise HeaderRejected(
            HeaderFault.MESSAGE_ID,
            "A message with this message_id was taken already. Send each under a new one.",
        )
