"""What households agree to: one, a list of them, and what they withdraw."""

from typing import Any

from shared.contracts.events import HouseholdChanged
from shared.ids import new_id
from tests.registry.flow import Flow, rows
from tests.registry.test_acts import done, family, ids


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
    # What it agreed to by then counts no more, however late it is recorded.
    for day in ("2026-01-02", "2026-01-03"):
        assert await send(path, given | {"given_on": day}) == 409
    assert await send(path, given | {"given_on": "2026-01-04"}) == 201
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


async def test_a_list_that_is_sent_again_does_not_undo_what_was_withdrawn_since(
    flow: Flow,
) -> None:
    first, second = rows(2)
    await flow.register([first, second])
    ids = [await flow.household_id(row.registration_number) for row in (first, second)]
    given = {"purpose": "sharing", "given_by": "head", "given_on": "2026-01-02"}
    consents = [{**given, "household_id": str(id_)} for id_ in ids]

    async def sent(consents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = {"consents": consents}
        answer = await flow.client.post("/households/consents", json=body, headers=flow.key())
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    assert [each["recorded"] for each in await sent(consents)] == [True, True]
    # A refusal from the first is recorded so: given and withdrawn on one day.
    for id_, day in zip(ids, ("2026-01-02", "2026-01-04"), strict=True):
        withdrawal = {"purpose": "sharing", "withdrawn_on": day}
        await flow.post(f"/households/{id_}/consents/withdrawal", withdrawal, status=200)
    again = await sent(consents)
    assert [each["recorded"] for each in again] == [False, False]
    assert "agreed to 'sharing' no more on 2026-01-02" in again[0]["detail"]
    assert "agreed to 'sharing' no more on 2026-01-04" in again[1]["detail"]
    later = [{**each, "given_on": "2026-01-04"} for each in consents]
    assert [each["recorded"] for each in await sent(later)] == [True, False]


async def test_a_refusal_goes_with_the_persons_who_refused(flow: Flow) -> None:
    from_, agreeing, never_asked = [await family(flow, number) for number in range(3)]
    path = "/households/{}/consents"
    given = {"given_by": "head", "given_on": "2026-01-02"}
    for id_, purpose in ((from_, "sharing"), (from_, "research"), (agreeing, "sharing")):
        await flow.post(path.format(id_), given | {"purpose": purpose})
    withdrawal = {"purpose": "sharing", "withdrawn_on": "2026-01-03"}
    await flow.post(f"{path.format(from_)}/withdrawal", withdrawal, status=200)

    async def stand(id_: Any) -> dict[str, bool]:
        listed = (await flow.get(path.format(id_)))["items"]
        return {each["purpose"]: each["withdrawn_on"] is None for each in listed}

    _, spouse, _ = await ids(flow, from_)
    number = "KH-020101-000900"
    split = {
        "registration_number": number,
        "members": [{"member_id": spouse, "relationship": "head"}],
    }
    await done(flow, f"/households/{from_}/split", split, two=True)
    # Of what they agreed to nobody asked the new household.
    assert await stand(await flow.household_id(number)) == {"sharing": False}
    assert await stand(from_) == {"sharing": False, "research": True}
    await done(flow, f"/households/{agreeing}/merger", {"merged_id": from_}, two=True)
    assert await stand(agreeing) == {"sharing": False}
    ended = (await flow.get(path.format(agreeing)))["items"]
    assert {each["withdrawn_on"] for each in ended} == {"2026-01-03", "2026-01-05"}
    # Who refused nothing takes nothing away.
    await done(flow, f"/households/{agreeing}/merger", {"merged_id": never_asked}, two=True)
    assert await stand(agreeing) == {"sharing": False}


async def _told_of_consents(flow: Flow) -> list[str]:
    rows = await flow.owner.fetch(
        "SELECT data::jsonb ->> 'household_id' AS household FROM events.event WHERE type = $1 "
        "AND data::jsonb -> 'changes' ? 'consent' ORDER BY epoch, transaction_id, sequence",
        HouseholdChanged.type,
    )
    return [row["household"] for row in rows]
