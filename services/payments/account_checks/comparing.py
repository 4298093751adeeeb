"""Handing the names of account holders to the registry, which says how alike they are.

Names pass through here in memory alone: into the body of one request, into no log and no table.
"""

from collections.abc import Sequence
from uuid import UUID

import httpx
from pydantic import ValidationError

from services.payments.account_checks.repository import Compared
from shared.audit.purpose import PURPOSE_HEADER
from shared.contracts.holders import HolderCheck, HoldersCheck, HoldersChecked

_PATH = "/checks/account-holders"
_PURPOSE = "Check of account holders before the first payment"


class NotCompared(Exception):
    """The registry said nothing that can be used: as a code."""


class Comparing:
    """Asks the registry about sets of holders."""

    def __init__(self, registry: httpx.AsyncClient) -> None:
        self._registry = registry

    async def compare(self, holders: Sequence[tuple[UUID, Sequence[str]]]) -> list[Compared]:
        """How alike each household and the holder of its account are called, in their order.

        Raises NotCompared.
        """
        if not holders:
            return []
        body = HoldersCheck(
            holders=[
                HolderCheck(household_id=household_id, names=list(names))
                for household_id, names in holders
            ]
        )
        try:
            answer = await self._registry.post(
                _PATH,
                content=body.model_dump_json(),
                headers={"Content-Type": "application/json", PURPOSE_HEADER: _PURPOSE},
            )
            answer.raise_for_status()
            checked = HoldersChecked.model_validate_json(answer.content).holders
        except httpx.HTTPStatusError as error:
            raise NotCompared(f"registry_{error.response.status_code}") from None
        except httpx.HTTPError:
            raise NotCompared("registry_away") from None
        except ValidationError:
            raise NotCompared("registry_unreadable") from None
        if [each.household_id for each in checked] != [household_id for household_id, _ in holders]:
            raise NotCompared("registry_unreadable")
        return [
            Compared(
                verdict=each.verdict,
                likeness=each.likeness,
                method=each.method,
                pair=bytes.fromhex(each.pair),
            )
            for each in checked
        ]
