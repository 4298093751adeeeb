"""What tests of a hostile sandbox share: ids that are met in one way, and waiting for the end."""

import time
import uuid
from collections.abc import Callable

import httpx

from sandbox.hostility import Channel, Hostility
from tests.sandbox.running import RunningSandbox, eventually

WHILE_SECONDS = 2.0
OUR_REFERENCE = "requestingOrganisationTransactionReference"

Hostile = Callable[[Hostility], RunningSandbox]


def an_id(sandbox: RunningSandbox, channel: Channel | None = None) -> str:
    """A correlation id whose end is told by this way first."""
    while True:
        candidate = str(uuid.uuid4())
        if channel in (None, sandbox.options.nature.channel(candidate)):
            return candidate


def an_id_of_form(sandbox: RunningSandbox, form: int, *, among: int) -> str:
    while True:
        candidate = str(uuid.uuid4())
        if sandbox.options.nature.choice(candidate, among=6) % among == form:
            return candidate


def wait_until_the_while_is_over() -> None:
    time.sleep(WHILE_SECONDS + 0.1)


def link_of(sandbox: RunningSandbox, correlation_id: str) -> str:
    return str(sandbox.get(f"/responses/{correlation_id}").json()["link"])


def wait_until_told_completed(sandbox: RunningSandbox, correlation_id: str) -> httpx.Response:
    """The transaction, once an inquiry leads to it."""
    eventually(lambda: "/transactions/" in link_of(sandbox, correlation_id))
    return sandbox.get(link_of(sandbox, correlation_id))
