"""Acts of a caller who may be bound to areas: whatever they touch lies there, before and after."""

from collections.abc import Sequence
from uuid import UUID

from services.registry.acts.schemas import DepartureIn, Given, MergerIn, MoveIn
from services.registry.acts.service import Act, Acts, DoneOut
from services.registry.changes.repository import version_of
from services.registry.changes.service import tag_of_version
from services.registry.households.service import require_household
from shared.approvals import ApprovalOut
from shared.bounds import lies_within
from shared.errors import Forbidden


class ActsWithin(Acts):
    """Acts as one caller may ask for them, in their areas."""

    async def ask(
        self,
        act: Act,
        household_id: UUID,
        given: Given,
        *,
        held: str | None,
        member_id: UUID | None = None,
    ) -> DoneOut | ApprovalOut:
        """The same; raises NotFound for a household elsewhere, and Forbidden for a move there."""
        bound = self._caller.areas
        if bound is None:
            return await super().ask(act, household_id, given, held=held, member_id=member_id)
        if isinstance(given, MoveIn) and not lies_within(bound, given.area_code):
            raise Forbidden(
                f"The token is bound to {', '.join(bound)}: a household is moved within these "
                "areas. Ask somebody who works for both places."
            )
        # What is locked afterwards is what was looked at, or has another version.
        version = await version_of(self._session, household_id)
        touched = [household_id, *_others_of(given)]
        await self._require(touched)
        done = await super().ask(
            act,
            household_id,
            given,
            held=tag_of_version(version) if held is None else held,
            member_id=member_id,
        )
        await self._require(touched)
        return done

    async def _require(self, household_ids: Sequence[UUID]) -> None:
        for household_id in household_ids:
            await require_household(self._session, household_id, bound=self._caller.areas)


def _others_of(given: Given) -> list[UUID]:
    match given:
        case MergerIn():
            return [given.merged_id]
        case DepartureIn() if given.to_household_id is not None:
            return [given.to_household_id]
        case _:
            return []
