"""The social registry of SPDCI 1.0: who is registered."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.registry.scopes import SPDCI_SOCIAL
from services.registry.spdci.applications import examples
from services.registry.spdci.applications.common import Register, add_later, application
from services.registry.spdci.asking import service as asking
from services.registry.spdci.later.actions import Action
from services.registry.spdci.messages.exchange import acknowledge
from services.registry.spdci.searches.service import Searches
from services.registry.spdci.subscriptions import service as subscriptions

SOCIAL = Register(
    name="social",
    scope=SPDCI_SOCIAL,
    searches=Searches,
    status_types=("search", "subscribe", "receipt"),
)
_SUBSCRIBE = Action(
    name="subscribe",
    answer="on-subscribe",
    path="/registry/on-subscribe",
    references=subscriptions.references_of,
    totals=lambda message: (len(subscriptions.requests_of(message)),),
    work=subscriptions.subscribe,
)
_UNSUBSCRIBE = Action(
    name="unsubscribe",
    answer="on-unsubscribe",
    path="/registry/on-unsubscribe",
    references=subscriptions.codes_of,
    # It has no list of requests: its codes are counted, or the message as one.
    totals=lambda message: (1, len(subscriptions.codes_of(message))),
    work=subscriptions.unsubscribe,
)
SOCIAL_ACTIONS = (SOCIAL.search, SOCIAL.status, _SUBSCRIBE, _UNSUBSCRIBE)
"""What is answered later."""


def create_social() -> FastAPI:
    """The sub-application; ``mounting`` gives it its parent's state."""
    app = application(
        SOCIAL,
        title="Sangkroh: SPDCI social registry",
        summary="Who is registered, as the Digital Convergence Initiative's standard asks.",
        description="Interoperability APIs, Social Registry 1.0.0. How messages are signed, and "
        "where the text of the standard and its schema disagree, is in docs/ministries.md.",
        searching="Search",
        found="Searches households (Group), or their members (Member), by a number, an expression "
        "or predicates. What is wrong with one search is said in its answer, the others are "
        "answered.",
        search_example=examples.SEARCH,
        found_example=examples.SEARCHED,
    )
    add_later(
        app,
        SOCIAL,
        _SUBSCRIBE,
        at="/registry/subscribe",
        summary="Subscribe to what happens to households",
        description="Keeps what is wanted and says so. `/registry/on-subscribe` behind the "
        "partner's address is told the codes, and from then on `/registry/notify` what happens.",
        example=examples.SUBSCRIBE,
    )
    add_later(
        app,
        SOCIAL,
        _UNSUBSCRIBE,
        at="/registry/unsubscribe",
        summary="End subscriptions",
        description="Ends them, and says so to `/registry/on-unsubscribe`.",
        example=examples.UNSUBSCRIBE,
    )
    for action in ("on-search", "on-subscribe", "on-unsubscribe", "notify", "txn-on-status"):
        _add_callback(app, action)
    return app


def _add_callback(app: FastAPI, action: str) -> None:
    """Take what a partner's registry answers to us, or tells us of itself."""
    path = "/registry/txn/on-status" if action == "txn-on-status" else f"/registry/{action}"

    @app.post(
        path,
        name=action,
        summary=f"Be sent {action}, as a client",
        operation_id=action.replace("-", "_"),
        openapi_extra=examples.body(examples.CALLBACKS[action]),
        responses=examples.responses(examples.NOTHING_FOLLOWS),
    )
    async def called_back(request: Request) -> Response:
        """Kept once, however often it comes, and read at `/v1/partners/{sender_id}/received`; what
        answers a search of ours also with that search."""
        return await acknowledge(
            request, scope=SPDCI_SOCIAL, action=action, work=asking.keep, called_back=True
        )
