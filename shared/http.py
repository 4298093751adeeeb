"""How one service calls another: a client with the service's own token, and bounds."""

from collections.abc import AsyncGenerator, Generator
from http import HTTPStatus

import httpx

from shared.auth import ServiceToken
from shared.auth.service_token import Calls
from shared.certificates import trusted
from shared.version import API_PREFIX

_TIMEOUT = httpx.Timeout(30, connect=5)


class _ServiceAuthentication(httpx.Auth):
    def __init__(self, token: ServiceToken) -> None:
        self._token = token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        raise RuntimeError("Services call one another asynchronously only.")

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        authorization = await self._token.authorization()
        request.headers["Authorization"] = authorization
        answer = yield request
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._token.refused(authorization):
            request.headers["Authorization"] = await self._token.authorization()
            yield request


def service_client(settings: Calls, base_url: str) -> httpx.AsyncClient:
    """A client for another service's API at ``base_url``, with this service's own token."""
    return httpx.AsyncClient(
        base_url=base_url.rstrip("/") + API_PREFIX,
        auth=_ServiceAuthentication(ServiceToken(settings)),
        timeout=_TIMEOUT,
        verify=trusted(),
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=20),
    )
