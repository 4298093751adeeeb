"""Ids follow from what they name: whatever the registry loses, it gives the same ones again."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.ids import entitlement_id
from tests.registry.flow import BATTAMBANG, PURSAT, Flow, rows

AFTER_31_DAYS = datetime(2026, 2, 5, 5, tzinfo=UTC)

_OF_ACTIVATIONS = (
    "entitlement",
    "enrolment",
    "activation_commune",
    "entitlement_chunk",
    "enrolment_run",
    "payment_round",
    "activation",
)


async def release(flow: Flow, activation_id: UUID, number: int) -> None:
    await flow.post(f"/activations/{activation_id}/rounds/{number}/release")


async def told(flow: Flow, activation_id: UUID) -> dict[str, list[list[str]]]:
    """Each chunk of an activation that was announced, by id, with its rows."""
    chunks = await flow.chunks(activation_id)
    assert all(chunk["status"] == "announced" for chunk in chunks)
    return {chunk["id"]: await flow.chunk_rows(chunk["id"]) for chunk in chunks}


async def test_an_activation_that_is_worked_anew_has_the_same_ids_and_the_same_chunks(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    await flow.post_scheme()
    await flow.register(
        [*rows(4), *rows(3, commune="020203"), *rows(2, commune="150101"), *rows(1, begin=9)]
    )
    async with run_worker("registry"):
        await flow.worked(await flow.open("12"))
    cursor = await flow.owner.fetchrow("SELECT * FROM registry.event_cursor")
    assert cursor is not None
    async with run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        await flow.worked(activation_id)
        await flow.widen(activation_id, PURSAT)
        await flow.worked(activation_id, runs=2)
        flow.set_clock(AFTER_31_DAYS)
        await release(flow, activation_id, 2)
        activation = await flow.worked(activation_id, runs=3)
    before = await told(flow, activation_id)
    assert sum(map(len, before.values())) == 20

    for table in _OF_ACTIVATIONS:
        key = "id" if table == "activation" else "activation_id"
        await flow.owner.execute(f"DELETE FROM registry.{table} WHERE {key} = $1", activation_id)
    await flow.owner.execute(
        "UPDATE registry.event_cursor SET epoch = $1, transaction_id = $2, sequence = $3",
        cursor["epoch"],
        cursor["transaction_id"],
        cursor["sequence"],
    )
    async with run_worker("registry"):
        await flow.worked(activation_id, runs=2)
        await release(flow, activation_id, 2)
        anew = await flow.worked(activation_id, runs=3)
        assert [run["id"] for run in anew["runs"]] == [run["id"] for run in activation["runs"]]
    assert await told(flow, activation_id) == before
    (household_id, *_) = {row[1] for rows_of in before.values() for row in rows_of}
    page = await flow.get(f"/households/{household_id}/entitlements")
    assert [item["id"] for item in page["items"]] == [
        str(entitlement_id(UUID(household_id), activation_id, number)) for number in (1, 2)
    ]


async def test_after_a_lost_import_the_same_registration_gives_the_same_household(
    working: Flow,
) -> None:
    (first, second) = rows(2)
    await working.register([first, second])
    household_id = await working.household_id(first.registration_number)
    assert household_id != await working.household_id(second.registration_number)
    await working.owner.execute("TRUNCATE registry.payee_account, registry.household CASCADE")

    ended = await working.register(rows(2, members=7, commune_code="150101"))
    assert ended["households_added"] == 2
    assert await working.household_id(first.registration_number) == household_id
    household = await working.get(f"/households/{household_id}")
    assert household["members"] == 7
    assert household["person"]["registration_number"] == first.registration_number


async def test_lists_go_by_age_whatever_the_ids(working: Flow) -> None:
    communes = [f"0201{number:02}" for number in range(1, 7)]
    await working.register([row for code in communes for row in rows(1, commune=code)])
    activation_id = await working.open(communes[0])
    await working.worked(activation_id)
    for number, commune in enumerate(communes[1:], start=2):
        await working.widen(activation_id, commune)
        await working.worked(activation_id, runs=number)
    activation = await working.get(f"/activations/{activation_id}")
    assert [run["kind"] for run in activation["runs"]] == ["opening", *["widening"] * 5]
    planned = [run["planned_at"] for run in activation["runs"]]
    assert planned == sorted(planned)
    path = f"/activations/{activation_id}/chunks"
    paged: list[str] = []
    cursor = None
    while True:
        page = await working.get(path, limit=2, **({"cursor": cursor} if cursor else {}))
        paged += [chunk["area_codes"][0] for chunk in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == communes


async def test_a_household_s_entitlements_go_by_when_their_activations_arrived(
    working: Flow,
) -> None:
    await working.register(rows(1))
    opened = []
    for _ in range(5):
        opened.append(await working.open(BATTAMBANG))
        await working.worked(opened[-1])
    household_id = await working.household_id("KH-020101-000000")

    async def listed() -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await working.get(
                f"/households/{household_id}/entitlements",
                limit=2,
                **({"cursor": cursor} if cursor else {}),
            )
            found += [item["activation_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert await listed() == [str(activation_id) for activation_id in opened]
    # Activations have ids of any order now: by day of evidence, and not by when they came.
    await working.owner.execute(
        "UPDATE registry.activation SET received_at = received_at + interval '1 day' WHERE id = $1",
        opened[0],
    )
    assert await listed() == [str(activation_id) for activation_id in [*opened[1:], opened[0]]]
