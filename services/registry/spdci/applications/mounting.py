"""Putting the standard's applications under the registry's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import State

from services.registry.settings import ApiSettings
from services.registry.spdci.applications.beneficiaries import (
    BENEFICIARIES,
    BENEFICIARIES_ACTIONS,
    create_beneficiaries,
)
from services.registry.spdci.applications.social import SOCIAL, SOCIAL_ACTIONS, create_social
from services.registry.spdci.later.working import Answering, Sending
from services.registry.spdci.subscriptions.following import Following
from shared.database import Database
from shared.events import Consumer
from shared.operations import Operations
from shared.worker import Loop

_FOLLOWS_AFTER_SECONDS = 1.0
"""Nothing wakes whoever follows for partners: nobody waits for what is sent to them."""


def mount_spdci(app: FastAPI) -> None:
    """Serve the standard's addresses, with the registry's database, keys and tokens."""
    _mount(app, create_social(), SOCIAL.path)
    _mount(app, create_beneficiaries(), BENEFICIARIES.path)


@asynccontextmanager
async def answering_partners(app: FastAPI) -> AsyncIterator[None]:
    """Answer what partners asked, and send the answers, for as long as the API is up."""
    database: Database = app.state.database
    settings: ApiSettings = app.state.settings
    sending = Sending(database, settings=settings, personal_data=app.state.personal_data)
    sends = Loop("partners-sending", sending.step)
    answers = Loop(
        "partners-answering",
        Answering(
            database,
            settings=settings,
            personal_data=app.state.personal_data,
            clock=app.state.clock,
            actions={
                (register.name, action.name): action
                for register, actions in (
                    (SOCIAL, SOCIAL_ACTIONS),
                    (BENEFICIARIES, BENEFICIARIES_ACTIONS),
                )
                for action in actions
            },
        ).step,
        then=[sends],
    )
    following = Following(
        settings=settings, personal_data=app.state.personal_data, clock=app.state.clock
    )
    consumer = Consumer(
        database, name="registry.partners", schema=settings.service, handlers=following.handlers
    )
    follows = Loop.reading(
        consumer, name="partners-following", then=[sends], unheard_seconds=_FOLLOWS_AFTER_SECONDS
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as running:
        for loop in (answers, follows, sends):
            running.create_task(loop.run(stop))
        try:
            yield
        finally:
            stop.set()
    await sending.close()


def _mount(app: FastAPI, mounted: FastAPI, path: str) -> None:
    def operations() -> dict[str, Any]:
        document = mounted.openapi()
        return document | {
            "paths": {f"{path}{own}": methods for own, methods in document["paths"].items()}
        }

    # Its lifespan is never run: whatever is opened for it, its parent opens.
    mounted.state = State({**app.state._state, "operations": Operations(operations)})
    app.mount(path, mounted)
