"""Messages as they are kept: sealed, for they may name persons.

What is on its way, or may be asked for once more, is kept with the households of which it tells
more than of any, as they agreed to it. Before it leaves it is held against what they say then:
what is told of those who agree no more is taken out.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.sharing.repository import agreeing
from services.registry.sharing.statements import Sharing
from services.registry.spdci.messages.envelope import Json
from services.registry.spdci.searches.records import household_of


@dataclass(frozen=True, slots=True)
class Kept:
    """A message to a partner, as it may be told now."""

    header: Json
    message: Json | None
    agreed: frozenset[UUID] = frozenset()
    """Households of which more is told than of any."""

    @property
    def tells_nothing(self) -> bool:
        """Whether nothing is left of a notice."""
        return self.message is not None and self.message.get("notify_event") == []


def seal(personal_data: PersonalData, message: Json, *, bound_to: bytes) -> bytes:
    """A message as it is kept."""
    return personal_data.persons.encrypt(orjson.dumps(message), bound_to=bound_to)


def unseal(personal_data: PersonalData, sealed: bytes, *, bound_to: bytes) -> Json:
    """What was kept; raises CannotDecrypt."""
    opened: Json = orjson.loads(personal_data.persons.decrypt(sealed, bound_to=bound_to))
    return opened


def seal_delivery(
    personal_data: PersonalData,
    header: Json,
    message: Json | None,
    *,
    agreed: Collection[UUID] = (),
    bound_to: bytes,
) -> bytes:
    """A message to a partner as it is kept, with the households that ``agreed`` to it."""
    kept = {"header": header, "message": message, "agreed": sorted(map(str, agreed))}
    return seal(personal_data, kept, bound_to=bound_to)


def unseal_delivery(personal_data: PersonalData, sealed: bytes, *, bound_to: bytes) -> Kept:
    """What was kept; raises CannotDecrypt."""
    kept = unseal(personal_data, sealed, bound_to=bound_to)
    # What was kept before households were asked names none: whoever is in it is asked.
    households = kept.get("agreed", map(household_of, _records(kept["message"])))
    agreed = frozenset(map(UUID, households))
    return Kept(kept["header"], kept["message"], agreed)


async def as_agreed_now(session: AsyncSession, kept: Kept, sharing: Sharing) -> Kept:
    """A message without the records of households that agree to it no more."""
    if kept.message is None or not kept.agreed:
        return kept
    agreed = await agreeing(session, kept.agreed, sharing)
    gone = {str(household_id) for household_id in kept.agreed - agreed}
    if not gone:
        return kept
    message = _without(kept.message, gone)
    header = kept.header
    if "notify_event" in message:
        total = len(message["notify_event"])
        header = header | {"total_count": total, "completed_count": total}
    return Kept(header, message, frozenset(agreed))


def _records(message: Json) -> Iterator[Json]:
    for answer in message.get("search_response", ()):
        yield from answer.get("data", {}).get("reg_records", ())
    for event in message.get("notify_event", ()):
        yield event["data"]["reg_records"]
    if "txnstatus_response" in message:
        yield from _records(message["txnstatus_response"]["txn_status"])


def _without(message: Json, gone: Collection[str]) -> Json:
    told = dict(message)
    if "search_response" in told:
        told["search_response"] = [_answer(each, gone) for each in told["search_response"]]
    if "notify_event" in told:
        told["notify_event"] = [
            each
            for each in told["notify_event"]
            if household_of(each["data"]["reg_records"]) not in gone
        ]
    if "txnstatus_response" in told:
        response = told["txnstatus_response"]
        told["txnstatus_response"] = response | {
            "txn_status": _without(response["txn_status"], gone)
        }
    return told


def _answer(answer: Json, gone: Collection[str]) -> Json:
    data: Any = answer.get("data")
    if data is None:
        return answer
    records = [each for each in data["reg_records"] if household_of(each) not in gone]
    page = answer["pagination"]
    left_out = len(data["reg_records"]) - len(records)
    return answer | {
        "data": data | {"reg_records": records},
        "pagination": page | {"total_count": page["total_count"] - left_out},
    }
