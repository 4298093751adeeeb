"""A caller who is bound to a district is told nothing of another, by whatever they ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import httpx

from shared.ids import new_id
from tests.registry.flow import Flow, rows
from tests.registry.people import Person, store
from tests.registry.spdci.partner import Partner, search
from tests.registry.test_preparations import readied
from tests.server import eventually
from tests.test_bound_callers import NARROWED

HERE, ELSEWHERE = "0201", "150101"
_EVERYWHERE = [
    {
        "expression1": {
            "attribute_name": "location",
            "operator": "eq",
            "attribute_value": "KH",
        }
    }
]
NAME, PHONE = "Keo Sopheap", "+85598111222"
WHY = {"reason": "The council wrote to us."}
WORDS = {"en": "It was not paid.", "km": "មិនបានទទួលប្រាក់។"}


class Told(Enum):
    """What they are to be answered."""

    IS_THEIRS = "it is told, or done"
    IS_NOWHERE = "it is not found, as if there were no such"
    NOTHING = "whatever it is: nothing of elsewhere"


@dataclass(frozen=True)
class Call:
    operation: str
    path: str
    body: Any = None
    told: Told = Told.NOTHING
    named: str = ""
    """What the answer says because they did."""

    @property
    def method(self) -> str:
        return self.operation.split()[0]


@dataclass(frozen=True)
class Side:
    """The district of whoever is bound, or another."""

    households: list[str]
    """Enrolled, with an account; the first two with members."""
    member: str
    """Of the first household, and not its head."""
    entitlement: str
    change: str
    appeal: str
    exclusion: str
    """Of the second household."""
    proposal: str
    suspect: str
    """That the first two are one."""


@dataclass(frozen=True)
class World:
    activation: str
    here: Side
    there: Side
    across: str
    """The suspicion that the first of here is the first of there."""
    readiness: str
    """Of a trigger that is ready in both."""
    readiness_there: str
    secret: set[str]


async def _registered(flow: Flow) -> World:
    """Households of two districts, and of each district everything that is decided for them."""
    elsewhere: dict[str, Any] = {
        "commune": ELSEWHERE,
        "head_name": NAME,
        "phone": PHONE,
    }
    without: dict[str, Any] = {"begin": 50, "provider_code": "", "account": ""}
    numbered = elsewhere | without | {"id_number": "999000111"}
    await flow.register(
        [*rows(3), *rows(7, **elsewhere), *rows(1, **without), *rows(1, **numbered)]
    )
    activation_id = await flow.open("02", "15")
    await flow.worked(activation_id)
    sides = []
    for commune in ("020101", ELSEWHERE):
        enrolled = await flow.owner.fetch(
            "SELECT entitlement.id, household_id FROM registry.entitlement "
            "WHERE area_code = $1 AND status = 'ready' ORDER BY household_id",
            commune,
        )
        ids = [row["household_id"] for row in enrolled]
        await store(flow, {id: [Person(), Person(relationship="child")] for id in ids[:2]})
        sides.append(await _decided(flow, activation_id, ids, str(enrolled[0]["id"])))
    # Too late to be enrolled with the others.
    await flow.register([*rows(1, begin=90), *rows(1, **elsewhere | {"begin": 90})])
    here, there = sides
    ready = [await _readied(flow, *areas) for areas in (("02", "15"), ("15",))]
    across = await _suspected(flow, here.households[0], there.households[0])
    told = await flow.owner.fetch(
        """
        SELECT id FROM registry.household WHERE area_code = $1 UNION ALL
        SELECT id FROM registry.entitlement WHERE area_code = $1 UNION ALL
        SELECT member.id FROM registry.member
        JOIN registry.household ON household.id = household_id WHERE area_code = $1
        """,
        ELSEWHERE,
    )
    secret = {ELSEWHERE, NAME, PHONE, "999000111", across}
    secret |= {str(row["id"]) for row in told}
    secret |= {there.change, there.appeal, there.exclusion, there.proposal, there.suspect}
    secret.add(ready[1])
    return World(
        activation=str(activation_id),
        here=here,
        there=there,
        across=across,
        readiness=ready[0],
        readiness_there=ready[1],
        secret=secret,
    )


async def _readied(flow: Flow, *areas: str) -> str:
    readiness_id = new_id()
    await flow.from_triggers(readied(readiness_id, *areas))

    async def counted() -> bool:
        return (await flow.client.get(f"/preparations/{readiness_id}")).status_code == 200

    await eventually(counted)
    return str(readiness_id)


async def _decided(flow: Flow, activation_id: UUID, ids: list[UUID], entitlement: str) -> Side:
    first, second = str(ids[0]), str(ids[1])
    member = await flow.owner.fetchval(
        "SELECT id FROM registry.member WHERE household_id = $1 AND relationship = 'child'", ids[0]
    )
    child = {"name": "Sok New", "sex": "female", "relationship": "child", "birth_date": None}
    added = await flow.post(f"/households/{first}/members", child, status=202)
    archived = await flow.post(
        f"/households/{second}/archive", {"because": "moved-away", **WHY}, status=202
    )
    appeal = await flow.post("/appeals", _appeal(first, activation_id))
    excluded = await flow.post(f"/activations/{activation_id}/households/{second}/exclusion", WHY)
    await flow.post(f"/households/{first}/consents", _consent("targeting"))
    return Side(
        households=[str(id) for id in ids],
        member=str(member),
        entitlement=entitlement,
        change=added["id"],
        appeal=appeal["id"],
        exclusion=excluded["id"],
        proposal=archived["id"],
        suspect=await _suspected(flow, first, second),
    )


def _appeal(household_id: str, activation_id: object) -> dict[str, Any]:
    return {
        "household_id": household_id,
        "activation_id": str(activation_id),
        "about": "not-paid",
        "wants": "review",
        "words": WORDS,
    }


async def _suspected(flow: Flow, first: str, second: str) -> str:
    """That two are one, with too low a score to be held."""
    id = new_id()
    await flow.owner.execute(
        """
        INSERT INTO registry.duplicate_suspect (id, first_household_id, second_household_id,
            found_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds)
        VALUES ($1, $2, $3, $4, 0, 300, false, '{}', '{name}')
        """,
        id,
        UUID(first),
        UUID(second),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    return str(id)


def _consent(purpose: str) -> dict[str, Any]:
    return {"purpose": purpose, "given_by": "head", "given_on": "2026-01-01"}


def _asked(world: World) -> Iterator[Call]:
    """Everything that is asked: about here, about there and about both."""
    yield from _asked_of_lists(world)
    for side, told in ((world.there, Told.IS_NOWHERE), (world.here, Told.IS_THEIRS)):
        yield from _asked_of_a_household(world, side, told)
        yield from _asked_of_cases(world, side, told)
    yield from _asked_of_acts(world)


def _asked_of_lists(world: World) -> Iterator[Call]:
    activation = f"/activations/{world.activation}"
    entitlements = (world.here.entitlement, world.there.entitlement)
    lines = [{"number": at, "entitlement_id": id} for at, id in enumerate(entitlements, start=1)]
    sheet = {"list_code": "000012-0A6F5B21", "lines": lines}
    theirs = Told.IS_THEIRS
    yield from (
        Call("GET /v1/households", f"/households{query}")
        for query in (
            "",
            "?area=KH&limit=500",
            "?area=15",
            f"?area={ELSEWHERE}&poverty_status=poor-1",
        )
    )
    yield from (
        Call("POST /v1/households/search", "/households/search", body)
        for body in (
            {"phone": PHONE},
            {"id_number": "999000111"},
            {"registration_number": f"KH-{ELSEWHERE}-000000"},
        )
    )
    yield from (
        Call("GET /v1/household-exports", f"/household-exports{query}")
        for query in (
            *(
                f"?what={what}&format={format}&persons=true"
                for what in ("households", "members")
                for format in ("csv", "ndjson")
            ),
            "?area=15",
        )
    )
    for body in ({"name": NAME}, {"name": NAME, "area": ELSEWHERE}):
        yield Call(
            "POST /v1/households/search-by-name", "/households/search-by-name", body, told=theirs
        )
    yield Call("GET /v1/entitlements", f"/entitlements?household_id={world.there.households[0]}")
    yield Call("POST /v1/name-sheets", "/name-sheets", sheet, told=theirs)
    yield Call("POST /v1/name-sheets/pdf", "/name-sheets/pdf", sheet, told=theirs)
    yield Call("GET /v1/activations", "/activations", told=theirs)
    yield Call("GET /v1/activations/{activation_id}", activation, told=theirs)
    yield Call("GET /v1/activations/{activation_id}/summary", f"{activation}/summary", told=theirs)
    missed = "/v1/activations/{activation_id}/missed"
    for query in ("", "?area=15", f"?area={ELSEWHERE}"):
        yield Call(f"GET {missed}", f"{activation}/missed{query}", told=theirs)
        for why in ("no-account", "late", "suspected", "set-aside", "bad-account"):
            yield Call(f"GET {missed}/{{why}}", f"{activation}/missed/{why}{query}", told=theirs)
            yield Call(
                f"GET {missed}/{{why}}/csv", f"{activation}/missed/{why}/csv{query}", told=theirs
            )
    repairs = "/v1/activations/{activation_id}/repairs"
    yield Call(f"GET {repairs}/preview", f"{activation}/repairs/preview?round=1", told=theirs)
    yield Call("GET /v1/preparations", "/preparations", told=theirs)
    ready = "GET /v1/preparations/{readiness_id}"
    yield Call(ready, f"/preparations/{world.readiness}", told=theirs)
    yield Call(ready, f"/preparations/{world.readiness_there}", told=Told.IS_NOWHERE)
    for query in ("", "?standing=false", "?scheme=flood-2022"):
        yield Call("GET /v1/exclusions", f"/exclusions{query}", told=theirs)
    yield Call("GET /v1/appeals", "/appeals", told=theirs)
    yield Call("GET /v1/appeals", f"/appeals?household_id={world.there.households[0]}")
    for query in ("", "?area=15", f"?household_id={world.there.households[0]}"):
        yield Call("GET /v1/duplicates", f"/duplicates{query}", told=theirs)
    for query in ("", "?status=approved", "?kind=household_act"):
        yield Call("GET /v1/approvals", f"/approvals{query}", told=theirs)


def _asked_of_a_household(world: World, side: Side, told: Told) -> Iterator[Call]:
    first = side.households[0]
    household, named = f"/households/{first}", "/v1/households/{household_id}"
    for path in ("", "/history", "/members", "/consents", "/decisions"):
        yield Call(f"GET {named}{path}", f"{household}{path}", told=told)
    for query in ("?as_of=2026-01-01", "?as_of_instant=2026-01-01T00:00:00Z"):
        yield Call(f"GET {named}", f"{household}{query}", told=Told.NOTHING)
    yield Call(f"GET {named}/entitlements", f"{household}/entitlements")
    yield Call(
        "GET /v1/entitlements/{entitlement_id}", f"/entitlements/{side.entitlement}", told=told
    )
    yield Call(
        "GET /v1/activations/{activation_id}/households/{household_id}/decision",
        f"/activations/{world.activation}/households/{first}/decision",
        told=told,
    )
    yield Call(
        f"GET {named}/member-changes/{{change_id}}",
        f"{household}/member-changes/{side.change}",
        told=told,
    )
    yield Call(f"POST {named}/consents", f"{household}/consents", _consent("payment"), told=told)
    of_many = {"consents": [{**_consent("payment"), "household_id": str(first)}]}
    yield Call("POST /v1/households/consents", "/households/consents", of_many, Told.NOTHING)
    withdrawn = {"purpose": "targeting", "withdrawn_on": "2026-01-01"}
    yield Call(
        f"POST {named}/consents/withdrawal", f"{household}/consents/withdrawal", withdrawn, told
    )
    added = {"name": "Sok New", "sex": "female", "relationship": "child", "birth_date": None}
    yield Call(f"POST {named}/members", f"{household}/members", added, told)
    yield Call(
        f"PATCH {named}/members/{{member_id}}",
        f"{household}/members/{side.member}",
        {"disability": True},
        told,
    )
    account = {"provider_code": "mekong", "account": "+85512999888"}
    yield Call(f"PUT {named}/payee-account", f"{household}/payee-account", account, told)


def _asked_of_cases(world: World, side: Side, told: Told) -> Iterator[Call]:
    activation, named = f"/activations/{world.activation}", "/v1/activations/{activation_id}"
    first, second, third = side.households[:3]
    yield Call("GET /v1/exclusions/{exclusion_id}", f"/exclusions/{side.exclusion}", told=told)
    yield Call(
        "POST /v1/exclusions/{exclusion_id}/readmission",
        f"/exclusions/{side.exclusion}/readmission",
        WHY,
        told,
    )
    yield Call(
        f"POST {named}/households/{{household_id}}/exclusion",
        f"{activation}/households/{third}/exclusion",
        WHY,
        told,
    )
    yield Call("POST /v1/appeals", "/appeals", _appeal(second, world.activation), told)
    appeal = f"/appeals/{side.appeal}"
    yield Call("GET /v1/appeals/{appeal_id}", appeal, told=told)
    yield Call("POST /v1/appeals/{appeal_id}/notes", f"{appeal}/notes", {"words": WORDS}, told)
    decision = {"decision": "rejected", "words": WORDS}
    yield Call("POST /v1/appeals/{appeal_id}/decision", f"{appeal}/decision", decision, told)
    for suspect, expected in ((side.suspect, told), (world.across, Told.IS_NOWHERE)):
        path = f"/duplicates/{suspect}"
        yield Call("GET /v1/duplicates/{suspect_id}", path, told=expected)
        yield Call(
            "PUT /v1/duplicates/{suspect_id}/decision",
            f"{path}/decision",
            {"decision": "dismiss", **WHY},
            expected,
        )
        yield Call("PUT /v1/duplicates/{suspect_id}/undoing", f"{path}/undoing", WHY, expected)
    approval, proposal = "/v1/approvals/{approval_id}", f"/approvals/{side.proposal}"
    yield Call(f"GET {approval}", proposal, told=told)
    yield Call("GET /v1/approvals/{approval_id}", f"/approvals/{side.change}", told=told)
    for verb in ("refusal", "approval"):
        # The second of them finds it decided, where it is theirs.
        expected = told if told is Told.IS_NOWHERE or verb == "refusal" else Told.NOTHING
        yield Call(f"POST {approval}/{verb}", f"{proposal}/{verb}", WHY, expected)
    withdrawn = Told.IS_NOWHERE if told is Told.IS_NOWHERE else Told.NOTHING
    yield Call(f"DELETE {approval}", f"/approvals/{side.change}", told=withdrawn)
    decided = {"approval_ids": [side.change], "decision": "declined", **WHY}
    yield Call("POST /v1/approvals/decisions", "/approvals/decisions", decided, named=side.change)
    repairs = f"POST {named}/repairs"
    named_only = {"round": 1, "household_ids": [first], **WHY}
    missing = Told.IS_NOWHERE if told is Told.IS_NOWHERE else Told.NOTHING
    yield Call(repairs, f"{activation}/repairs", named_only, missing)
    further = f"POST {named}/further-enrolments"
    by_hand = {**WHY, "household_ids": [side.households[-1]], "whatever_the_rule": True}
    yield Call(further, f"{activation}/further-enrolments", by_hand, missing)


def _asked_of_acts(world: World) -> Iterator[Call]:
    here, there = world.here, world.there
    named, household = "/v1/households/{household_id}", f"/households/{there.households[0]}"
    nowhere = Told.IS_NOWHERE
    yield Call(f"PATCH {named}", household, {"poverty_status": "poor-2", **WHY}, nowhere)
    moved = {"area_code": "020102", **WHY}
    yield Call(f"POST {named}/move", f"{household}/move", moved, nowhere)
    archived = {"because": "moved-away", **WHY}
    yield Call(f"POST {named}/archive", f"{household}/archive", archived, nowhere)
    yield Call(f"POST {named}/restoration", f"{household}/restoration", WHY, nowhere)
    for first, second in ((here, there), (there, here)):
        yield Call(
            f"POST {named}/merger",
            f"/households/{first.households[0]}/merger",
            {"merged_id": second.households[0], **WHY},
            nowhere,
        )
        departure = {
            "left_on": "2026-01-01",
            "to_household_id": second.households[0],
            "relationship": "child",
            **WHY,
        }
        yield Call(
            f"POST {named}/members/{{member_id}}/departure",
            f"/households/{first.households[0]}/members/{first.member}/departure",
            departure,
            nowhere,
        )
    split = {
        "registration_number": "KH-020101-777777",
        "members": [{"member_id": there.member, "relationship": "head"}],
        **WHY,
    }
    yield Call(f"POST {named}/split", f"{household}/split", split, nowhere)
    yield Call(
        f"POST {named}/members/{{member_id}}/death",
        f"{household}/members/{there.member}/death",
        {"died_on": "2026-01-01", **WHY},
        nowhere,
    )
    mine = f"/households/{here.households[0]}"
    yield Call(f"POST {named}/move", f"{mine}/move", {"area_code": ELSEWHERE, **WHY})
    yield Call(f"POST {named}/move", f"{mine}/move", {"area_code": "020103", **WHY}, Told.IS_THEIRS)
    yield Call(f"POST {named}/archive", f"{mine}/archive", archived, Told.IS_THEIRS)


async def test_nothing_of_another_district_is_told_to_who_is_bound_to_one(working: Flow) -> None:
    world = await _registered(working)
    state = await _state(working, world)
    asked = list(_asked(world))
    activation = f"/activations/{world.activation}"

    assert {call.operation for call in asked} | _TRIED_APART == NARROWED["registry"]
    seen: dict[tuple[str, str], httpx.Response] = {}
    bound = working.service.client(subject="district@test", areas=[HERE])
    async with bound, working.service.client() as free:
        for call in asked:
            answer = await _ask(bound, working, call)
            text = answer.text.replace(call.path.split("?")[0], "")
            if call.named:
                text = text.replace(call.named, "")
            about = (call.operation, call.path, text)
            assert answer.status_code < 500, about
            assert not [value for value in world.secret if value in text], about
            match call.told:
                case Told.IS_THEIRS:
                    assert answer.status_code < 300, about
                case Told.IS_NOWHERE:
                    assert answer.status_code == 404, about
                case Told.NOTHING:
                    pass
            seen[call.operation, call.path] = answer
        for path in (
            f"/households/{world.there.households[0]}",
            f"/entitlements/{world.there.entitlement}",
            f"/appeals/{world.there.appeal}",
            f"/exclusions/{world.there.exclusion}",
            f"/duplicates/{world.there.suspect}",
            f"/approvals/{world.there.proposal}",
        ):
            assert (await free.get(path)).status_code == 200
        whole, mine = [
            (await client.get(activation)).json()["progress"] for client in (free, bound)
        ]
        late = await bound.post(f"{activation}/further-enrolments", json=WHY, headers=working.key())
        everybody = await bound.post(
            f"{activation}/repairs", json={"round": 1, **WHY}, headers=working.key()
        )
    assert await _state(working, world) == state
    _check_lists(world, seen)
    assert (whole["households_enrolled"], whole["unpayable_count"]) == (12, 2)
    assert (mine["households_enrolled"], mine["unpayable_count"]) == (4, 1)
    assert late.status_code == 202
    assert late.json()["document"]["enrolment"]["areas"] == [HERE]
    assert [each["area_code"] for each in late.json()["document"]["by_commune"]] == ["020101"]
    assert everybody.status_code == 403
    assert "Name the households" in everybody.json()["detail"]


_TRIED_APART = {"GET /v1/activations/{activation_id}/repairs/{run_id}"}


def _check_lists(world: World, seen: dict[tuple[str, str], httpx.Response]) -> None:
    def items(operation: str, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = seen[operation, path].json()["items"]
        return found

    listed = items("GET /v1/households", "/households?area=KH&limit=500")
    assert {item["id"] for item in listed} >= set(world.here.households)
    assert {item["area_code"] for item in listed} == {"020101"}
    sheet = seen["POST /v1/name-sheets", "/name-sheets"].json()
    assert ([line["number"] for line in sheet["lines"]], sheet["unknown"]) == ([1], [2])
    assert [item["id"] for item in items("GET /v1/duplicates", "/duplicates")] == [
        world.here.suspect
    ]
    assert [item["id"] for item in items("GET /v1/appeals", "/appeals")] == [world.here.appeal]
    assert [item["id"] for item in items("GET /v1/exclusions", "/exclusions")] == [
        world.here.exclusion
    ]
    prepared = f"/preparations/{world.readiness}"
    counts = seen["GET /v1/preparations/{readiness_id}", prepared].json()
    assert (counts["areas"], counts["households"], counts["without_account"]) == ([HERE], 5, 1)
    (prepared_here,) = items("GET /v1/preparations", "/preparations")
    assert (prepared_here["areas"], prepared_here["households"]) == ([HERE], None)
    waiting = {item["id"] for item in items("GET /v1/approvals", "/approvals")}
    assert waiting == {world.here.change, world.here.proposal}
    missed = "/activations/{activation_id}/missed"
    path = missed.format(activation_id=world.activation)
    counted = {
        each["why"]: each["households"] for each in seen[f"GET /v1{missed}", path].json()["missed"]
    }
    assert (counted["no-account"], counted["late"]) == (1, 1)
    for why in ("no-account", "late"):
        assert len(items(f"GET /v1{missed}/{{why}}", f"{path}/{why}")) == 1
        assert len(seen[f"GET /v1{missed}/{{why}}/csv", f"{path}/{why}/csv"].text.split()) == 2
    preview = seen[
        "GET /v1/activations/{activation_id}/repairs/preview",
        f"/activations/{world.activation}/repairs/preview?round=1",
    ].json()
    assert preview["without_account_count"] == 1


async def _ask(client: httpx.AsyncClient, flow: Flow, call: Call) -> httpx.Response:
    return await client.request(call.method, call.path, json=call.body, headers=flow.key())


async def _state(flow: Flow, world: World) -> Any:
    """Everything that is kept of the other district."""
    return await flow.owner.fetch(
        """
        SELECT household::text AS kept FROM registry.household WHERE id = ANY($1)
        UNION ALL SELECT member::text FROM registry.member WHERE household_id = ANY($1)
        UNION ALL SELECT account::text FROM registry.payee_account AS account
        WHERE household_id = ANY($1)
        UNION ALL SELECT exclusion::text FROM registry.exclusion WHERE household_id = ANY($1)
        UNION ALL SELECT appeal::text FROM registry.appeal WHERE household_id = ANY($1)
        UNION ALL SELECT step::text FROM registry.appeal_step AS step
        JOIN registry.appeal ON appeal.id = appeal_id WHERE household_id = ANY($1)
        UNION ALL SELECT consent::text FROM registry.household_consent AS consent
        WHERE household_id = ANY($1)
        UNION ALL SELECT change::text FROM registry.member_change AS change
        WHERE household_id = ANY($1)
        UNION ALL SELECT suspect::text FROM registry.duplicate_suspect AS suspect
        WHERE second_household_id = ANY($1) AND exact_score = 0
        UNION ALL SELECT approval::text FROM registry.approval
        WHERE document->>'household_id' = ANY($2)
        ORDER BY kept
        """,
        [UUID(id) for id in world.there.households],
        world.there.households,
    )


async def test_a_repair_is_told_to_who_is_bound_to_where_all_of_its_households_live(
    working: Flow,
) -> None:
    without: dict[str, Any] = {"provider_code": "", "account": ""}
    await working.register([*rows(1, **without), *rows(1, commune=ELSEWHERE, **without)])
    activation_id = await working.open("02", "15")
    await working.worked(activation_id)
    activation = f"/activations/{activation_id}"
    ids = {}
    for commune in ("020101", ELSEWHERE):
        ids[commune] = await working.household_id(f"KH-{commune}-000000")
        await working.change_account(ids[commune], provider="mekong", account="+85512777888")

    async def repair(commune: str, client: httpx.AsyncClient) -> httpx.Response:
        body = {"round": 1, "household_ids": [ids[commune]], **WHY}
        return await client.post(f"{activation}/repairs", json=body, headers=working.key())

    async with (
        working.service.client(subject="district@test", areas=[HERE]) as bound,
        working.service.client(subject="another@test", areas=[HERE]) as second,
        working.service.client(subject="another@test") as free,
    ):
        missing = await repair(ELSEWHERE, bound)
        there = (await repair(ELSEWHERE, working.client)).json()
        here = (await repair("020101", bound)).json()
        told = {}
        for proposal in (here, there):
            path = f"/approvals/{proposal['id']}"
            told[proposal["id"]] = (await bound.get(path)).status_code
        decided = []
        for client, proposal in ((second, here), (free, there)):
            answer = await client.post(f"/approvals/{proposal['id']}/approval", json=WHY)
            assert answer.status_code == 200, answer.text
            decided.append(answer.json()["outcome"].removeprefix("/v1"))
        mine, theirs = [(await bound.get(path)).status_code for path in decided]

    assert missing.status_code == 404
    assert told == {here["id"]: 200, there["id"]: 404}
    assert (mine, theirs) == (200, 404)


async def test_partners_that_are_bound_are_told_nothing_by_messages(flow: Flow) -> None:
    await flow.register([*rows(3), *rows(7, commune=ELSEWHERE, phone=PHONE)])
    partner = await Partner(flow).registered()
    whole = partner.search_envelope(
        search(query_type="predicate", query=_EVERYWHERE),
        search(
            "2",
            query_type="idtype-value",
            query={"type": "PHONE", "value": PHONE},
        ),
    )
    async with flow.service.client(
        *partner.scopes, subject="ministry-of-tests", areas=[HERE]
    ) as client:
        url = client.base_url.join("/spdci/social/registry/sync/search")
        answer = await client.post(url, json=whole)
        later = await client.post(
            client.base_url.join("/spdci/social/registry/search"),
            json=partner.search_envelope(search(query_type="predicate", query=_EVERYWHERE)),
        )
    for refused in (answer, later):
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["code"] == "err.request.forbidden"
