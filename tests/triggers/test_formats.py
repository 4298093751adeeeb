"""What feeds are written in: read, or refused with a reason, and never raising."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from services.triggers.areas import AreaLevel
from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.formats.alerts import AlertsFormat, read_alerts
from services.triggers.feeds.formats.atom import read_entries
from services.triggers.feeds.formats.batches import BatchesFormat, read_batches
from services.triggers.feeds.formats.extents import ExtentsFormat, read_extents
from services.triggers.feeds.formats.prices import PricesFormat, read_prices
from services.triggers.feeds.formats.rainfall import RainfallFormat, read_rainfall
from services.triggers.feeds.formats.reading import Reading, Row, Setting
from services.triggers.feeds.formats.signatures import SignatureRefused, Signing, signed_part
from services.triggers.feeds.formats.xml import XmlRefused, parsed
from services.triggers.feeds.reading import read
from services.triggers.feeds.recording import batches
from services.triggers.feeds.shipped import shipped_document
from shared.clock import COUNTRY_ZONE

ALERTS = Path(__file__).parent / "cap"
TODAY = date(2026, 1, 5)
SETTING = Setting(source="WFP", on=TODAY, zone=COUNTRY_ZONE, maximum_rows=1_000)
ANY_ALERT = AlertsFormat.model_validate({"kind": "cap", "series": [{"indicator": "alerts"}]})
PRICES = PricesFormat.model_validate(shipped_document("wfp-food-prices")["format"])
RAIN_FEED = FeedDocument.model_validate(shipped_document("wfp-rainfall"))
RAINFALL = RainfallFormat.model_validate(shipped_document("wfp-rainfall")["format"])
BATCHES = BatchesFormat.model_validate({"kind": "observations", "indicators": ["households"]})
EXTENTS = ExtentsFormat.model_validate({"kind": "geojson-extent", "indicator": "extent"})

PHNOM_PENH = "11.5,104.8 11.5,105.0 11.7,105.0 11.7,104.8 11.5,104.8"


def alert(
    identifier: str = "a1",
    *,
    severity: str = "Severe",
    sent: str = "2026-01-05T08:00:00+07:00",
    area: str = f"<polygon>{PHNOM_PENH}</polygon>",
    more: str = "",
    msg_type: str = "Alert",
    version: str = "1.2",
) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:{version}">
<identifier>{identifier}</identifier><sender>mowram@example.kh</sender><sent>{sent}</sent>
<status>Actual</status><msgType>{msg_type}</msgType><scope>Public</scope>{more}
<info><category>Met</category><event>Flood</event><urgency>Expected</urgency>
<severity>{severity}</severity><certainty>Likely</certainty>
<expires>2026-01-06T08:00:00+07:00</expires>
<area><areaDesc>Phnom Penh</areaDesc>{area}</area></info></alert>""".encode()


def read_one(content: bytes, document: AlertsFormat = ANY_ALERT, **changes: Any) -> Reading:
    return read_alerts([("alert", content)], document, replace(SETTING, **changes))


def only_reason(reading: Reading) -> str:
    (refused,) = reading.refused
    assert not reading.rows
    return refused.reason


# The eight alerts.

EIGHT = {
    "CanadaNaad.xml": "It is about no area of the country.",
    "australia_bom.cap": "names areas in words only, or by geocodes",
    "invalid.cap": "has the element scope not at all",
    "no_info_tag.cap": "It cancels alerts that are not here",
    "ph.cap": "Its status is Test",
    "sweden.cap": "names areas in words only",
    "taiwan.cap": "names areas in words only, or by geocodes",
    "weather.cap": "names areas in words only, or by geocodes",
}


@pytest.mark.parametrize("name", EIGHT)
def test_each_of_eight_real_alerts_is_refused_for_its_own_reason(name: str) -> None:
    assert EIGHT[name] in only_reason(read_one((ALERTS / name).read_bytes()))


