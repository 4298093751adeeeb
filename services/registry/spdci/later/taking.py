"""Taking what is answered later: kept before it is acknowledged, so that none is lost."""

from collections.abc import Sequence

from services.registry.spdci.later import repository
from services.registry.spdci.later.sealing import seal
from services.registry.spdci.messages.codes import Ack, ErrorCode
from services.registry.spdci.messages.envelope import Json, Refused, transaction_of, written
from services.registry.spdci.messages.exchange import Taken
from shared.addresses import refusal_of, url_of
from shared.ids import new_id


async def take(
    taken: Taken,
    *,
    register: str,
    reference_ids: Sequence[str],
) -> Json:
    """Keep a message, to be answered when it is its turn; what is acknowledged. Raises Refused."""
    callback_url = _callback_of(taken)
    correlation_id = new_id()
    await repository.add_request(
        taken.session,
        id=correlation_id,
        sender_id=taken.partner.sender_id,
        register=register,
        action=taken.header.action,
        transaction_id=transaction_of(taken.message),
        reference_ids=list(reference_ids),
        callback_url=callback_url,
        scopes=sorted(taken.caller.scopes),
        subject=taken.caller.subject,
        client=taken.caller.client,
        request_id=taken.request_id,
        message_sealed=seal(taken.personal_data, taken.message, bound_to=correlation_id.bytes),
        received_at=taken.now,
    )
    return {
        "ack_status": Ack.TAKEN.value,
        "timestamp": written(taken.now),
        "correlation_id": str(correlation_id),
    }


def _callback_of(taken: Taken) -> str:
    """Where the answer goes: what was agreed on with the partner. Raises Refused.

    A ``sender_uri`` may name a place within it, and nothing else: whoever holds a token does not
    choose where persons are sent to.
    """
    agreed = taken.partner.callback_url
    if agreed is None:
        raise Refused(
            400,
            ErrorCode.SENDER_URI,
            "No address for answers was agreed on with the partner: have one registered, or ask at "
            "/registry/sync.",
        )
    if refusal_of(url_of(agreed), taken.settings.partner_judge):
        raise Refused(400, ErrorCode.SENDER_URI, "The partner's address leads inwards by now.")
    given = taken.header.sender_uri
    base = agreed.rstrip("/")
    if given and given.rstrip("/") != base and not given.startswith(f"{base}/"):
        raise Refused(
            400, ErrorCode.SENDER_URI, "sender_uri lies outside of the partner's agreed address."
        )
    return base
