"""Alerts in the Common Alerting Protocol: read, signed by whom they should be, or refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from services.triggers.areas import AreaLevel
from services.triggers.feeds.formats.alerts import AlertsFormat, read_alerts
from services.triggers.feeds.formats.atom import read_entries
from services.triggers.feeds.formats.signatures import SignatureRefused, Signing, signed_part
from services.triggers.feeds.formats.xml import XmlRefused, parsed
from tests.triggers.alert_files import ANY_ALERT, SETTING, TODAY, alert, only_reason, read_one

ALERTS = Path(__file__).parent / "cap"


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