@pytest.mark.parametrize(
    ("name", "geocode", "value", "severity", "event"),
    [
        ("taiwan.cap", "Taiwan_Geocode_100", "1000512", 2, "水庫洩洪"),
        ("weather.cap", "UGC", "NMZ534", 1, "Wind Advisory"),
        ("CanadaNaad.xml", "profile:CAP-CP:Location:0.3", "1004001", 1, "weather"),
    ],
)
def test_real_alerts_are_figures_where_their_geocodes_are_known(
    name: str, geocode: str, value: str, severity: int, event: str
) -> None:
    document = AlertsFormat.model_validate(
        {
            "kind": "cap",
            "series": [{"indicator": "alerts"}],
            "geocodes": [{"name": geocode, "areas": {value: "120101"}}],
        }
    )
    reading = read_one((ALERTS / name).read_bytes(), document)
    (row,) = reading.rows
    assert (row.area, row.value, row.source) == ("120101", Decimal(severity), "WFP")
    assert row.details is not None
    assert row.details["event"] == event
    assert row.details["status"] == "Actual"
    assert row.published_on == row.observed_on < TODAY


def test_an_alert_is_a_figure_for_each_commune_that_its_polygon_covers() -> None:
    reading = read_one(alert())
    areas = {row.area for row in reading.rows}
    assert "120101" in areas
    assert all(row.value == 3 for row in reading.rows)
    assert {row.details["identifier"] for row in reading.rows if row.details} == {"a1"}
    # Where a boundary carries no code, that is said and no figure is made up.
    assert any("Tuol Sangke" in refused.reason for refused in reading.refused)


def test_an_alert_is_told_by_the_areas_of_its_indicator() -> None:
    by_province = read_one(alert(), levels={"alerts": AreaLevel.PROVINCE})
    assert {row.area for row in by_province.rows} == {"08", "12"}
    area = "<geocode><valueName>NCDD</valueName><value>12</value></geocode>"
    coded = ANY_ALERT.model_dump() | {"geocodes": [{"name": "NCDD"}]}
    by_commune = read_one(alert(area=area), AlertsFormat.model_validate(coded))
    assert {row.area[:2] for row in by_commune.rows} == {"12"}
    assert len(by_commune.rows) > 90


def test_an_alert_of_the_earlier_version_and_a_circle_are_read() -> None:
    reading = read_one(alert(area="<circle>11.55,104.9 3</circle>", version="1.1"))
    assert {row.area[:2] for row in reading.rows} == {"12"}
    assert "CAP 1.1 or 1.2" in only_reason(read_one(alert(version="1.0")))


def test_of_several_alerts_the_severest_that_nothing_replaced_stands_in_whatever_order() -> None:
    first = alert("a1", severity="Extreme", sent="2026-01-05T06:00:00+07:00")
    update = alert(
        "a2",
        severity="Moderate",
        msg_type="Update",
        sent="2026-01-05T07:00:00+07:00",
        more="<references>mowram@example.kh,a1,2026-01-05T06:00:00+07:00</references>",
    )
    other = alert("a3", severity="Minor", sent="2026-01-05T07:30:00+07:00")
    for order in ([first, update, other], [other, update, first]):
        reading = read_alerts([("x", content) for content in order], ANY_ALERT, SETTING)
        assert {row.value for row in reading.rows} == {Decimal(2)}
        # Counted by the second of the day at which the last was sent.
        assert {row.issue for row in reading.rows} == {1 + 7 * 3600 + 1800}


def test_an_alert_from_tomorrow_or_with_its_axes_exchanged_is_refused() -> None:
    late = read_one(alert(sent="2026-01-06T00:00:01+07:00"))
    assert "sent after today" in only_reason(late)
    exchanged = "<polygon>104.8,11.5 105.0,11.5 105.0,11.7 104.8,11.5</polygon>"
    assert "exchanged" in only_reason(read_one(alert(area=exchanged)))


# XML that is meant to harm.

BOMB = b"""<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&c;</identifier></alert>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&a;</identifier></alert>"""


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        FILE,
        b"<a>" * 5_000 + b"</a>" * 5_000,
        b"<r>" + b"<a/>" * 100_001 + b"</r>",
        b"",
        b"\0",
        b"<alert",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
        b"<a>" + b" " * 50_000_000 + b"</a>",
    ],
    ids=["bomb", "file", "deep", "many", "empty", "zero", "open", "external", "large"],
)
def test_xml_that_is_meant_to_harm_is_refused(content: bytes) -> None:
    with pytest.raises(XmlRefused):
        parsed(content)
    assert only_reason(read_one(content))


