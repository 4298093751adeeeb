"""From an announced chunk to paid households, with the real sandbox."""

from tests.payments.conftest import StartSandbox, World, entitlements


async def test_a_chunk_is_fetched_paid_and_reported(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    owed = entitlements(200)
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    book = sandbox.book()
    assert len(book) == 200
    assert sum(int(row["amount"]) for row in book.values()) == 200 * 96_000
    assert {row["account"] for row in book.values()} == {
        entitlement.account for entitlement in owed
    }
    numbers = await world.proofs()
    [fund] = numbers["commitments_add_up"]
    assert fund["paid_minor"] == fund["committed_minor"] == 200 * 96_000
    [settled] = await world.events("org.sangkroh.payments-settled.v1")
    assert (settled["paid_count"], settled["failed_count"]) == (200, 0)
    outcomes = await world.client.get(f"/chunks/{announced.chunk_id}/outcomes")
    rows = [line.split(",") for line in outcomes.text.splitlines()]
    assert {row[0] for row in rows} == {str(entitlement.entitlement_id) for entitlement in owed}
    assert {row[1] for row in rows} == {"paid"}
