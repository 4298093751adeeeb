"""What partners are shown of households that agreed, withdrew, or were never asked."""

import base64
import csv
import io
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.people import Person, ids_of, store
from tests.registry.spdci.partner import SUBJECT, Partner, Receiver, search
from tests.registry.spdci.signing import took
from tests.server import eventually

PURPOSE = "share-with-tests"
SCOPES = ("spdci:social", "spdci:beneficiaries", "households:read-personal")
ASKED, WITHDREW, UNASKED = "010203041", "010203042", "010203043"
"""The numbers of a household that agreed, of one that withdrew, and of one that was never asked."""
EVERYWHERE = {
    "query_type": "predicate",
    "query": [
        {"expression1": {"attribute_name": "location", "operator": "eq", "attribute_value": "KH"}}
    ],
}
EXPECTING = {"query_type": "expression", "query": {"pregnant": {"$ge": 1}}}
UNASKED_SHARED = pytest.mark.parametrize("unasked", [False, True])


@pytest.fixture(name="unasked")
def default_of_unasked() -> bool:
    return False


@pytest.fixture
def environment(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, unasked: bool
) -> dict[str, str]:
    """The registry as it is delivered, but where those are shared whom nobody asked."""
    if not unasked:
        del environment["REGISTRY_SHARE_UNASKED"]
        monkeypatch.delenv("REGISTRY_SHARE_UNASKED")
    for name, value in {
        "SPDCI_SIGNING_KEY": base64.b64encode(
            Ed25519PrivateKey.generate().private_bytes_raw()
        ).decode(),
        "REGISTRY_PARTNERS_ON_LOOPBACK": "true",
        "REGISTRY_PARTNER_RETRY_SECONDS": "[1.5, 1.5]",
    }.items():
        environment[name] = value
        monkeypatch.setenv(name, value)
    return environment


async def agree(flow: Flow, household_id: Any, purpose: str = PURPOSE) -> None:
    await flow.post(
        f"/households/{household_id}/consents",
        {"purpose": purpose, "given_by": "head", "given_on": "2026-01-01"},
    )


async def withdraw(flow: Flow, household_id: Any) -> None:
    await flow.post(
        f"/households/{household_id}/consents/withdrawal",
        {"purpose": PURPOSE, "withdrawn_on": "2026-01-02"},
        status=200,
    )


async def prepared(flow: Flow) -> dict[str, Any]:
    """Three households of a woman who expects a child and is in a programme; by number, the ids."""
    await flow.register(rows(3))
    ids = dict(zip((ASKED, WITHDREW, UNASKED), await ids_of(flow.owner, "020101"), strict=True))
    await store(
        flow,
        {
            id: [
                Person(
                    name=f"Head {number}",
                    id_number=number,
                    pregnancy_due_on=date(2026, 5, 1),
                    programmes=("covid-cash",),
                )
            ]
            for number, id in ids.items()
        },
    )
    await agree(flow, ids[ASKED])
    await agree(flow, ids[WITHDREW])
    await withdraw(flow, ids[WITHDREW])
    # For another purpose, which is none of this partner's.
    await agree(flow, ids[UNASKED], "share-with-another")
    return ids


def numbers(answer: dict[str, Any]) -> set[str]:
    """The numbers of persons that an answer holds."""
    assert answer["status"] == "succ", answer
    return {number for number in (ASKED, WITHDREW, UNASKED) if number in str(answer["data"])}


@UNASKED_SHARED
async def test_persons_are_shown_and_found_of_households_that_agree(
    working: Flow, unasked: bool
) -> None:
    flow = working
    ids = await prepared(flow)
    partner = await Partner(flow, scopes=SCOPES).registered(purpose=PURPOSE)
    await flow.worked(await flow.open(BATTAMBANG))
    shown = {ASKED, UNASKED} if unasked else {ASKED}

    everyone = await partner.found(**EVERYWHERE)
    assert numbers(everyone) == shown
    assert everyone["pagination"]["total_count"] == 3
    for record in everyone["data"]["reg_records"]:
        assert ("group_head_info" in record) == (numbers_of(record) != set())
        assert record["group_size"] == 1
    for criteria in (EXPECTING, EVERYWHERE | {"response_entity": "Member"}):
        found = await partner.found(**criteria)
        assert numbers(found) == shown
        assert found["pagination"]["total_count"] == len(shown)
    for scopes in (SCOPES, SCOPES[:2]):
        partner.scopes = scopes
        for number in ids:
            by_number = {"query_type": "idtype-value", "query": {"type": "UIN", "value": number}}
            found = await partner.found(**by_number)
            assert found["pagination"]["total_count"] == (number in shown)
            (beneficiaries,) = await beneficiaries_of(partner, by_number)
            expected = (2 if scopes == SCOPES else 1) if number in shown else 0
            assert beneficiaries["pagination"]["total_count"] == expected
            status = await enrolled(partner, number)
            assert status == ("succ yes" if number in shown else "rjct no")
    assert await enrolled(partner, "010203049") == "rjct no"
    partner.scopes = SCOPES

    (beneficiaries,) = await beneficiaries_of(partner, EVERYWHERE)
    assert numbers(beneficiaries) == shown
    assert beneficiaries["pagination"]["total_count"] == 3 + len(shown)
    opened = await flow.owner.fetchval(
        "SELECT count(*) FROM registry.audit_record WHERE unmasked_read AND subject = $1 "
        "AND objects::text LIKE '%' || $2 || '%'",
        SUBJECT,
        str(ids[WITHDREW]),
    )
    assert opened == 0

    # Whoever speaks for the partner is no less another organisation where they export.
    async with flow.service.client(
        "households:read", "households:read-personal", subject=SUBJECT
    ) as client:
        for what in ("households", "members"):
            answer = await client.get(
                "/household-exports", params={"what": what, "persons": "true"}
            )
            exported = list(csv.DictReader(io.StringIO(answer.text)))
            assert len(exported) == 3
            told = [row for row in exported if row["name"]]
            assert len(told) == len(shown)
            if what == "members":
                assert {row["id_number"] for row in exported} - {""} == shown
                assert sum(bool(row["birth_date"]) for row in exported) == len(shown)


