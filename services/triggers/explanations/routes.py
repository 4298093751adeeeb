"""Why a trigger fired, or why not, over HTTP: as JSON, drawn, and on a page."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from services.triggers.checks.service import ChecksDependency
from services.triggers.drawing.pictures import Form, Picture, fingerprint
from services.triggers.drawing.studio import Studio, StudioDependency
from services.triggers.explanations import service
from services.triggers.explanations.page import page
from services.triggers.explanations.schemas import EvidenceOut
from services.triggers.explanations.service import Explained
from services.triggers.scopes import ActivationsRead, TriggersRead
from shared.approvals import Steps
from shared.approvals.routes import TwoPersonSteps
from shared.clock import Clock, ClockDependency
from shared.database import Database
from shared.documents import Code
from shared.errors import NotFound, problem_responses
from shared.freshness import NOT_MODIFIED, REVALIDATED, KnownTag, is_known
from shared.pages import HEADERS as PAGE_HEADERS
from shared.pages import RESPONSES as PAGES
from shared.wording.phrase import Language, Phrase

router = APIRouter()

_ACTIVATION = "/activations/{activation_id}/evidence"
_EVALUATION = "/triggers/{code}/evaluations/{evaluation_id}/evidence"

ActivationId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]
EvaluationId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]
TriggerCode = Annotated[Code, Path(examples=["flood-reported-impact"])]
# Opened by itself, an SVG styles itself and asks for nothing.
_PICTURE_HEADERS = {
    "Cache-Control": REVALIDATED,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
}
_PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {
            form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in Form
        },
    },
    **NOT_MODIFIED,
}
_REFUSALS = problem_responses(401, 403, 404, 422)


class Drawn(StrEnum):
    """What of the evidence is drawn, and in which format."""

    CHART_SVG = "chart.svg"
    CHART_PNG = "chart.png"
    MAP_SVG = "map.svg"
    MAP_PNG = "map.png"

    @property
    def form(self) -> Form:
        return Form(self.value.rpartition(".")[2])

    def picture_of(self, explained: Explained) -> Picture:
        """Raises NotFound where there is nothing to draw."""
        return explained.charts if self.value.startswith("chart") else explained.map


@router.get(
    _ACTIVATION,
    tags=["activations"],
    summary="Read why an activation began",
    responses=_REFUSALS,
)
async def read_evidence(
    activation_id: ActivationId,
    _: ActivationsRead,
    request: Request,
    clock: ClockDependency,
    checks: ChecksDependency,
    steps: TwoPersonSteps,
) -> EvidenceOut:
    """Says in English and Khmer why it fired, by which numbers, where it reaches and where not,
    and what it would pay, with all that is needed to compute it again."""
    explained = await _of_activation(request, activation_id, steps=steps, clock=clock)
    return await service.shown(explained, database=_database(request), checks=checks)


@router.get(
    f"{_ACTIVATION}/{{picture}}",
    tags=["activations"],
    summary="See why an activation began",
    response_class=Response,
    responses={**_PICTURES, **_REFUSALS, **problem_responses(503)},
)
async def draw_evidence(
    activation_id: ActivationId,
    picture: Drawn,
    _: ActivationsRead,
    request: Request,
    clock: ClockDependency,
    steps: TwoPersonSteps,
    studio: StudioDependency,
    language: Language = Language.ENGLISH,
    known: KnownTag = None,
) -> Response:
    """Draws the series against the levels of the trigger, or the areas on a map."""
    explained = await _of_activation(request, activation_id, steps=steps, clock=clock)
    return await _drawn(explained, picture, studio, language=language, known=known)


@router.get(
    f"{_ACTIVATION}.html",
    tags=["activations"],
    summary="Print why an activation began",
    response_class=HTMLResponse,
    responses={**PAGES, **_REFUSALS, **problem_responses(503)},
)
async def print_evidence(
    activation_id: ActivationId,
    _: ActivationsRead,
    request: Request,
    clock: ClockDependency,
    checks: ChecksDependency,
    steps: TwoPersonSteps,
    studio: StudioDependency,
) -> HTMLResponse:
    """Puts the evidence on a page in both languages, with its chart and its map, to be printed."""
    explained = await _of_activation(request, activation_id, steps=steps, clock=clock)
    evidence = await service.shown(explained, database=_database(request), checks=checks)
    return await _printed(explained, evidence, studio)


@router.get(
    _EVALUATION,
    tags=["evaluations"],
    summary="Read why a trigger fired, or why not",
    responses=_REFUSALS,
)
async def read_evaluation_evidence(
    code: TriggerCode,
    evaluation_id: EvaluationId,
    _: TriggersRead,
    request: Request,
    checks: ChecksDependency,
) -> EvidenceOut:
    """Says in English and Khmer how an evaluation came out and why, whatever it came to, with all
    that is needed to compute it again."""
    explained = await _of_evaluation(request, code, evaluation_id)
    return await service.shown(explained, database=_database(request), checks=checks)


@router.get(
    f"{_EVALUATION}/{{picture}}",
    tags=["evaluations"],
    summary="See why a trigger fired, or why not",
    response_class=Response,
    responses={**_PICTURES, **_REFUSALS, **problem_responses(503)},
)
async def draw_evaluation_evidence(
    code: TriggerCode,
    evaluation_id: EvaluationId,
    picture: Drawn,
    _: TriggersRead,
    request: Request,
    studio: StudioDependency,
    language: Language = Language.ENGLISH,
    known: KnownTag = None,
) -> Response:
    """Draws what was judged against the levels of the trigger, or the areas on a map."""
    explained = await _of_evaluation(request, code, evaluation_id)
    return await _drawn(explained, picture, studio, language=language, known=known)


@router.get(
    f"{_EVALUATION}.html",
    tags=["evaluations"],
    summary="Print why a trigger fired, or why not",
    response_class=HTMLResponse,
    responses={**PAGES, **_REFUSALS, **problem_responses(503)},
)
async def print_evaluation_evidence(
    code: TriggerCode,
    evaluation_id: EvaluationId,
    _: TriggersRead,
    request: Request,
    checks: ChecksDependency,
    studio: StudioDependency,
) -> HTMLResponse:
    """Puts an evaluation on a page in both languages, with its chart and its map."""
    explained = await _of_evaluation(request, code, evaluation_id)
    evidence = await service.shown(explained, database=_database(request), checks=checks)
    return await _printed(explained, evidence, studio)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _of_activation(
    request: Request, activation_id: UUID, *, steps: Steps, clock: Clock
) -> Explained:
    async with _database(request).transaction() as session:
        return await service.about_activation(session, steps, activation_id, clock=clock)


async def _of_evaluation(request: Request, code: str, evaluation_id: UUID) -> Explained:
    async with _database(request).transaction() as session:
        return await service.about_evaluation(session, code, evaluation_id)


async def _drawn(
    explained: Explained,
    drawn: Drawn,
    studio: Studio,
    *,
    language: Language,
    known: str | None,
) -> Response:
    """The picture, drawn outside of any transaction; nothing where it is at hand already."""
    picture = drawn.picture_of(explained)
    tag = f'"{fingerprint(picture, language=language, form=drawn.form)}"'
    headers = {**_PICTURE_HEADERS, "ETag": tag}
    if is_known(tag, known):
        return Response(status_code=304, headers=headers)
    content = await studio.draw(picture, language=language, form=drawn.form)
    return Response(content, media_type=drawn.form.media_type, headers=headers)


async def _printed(explained: Explained, evidence: EvidenceOut, studio: Studio) -> HTMLResponse:
    pictures: list[tuple[Phrase, bytes]] = []
    for drawn in (Drawn.CHART_PNG, Drawn.MAP_PNG):
        try:
            picture = drawn.picture_of(explained)
        except NotFound:
            continue
        for language in Language:
            content = await studio.draw(picture, language=language, form=drawn.form)
            pictures.append((explained.title, content))
    return HTMLResponse(
        page(evidence, title=explained.title, pictures=pictures), headers=PAGE_HEADERS
    )
