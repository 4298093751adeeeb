"""What triggers asks the others: before it takes what an activation would be made of, and after.

``POST /v1/checks/activations`` takes an ``ActivationCheck`` and answers an ``ActivationChecked``.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.documents import Code
from shared.values import Text

AREA_CODE = r"^(KH|([0-9]{2}){1,4})$"
"""A code of the gazetteer: ``KH``, or two ASCII digits for each level with leading zeros."""
MAXIMUM_AREAS = 5_000


class ActivationCheck(BaseModel):
    """Areas, an area filter and a scheme; what is left out is not looked at."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "areas": ["02", "0801", "99"],
                    "area_filter": "flood_hazard_index >= 5",
                    "scheme": "flood-2022",
                }
            ]
        },
    )

    areas: Annotated[
        list[Annotated[str, Field(pattern=AREA_CODE, max_length=8)]],
        Field(max_length=MAXIMUM_AREAS),
    ] = []
    area_filter: Annotated[
        Annotated[str, Text(longest=2_000, shortest=0, lines=True)] | None,
        Field(description="CQL2 text over the attributes of communes."),
    ] = None
    scheme: Annotated[Code | None, Field(description="The code of a scheme.")] = None


class AreaReach(BaseModel):
    """What a filter leaves of an area."""

    area: str
    communes: Annotated[int, Field(ge=0, description="How many the area has.")]
    reached: Annotated[int, Field(ge=0, description="For how many of them the filter holds.")]
    unknown: Annotated[
        int,
        Field(
            ge=0,
            description="For how many nobody can say: an attribute in the filter is blank there. "
            "They are left out; a filter that asks `IS NULL` as well takes them in.",
        ),
    ]


class AreaSum(BaseModel):
    """What one round would pay in a province, and whose accounts have to be mended first."""

    area: str
    households: int
    persons: int
    amount_minor: int
    without_account: int
    without_provider: int


class ActivationChecked(BaseModel):
    """What of it is not known, or cannot be used. All empty: an activation of it enrols."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "areas_unknown": ["99"],
                    "areas_too_small": [],
                    "area_filter_refused": None,
                    "scheme_refused": None,
                    "households": 24156,
                    "amount_minor": 11275740300,
                    "currency": "KHR",
                    "fund": "shock",
                    "without_account": 312,
                    "without_provider": 4,
                    "rounds": 3,
                    "by_area": [
                        {
                            "area": "08",
                            "households": 24156,
                            "persons": 90841,
                            "amount_minor": 3758580100,
                            "without_account": 312,
                            "without_provider": 4,
                        }
                    ],
                    "reach": [
                        {"area": "0801", "communes": 13, "reached": 9, "unknown": 1},
                        {"area": "24", "communes": 8, "reached": 0, "unknown": 0},
                    ],
                }
            ]
        }
    )

    areas_unknown: Annotated[list[str], Field(description="Those that are not in the gazetteer.")]
    areas_too_small: Annotated[
        list[str],
        Field(description="Those that are smaller than a commune: nobody is enrolled in them."),
    ]
    area_filter_refused: Annotated[
        str | None, Field(description="Why the filter cannot be used; null: it can.")
    ] = None
    scheme_refused: Annotated[
        str | None, Field(description="Why the scheme cannot pay; null: it can.")
    ] = None
    households: Annotated[
        int | None,
        Field(
            description="How many it would pay, by the registry as it is now; null: areas or the "
            "scheme are left out or cannot be used, so nobody can say."
        ),
    ] = None
    amount_minor: Annotated[
        int | None, Field(description="What they would get, over all rounds.")
    ] = None
    currency: Annotated[str | None, Field(description="The scheme's.")] = None
    fund: Annotated[str | None, Field(description="What the scheme pays from.")] = None
    without_account: Annotated[
        int | None, Field(description="How many of the households have no account to pay into.")
    ] = None
    without_provider: Annotated[
        int | None,
        Field(
            description="How many have one at a provider that payments does not know, or that does "
            "not pay the scheme's currency."
        ),
    ] = None
    rounds: Annotated[int | None, Field(description="How many rounds `amount_minor` is over.")] = (
        None
    )
    by_area: Annotated[
        list[AreaSum], Field(description="What one round would pay, by province and its code.")
    ] = []
    reach: Annotated[
        list[AreaReach],
        Field(
            description="What the filter leaves of each area that can be used, by code; empty "
            "where no filter is asked about or it cannot be used."
        ),
    ] = []


class FundCover(BaseModel):
    """What triggers shows of payments' ``GET /v1/funds/{code}``, in minor units."""

    currency: str
    available_minor: Annotated[int, Field(description="Not promised to anyone.")]
    reserved_minor: Annotated[int, Field(description="Kept for triggers that are ready.")]


class ProviderFloat(BaseModel):
    """What the registry reads of each of payments' ``GET /v1/providers``, in minor units."""

    code: str
    currency: str
    float_minor: Annotated[int, Field(description="Money with it, free to be sent.")]


class ActivationEnrolment(BaseModel):
    """What triggers shows of the registry's ``GET /v1/activations/{id}``."""

    not_enrolled: Annotated[
        str | None, Field(description="Why nobody is enrolled yet, and what to do; null: some are.")
    ] = None
    areas_refused: Annotated[
        dict[str, str],
        Field(description="Areas in which nobody can be enrolled, each with why."),
    ]
