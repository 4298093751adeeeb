"""Bodies that say why a trigger fired, or why not."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from services.triggers.activations.states import State
from services.triggers.evaluations.outcomes import Outcome
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from shared.contracts.checks import FundCover
from shared.wording.said import Said

MAXIMUM_FIGURES = 2_000
MAXIMUM_EVALUATIONS = 100

Value = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class JudgedOut(BaseModel):
    """One evaluation, with the numbers that decided."""

    evaluation_id: UUID
    judged_on: date
    known_at: Annotated[
        datetime | None,
        Field(
            description="What had been recorded until then was known. Null: from before that was "
            "kept; then it is what had been recorded when it was evaluated."
        ),
    ]
    evaluated_at: datetime
    trigger_version: int
    stage: TriggerStage
    outcome: Outcome
    evidence: Annotated[
        dict[str, Any] | None,
        Field(description="The numbers that were used; null where another evaluation decided."),
    ]
    path: Annotated[str, Field(description="Why this evaluation came out as it did.")]


class FigureOut(BaseModel):
    """One value as it was known, in one of its revisions."""

    area: str
    place: str | None
    source: str
    observed_on: date
    published_on: date
    recorded_at: datetime
    revision: int
    value: Value | None


class FiguresOut(BaseModel):
    """What was known of an indicator when it was judged, every revision of it."""

    indicator: str
    name: str
    unit: str
    known_until: Annotated[datetime, Field(description="Nothing that was recorded later is here.")]
    observed_from: date | None
    observed_to: date
    count: Annotated[int, Field(description="How many there are; the latest days' are listed.")]
    items: Annotated[
        list[FigureOut], Field(description=f"{MAXIMUM_FIGURES:,} at most, oldest first.")
    ]
    path: Annotated[str, Field(description="Where all of them are listed, a page at a time.")]


class AreaReached(BaseModel):
    """An area that is paid in, or will be."""

    area: str
    name: Said
    announced_at: Annotated[
        datetime | None, Field(description="Since when; null: it waits to be announced.")
    ] = None


class AreaNotReached(BaseModel):
    """An area that was named and is not paid in, and why."""

    area: str
    name: Said
    because: Said


class EstimateOut(BaseModel):
    """What it would pay, as whoever decides was told, and up to where it may."""

    households: Annotated[
        int | None, Field(description="By the latest proposal; null: no person was asked.")
    ]
    amount_minor: Annotated[int | None, Field(description="Over all rounds.")]
    currency: str | None
    fund: Annotated[str | None, Field(description="Which fund would pay.")]
    fund_cover: Annotated[
        FundCover | None,
        Field(description="What that fund had when it was proposed; null: payments did not say."),
    ]
    proposal: Annotated[str | None, Field(description="Where that proposal is read.")]
    ceiling_households: Annotated[
        int | None, Field(description="What it may pay without asking a person again.")
    ]
    ceiling_minor: int | None


class PicturesOut(BaseModel):
    """Where it is drawn, as SVG and PNG; `?language=km` draws it in Khmer."""

    chart_svg: str | None
    chart_png: str | None
    map_svg: str
    map_png: str
    page: Annotated[str, Field(description="Everything on a page to be printed.")]


_EXAMPLE: dict[str, Any] = {
    "trigger": "flood-reported-impact",
    "trigger_version": 1,
    "document": "/v1/triggers/flood-reported-impact/versions/1",
    "activation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
    "state": "open",
    "severity": "severe",
    "said": [
        {
            "en": "12 October 2020: 24,156 households were reported affected in 3 areas, and 3 "
            "more areas were named without a figure.",
            "km": "ថ្ងៃទី១២ ខែតុលា ឆ្នាំ២០២០៖ គ្រួសារចំនួន ២៤,១៥៦ ត្រូវបានរាយការណ៍ថារងផលប៉ះពាល់ "
            "ក្នុងតំបន់ចំនួន ៣ ហើយតំបន់ចំនួន ៣ ទៀតត្រូវបានរាយនាមដោយគ្មានតួលេខ។",
        },
    ],
    "evaluations": [
        {
            "evaluation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
            "judged_on": "2020-10-12",
            "known_at": "2020-10-12T02:00:05Z",
            "evaluated_at": "2020-10-12T02:00:05Z",
            "trigger_version": 1,
            "stage": "activation",
            "outcome": "proposed",
            "evidence": {"method": "reported-impact", "national_households": 24156},
            "path": "/v1/triggers/flood-reported-impact/evaluations/"
            "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10/evidence",
        }
    ],
    "figures": [
        {
            "indicator": "flood-affected-households",
            "name": "Households reported affected by floods",
            "unit": "households",
            "known_until": "2020-10-12T02:00:05Z",
            "observed_from": "2020-10-12",
            "observed_to": "2020-10-12",
            "count": 1,
            "items": [
                {
                    "area": "02",
                    "place": None,
                    "source": "HRF",
                    "observed_on": "2020-10-12",
                    "published_on": "2020-10-12",
                    "recorded_at": "2020-10-12T02:00:00Z",
                    "revision": 1,
                    "value": 13180,
                }
            ],
            "path": "/v1/observations?indicator=flood-affected-households&observed_to=2020-10-12"
            "&revisions=all&observed_from=2020-10-12",
        }
    ],
    "areas_reached": [
        {
            "area": "02",
            "name": {"en": "Battambang", "km": "ខេត្តបាត់ដំបង"},
            "announced_at": "2020-10-12T02:00:06Z",
        }
    ],
    "areas_not_reached": [
        {
            "area": "10",
            "name": {"en": "Kratié", "km": "ខេត្តក្រចេះ"},
            "because": {
                "en": "Its figure is below that from which an area is taken in.",
                "km": "តួលេខរបស់វាទាបជាងកម្រិតដែលតំបន់មួយត្រូវបានរាប់បញ្ចូល។",
            },
        }
    ],
    "estimate": {
        "households": 24_156,
        "amount_minor": 11_275_740_300,
        "currency": "KHR",
        "fund": "shock-response",
        "fund_cover": {
            "currency": "KHR",
            "available_minor": 30_400_000_000,
            "reserved_minor": 0,
        },
        "proposal": "/v1/approvals/0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
        "ceiling_households": 26_572,
        "ceiling_minor": 12_403_314_330,
    },
    "pictures": {
        name: f"/v1/activations/0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11/evidence{path}"
        for name, path in (
            ("chart_svg", "/chart.svg"),
            ("chart_png", "/chart.png"),
            ("map_svg", "/map.svg"),
            ("map_png", "/map.png"),
            ("page", ".html"),
        )
    },
}


class EvidenceOut(BaseModel):
    """Why a trigger fired, or why not, with everything that is needed to compute it again."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    trigger: str
    trigger_version: Annotated[int, Field(description="The version that decided.")]
    document: Annotated[str, Field(description="Where that version is read.")]
    activation_id: Annotated[
        UUID | None, Field(description="The activation; null: the evaluation belongs to none.")
    ]
    state: Annotated[State | None, Field(description="The activation's; null: there is none.")]
    severity: Severity | None
    said: Annotated[list[Said], Field(description="Why, in sentences.")]
    evaluations: Annotated[
        list[JudgedOut],
        Field(
            description="Those that are about it, oldest first; none where an official declared "
            f"it. {MAXIMUM_EVALUATIONS} at most, the latest."
        ),
    ]
    figures: Annotated[
        list[FiguresOut], Field(description="What was known, for each indicator that was judged.")
    ]
    areas_reached: list[AreaReached]
    areas_not_reached: list[AreaNotReached]
    estimate: Annotated[
        EstimateOut | None,
        Field(description="Of an activation."),
    ]
    pictures: PicturesOut