# Signed alerts.


def certificate_and_key(*, days: int = 30) -> tuple[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mowram.example.kh")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signed(content: bytes, certificate: str, key: bytes) -> bytes:
    signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
    done: bytes = etree.tostring(
        signer.sign(
            etree.fromstring(content), key=key, cert=certificate, always_add_key_value=False
        )
    )
    return done


@pytest.fixture(scope="module")
def publisher() -> tuple[str, bytes]:
    return certificate_and_key()


def signing(certificate: str, *, required: bool = True) -> AlertsFormat:
    return AlertsFormat.model_validate(
        ANY_ALERT.model_dump() | {"signing": {"certificates": [certificate], "required": required}}
    )


def test_an_alert_that_is_signed_by_the_named_certificate_is_read(
    publisher: tuple[str, bytes],
) -> None:
    certificate, key = publisher
    reading = read_one(signed(alert(), certificate, key), signing(certificate))
    assert {row.value for row in reading.rows} == {Decimal(3)}


def test_a_changed_alert_and_one_by_somebody_else_are_refused(
    publisher: tuple[str, bytes],
) -> None:
    certificate, key = publisher
    genuine = signed(alert(), certificate, key)
    changed = genuine.replace(b"Severe", b"Extreme")
    forged = signed(alert(), *certificate_and_key())
    for content in (changed, forged):
        assert "by none of the certificates" in only_reason(read_one(content, signing(certificate)))
        # Nor where none is required: what is signed is signed rightly.
        assert read_one(content, signing(certificate, required=False)).rows == []


def test_what_stands_around_the_signed_part_is_not_read(publisher: tuple[str, bytes]) -> None:
    certificate, key = publisher
    inner = signed(alert(), certificate, key)
    wrapped = alert("evil", severity="Extreme", more=f"<note>{inner.decode()}</note>")
    assert "elsewhere than once, in its root" in only_reason(
        read_one(wrapped, signing(certificate))
    )


def test_an_alert_without_a_signature_is_refused_where_one_is_required(
    publisher: tuple[str, bytes],
) -> None:
    certificate, _ = publisher
    assert "It is not signed" in only_reason(read_one(alert(), signing(certificate)))
    assert read_one(alert(), signing(certificate, required=False)).rows


def test_old_algorithms_and_old_certificates_are_refused(publisher: tuple[str, bytes]) -> None:
    certificate, key = publisher
    named = Signing(certificates=[certificate])
    for name in ("ph.cap", "no_info_tag.cap"):
        with pytest.raises(SignatureRefused, match="SHA-1"):
            signed_part((ALERTS / name).read_bytes(), named, on=TODAY)
    with pytest.raises(SignatureRefused, match="valid today"):
        signed_part(signed(alert(), certificate, key), named, on=date(2026, 3, 1))


# Atom.


def test_a_feed_of_alerts_holds_them_or_links_to_them() -> None:
    embedded = alert().decode().partition("?>")[2]
    entries = read_entries(
        f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Alerts</title>
        <entry><content type="text/xml">{embedded}</content></entry>
        <entry><link href="/about" type="text/html"/>
            <link href="alerts/2.cap" type="application/cap+xml"/></entry>
        <entry><link href="alerts/3.xml"/></entry>
        <entry><title>Nothing</title></entry></feed>""".encode()
    )
    ((where, content),) = entries.alerts
    assert where == "entry 1"
    assert {row.value for row in read_one(content).rows} == {Decimal(3)}
    assert [link for _, link in entries.links] == ["alerts/2.cap", "alerts/3.xml"]
    assert [refused.where for refused in entries.refused] == ["entry 4"]
    assert read_entries(BOMB).unreadable is not None
    assert read_entries(alert()).unreadable == "It is no Atom feed."


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
