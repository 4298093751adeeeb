"""Files of alerts as a publisher writes them, and the setting in which any file is read."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.triggers.feeds.formats.alerts import AlertsFormat, read_alerts
from services.triggers.feeds.formats.reading import Reading, Setting
from shared.clock import COUNTRY_ZONE

TODAY = date(2026, 1, 5)
SETTING = Setting(source="WFP", on=TODAY, zone=COUNTRY_ZONE, maximum_rows=1_000)
ANY_ALERT = AlertsFormat.model_validate({"kind": "cap", "series": [{"indicator": "alerts"}]})
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
