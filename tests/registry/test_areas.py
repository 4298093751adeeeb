"""The gazetteer: real places, their codes kept whole."""

import json
import random

import pytest
import shapely
from sqlalchemy import event

from services.registry.areas.gazetteer import shipped_areas
from services.registry.areas.repository import communes_within
from services.registry.areas.tables import Level
from services.registry.gazetteer.matching import Named, NameIndex
from shared.database import Database
from tests.registry.flow import Flow


@pytest.fixture
def looked_at(flow: Flow) -> Flow:
    """The service with the gazetteer."""
    return flow


async def test_the_shipped_edition_loads_and_loading_it_again_changes_nothing(empty: Flow) -> None:
    body = {"edition": "ncdd-2022"}
    first = (await empty.client.put("/gazetteer", json=body)).json()
    again = (await empty.client.put("/gazetteer", json=body)).json()
    assert first["areas"] == {
        "country": 1,
        "province": 25,
        "district": 210,
        "commune": 1652,
        "village": 14578,
    }
    assert (first["changed"], again["changed"]) == (16466, 0)


async def test_loading_repairs_what_was_altered(flow: Flow) -> None:
    await flow.owner.execute("UPDATE registry.area SET name_en = 'x' WHERE code = '010201'")
    answer = await flow.client.put("/gazetteer", json={"edition": "ncdd-2022"})
    assert answer.json()["changed"] == 1
    assert (await flow.get("/areas/010201"))["name_en"] == "Banteay Neang"


async def test_an_unknown_edition_is_not_found(empty: Flow) -> None:
    answer = await empty.client.put("/gazetteer", json={"edition": "2031"})
    assert answer.status_code == 404
    assert "ncdd-2022" in answer.json()["detail"]


async def test_an_area_keeps_its_leading_zero_and_its_numbers(flow: Flow) -> None:
    area = await flow.get("/areas/010201")
    assert area["parent_code"] == "0102"
    assert area["residence"] == "rural"
    assert area["flood_hazard_index"] == 2.9
    assert area["idpoor1_households"] == 325
    assert (await flow.client.get("/areas/10201")).status_code == 422
    assert (await flow.client.get("/areas/990201")).status_code == 404


async def test_communes_are_of_phnom_penh_urban_or_rural(flow: Flow) -> None:
    residences = await flow.owner.fetch(
        "SELECT residence, count(*) FROM registry.area WHERE level = 'commune' GROUP BY residence"
    )
    counts = dict(residences)
    assert sum(counts.values()) == 1652
    assert counts["phnom-penh"] == 105
    assert await flow.owner.fetchval(
        "SELECT bool_and(code LIKE '12%') FROM registry.area WHERE residence = 'phnom-penh'"
    )
    assert counts["rural"] > counts["urban"] > 100


async def test_the_country_sums_up_its_communes(flow: Flow) -> None:
    country = await flow.get("/areas/KH")
    assert country["parent_code"] is None
    assert country["idpoor1_households"] + country["idpoor2_households"] == 678_440


async def test_areas_are_found_by_many_codes_at_once(flow: Flow) -> None:
    found = await flow.get("/areas", codes="0102,01,99,010201", limit=4)
    assert [area["code"] for area in found["items"]] == ["01", "0102", "010201"]
    assert found["next_cursor"] is None
    wrong = await flow.client.get("/areas", params={"codes": "01,1"})
    assert wrong.status_code == 422


async def test_areas_are_listed_by_level_and_parent_page_by_page(flow: Flow) -> None:
    provinces = await flow.get("/areas", level="province", limit=500)
    assert [area["code"] for area in provinces["items"]][:2] == ["01", "02"]
    assert provinces["next_cursor"] is None
    first = await flow.get("/areas", parent="0102", limit=8)
    second = await flow.get("/areas", parent="0102", limit=8, cursor=first["next_cursor"])
    codes = [area["code"] for area in first["items"] + second["items"]]
    assert codes == sorted(set(codes))
    assert all(code.startswith("0102") for code in codes)
    assert second["next_cursor"] is None


async def test_communes_lie_in_areas_of_any_level_asked_in_one_way_however_many(
    looked_at: Flow, environment: dict[str, str]
) -> None:
    places = [area.code for area in shipped_areas() if area.level is not Level.COUNTRY]
    communes = {code for code in places if len(code) == 6}
    database = Database(environment["REGISTRY_DATABASE_URL"], application_name="test")
    statements: set[str] = set()

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "registry.area" in statement:
            statements.add(statement)

    among = random.Random(5)
    try:
        async with database.transaction() as session:
            for count in (3, 40, 1_500):
                # Of each level one at least; what is no place, and what is a mark of LIKE, is none.
                areas = {
                    "01",
                    "0203",
                    "020401",
                    "02040101",
                    "99",
                    "%",
                    *among.sample(places, count),
                }
                found = await communes_within(session, areas, None)
                assert found == {code for code in communes if code.startswith(tuple(areas))}
            assert await communes_within(session, ["99"], None) == frozenset()
    finally:
        await database.dispose()
    # A statement of its own for each number of areas would be made for each, for half a second.
    assert len(statements) == 2


async def test_a_cursor_that_was_tampered_with_is_refused(flow: Flow) -> None:
    answer = await flow.client.get("/areas", params={"cursor": "bm90LW91cnM"})
    assert answer.status_code == 400


async def _named(flow: Flow, name: str, **parameters: object) -> list[str]:
    found = await flow.get("/areas", name=name, **parameters)
    return [area["code"] for area in found["items"]]


