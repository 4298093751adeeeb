"""Every type of event that is told, each with data as they may be: for whoever reads the log."""

from collections.abc import Mapping
from typing import Any, Final

from shared.contracts import events
from shared.events.log import Published

_READINESS = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a0f"
_ACTIVATION = "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"
_ENROLMENT = "0199c1de-6b02-8c11-a3b5-5f0e9d2c7b44"
_CHUNK = "0199c1de-7c13-8d22-b4c6-6a1fae3d8c55"

_HOUSEHOLD = "0199c1de-8d24-8e33-a5d7-7b2abf4e9d66"
_IMPORT = "0199c1de-9e35-7f44-b6e8-8c3bca5fae77"

_OPENED = {
    "activation_id": _ACTIVATION,
    "trigger": "flood-reported-impact",
    "trigger_version": 1,
    "scheme": "flood-2022",
    "shock": "flood",
    "areas": ["0102", "0103"],
    "severity": "severe",
    "opened_on": "2020-10-12",
    "observed_on": "2020-10-11",
    "ceiling_households": 30000,
    "ceiling_minor": 12000000000,
}
_OF_A_CHUNK = {
    "chunk_id": _CHUNK,
    "activation_id": _ACTIVATION,
    "scheme": "flood-2022",
    "round": 1,
}
_PAID = {"paid_count": 812, "paid_minor": 77952000, "failed_count": 9, "failed_minor": 864000}
_UNPAYABLE = {"unpayable_count": 2, "unpayable_minor": 192000}

EXAMPLES: Final[Mapping[type[Published], Mapping[str, Any]]] = {
    events.ObservationsRecorded: {
        "indicator": "flood-affected-households",
        "count": 14,
        "first_on": "2020-10-11",
        "last_on": "2020-10-12",
    },
    events.ObservationsSetAside: {
        "indicator": "rice-price",
        "count": 3,
        "reasons": {"decimal-slip": 2, "place-unknown": 1},
    },
    events.TriggerReadied: {
        "readiness_id": _READINESS,
        "trigger": "flood-reported-impact",
        "trigger_version": 1,
        "scheme": "flood-2022",
        "shock": "flood",
        "areas": ["01"],
        "readied_on": "2020-10-09",
    },
    events.TriggerStoodDown: {
        "readiness_id": _READINESS,
        "trigger": "flood-reported-impact",
        "stood_down_on": "2020-11-02",
    },
    events.PreparationCounted: {
        "readiness_id": _READINESS,
        "trigger": "flood-reported-impact",
        "scheme": "flood-2022",
        "fund": "national-relief",
        "currency": "KHR",
        "households": 24156,
        "amount_minor": 2318976000,
        "without_account": 310,
        "without_provider": 12,
    },
    events.ActivationOpened: _OPENED,
    events.ActivationWidened: {**_OPENED, "areas": ["0105"]},
    events.ActivationCancelled: {"activation_id": _ACTIVATION, "cancelled_on": "2020-10-14"},
    events.FeedStale: {
        "feed": "wfp-rice-price",
        "version": 2,
        "because": "silent",
        "last_new_at": "2020-09-01T02:00:00Z",
    },
    events.FeedRecovered: {"feed": "wfp-rice-price", "version": 2},
    events.GazetteerChanged: {
        "edition": "ncdd-2027",
        "number": 2,
        "ended_count": 9,
        "begun_count": 18,
        "moved_count": 10,
        "ended": ["010204"],
        "begun": ["010212", "010213"],
        "moved": {"010204": ["010212", "010213"]},
        "areas": ["0102"],
    },
    events.HouseholdChanged: {
        "household_id": _HOUSEHOLD,
        "changes": ["payee-account"],
        "areas": ["010202"],
    },
    events.HouseholdsImported: {
        "import_id": _IMPORT,
        "added": 3200,
        "changed": 41,
        "areas": ["0102", "0103"],
    },
    events.PayeeAccountsChanged: {"import_id": _IMPORT, "count": 37, "areas": ["0102"]},
    events.EntitlementsReady: {
        **_OF_A_CHUNK,
        "enrolment_id": _ENROLMENT,
        "fund": "national-relief",
        "currency": "KHR",
        "count": 823,
        "total_minor": 79008000,
    },
    events.EnrolmentCompleted: {
        "enrolment_id": _ENROLMENT,
        "activation_id": _ACTIVATION,
        "scheme": "flood-2022",
        "round": 1,
        "fund": "national-relief",
        "currency": "KHR",
        "chunk_count": 24,
        "households": 20353,
        "entitlements": 19874,
        "total_minor": 1907904000,
        "unpayable": 479,
    },
    events.PaymentsSettled: {**_OF_A_CHUNK, **_PAID, **_UNPAYABLE},
    events.PaymentsProgressed: {**_OF_A_CHUNK, "open_count": 40, **_PAID, **_UNPAYABLE},
    events.PaymentsCounted: {
        **_OF_A_CHUNK,
        "counted_at": "2020-10-12T02:00:11.250000Z",
        "open_count": 40,
        **_PAID,
    },
    events.ProvidersConfigured: {"providers": [{"code": "mekong", "currency": "KHR"}]},
    events.FundBounded: {
        "fund": "national-relief",
        "currency": "KHR",
        "maximum_payment_minor": 4000000,
        "maximum_round_minor": 100000000,
    },
    events.ChunkRefused: {
        "chunk_id": _CHUNK,
        "activation_id": _ACTIVATION,
        "reason": "It holds 822 entitlements, and 823 were announced.",
    },
}
"""By type of event. A type that is not here is told to nobody outside: a test sees to it that none
is missing."""
