"""What another system tells of who is in its programme: a change of a member, with its source.

Each is made as a person's correction of a member is: kept with who said it, told to whoever follows
households, and decided by two persons where the household is enrolled in what can still pay.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.corrections.schemas import MemberCorrectionIn
from services.registry.corrections.service import Corrections
from services.registry.households.persons import PersonalData
from services.registry.members import repository as members
from services.registry.members.shape import MAXIMUM_PROGRAMMES, PROGRAMMES
from services.registry.members.tables import Member
from services.registry.spdci.beneficiaries import repository
from services.registry.spdci.messages.codes import ErrorCode, Status
from services.registry.spdci.messages.envelope import (
    MAXIMUM_REQUESTS,
    Json,
    Refused,
    is_id,
    transaction_of,
    written,
)
from services.registry.spdci.searches import repository as searches
from services.registry.spdci.searches.criteria import ByNumber, Entity, Rejected, read_query
from shared.approvals import ApprovalOut
from shared.clock import Clock
from shared.errors import Problem

_IN = frozenset({"active", "enrolled"})
_OUT = frozenset({"exited", "inactive", "suspended", "graduated", "deregistered", "closed"})
_MAXIMUM_IDENTIFIERS = 10


class _Unfit(Exception):
    """A beneficiary that is not taken, in words that name nobody."""


def beneficiaries_of(message: Mapping[str, Any]) -> list[Any]:
    """The beneficiaries of a message, unread; raises Refused."""
    updates = message.get("enrolled_updates")
    given = updates.get("beneficiaries") if isinstance(updates, Mapping) else None
    if not isinstance(given, list) or not 1 <= len(given) <= MAXIMUM_REQUESTS:
        raise Refused(
            400,
            ErrorCode.BAD,
            f"enrolled_updates has beneficiaries, a list of 1 to {MAXIMUM_REQUESTS}.",
        )
    return given


class Updates:
    """Updates that one caller tells."""

    def __init__(
        self,
        session: AsyncSession,
        corrections: Corrections,
        *,
        personal_data: PersonalData,
        clock: Clock,
    ) -> None:
        self._session = session
        self._corrections = corrections
        self._personal_data = personal_data
        self._today = clock.today()

    async def take(self, message: Json, *, at: datetime, correlation_id: str) -> Json:
        """Take each by itself; the answer (schema ``EnrollmentUpdatesResponse``)."""
        answers = []
        for number, each in enumerate(beneficiaries_of(message), start=1):
            answer: Json = {"reference_id": _reference(each, number), "timestamp": written(at)}
            try:
                async with self._session.begin_nested():
                    answer |= await self._take(each)
            except _Unfit as fault:
                answer |= {"status": Status.REJECTED, "status_reason_message": str(fault)}
            except Problem as fault:
                answer |= {"status": Status.REJECTED, "status_reason_message": fault.detail}
            answers.append(answer)
        return {
            "transaction_id": transaction_of(message),
            "correlation_id": correlation_id,
            "enrolled_response": answers,
        }

    async def _take(self, given: Any) -> Json:
        code, enters = _programme(given)
        if await members.unknown_programmes(self._session, [code]):
            raise _Unfit(
                "programme_identifier is of no routine programme here: GET /v1/programmes lists "
                "them."
            )
        member = await self._member(given)
        memberships = (await members.programmes_of(self._session, [member.id]))[member.id]
        codes = {
            each.programme_code
            for each in memberships
            if each.until is None or each.until > self._today
        }
        after = codes | {code} if enters else codes - {code}
        if len(after) > MAXIMUM_PROGRAMMES:
            raise _Unfit(f"Nobody is in more than {MAXIMUM_PROGRAMMES} programmes.")
        done = await self._corrections.correct(
            member.household_id,
            member.id,
            MemberCorrectionIn.model_validate({PROGRAMMES.name: sorted(after)}),
        )
        if isinstance(done, ApprovalOut):
            return {
                "status": Status.PENDING,
                "status_reason_message": "It waits for a second person: the household is enrolled "
                "in what can still pay, or more was told today than is taken without one.",
            }
        return {"status": Status.SUCCEEDED}

    async def _member(self, given: Mapping[str, Any]) -> Member:
        conditions = []
        for kind, value in _identifiers(given):
            try:
                by = read_query(
                    "idtype-value",
                    {"type": kind, "value": value},
                    entity=Entity.GROUP,
                    shows_persons=True,
                )
            except Rejected:
                continue
            if isinstance(by, ByNumber):
                has = searches.member_has(by.field, by.value, self._personal_data)
                if has is not None:
                    conditions.append(has)
        if not conditions:
            raise _Unfit(
                "It names nobody: give an identifier_type UIN, NationalID or MOBILE with its "
                "identifier_value."
            )
        found = await repository.members_known_by(
            self._session, conditions, most=2, today=self._today
        )
        if not found:
            raise _Unfit("Nobody is registered as a member of a household by such a number.")
        if len(found) > 1:
            raise _Unfit("Several members are registered by such a number: name one.")
        return found[0]


def _programme(given: Any) -> tuple[str, bool]:
    """The programme of a beneficiary, and whether they are in it from now on."""
    member = given.get("member") if isinstance(given, Mapping) else None
    for holder in (member, given):
        told = holder.get("programme_identifier") if isinstance(holder, Mapping) else None
        programme = told.get("programme") if isinstance(told, Mapping) else None
        code = programme.get("programme_identifier") if isinstance(programme, Mapping) else None
        if isinstance(told, Mapping) and isinstance(code, str) and 0 < len(code) <= 100:
            status = told.get("enrolment_status", "Active")
            plain = status.strip().lower() if isinstance(status, str) else ""
            if plain not in _IN | _OUT:
                raise _Unfit("enrolment_status is Active, or Exited.")
            return code.strip().lower(), plain in _IN
    raise _Unfit(
        "member.programme_identifier.programme.programme_identifier is the code of a programme."
    )


def _identifiers(given: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """By what a beneficiary is known: as records of ours have it, or as the standard's example."""
    member = given.get("member")
    if not isinstance(member, Mapping):
        return []
    about = member.get("demographic_info")
    holders: list[Any] = []
    if isinstance(about, Mapping):
        holders += [about.get("person"), about.get("identifier")]
    holders.append(member.get("member_identifier"))
    found: list[tuple[Any, Any]] = []
    for holder in holders:
        for each in holder if isinstance(holder, list) else [holder]:
            if isinstance(each, Mapping):
                found.append((each.get("identifier_type"), each.get("identifier_value")))
            elif isinstance(each, str):
                found.append(("UIN", each))
    return found[:_MAXIMUM_IDENTIFIERS]


def _reference(given: Any, number: int) -> str:
    for name in ("reference_id", "@id"):
        told = given.get(name) if isinstance(given, Mapping) else None
        if is_id(told):
            return str(told)
    return str(number)