@pytest.mark.parametrize(
    ("name", "code", "narrower"),
    [
        ("Bat Trang", "010202", {}),
        ("  bat  TRÁNG ", "010202", {}),
        ("battrang commune", "010202", {}),
        ("khum Bat Trong", "010202", {"level": "commune"}),
        ("បត់ត្រង់", "010202", {}),
        ("ឃុំបត់ត្រង់", "010202", {"level": "commune"}),
        # The sign below and the sign above exchanged, and a zero-width space, as keyboards do it.
        ("បត់\u200bត្រង់".replace("ត្រ", "ត្\u200bរ"), "010202", {}),
        ("Siemreap", "17", {}),
        ("Siem Reab", "17", {"level": "province"}),
        ("Kompong Cham", "03", {}),
        ("Kâmpóng Cham province", "03", {}),
        ("ខេត្តកំពង់ចាម", "03", {}),
        ("Batdambang", "02", {}),
        ("Pnom Penh", "12", {}),
        ("Rattanakiri", "16", {"level": "province"}),
        ("Mongkul Borei", "0102", {}),
    ],
)
async def test_an_area_is_found_however_it_is_written(
    looked_at: Flow, name: str, code: str, narrower: dict[str, str]
) -> None:
    assert code in (await _named(looked_at, name, limit=5, **narrower))[:3]


async def test_names_that_repeat_are_told_apart_by_where_they_lie(looked_at: Flow) -> None:
    page = await looked_at.get("/areas", name="Phnum Touch", level="village", limit=4)
    paths = [[around["code"] for around in area["path"]] for area in page["items"]]
    assert all(
        path == [area["code"][:2], area["code"][:4], area["code"][:6]]
        for path, area in zip(paths, page["items"], strict=True)
    )
    codes = [area["code"] for area in page["items"]]
    while page["next_cursor"]:
        assert [area["likeness"] for area in page["items"]] == sorted(
            (area["likeness"] for area in page["items"]), reverse=True
        )
        page = await looked_at.get(
            "/areas", name="Phnum Touch", level="village", cursor=page["next_cursor"], limit=200
        )
        codes += [area["code"] for area in page["items"]]
    assert len(codes) == len(set(codes)) > 4
    within = await _named(looked_at, "Phnum Touch", level="village", within="01", limit=500)
    assert within == [code for code in codes if code.startswith("01")]
    listed = await looked_at.get("/areas", within="0102", level="commune", limit=500)
    assert listed["items"]
    assert all(area["code"].startswith("0102") for area in listed["items"])


@pytest.mark.parametrize("name", ["x" * 100, "៛", "()", "0", "្", "\u200b\u200bx", "' OR 1=1 --"])
async def test_what_is_no_name_finds_little_and_breaks_nothing(looked_at: Flow, name: str) -> None:
    answer = await looked_at.client.get("/areas", params={"name": name})
    assert answer.status_code == 200, answer.text
    for parameters in ({"parent": "01"}, {"codes": "01"}):
        refused = await looked_at.client.get("/areas", params={"name": name, **parameters})
        assert refused.status_code == 422
    assert (await looked_at.client.get("/areas", params={"name": "x" * 101})).status_code == 422


async def test_every_name_of_the_gazetteer_finds_its_area_in_both_scripts() -> None:
    named = [
        Named(area.code, area.level, area.name_en, area.name_km)
        for area in shipped_areas()
        if area.level in (Level.PROVINCE, Level.DISTRICT)
    ]
    index = NameIndex(named)
    for area in named:
        for name in (area.name_en, area.name_km):
            best = index.find(name, level=None, within=None)
            alike = {found.code for found in best if found.likeness == best[0].likeness}
            assert area.code in alike, name


async def test_boundaries_are_drawn_with_their_source_and_kept_by_who_has_them(
    looked_at: Flow,
) -> None:
    answer = await looked_at.client.get("/areas/010201/boundary")
    assert answer.headers["content-type"] == "application/geo+json"
    feature = answer.json()
    assert feature["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert feature["properties"]["name_km"] == "បន្ទាយនាង"
    assert "CC BY 4.0" in feature["properties"]["attribution"]
    shape = shapely.from_geojson(answer.text.encode())
    area = await looked_at.get("/areas/010201")
    assert shape.covers(shapely.Point(area["longitude"], area["latitude"]))
    again = await looked_at.client.get(
        "/areas/010201/boundary", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    for code in ("01020101", "KH"):
        assert (await looked_at.client.get(f"/areas/{code}/boundary")).status_code == 404


async def test_the_parts_of_an_area_are_drawn_page_by_page_and_simply(looked_at: Flow) -> None:
    country = await looked_at.get("/areas/KH/boundaries", limit=500)
    assert (country["type"], len(country["features"])) == ("FeatureCollection", 25)
    assert all(feature["geometry"] for feature in country["features"])
    first = await looked_at.get("/areas/01/boundaries", limit=4)
    second = await looked_at.get("/areas/01/boundaries", limit=500, cursor=first["next_cursor"])
    codes = [feature["id"] for feature in first["features"] + second["features"]]
    districts = await looked_at.get("/areas", parent="01", limit=500)
    assert codes == [area["code"] for area in districts["items"]]
    whole = await looked_at.client.get("/areas/0102/boundaries?limit=500")
    simple = await looked_at.client.get("/areas/0102/boundaries?limit=500&simplify_metres=1000")
    assert len(simple.content) < 0.7 * len(whole.content)
    for feature in simple.json()["features"]:
        if feature["geometry"] is not None:
            assert shapely.from_geojson(json.dumps(feature["geometry"])).is_valid
    villages = await looked_at.get("/areas/010201/boundaries", simplify_metres=100)
    assert {feature["geometry"] for feature in villages["features"]} == {None}
