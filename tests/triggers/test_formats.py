"""What feeds are written in: read, or refused with a reason, and never raising."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.formats.atom import read_entries
from services.triggers.feeds.formats.batches import BatchesFormat, read_batches
from services.triggers.feeds.formats.extents import ExtentsFormat, read_extents
from services.triggers.feeds.formats.prices import PricesFormat, read_prices
from services.triggers.feeds.formats.rainfall import RainfallFormat, read_rainfall
from services.triggers.feeds.formats.reading import Reading, Row
from services.triggers.feeds.reading import read
from services.triggers.feeds.recording import batches
from services.triggers.feeds.shipped import shipped_document
from tests.triggers.alert_files import SETTING, TODAY, alert, read_one

PRICES = PricesFormat.model_validate(shipped_document("wfp-food-prices")["format"])
RAIN_FEED = FeedDocument.model_validate(shipped_document("wfp-rainfall"))
RAINFALL = RainfallFormat.model_validate(shipped_document("wfp-rainfall")["format"])
BATCHES = BatchesFormat.model_validate({"kind": "observations", "indicators": ["households"]})
EXTENTS = ExtentsFormat.model_validate({"kind": "geojson-extent", "indicator": "extent"})

# Prices.

WHOLE = """date,admin1,admin2,market,latitude,longitude,category,commodity,unit,priceflag,\
pricetype,currency,price,usdprice
#date,#adm1+name,#adm2+name,#loc+market+name,#geo+lat,#geo+lon,#item+type,#item+name,\
#item+unit,#item+price+flag,#item+price+type,#currency,#value,#value+usd
2025-11-15,Takeo,Doun Kaev,Takeo,10.99,104.78,cereals and tubers,"Rice (mixed, low quality)",\
KG,actual,Wholesale,KHR,1950.00,0.4800
2025-11-15,Takeo,Doun Kaev,Takeo,10.99,104.78,cereals and tubers,"Rice (mixed, low quality)",\
KG,actual,Retail,KHR,2000.00,0.5000
2025-11-15,Atlantis,X,Atlantis,,,cereals and tubers,"Rice (mixed, low quality)",\
KG,actual,Wholesale,KHR,1950.00,0.4800
2025-11-15,Kandal,X,Ta Khmau,,,cereals and tubers,"Rice (mixed, low quality)",\
KG,forecast,Wholesale,KHR,1950.00,0.4800
2025-11-15,Kandal,X,Ta Khmau,,,cereals and tubers,"Rice (mixed, low quality)",\
KG,actual,Wholesale,KHR,many,many
"""


def test_prices_are_read_as_the_whole_file_has_them() -> None:
    reading = read_prices(WHOLE.encode("utf-8-sig"), PRICES, SETTING)
    (row,) = reading.rows
    assert (row.indicator, row.area, row.place) == ("rice-wholesale-price", "21", "Takeo")
    assert (row.observed_on, row.value) == (date(2025, 11, 1), Decimal("0.4800"))
    assert row.published_on == date(2025, 12, 10)
    assert reading.seen == 5
    assert [refused.where for refused in reading.refused] == ["line 5", "line 6", "line 7"]
    riel = PRICES.model_dump()
    riel["series"][0]["currency"] = "KHR"
    (row,) = read_prices(WHOLE.encode(), PricesFormat.model_validate(riel), SETTING).rows
    assert row.value == 1950


def test_prices_are_read_by_months_and_one_that_contradicts_itself_is_not() -> None:
    text = (
        "month,admin1,market,commodity,category,unit,pricetype,usdprice\n"
        + '2025-11,Kampot,Kampot,"Rice (mixed, low quality)",c,KG,Wholesale,0.51\n' * 2
        + '2025-12,Kampot,Kampot,"Rice (mixed, low quality)",c,KG,Wholesale,0.52\n'
        + '2025-12,Kampot,Kampot,"Rice (mixed, low quality)",c,KG,Wholesale,5.20\n'
        + '2026-13,Kampot,Kampot,"Rice (mixed, low quality)",c,KG,Wholesale,0.52\n'
        + '2026-02,Kampot,Kampot,"Rice (mixed, low quality)",c,KG,Wholesale,0.52\n'
        + "2025-12,Kampot,Kampot\n"
    )
    reading = read_prices(text.encode(), PRICES, SETTING)
    (row,) = reading.rows
    assert (row.observed_on, row.value) == (date(2025, 11, 1), Decimal("0.51"))
    assert sorted(refused.where for refused in reading.refused) == [
        f"line {line}" for line in range(4, 9)
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "no text in UTF-8"),
        (b"a,b\n1,2\n", "no column admin1"),
        (b"", "no column"),
        (WHOLE.encode() + b'"open', "no CSV"),
        (b"<html></html>", "no column"),
        (b"month,month\n", "one name"),
    ],
)
def test_a_file_that_is_another_is_refused_whole(content: bytes, reason: str) -> None:
    reading = read_prices(content, PRICES, SETTING)
    assert reading.unreadable
    assert reason in reading.unreadable


def test_more_rows_than_the_document_allows_are_refused_whole() -> None:
    reading = read_prices(WHOLE.encode(), PRICES, replace(SETTING, maximum_rows=4))
    assert reading.unreadable == "It has more than 4 rows."


# Rain.

RAIN = """date,adm_level,adm_id,PCODE,n_pixels,rfh,rfh_avg,r1h,r1h_avg,r3h,version
#date,#adm+level,#adm+id,#adm+code,#indicator+n_pixels+num,#indicator+rfh+num,,,,,#status
2025-10-01,1,900,KH02,380,61.5,70,201.1,190,610,final
2025-10-11,1,900,KH02,380,40.25,60,180,190,600,final
2025-10-21,1,900,KH02,380,20,50,121.75,180,580,final
2025-10-21,2,901,KH0201,40,21,50,119,180,570,final
2025-11-21,1,900,KH02,380,,50,,180,580,prelim
2025-12-21,1,900,KH02,380,1,2,3.5,6,80,prelim
2025-12-32,1,900,KH02,380,1,2,3.5,6,80,prelim
2026-01-21,1,900,KH02,380,1,2,3.5,6,80,prelim
2026-02-21,1,900,KH02,380,1,2,3,6,80,forecast
"""


def test_a_month_s_rain_is_that_of_its_three_dekads_and_no_forecast() -> None:
    reading = read_rainfall(RAIN.encode(), RAINFALL, SETTING)
    assert [
        (row.indicator, row.area, row.place, row.observed_on, row.value, row.published_on)
        for row in reading.rows
    ] == [
        # 61.5, 40.25 and 20 mm.
        ("rainfall-by-month", "02", None, date(2025, 10, 1), Decimal("121.75"), date(2025, 11, 6)),
        # The file does not say since when it has been out: no later than today.
        ("rainfall-by-month", "02", None, date(2025, 12, 1), Decimal("3.5"), TODAY),
    ]
    assert reading.seen == 9
    # As a feed of the shipped document reads it.
    assert read(RAIN.encode(), RAIN_FEED, SETTING) == reading
    assert {refused.where: refused.reason.split(":")[0] for refused in reading.refused} == {
        "line 7": "Its r1h cannot be read",
        "line 9": "Its date is no day",
        "line 10": "Its month has not ended.",
    }


def test_rain_is_read_from_an_older_file_and_what_contradicts_itself_is_not() -> None:
    text = (
        "date,adm2_id,ADM2_PCODE,r1h,version\n"
        "1981-01-21,999610,KH02,40.1742,final\n"
        "1981-02-21,999610,KH02,40.1742,final\n"
        "1981-02-21,999610,KH02,50.1742,final\n"
    )
    reading = read_rainfall(text.encode(), RAINFALL, SETTING)
    (row,) = reading.rows
    assert (row.observed_on, row.value) == (date(1981, 1, 1), Decimal("40.1742"))
    assert [refused.where for refused in reading.refused] == ["line 3", "line 4"]
    other = read_rainfall(b"date,rfh\n2025-10-21,1\n", RAINFALL, SETTING)
    assert other.unreadable == "It has no column r1h, PCODE."


# Our own batches.


def test_a_bad_row_of_a_batch_concerns_itself() -> None:
    good = {
        "area": "02",
        "source": "WFP",
        "observed_on": "2026-01-04",
        "published_on": "2026-01-04",
        "value": 12.5,
    }
    body = {
        "indicator": "households",
        "unit": "households",
        "observations": [
            good,
            {**good, "area": "2"},
            {**good, "source": "Somebody"},
            {**good, "extra": 1},
        ],
    }
    reading = read_batches(json.dumps([body, {"indicator": "x"}]).encode(), BATCHES, SETTING)
    (row,) = reading.rows
    assert (row.value, row.where) == (Decimal("12.5"), "batch 1, row 1")
    assert [refused.where for refused in reading.refused] == [
        "batch 1, row 2",
        "batch 1, row 3",
        "batch 1, row 4",
        "batch 2",
    ]


def test_a_figure_and_its_correction_in_one_file_are_recorded_one_after_the_other() -> None:
    row = Row(
        where="",
        indicator="households",
        area="02",
        place=None,
        source="HRF",
        observed_on=date(2026, 1, 1),
        published_on=date(2026, 1, 2),
        value=Decimal(5),
    )
    corrected = row._replace(published_on=date(2026, 1, 3), value=Decimal(4))
    elsewhere = row._replace(area="03")
    assert list(batches([corrected, row, elsewhere])) == [[row, elsewhere], [corrected]]
    many = [row._replace(area=f"{area:06}") for area in range(2_500)]
    assert [len(batch) for batch in batches(many)] == [1_000, 1_000, 500]


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"NaN", b'{"a": 1, "a": 2}', b"\xff", b"1e999999", b"{"],
    ids=["deep", "NaN", "twice", "bytes", "huge", "open"],
)
def test_json_that_is_none_of_ours_is_refused(content: bytes) -> None:
    for reading in (
        read_batches(content, BATCHES, SETTING),
        read_extents(content, EXTENTS, SETTING),
    ):
        assert not reading.rows
        assert reading.unreadable or reading.refused


# Extents.


def test_an_extent_is_the_share_of_each_commune_and_a_bad_feature_concerns_itself() -> None:
    square = [[104.8, 11.5], [105.0, 11.5], [105.0, 11.7], [104.8, 11.7], [104.8, 11.5]]
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [c]}}
        for c in (square, [[11.5, 104.8], [11.5, 105.0], [11.7, 105.0]], [["x"]])
    ] + [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [104.8, 11.5]}}, 7]
    reading = read_extents(
        json.dumps({"type": "FeatureCollection", "features": features}).encode(), EXTENTS, SETTING
    )
    shares = {row.area: row.value for row in reading.rows}
    assert shares["120101"] == 1
    assert all(value is not None and 0 < value <= 1 for value in shares.values())
    assert any(value is not None and value < 1 for value in shares.values())
    assert {row.observed_on for row in reading.rows} == {TODAY}
    bad = [refused.where for refused in reading.refused if refused.where.startswith("feature")]
    assert bad == [f"feature {number}" for number in range(2, 6)]


# Whatever is sent, nothing raises.

_PIECES = st.sampled_from(
    [
        *(part.encode() for part in [*WHOLE.splitlines(), *RAIN.splitlines()]),
        *alert().splitlines(),
        b'{"type": "FeatureCollection", "features": [',
        b'{"indicator": "households", "unit": "x", "observations": [{}]}',
        b"]}",
        b"\n",
        b'"',
        b"<",
        b"&amp;",
        b"\xf0\x9f",
    ]
)


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=12).map(b"\n".join)))
def test_no_reader_ever_raises(content: bytes) -> None:
    readings = [
        read_prices(content, PRICES, SETTING),
        read_rainfall(content, RAINFALL, SETTING),
        read_batches(content, BATCHES, SETTING),
        read_extents(content, EXTENTS, SETTING),
        read_one(content),
    ]
    assert all(isinstance(reading, Reading) for reading in readings)
    read_entries(content)
