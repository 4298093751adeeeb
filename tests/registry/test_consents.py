"""What households agree to: one, a list of them, and what they withdraw."""

from typing import Any

from shared.contracts.events import HouseholdChanged
from shared.ids import new_id
from tests.registry.flow import Flow, rows


async def test_what_a_household_agrees_to_holds_until_it_is_withdrawn(flow: Flow) -> None:
    (row,) = rows(1)
    await flow.register([row])
    path = f"/households/{await flow.household_id(row.registration_number)}/consents"
    given = {"purpose": "payment", "given_by": "head", "given_on": "2026-01-02"}
    kept = await flow.post(path, given)
    assert (kept["recorded_by"], kept["withdrawn_on"]) == ("officer@test", None)

    async def send(to: str, body: dict[str, Any]) -> int:
        return (await flow.client.post(to, json=body, headers=flow.key())).status_code

    assert await send(path, given) == 409
    assert await send(path, given | {"purpose": "other", "given_on": "2030-01-01"}) == 422
    assert await send(path, given | {"purpose": "No purpose"}) == 422
    withdrawn = {"purpose": "payment", "withdrawn_on": "2026-01-01"}
    assert await send(f"{path}/withdrawal", withdrawn) == 422
    assert await send(f"{path}/withdrawal", withdrawn | {"withdrawn_on": "2026-01-03"}) == 200
    assert await send(f"{path}/withdrawal", withdrawn) == 404
    assert await send(path, given) == 201
    listed = (await flow.get(path))["items"]
    assert [consent["withdrawn_on"] for consent in listed] == ["2026-01-03", None]


async def test_each_consent_of_a_list_is_recorded_by_itself(flow: Flow) -> None:
    first, second, third = rows(3)
    await flow.register([first, second, third])
    ids = [await flow.household_id(row.registration_number) for row in (first, second, third)]
    given = {"purpose": "sharing", "given_by": "head", "given_on": "2026-01-02"}
    await flow.post(f"/households/{ids[2]}/consents", given)
    consents: list[dict[str, Any]] = [
        {**given, "household_id": str(ids[0])},
        {**given, "registration_number": second.registration_number.lower()},
        {**given, "household_id": str(ids[1]), "given_by": "spouse"},
        {**given, "household_id": str(ids[2])},
        {**given, "household_id": str(new_id())},
        {**given, "registration_number": "KH-999999-000001"},
        {**given, "household_id": str(ids[0]), "purpose": "other", "given_on": "2030-01-01"},
        {**given, "household_id": str(ids[0]), "purpose": "research"},
    ]

    async def send(consents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = await flow.client.post(
            "/households/consents", json={"consents": consents}, headers=flow.key()
        )
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    told_before = await _told_of_consents(flow)
    results = await send(consents)
    assert [each["recorded"] for each in results] == [True, True, *[False] * 5, True]
    assert [each["household_id"] for each in results] == [
        *(str(ids[at]) for at in (0, 1, 1, 2)),
        None,
        None,
        *(str(ids[0]),) * 2,
    ]
    assert [each["detail"] is None for each in results] == [each["recorded"] for each in results]
    # Each household is told of once, and those alone of which something was recorded.
    assert (await _told_of_consents(flow))[len(told_before) :] == [str(ids[0]), str(ids[1])]
    listed = (await flow.get(f"/households/{ids[1]}/consents"))["items"]
    assert [(each["purpose"], each["given_by"]) for each in listed] == [("sharing", "head")]
    # The same list again records nothing.
    again = await send(consents)
    assert not any(each["recorded"] for each in again)
    for wrong in ({**given}, {**given, "household_id": str(ids[0]), "registration_number": "KH-1"}):
        answer = await flow.client.post(
            "/households/consents", json={"consents": [wrong]}, headers=flow.key()
        )
        assert answer.status_code == 422


async def _told_of_consents(flow: Flow) -> list[str]:
    rows = await flow.owner.fetch(
        "SELECT data::jsonb ->> 'household_id' AS household FROM events.event WHERE type = $1 "
        "AND data::jsonb -> 'changes' ? 'consent' ORDER BY epoch, transaction_id, sequence",
        HouseholdChanged.type,
    )
    return [row["household"] for row in rows]
