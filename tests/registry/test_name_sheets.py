"""Sheets of names: who pays a list by hand learns whom its lines are for, and that is recorded."""

from dataclasses import replace
from uuid import UUID

from shared.ids import new_id
from shared.payee_codes import payee_code
from tests.registry.flow import BATTAMBANG, Flow, rows


async def test_the_names_for_a_list_are_shown_to_who_may_and_each_is_recorded(
    working: Flow,
) -> None:
    given = [replace(row, head_name=f"សុខ {number}") for number, row in enumerate(rows(3))]
    await working.register(given)
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    owed = {}
    for row in given:
        household_id = await working.household_id(row.registration_number)
        [first] = (await working.get(f"/households/{household_id}/entitlements"))["items"]
        owed[first["id"]] = (household_id, row)
    ids = list(owed)
    body = {
        "list_code": "000012-0A6F5B21",
        "lines": [
            {"number": 3, "entitlement_id": str(new_id())},
            *({"number": place, "entitlement_id": each} for place, each in enumerate(ids[:2], 1)),
        ],
    }
    async with working.service.client("payees:read") as paymaster:
        sheet = (await paymaster.post("/name-sheets", json=body)).json()
        printed = await paymaster.post("/name-sheets/pdf", json=body, timeout=60)
        refused = await paymaster.get(f"/households/{owed[ids[0]][0]}")
    async with working.service.client("households:read") as other:
        none_of_it = await other.post("/name-sheets", json=body)
    assert (refused.status_code, none_of_it.status_code) == (403, 403)
    assert sheet["unknown"] == [3]
    assert [
        (line["number"], line["code"], line["name"], line["registration_number"])
        for line in sheet["lines"]
    ] == [
        (place, payee_code(UUID(each)), owed[each][1].head_name, owed[each][1].registration_number)
        for place, each in enumerate(ids[:2], 1)
    ]
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")

    async with working.service.client("audit:read") as auditor:
        found = [
            (await auditor.get("/audit", params={"object": f"households/{owed[each][0]}"})).json()
            for each in ids
        ]
    shown = [[record for record in page["items"] if "name-sheets" in str(record)] for page in found]
    assert [len(records) for records in shown] == [2, 2, 0]


async def test_a_list_has_each_number_and_each_entitlement_once(flow: Flow) -> None:
    line = {"number": 1, "entitlement_id": str(new_id())}
    for lines in ([line, line], [line, {**line, "number": 2}], []):
        answer = await flow.client.post(
            "/name-sheets", json={"list_code": "000012-0A6F5B21", "lines": lines}
        )
        assert answer.status_code == 422
