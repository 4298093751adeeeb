"""Bodies about observations."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PrivateAttr

from services.triggers.areas import AreaCode
from services.triggers.methods import registry
from shared.documents import Code
from shared.values import Day, Exact, Measure, Text, Whole

MAXIMUM_ROWS = 5_000
MAXIMUM_BYTES = 2 * 1024 * 1024
"""So many rows with names of places and sources as long as they may be."""
MAXIMUM_ROWS_BY_HAND = 2_000
"""Where a second person looks through them: a figure for every commune."""

Value = Annotated[
    Decimal,
    Exact(digits=18, decimals=6),
    PlainSerializer(float, return_type=float, when_used="json"),
]


Detail = (
    Annotated[str, Text(longest=1_000, lines=True)]
    | Annotated[float, Measure(least=-1e12, most=1e12)]
    | Annotated[list[Annotated[str, Text(longest=1_000, lines=True)]], Field(max_length=100)]
    | None
)


class ObservedRow(BaseModel):
    """One value, as published."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    area: AreaCode
    place: Annotated[
        Annotated[str, Text(longest=100)] | None,
        Field(description="A place in the area, such as a market."),
    ] = None
    source: Annotated[
        str,
        Text(longest=100),
        Field(
            description="The authority that published it. Two authorities' figures are kept "
            "side by side.",
        ),
    ]
    observed_on: Annotated[
        Day,
        Field(
            description="What day the value is about: "
            f"{', '.join(kind.dated for kind in registry.indicator_kinds().values())}."
        ),
    ]
    published_on: Annotated[
        Day,
        Field(
            description="The day on which it was published, today at the latest. Only a forecast "
            "is published before the day that it is about."
        ),
    ]
    value: Annotated[
        Value | None,
        Field(
            description="In the indicator's unit, or the row's; null where the area was named but "
            "no figure."
        ),
    ]

    issue: Annotated[
        int,
        Whole(least=1, most=100_000),
        Field(
            description="Of several values that the authority published for the same on one day: "
            "which, by its own count. The highest counts; of two with one count, the smaller value."
        ),
    ] = 1
    member: Annotated[
        Annotated[int, Whole(least=0, most=10_000)] | None,
        Field(description="Of a forecast ensemble: which of its members."),
    ] = None
    details: Annotated[
        dict[Annotated[str, Text(longest=40)], Detail] | None,
        Field(
            max_length=20,
            description="What some kinds of indicators say beside the value; null for others.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was published, where that was in another unit than the indicator's."""

    value: Decimal | None
    unit: str


class ObservationIn(ObservedRow):
    """One value, as it is posted."""

    _said: Said | None = PrivateAttr(default=None)

    unit: Annotated[
        Annotated[str, Text(longest=40)] | None,
        Field(
            description="The unit of this row, where it is another one of the same: a package "
            "(`5 L`, `USD/50 KG`), a length (`cm`, `ft`, `in`), a flow (`l/s`). The value is "
            "brought into the indicator's unit, and what was said is kept. Another currency, or "
            "what is no quantity of the same, is set aside. Null: the indicator's."
        ),
    ] = None

    @property
    def key(self) -> tuple[object, ...]:
        """What is said once: by whom, of what, on which day, as which issue."""
        return (
            self.area,
            self.place or "",
            self.source,
            self.observed_on,
            self.published_on,
            self.issue,
            self.member,
        )

    @property
    def said(self) -> Said | None:
        """What was published in another unit; None: it is in the indicator's, or not brought."""
        return self._said

    def brought(self, value: Decimal | None) -> Self:
        """The row with its value in the indicator's unit, and with what was said."""
        kept = self.model_copy(update={"value": value, "unit": None})
        if self.unit is not None:
            kept._said = Said(value=self.value, unit=self.unit)
        return kept

    def as_posted(self) -> dict[str, Any]:
        """The row as JSON that holds the value to its last digit."""
        value = None if self.value is None else str(self.value)
        return {**self.model_dump(mode="json"), "value": value}


class ObservationsIn(BaseModel):
    """Values of one indicator, saved all together or not at all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "indicator": "flood-affected-households",
                    "unit": "households",
                    "observations": [
                        {
                            "area": "02",
                            "source": "HRF",
                            "observed_on": "2020-10-12",
                            "published_on": "2020-10-12",
                            "value": 13180,
                        },
                        {
                            "area": "15",
                            "source": "HRF",
                            "observed_on": "2020-10-12",
                            "published_on": "2020-10-12",
                            "value": 8315,
                        },
                    ],
                }
            ]
        },
    )

    indicator: Code
    unit: Annotated[
        str,
        Text(longest=40),
        Field(description="The unit of these values; it must be the indicator's."),
    ]
    observations: Annotated[list[ObservationIn], Field(min_length=1, max_length=MAXIMUM_ROWS)]

    def as_posted(self) -> dict[str, Any]:
        """The batch as JSON that holds each value to its last digit."""
        rows = [row.as_posted() for row in self.observations]
        return {"indicator": self.indicator, "unit": self.unit, "observations": rows}


class RecordedOut(BaseModel):
    """What became of a batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "indicator": "flood-affected-households",
                    "received": 2,
                    "recorded": 1,
                    "unchanged": 0,
                    "judged_at": "2020-10-12T02:00:00Z",
                    "set_aside": 1,
                    "old": 0,
                    "areas_unchecked": [],
                }
            ]
        }
    )

    indicator: str
    received: int
    recorded: Annotated[int, Field(description="New values and new revisions.")]
    unchanged: Annotated[int, Field(description="Rows that were already known as they are.")]
    judged_at: Annotated[
        datetime | None,
        Field(
            description="When the indicator's triggers are evaluated with these: of events at "
            "once, of anything else when the day is over, so that whatever comes on it is judged "
            "together. Null: nothing was new."
        ),
    ]
    set_aside: Annotated[
        int,
        Field(
            description="Rows that are doubtful by themselves: of an unknown place, in another "
            "unit, absurdly large or of an absurd day. They are not recorded until a person "
            "releases them: `GET /v1/doubtful-observations` says why. What is recorded is held "
            "against its series when it is judged, and may be set aside then."
        ),
    ]
    old: Annotated[
        int,
        Field(
            description="Rows about days long before they were published: history, or an old "
            "figure posted as a new one. They are recorded."
        ),
    ]
    areas_unchecked: Annotated[
        list[str],
        Field(
            description="Areas that the registry could not be asked about: it was away. If one is "
            "not in its gazetteer, nobody is enrolled there; the others are."
        ),
    ]


