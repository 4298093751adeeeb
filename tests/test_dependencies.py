"""What a request needs is made where the request is: none waits for a thread to make it in."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from tests.conftest import ServeService


def _needed(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for each in dependant.dependencies:
        assert each.call is not None
        yield each.call
        yield from _needed(each)


def _routes(routes: list[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)


def _is_awaited(called: Callable[..., Any]) -> bool:
    """Whether it is a coroutine or gives one value from an asynchronous generator; or whether an
    object is that, when it is called."""
    for function in (called, getattr(called, "__call__", None)):  # noqa: B004
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            return True
    return False


@pytest.mark.parametrize("name", ["registry", "triggers", "payments"])
async def test_no_request_waits_for_a_thread_to_make_what_it_needs(
    name: str, serve: ServeService
) -> None:
    service = await serve(name)
    routes = list(_routes(service.app.routes))
    assert len(routes) > 50
    in_threads = {
        f"{called.__module__}.{called.__qualname__}"
        for route in routes
        for called in (route.endpoint, *_needed(route.dependant))
        if not _is_awaited(called)
    }
    assert in_threads == set()
