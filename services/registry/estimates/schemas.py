"""How estimates look over HTTP."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import shipped_document
from shared.contracts.checks import AREA_CODE, MAXIMUM_AREAS, FundCover
from shared.values import Day, Text, Whole


class By(StrEnum):
    """For areas of which level something is told."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"

    @property
    def digits(self) -> int:
        """How long their codes are."""
        return {By.PROVINCE: 2, By.DISTRICT: 4, By.COMMUNE: 6}[self]


Areas = Annotated[
    list[Annotated[str, Field(pattern=AREA_CODE, max_length=8)]],
    Field(
        min_length=1,
        max_length=MAXIMUM_AREAS,
        description="Codes of the gazetteer down to communes; `KH` is the whole country.",
        examples=[["02", "0802"]],
    ),
]
AreaFilter = Annotated[
    Annotated[str, Text(longest=2_000, shortest=0, lines=True)] | None,
    Field(description="CQL2 text over the attributes of communes.", examples=[None]),
]
VersionNumber = Annotated[int, Whole(least=1, most=1_000_000)]


class WhereIn(BaseModel):
    """Where something is asked about: that of an activation, proposed or made up."""

    model_config = ConfigDict(extra="forbid")

    areas: Areas = ["KH"]
    area_filter: AreaFilter = None
    by: Annotated[By, Field(description="The level of the areas that are told one by one.")] = (
        By.PROVINCE
    )


class EstimateIn(WhereIn):
    """What a version of a scheme would come to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"areas": ["02"], "by": "district"}]},
    )

    version: Annotated[
        VersionNumber | None, Field(description="Null: the one in force.", examples=[1])
    ] = None
    opened_on: Annotated[
        Day | None,
        Field(description="When the activation would open; null: today. Rounds follow from it."),
    ] = None
    but: Annotated[
        UUID | None,
        Field(
            description="An activation whose communes are left out: what a widening of it would "
            "add, for instance."
        ),
    ] = None


class DocumentEstimateIn(EstimateIn):
    """What a document would come to that is not posted yet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"document": shipped_document("flood-2022"), "areas": ["02"]}]
        },
    )

    document: SchemeDocument
    version: Annotated[None, Field(description="A document has none.")] = None


class Come(BaseModel):
    """Households, their members, and what they get."""

    households: int
    persons: int
    amount_minor: int


class RoundEstimate(Come):
    """What one round would pay."""

    number: int
    due_on: date
    left_out: Annotated[
        int,
        Field(
            description="Households that get nothing in it, for others pay them: another scheme, "
            "or another activation of this one. They are not among `households`."
        ),
    ]
    left_out_minor: int


class AreaEstimate(Come):
    """What one round would pay in an area, and whose accounts have to be mended first."""

    area_code: str
    name_en: str
    name_km: str
    without_account: int
    without_provider: int


class ProviderEstimate(BaseModel):
    """What one round would pay through a provider, and what it has of ours."""

    code: str
    households: int
    amount_minor: int
    float_minor: Annotated[
        int | None, Field(description="Our money with it, free to be sent; null: nobody says.")
    ]
    short_minor: Annotated[
        int | None, Field(description="How much one round lacks there; 0: nothing.")
    ]
    problem: Annotated[
        str | None,
        Field(description="Why accounts there cannot be paid to; null: they can."),
    ]


class FundEstimate(FundCover):
    """What the fund has, and whether it covers every round."""

    short_minor: Annotated[
        int, Field(description="What it lacks for all rounds, of what is promised to nobody.")
    ]


class EstimateOut(Come):
    """Whom a scheme would pay, by the registry as it is now; nothing happens by it.

    ``households`` and ``persons`` are those of a round that leaves nobody out; ``amount_minor`` is
    what they would get over all rounds.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scheme": "flood-2022",
                    "version": 1,
                    "counted_at": "2022-10-08T02:00:00Z",
                    "households": 24156,
                    "persons": 90841,
                    "amount_minor": 11275740300,
                    "currency": "KHR",
                    "fund": "national-relief",
                    "areas_refused": {"99": "It is not in the gazetteer."},
                    "communes": 102,
                    "rounds": [
                        {
                            "number": 1,
                            "due_on": "2022-10-08",
                            "households": 24156,
                            "persons": 90841,
                            "amount_minor": 3758580100,
                            "left_out": 0,
                            "left_out_minor": 0,
                        }
                    ],
                    "by_area": [
                        {
                            "area_code": "02",
                            "name_en": "Battambang",
                            "name_km": "បាត់ដំបង",
                            "households": 24156,
                            "persons": 90841,
                            "amount_minor": 3758580100,
                            "without_account": 312,
                            "without_provider": 4,
                        }
                    ],
                    "without_account": 312,
                    "without_provider": 4,
                    "above_fund_bound": 0,
                    "providers": [
                        {
                            "code": "mekong",
                            "households": 23840,
                            "amount_minor": 3709000000,
                            "float_minor": 12000000000,
                            "short_minor": 0,
                            "problem": None,
                        }
                    ],
                    "cover": {
                        "currency": "KHR",
                        "available_minor": 30400000000,
                        "reserved_minor": 0,
                        "short_minor": 0,
                    },
                    "not_said": [],
                }
            ]
        }
    )

    scheme: str
    version: Annotated[int | None, Field(description="Null: of a document that is not posted.")]
    counted_at: datetime
    currency: str
    fund: str
    areas_refused: Annotated[
        dict[str, str], Field(description="Areas in which nobody can be enrolled, each with why.")
    ]
    communes: Annotated[int, Field(description="How many communes it would reach.")]
    rounds: list[RoundEstimate]
    by_area: Annotated[
        list[AreaEstimate], Field(description="By code; what one round pays that leaves none out.")
    ]
    without_account: Annotated[int, Field(description="Households without an account.")]
    without_provider: Annotated[
        int,
        Field(
            description="Households with an account at a provider that payments does not know, or "
            "that does not pay the scheme's currency."
        ),
    ]
    above_fund_bound: Annotated[
        int, Field(description="Households that would get more than the fund's owner lets them.")
    ]
    providers: list[ProviderEstimate]
    cover: Annotated[FundEstimate | None, Field(description="Null: payments does not say.")]
    not_said: Annotated[
        list[str], Field(description="What nobody could say, and so is not checked or counted.")
    ]
