"""Payments asks how alike names are, over HTTP: what comes back holds none of them."""

from typing import Any

import pytest
import structlog

from shared.ids import new_id
from tests.registry.flow import Flow, rows

PATH = "/checks/account-holders"


async def check(flow: Flow, *holders: tuple[str, list[str]]) -> list[dict[str, Any]]:
    body = {
        "holders": [{"household_id": household, "names": names} for household, names in holders]
    }
    answer = await flow.client.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["holders"])


async def registered(flow: Flow, name: str) -> str:
    (row,) = rows(1, head_name=name)
    await flow.register([row])
    return await flow.household_id(row.registration_number)


async def test_holders_are_compared_in_the_order_in_which_they_were_asked(flow: Flow) -> None:
    household = await registered(flow, "សុខ តារា")
    nobody = str(new_id())
    found = await check(
        flow,
        (household, ["Dara Sok"]),
        (household, ["Ly Bopha"]),
        (nobody, ["Dara Sok"]),
        (household, []),
        (household, ["?", "សុខ តារា"]),
    )
    assert [(holder["verdict"], holder["likeness"]) for holder in found] == [
        ("alike", 100),
        ("unlike", 17),
        ("no_name", 0),
        ("no_name", 0),
        ("alike", 100),
    ]
    assert found[2]["household_id"] == nobody


async def test_the_pair_is_the_same_while_both_names_are(flow: Flow) -> None:
    (row,) = rows(1, head_name="Sok Dara")
    await flow.register([row])
    household = await flow.household_id(row.registration_number)
    first, again, other = [
        holder["pair"]
        for holder in await check(
            flow, (household, ["Dara"]), (household, ["Dara"]), (household, ["Dary"])
        )
    ]
    assert first == again != other
    (renamed,) = rows(1, head_name="Sok Chantha")
    await flow.register([renamed])
    ((changed),) = [holder["pair"] for holder in await check(flow, (household, ["Dara"]))]
    assert changed not in (first, other)


async def test_no_name_is_shown_logged_or_kept(
    flow: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    household = await registered(flow, "Secretname Dara")
    with structlog.testing.capture_logs() as logs:
        answer = await flow.client.post(
            PATH, json={"holders": [{"household_id": household, "names": ["Whispered Name"]}]}
        )
        refused = await flow.client.post(
            PATH, json={"holders": [{"household_id": "x", "names": ["Whispered Name"]}]}
        )
    assert refused.status_code == 422
    told = f"{answer.text} {refused.text} {logs} {capsys.readouterr()}"
    kept = await flow.owner.fetch(
        "SELECT to_jsonb(record)::text AS text FROM registry.audit_record AS record"
    )
    told += " ".join(row["text"] for row in kept)
    assert "Whispered" not in told
    assert "Secretname" not in told
    # Whose name was compared, and by whom, can be found out.
    (found, *_) = (await flow.get("/audit", object=f"households/{household}"))["items"]
    assert found["operation"] == f"POST /v1{PATH}"


async def test_only_who_may_compare_names_does(flow: Flow) -> None:
    body = {"holders": [{"household_id": str(new_id()), "names": ["Dara"]}]}
    async with flow.service.client("households:read", "entitlements:read") as other:
        assert (await other.post(PATH, json=body)).status_code == 403
    async with flow.service.client("account-holders:check") as payments:
        assert (await payments.post(PATH, json=body)).status_code == 200


@pytest.mark.parametrize(
    "holders",
    [
        [],
        [{"household_id": str(new_id()), "names": ["x"]}] * 501,
        [{"household_id": str(new_id()), "names": ["x"] * 7}],
        [{"household_id": str(new_id()), "names": ["x" * 201]}],
        [{"household_id": str(new_id()), "names": ["a\u0000b"]}],
    ],
)
async def test_what_is_too_much_or_no_text_is_refused(flow: Flow, holders: list[Any]) -> None:
    assert (await flow.client.post(PATH, json={"holders": holders})).status_code == 422