class ObservationOut(ObservedRow):
    """One value as it is kept, in the indicator's unit."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "indicator": "flood-affected-households",
                    "area": "15",
                    "place": None,
                    "source": "HRF",
                    "observed_on": "2020-10-19",
                    "published_on": "2020-10-19",
                    "value": 15622,
                    "issue": 1,
                    "member": None,
                    "details": None,
                    "said_value": None,
                    "said_unit": None,
                    "revision": 1,
                    "recorded_at": "2020-10-19T02:00:00Z",
                    "posted_by": "feed:hrf",
                    "published": True,
                    "approved_by": None,
                    "doubtful": False,
                    "sequence": 12,
                }
            ]
        },
    )

    indicator: str
    said_value: Annotated[
        Value | None, Field(description="The value as published, where that was in another unit.")
    ]
    said_unit: Annotated[
        str | None, Field(description="The unit in which it was published; null: this one.")
    ]
    revision: Annotated[
        int,
        Field(ge=1, description="1 for the first word on the same thing, one more for each later."),
    ]
    recorded_at: datetime
    posted_by: str
    published: Annotated[
        bool, Field(description="Whether a publisher's own client posted it, and no person.")
    ]
    approved_by: Annotated[
        str | None,
        Field(
            description="The second person, where one was needed: a trigger in force read the "
            "indicator when a person posted it."
        ),
    ]
    doubtful: Annotated[
        bool,
        Field(
            description="Whether it is set aside, and counts nowhere unless a person releases it."
        ),
    ]
    sequence: Annotated[int, Field(description="Rises with each row that is recorded.")]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which observations of an indicator are asked for; None: no matter which."""

    area: str | None = None
    place: str | None = None
    source: str | None = None
    observed_from: date | None = None
    observed_to: date | None = None
    all_revisions: bool = False
