"""An activation as an alert of the Common Alerting Protocol 1.2 (OASIS, July 2010).

Elements stand in the order of its schema. It tells that a cash programme was activated, and that
it is no official warning.
"""

from collections.abc import Mapping
from datetime import datetime
from xml.etree.ElementTree import Element

from services.triggers.activations.states import Origin
from services.triggers.alerts.message import Message, MessageType, Sent, identifier_of
from services.triggers.alerts.xml import CAP, as_document, put, root_of
from services.triggers.geography.names import name_of
from services.triggers.wording.vocabulary import shock
from shared.clock import COUNTRY_ZONE
from shared.wording.phrase import Language, Phrase

NOT_A_WARNING = Phrase(
    "This is a notice of a cash programme's activation, not an official warning. Official "
    "warnings come from the National Committee for Disaster Management and the Ministry of Water "
    "Resources and Meteorology.",
    "នេះជាការជូនដំណឹងអំពីការបើកដំណើរការកម្មវិធីឧបត្ថម្ភសាច់ប្រាក់ មិនមែនជាការព្រមានផ្លូវការទេ។ "
    "ការព្រមានផ្លូវការចេញពីគណៈកម្មាធិការជាតិគ្រប់គ្រងគ្រោះមហន្តរាយ និងក្រសួងធនធានទឹក និងឧតុនិយម។",
)
EXERCISE = Phrase("EXERCISE. Nothing of it happened.", "លំហាត់សាកល្បង។ មិនមែនជាការពិតទេ។")

GEOCODE = "NCDD"
"""The codes of the national gazetteer: two digits each for province, district and commune."""

_INSTRUCTION = Phrase(
    "Nobody has to apply or to pay anything. Households are enrolled from the registry, and each "
    "is told what it is owed. Follow the official warnings for your safety.",
    "មិនចាំបាច់ដាក់ពាក្យ ឬបង់ប្រាក់អ្វីឡើយ។ គ្រួសារត្រូវបានចុះឈ្មោះពីបញ្ជី "
    "ហើយគ្រួសារនីមួយៗនឹងត្រូវបានជូនដំណឹងអំពីប្រាក់ដែលត្រូវទទួល។ "
    "សូមអនុវត្តតាមការព្រមានផ្លូវការ ដើម្បីសុវត្ថិភាពរបស់អ្នក។",
)
_SENDER_NAME = Phrase("Sangkroh, cash in emergencies", "សង្គ្រោះ ប្រាក់ឧបត្ថម្ភក្នុងគ្រាអាសន្ន")
_CATEGORIES: Mapping[str, str] = {"flood": "Met", "drought": "Met", "storm": "Met"}


def written(message: Message) -> bytes:
    """The alert as a document."""
    alert = root_of(CAP, "alert")
    put(alert, "identifier", identifier_of(message.activation_id, message.sent))
    put(alert, "sender", message.sender)
    put(alert, "sent", instant(message.sent.at))
    put(alert, "status", "Exercise" if message.is_exercise else "Actual")
    put(alert, "msgType", message.sent.kind)
    put(alert, "scope", "Public")
    put(alert, "note", _note(message))
    if message.before:
        put(alert, "references", " ".join(_reference(message, sent) for sent in message.before))
    put(alert, "incidents", str(message.activation_id))
    for language in Language:
        _put_info(alert, message, language)
    return as_document(alert)


def instant(at: datetime) -> str:
    """A moment as CAP writes it: to the second, with an offset, never as ``Z``."""
    return at.astimezone(COUNTRY_ZONE).isoformat(timespec="seconds")


def _note(message: Message) -> str:
    note = f"{NOT_A_WARNING.en} {NOT_A_WARNING.km}"
    return f"{EXERCISE.en} {EXERCISE.km} {note}" if message.is_exercise else note


def _reference(message: Message, sent: Sent) -> str:
    identifier = identifier_of(message.activation_id, sent)
    return f"{message.sender},{identifier},{instant(sent.at)}"


def _put_info(alert: Element, message: Message, language: Language) -> None:
    def say(phrase: Phrase) -> str:
        return phrase.in_language(language)

    info = put(alert, "info")
    put(info, "language", language)
    put(info, "category", _CATEGORIES.get(message.shock, "Other"))
    put(info, "event", say(shock(message.shock)))
    put(info, "responseType", "None")
    # Nobody has to do anything: what is told of has happened, or is paid for before it does.
    put(info, "urgency", "Future" if message.is_forecast else "Past")
    put(info, "severity", message.severity.capitalize())
    put(info, "certainty", _certainty(message))
    put(info, "effective", instant(message.sent.at))
    put(info, "senderName", say(_SENDER_NAME))
    put(info, "headline", say(message.headline))
    lines = [*([EXERCISE] if message.is_exercise else []), NOT_A_WARNING, message.description]
    put(info, "description", "\n".join(say(line) for line in lines))
    if message.sent.kind is not MessageType.CANCEL:
        put(info, "instruction", say(_INSTRUCTION))
    for code in message.areas:
        area = put(info, "area")
        put(area, "areaDesc", say(name_of(code)))
        geocode = put(area, "geocode")
        put(geocode, "valueName", GEOCODE)
        put(geocode, "value", code)


def _certainty(message: Message) -> str:
    if message.is_forecast or message.origin is Origin.DECLARED:
        return "Likely"
    return "Observed"
