"""The documentation pages: they need no internet, and give a token away on a laptop alone."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from services.registry.app import create_app
from services.registry.settings import ApiSettings
from shared.documentation import TokenWithheld
from tests.conftest import ServeService

_ADDRESS = re.compile(r"""(?:href|src|spec-url)="([^"]+)"|url: "([^"]+)"|url\(["']?([^"')]+)""")


def addresses(text: str) -> list[str]:
    """Whatever a page or a style sheet has the browser fetch; what it holds itself left out."""
    found = ["".join(groups) for groups in _ADDRESS.findall(text)]
    return [address for address in found if not address.startswith("data:")]


def token_in(page: str) -> str:
    found = re.search(r'data-token="([^"]*)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_a_page_and_all_that_it_names_come_from_the_service_itself(
    serve: ServeService, path: str
) -> None:
    service = await serve("registry")
    async with httpx.AsyncClient(base_url=service.url) as client:
        page = await client.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        to_fetch = [(path, address) for address in addresses(page.text)]
        assert len(to_fetch) >= 3
        for origin, address in to_fetch:
            url = urljoin(urljoin(service.url, origin), address)
            assert urlsplit(url).netloc == urlsplit(service.url).netloc
            answer = await client.get(url)
            assert answer.status_code == 200, url
            assert len(answer.content) > 1_000
            if url.endswith(".css"):
                to_fetch += [(urlsplit(url).path, nested) for nested in addresses(answer.text)]


async def test_the_page_of_a_development_system_holds_a_token_that_works(
    serve: ServeService, environment: dict[str, str]
) -> None:
    assert environment["DOCS"] == "with-token"
    service = await serve("registry")
    async with httpx.AsyncClient(base_url=service.url) as client:
        page = await client.get("/docs")
        assert page.headers["cache-control"] == "no-store"
        headers = {"Authorization": f"Bearer {token_in(page.text)}"}
        assert (await client.get("/v1/areas", headers=headers)).status_code == 200
        assert (await client.get("/v1/areas")).status_code == 401
        assert "token" not in (await client.get("/redoc")).text


async def test_by_default_the_page_holds_no_token(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the development key is at hand."""
    monkeypatch.delenv("DOCS")
    assert environment["AUTH_DEVELOPMENT_KEY_FILE"]
    async with asking(ApiSettings()) as client:
        assert token_in((await client.get("/docs")).text) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"auth_development_key_file": None},
        {"auth_issuer": "https://issuer.example"},
        {"host": "0.0.0.0"},  # noqa: S104 - what is refused here
        {"host": "::"},
    ],
)
def test_a_token_is_handed_out_on_a_laptop_and_nowhere_else(
    environment: dict[str, str], changes: dict[str, Any]
) -> None:
    settings = ApiSettings().model_copy(update=changes)
    with pytest.raises(TokenWithheld, match="DOCS=on"):
        create_app(settings)


async def test_the_pages_can_be_switched_off(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCS", "off")
    async with asking(ApiSettings()) as client:
        for path in ("/docs", "/redoc", "/docs/assets/swagger-ui-bundle.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/openapi.json")).status_code == 200


def asking(settings: ApiSettings) -> httpx.AsyncClient:
    """A client of the app without a server: these pages need no database."""
    transport = httpx.ASGITransport(create_app(settings))
    return httpx.AsyncClient(transport=transport, base_url="http://registry")
