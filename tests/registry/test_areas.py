"""The gazetteer: real places, their codes kept whole."""

from tests.registry.flow import Flow


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


async def test_a_cursor_that_was_tampered_with_is_refused(flow: Flow) -> None:
    answer = await flow.client.get("/areas", params={"cursor": "bm90LW91cnM"})
    assert answer.status_code == 400