def numbers_of(record: dict[str, Any]) -> set[str]:
    return {number for number in (ASKED, WITHDREW, UNASKED) if number in str(record)}


async def beneficiaries_of(partner: Partner, criteria: dict[str, Any]) -> list[dict[str, Any]]:
    request = search("1", **criteria)
    del request["search_criteria"]["reg_type"], request["search_criteria"]["response_entity"]
    message = {"transaction_id": "t", "search_request": [request]}
    answer = await partner.send(
        "/spdci/ibr/registry/sync/search", partner.envelope("search", 1, message)
    )
    said: list[dict[str, Any]] = answer.json()["message"]["search_response"]
    return said


async def enrolled(partner: Partner, number: str) -> str:
    message = {
        "transaction_id": "t",
        "enrolled_criteria": {
            "query_type": "idtype-value",
            "query": {"person_identifier": {"eq": number}},
        },
    }
    answer = await partner.send(
        "/spdci/ibr/registry/sync/enrolled", partner.envelope("search", 1, message)
    )
    (said,) = answer.json()["message"]["enrolled_response"]
    return f"{said['status']} {said['enrolled_status']}"


async def test_an_answer_that_is_made_later_asks_for_consent_when_it_is_made_and_when_it_is_sent(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    ids = await prepared(flow)
    partner = await Partner(flow, scopes=SCOPES).registered(purpose=PURPOSE, callback_url=url)
    # What answers waits for us, with what it found: the second request waits behind it.
    async with flow.owner.transaction():
        await flow.owner.execute("LOCK TABLE registry.partner_delivery IN SHARE MODE")
        first = await partner.asked_later(search("1", **EVERYWHERE))

        async def is_found() -> bool:
            return bool(
                await flow.owner.fetchval(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted "
                    "AND relation = 'registry.partner_delivery'::regclass "
                    "AND mode = 'RowExclusiveLock' AND pid IN (SELECT pid FROM pg_locks "
                    "WHERE relation = 'registry.household_consent'::regclass)"
                )
            )

        await eventually(is_found)
        second = await partner.asked_later(search("2", **EVERYWHERE))
        await withdraw(flow, ids[ASKED])
    sent = {
        body["message"]["correlation_id"]: body["message"]["search_response"][0]
        for body in await took(taking, "on-search", 2)
    }
    found_before, found_after = (sent[each["correlation_id"]] for each in (first, second))
    assert numbers(found_before) == numbers(found_after) == set()
    # Of what was found before, the household's record is taken out whole.
    assert [len(each["data"]["reg_records"]) for each in (found_before, found_after)] == [2, 3]
    assert found_before["pagination"]["total_count"] == 2


async def test_what_is_kept_to_be_sent_again_or_asked_for_again_is_held_against_consent(
    flow: Flow, receiver: tuple[Receiver, str]
) -> None:
    taking, url = receiver
    ids = await prepared(flow)
    partner = await Partner(flow, scopes=SCOPES).registered(purpose=PURPOSE, callback_url=url)
    taken = await partner.asked_later(search("1", **EVERYWHERE))
    (answer,) = await took(taking, "on-search", 1)
    assert numbers(answer["message"]["search_response"][0]) == {ASKED}

    async def told_again() -> set[str]:
        status = await partner.status(correlation_id=taken["correlation_id"])
        told = status.json()["message"]["txnstatus_response"]["txn_status"]
        return numbers(told["search_response"][0])

    assert await told_again() == {ASKED}
    wanted = {
        "reference_id": "1",
        "timestamp": "2026-01-01T00:00:00Z",
        "subscribe_criteria": {
            "reg_event_type": "HouseholdChanged",
            "filter_type": "predicate",
            "filter": EVERYWHERE["query"],
            "notify_record_type": "Group",
        },
    }
    await partner.send(
        "/spdci/social/registry/subscribe",
        partner.envelope("subscribe", 1, {"transaction_id": "t-3", "subscribe_request": [wanted]}),
    )
    await took(taking, "on-subscribe", 1)
    taking.statuses = [500]
    await agree(flow, ids[UNASKED])
    (notice,) = await took(taking, "notify", 1)
    assert numbers_of(notice) == {UNASKED}
    # It was not taken, and is not sent again: what follows tells of the household without persons.
    await withdraw(flow, ids[UNASKED])
    _, without = await took(taking, "notify", 2)
    (event,) = without["message"]["notify_event"]
    assert numbers_of(event) == set()
    assert event["data"]["reg_records"]["group_size"] == 1

    async def is_stopped() -> bool:
        return bool(
            await flow.owner.fetchval(
                "SELECT count(*) FROM registry.partner_delivery "
                "WHERE status = 'stopped' AND detail LIKE '%agree to it no more%'"
            )
        )

    await eventually(is_stopped)
    await withdraw(flow, ids[ASKED])
    assert await told_again() == set()
    # The answer, the subscription, the notice that was refused, and one for each that withdrew.
    *_, last = await took(taking, "notify", 3)
    assert numbers_of(last) == set()
    assert len(taking.received) == 5
