"""What partners are told of by themselves: what they want, from then on, until they end it."""

from datetime import UTC, date, datetime
from typing import Any

from tests.registry.flow import Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import Partner, Receiver
from tests.registry.spdci.signing import signed_environment, took
from tests.server import eventually

environment = signed_environment
SUBSCRIBE, UNSUBSCRIBE = (
    f"/spdci/social/registry/{action}" for action in ("subscribe", "unsubscribe")
)


def at(place: str) -> list[dict[str, Any]]:
    return [
        {"expression1": {"attribute_name": "location", "operator": "eq", "attribute_value": place}}
    ]


def wanted(reference_id: str, event_type: str, **criteria: Any) -> dict[str, Any]:
    return {
        "reference_id": reference_id,
        "timestamp": datetime.now(UTC).isoformat(),
        "subscribe_criteria": {
            "reg_event_type": event_type,
            "filter_type": "predicate",
            "filter": at("02"),
            "notify_record_type": "Group",
        }
        | criteria,
    }


async def test_what_happens_is_told_to_who_subscribed_until_they_unsubscribe(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow).registered(callback_url=url)
    await flow.register(rows(1, begin=100))
    every_month = {
        "start_time": "2026-01-01T00:00:00Z",
        "end_time": "2027-01-01T00:00:00Z",
        "frequency": "0 0 0 5,15 * ? *",
    }
    requests = [
        wanted("new", "REGISTER"),
        wanted("same", "ns:common:RegistryEventType:Register"),
        wanted("grown", "NewHouseHoldMember", notify_record_type="Member"),
        wanted("changed", "HouseholdChanged"),
        wanted("cron", "REGISTER", frequency=every_month),
        wanted("graph", "REGISTER", filter_type="graphql"),
        wanted("birth", "LiveBirth"),
        wanted("far", "REGISTER", filter=at("25")),
    ]
    envelope = partner.envelope(
        "subscribe", len(requests), {"transaction_id": "t-3", "subscribe_request": requests}
    )
    said = (await partner.send(SUBSCRIBE, envelope)).json()["message"]
    assert said["ack_status"] == "ACK"
    (subscribed,) = await took(taking, "on-subscribe", 1)
    answers = {each["reference_id"]: each for each in subscribed["message"]["subscribe_response"]}
    codes = {
        name: each["subscriptions"][0]["code"]
        for name, each in answers.items()
        if each["status"] == "succ"
    }
    assert set(codes) == {"new", "grown", "changed", "far"}
    assert answers["same"]["status_reason_code"] == "rjct.event.already_subscribed"
    for name, word in (("cron", "cron"), ("graph", "graphql")):
        assert answers[name]["status_reason_code"] == "rjct.notify_details.invalid"
        assert word in answers[name]["status_reason_message"]
    assert answers["birth"]["status_reason_code"] == "rjct.notify_types.invalid"
    told = await partner.status(correlation_id=said["correlation_id"], txn_type="subscribe")
    status = told.json()["message"]["txnstatus_response"]["txn_status"]
    assert [each["status"] for each in status["search_response"]][:2] == ["succ", "rjct"]

    await flow.register([*rows(3), *rows(1, begin=100, members=9)])
    notices = await took(taking, "notify", 2)
    new = _of(notices, codes["new"])
    assert len(new) == 3
    assert {each["data"]["reg_event_type"] for each in new} == {"REGISTER"}
    (changed,) = _of(notices, codes["changed"])
    assert changed["data"]["reg_records"]["group_size"] == 9
    assert len({each["header"]["message_id"] for each in notices}) == 2

    household_id = (await ids_of(flow.owner, "020101"))[0]
    await store(flow, {household_id: [Person(), Person(name="Was There", relationship="child")]})
    joined = {
        "name": "Newly Born",
        "relationship": "child",
        "sex": "female",
        "birth_date": date(2026, 1, 1).isoformat(),
    }
    await flow.post(f"/households/{household_id}/members", joined)
    notices = (await took(taking, "notify", 4))[2:]
    (born,) = _of(notices, codes["grown"])
    assert born["data"]["reg_records"]["demographic_info"]["name"]["given_name"] == "Newly Born"
    (changed,) = _of(notices, codes["changed"])
    assert len(changed["data"]["reg_records"]["member_list"]) == 3
    shown = await flow.owner.fetchval(
        "SELECT count(*) FROM registry.audit_record WHERE operation LIKE '%/notify'"
    )
    assert shown == 4

    message = {
        "transaction_id": "t-4",
        "timestamp": datetime.now(UTC).isoformat(),
        "subscription_codes": [codes["new"], codes["changed"]],
    }
    for times in (1, 2):
        ending = partner.envelope("unsubscribe", 2, message)
        assert (await partner.send(UNSUBSCRIBE, ending)).status_code == 200
        ended = (await took(taking, "on-unsubscribe", times))[-1]["message"]
        assert ended["status"] == ("succ" if times == 1 else "rjct")
    assert ended["status_reason_code"] == "rjct.event.already_unsubscribed"
    await flow.register(rows(2, begin=200))

    async def is_read() -> bool:
        return bool(
            await flow.owner.fetchval(
                "SELECT sequence >= (SELECT max(sequence) FROM events.event) "
                "FROM registry.event_cursor WHERE consumer = 'registry.partners'"
            )
        )

    await eventually(is_read)
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.dead_letter") == 0
    assert await flow.owner.fetchval(
        "SELECT count(*) FROM registry.partner_delivery WHERE action = 'notify'"
    ) == len(await took(taking, "notify", 4))


def _of(notices: list[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    return [
        each
        for notice in notices
        for each in notice["message"]["notify_event"]
        if each["reference_id"] == code
    ]


async def test_who_may_not_see_persons_is_told_of_none(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    partner = await Partner(flow, scopes=("spdci:social",)).registered(callback_url=url)
    requests = [
        wanted("new", "REGISTER"),
        wanted("grown", "NewHouseHoldMember", notify_record_type="Member"),
    ]
    envelope = partner.envelope(
        "subscribe", 2, {"transaction_id": "t-3", "subscribe_request": requests}
    )
    await partner.send(SUBSCRIBE, envelope)
    (subscribed,) = await took(taking, "on-subscribe", 1)
    assert [each["status"] for each in subscribed["message"]["subscribe_response"]] == [
        "succ",
        "rjct",
    ]
    await flow.register(rows(1))
    (notice,) = await took(taking, "notify", 1)
    assert "Chanthy" not in str(notice)
