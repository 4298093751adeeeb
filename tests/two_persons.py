"""The second person of the tests: approves what the first proposed."""

from typing import Any

import httpx

from shared.version import API_PREFIX

CHECKER = "checker@test"


async def approved(checker: httpx.AsyncClient, proposal: dict[str, Any]) -> Any:
    """What came of a proposal, once the second person, whose client it is, approved it."""
    async with checker:
        decided = await checker.post(
            f"/approvals/{proposal['id']}/approval", json={"reason": "Checked."}
        )
        assert decided.status_code == 200, decided.text
        outcome = await checker.get(decided.json()["outcome"].removeprefix(API_PREFIX))
        assert outcome.status_code == 200, outcome.text
        return outcome.json()
