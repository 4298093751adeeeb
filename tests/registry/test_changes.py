"""What became of a household: every change is kept, and any past instant can be asked for."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.registry.households.shape import OPEN
from shared.clock import FileClock
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store

BEGIN = datetime(2026, 1, 6, 3, tzinfo=UTC)


async def test_each_change_says_who_when_why_and_what_it_was_before(flow: Flow) -> None:
    flow.set_clock(BEGIN)
    (row,) = rows(1, head_name="Sok Chanthy", phone="012345678")
    first = await flow.register([row])
    household_id = await flow.household_id(row.registration_number)
    path = f"/households/{household_id}"
    flow.set_clock(BEGIN + timedelta(days=1))
    changed = replace(row, head_name="Sok Dara", members=6, commune_code="020102", pregnant=1)
    second = await flow.register([changed])
    flow.set_clock(BEGIN + timedelta(days=2))
    await flow.change_account(household_id, provider="tonle", account="+85577777777")
    flow.set_clock(BEGIN + timedelta(days=3))
    at = f'{{"at": "{BEGIN + timedelta(days=3)}"}}'
    await flow.owner.execute("SELECT set_config('registry.change', $1, false)", at)
    await store(flow, {UUID(household_id): [Person(), Person(relationship="child")]})

    history = (await flow.get(f"{path}/history"))["items"]
    kinds = [change["kind"] for change in history]
    assert kinds == ["corrected", "member-joined", "account", "imported", "registered"]
    imported, registered = history[3], history[4]
    assert (registered["by"], registered["import_id"]) == ("officer@test", first["id"])
    assert (registered["before"], registered["after"]) == (None, None)
    assert (imported["by"], imported["import_id"]) == ("officer@test", second["id"])
    assert imported["before"] == {"area_code": "020101", "members": 4, "pregnant": 0}
    assert imported["after"] == {"area_code": "020102", "members": 6, "pregnant": 1}
    assert imported["person_before"]["name"] == "Sok Chanthy"
    assert history[2]["after"] == {"provider_code": "tonle"}
    assert history[1]["after"] == {"member_numbers": [1, 2]}
    # Page by page it is the same, and without the scope nobody is named, nor pregnant.
    page = await flow.get(f"{path}/history", limit=2)
    rest = await flow.get(f"{path}/history", cursor=page["next_cursor"])
    assert page["items"] + rest["items"] == history
    async with flow.service.client("households:read") as client:
        seen = (await client.get(f"{path}/history")).json()["items"]
        then = (await client.get(path, params={"as_of": "2026-01-06"})).json()
    assert "Chanthy" not in str(seen)
    assert seen[3]["before"] == {"area_code": "020101", "members": 4}
    assert (then["person"], then["listed"], then["members"]) == (None, None, 4)

    # Each day says what the registry knew when it ended.
    days = [await flow.get(path, as_of=f"2026-01-{6 + day:02}") for day in range(4)]
    assert [day["members"] for day in days] == [4, 6, 6, 2]
    assert [day["area_code"] for day in days] == ["020101", "020102", "020102", "020102"]
    assert [day["person"]["name"] for day in days] == ["Sok Chanthy", *["Sok Dara"] * 3]
    accounts = [day["payee_account"]["account"] for day in days]
    assert accounts == [row.account, row.account, "+85577777777", "+85577777777"]
    assert days[2]["listed"] is None
    assert len(days[3]["listed"]) == 2
    now = await flow.get(path)
    assert days[3] == now
    before = await flow.client.get(path, params={"as_of": "2026-01-05"})
    assert before.status_code == 404
    assert "it was on 2026-01-06, at " in before.json()["detail"]
    for last in ("2026-01-10", "9999-12-31"):
        after = await flow.client.get(path, params={"as_of": last})
        later = await flow.client.get(path, params={"as_of_instant": f"{last}T23:59:59Z"})
        assert (after.status_code, later.status_code) == (422, 422)


async def test_what_changes_nothing_is_no_change(flow: Flow) -> None:
    given = rows(3)
    await flow.register(given)
    await flow.register(given)
    household_id = await flow.household_id(given[0].registration_number)
    kept = (await flow.get(f"/households/{household_id}/history"))["items"]
    assert [change["kind"] for change in kept] == ["registered"]
    # Nor is what is sealed or found by anew.
    await flow.owner.execute("UPDATE registry.household SET registration_index = id::text::bytea")
    assert len((await flow.get(f"/households/{household_id}/history"))["items"]) == 1


async def test_no_open_field_is_forgotten(flow: Flow) -> None:
    """A field that is added to the shape is kept, or the migrations drift."""
    await flow.register(rows(1))
    (household_id,) = await ids_of(flow.owner, "020101")
    known = await flow.get(f"/households/{household_id}")
    other = {"area_code": "020102", "village_code": "02010201", "poverty_status": "poor-2"}
    changed: set[str] = set()
    for field in OPEN:
        value = other.get(field.name, known[field.name])
        value = value + 1 if isinstance(value, int) else value
        if field.name != "village_code":
            await flow.owner.execute(
                f"UPDATE registry.household SET {field.name} = $1",
                value,
            )
    await flow.owner.execute("UPDATE registry.household SET village_code = '02010201'")
    for change in (await flow.get(f"/households/{household_id}/history"))["items"]:
        changed |= set(change["after"] or {})
    assert changed == {field.name for field in OPEN}


PLAYS = st.lists(
    st.tuples(
        st.sampled_from(["import", "correct", "move", "account", "archive", "restore", "name"]),
        st.integers(0, 9),
        # Several at one instant, too.
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=10,
)


async def _play(flow: Flow, number: int, plays: list[tuple[str, int, int]]) -> None:
    """Play changes of a household, and hold every instant against what it was seen to be then."""
    day = BEGIN
    flow.set_clock(day)
    clock = FileClock(flow.clock_file)
    (row,) = rows(1, begin=number)
    await flow.register([row])
    household_id = await flow.household_id(row.registration_number)
    path = f"/households/{household_id}"
    seen = {clock.now(): await flow.get(path)}
    for what, value, hours in plays:
        if hours:
            day += timedelta(hours=9 * hours)
            flow.set_clock(day)
        reason: dict[str, Any] = {"reason": "As they said."}
        match what:
            case "import":
                row = replace(row, members=4 + value, elderly_60=value % 3)
                await flow.register([row])
            case "correct":
                body = reason | {"members": 10 + value, "poverty_status": "poor-2"}
                await flow.client.patch(path, json=body)
            case "name":
                body = reason | {"person": {"name": f"Sok {value}", "phone": f"01234567{value}"}}
                await flow.client.patch(path, json=body)
            case "move":
                body = reason | {"area_code": f"02010{1 + value % 4}"}
                await flow.client.post(f"{path}/move", json=body, headers=flow.key())
            case "account":
                account = f"+8557000000{value}"
                await flow.change_account(household_id, provider="tonle", account=account)
            case "archive":
                body = reason | {"because": "moved-away"}
                await flow.client.post(f"{path}/archive", json=body, headers=flow.key())
            case "restore":
                await flow.client.post(f"{path}/restoration", json=reason, headers=flow.key())
        seen[clock.now()] = await flow.get(path)
    for instant, was in seen.items():
        then = await flow.get(path, as_of_instant=instant.isoformat())
        assert then == was, (instant, plays)


async def test_any_instant_of_any_sequence_of_changes_is_what_it_was(flow: Flow) -> None:
    loop = asyncio.get_running_loop()
    numbers = itertools.count()

    @given(PLAYS)
    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
    )
    def run(plays: list[tuple[str, int, int]]) -> None:
        playing = _play(flow, next(numbers), plays)
        asyncio.run_coroutine_threadsafe(playing, loop).result()

    flow.service.app.state.settings.account_changes_alone = 1_000
    await asyncio.to_thread(run)
