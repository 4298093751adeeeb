"""The integrated beneficiary registry of SPDCI 1.0: who is enrolled in what."""

from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.registry.corrections.service import Corrections
from services.registry.scopes import SPDCI_BENEFICIARIES
from services.registry.spdci.applications import examples
from services.registry.spdci.applications.common import Register, add_now, application
from services.registry.spdci.beneficiaries.service import Beneficiaries, enrolled
from services.registry.spdci.beneficiaries.updates import Updates, beneficiaries_of
from services.registry.spdci.later.actions import Action
from services.registry.spdci.messages.codes import Status
from services.registry.spdci.messages.exchange import Answered, Taken, exchange

BENEFICIARIES = Register(
    name="ibr",
    scope=SPDCI_BENEFICIARIES,
    searches=Beneficiaries,
    # The schema spells one of them so.
    status_types=("search", "subscibe", "receipt"),
)
_ENROLLED = Action(
    name="search",
    answer="on-search",
    path="/registry/on-search",
    references=lambda _: [],
    totals=lambda _: (1,),
    work=enrolled,
)
BENEFICIARIES_ACTIONS = (BENEFICIARIES.search, BENEFICIARIES.status)
"""What is answered later."""


def create_beneficiaries() -> FastAPI:
    """The sub-application; ``mounting`` gives it its parent's state."""
    app = application(
        BENEFICIARIES,
        title="Sangkroh: SPDCI integrated beneficiary registry",
        summary="Who is enrolled in what, as the Digital Convergence Initiative's standard asks.",
        description="Interoperability APIs, Integrated Beneficiary Registry 1.0.0. How messages "
        "are signed, and where the text of the standard and its schema disagree, is in "
        "docs/ministries.md.",
        searching="Search beneficiaries",
        found="Households in schemes, and, for who may see persons, members in routine programmes.",
        search_example=examples.SEARCH_BENEFICIARIES,
        found_example=examples.BENEFICIARIES_FOUND,
    )
    add_now(
        app,
        BENEFICIARIES,
        _ENROLLED,
        at="/registry/sync/enrolled",
        name="sync enrolled",
        summary="Ask whether somebody is enrolled",
        description="Yes or no, for a person and a programme or scheme; without one, for any.",
        example=examples.ENROLLED,
        answer=examples.ENROLLED_TOLD,
    )

    @app.post(
        "/registry/sync/enrollment/updates",
        summary="Tell who is in a routine programme",
        openapi_extra=examples.body(examples.ENROLMENTS_TOLD),
        responses=examples.responses(examples.ENROLMENTS_TAKEN),
    )
    async def sync_updates(request: Request) -> Response:
        """Members enter or leave a routine programme from today on, each with its own answer. Of
        households that can still be paid, a second person decides."""
        return await exchange(
            request,
            scope=SPDCI_BENEFICIARIES,
            action="notify",
            answer_action="on-notify",
            work=partial(_updates, request),
            counted=False,
        )

    return app


async def _updates(request: Request, taken: Taken) -> Answered:
    clock, question = request.app.state.clock, taken.question
    told = beneficiaries_of(taken.message)
    corrections = Corrections(
        taken.session,
        request.app.state.steps,
        personal_data=taken.personal_data,
        alone=taken.settings.partner_changes_alone,
        caller=taken.caller,
        clock=clock,
    )
    updates = Updates(taken.session, corrections, personal_data=taken.personal_data, clock=clock)
    message = await updates.take(
        taken.message, at=taken.now, correlation_id=str(question.correlation_id)
    )
    rejected = all(answer["status"] == Status.REJECTED for answer in message["enrolled_response"])
    return Answered(
        message, total=len(told), status=Status.REJECTED if rejected else Status.SUCCEEDED
    )
