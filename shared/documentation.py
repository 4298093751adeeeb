"""The documentation pages of an API, to read and to try, with nothing from another host.

Swagger UI and Redoc come from the package ``fastapi-offline``, which renews them every few months;
its own pages are not used, because they cannot be handed a token. The browser is told to load
from here alone, so a page that would need the internet is seen to fail wherever it is tried.
"""

import base64
import hashlib
from html import escape
from importlib.resources import files

import fastapi_offline
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from shared.auth import development
from shared.errors import Explained
from shared.settings import Documentation, ServiceSettings

TRY_PATH = "/docs"
READ_PATH = "/redoc"
ASSETS_PATH = "/docs/assets"

_ASSETS = files(fastapi_offline) / "static"
_TOKEN_SECONDS = 12 * 3600
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# Addresses are relative: the pages work under whatever path a proxy puts them.
_SCRIPT = """
const { token } = document.getElementById("swagger-ui").dataset;
const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  validatorUrl: null,
  tryItOutEnabled: Boolean(token),
  onComplete: () => {
    if (!token) return;
    const { securitySchemes } = ui.getState().getIn(["spec", "json", "components"]).toJS();
    for (const name of Object.keys(securitySchemes)) ui.preauthorizeApiKey(name, token);
  },
});
"""
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self' 'sha256-{_SCRIPT_HASH}'; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


class TokenWithheld(Explained):
    """A token was to be handed to whoever opens a page that more than this machine may reach."""


def install_documentation(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve the pages as ``DOCS`` says; raises TokenWithheld rather than give a token away."""
    if settings.docs is Documentation.OFF:
        return
    if settings.docs is Documentation.WITH_TOKEN:
        _require_development(settings)

    @app.get(TRY_PATH, include_in_schema=False)
    def try_it() -> HTMLResponse:
        return HTMLResponse(_try_page(app.title, token=_token(settings)), headers=_HEADERS)

    @app.get(READ_PATH, include_in_schema=False)
    def read_it() -> HTMLResponse:
        return HTMLResponse(_read_page(app.title), headers=_HEADERS)

    app.mount(ASSETS_PATH, StaticFiles(directory=str(_ASSETS)), name="documentation")


def _require_development(settings: ServiceSettings) -> None:
    """A production issuer's token is never at hand here; nor is a page that others can open."""
    of_development = (
        settings.auth_development_key_file is not None
        and settings.auth_issuer == development.ISSUER
    )
    if not of_development or settings.host not in _LOOPBACK:
        raise TokenWithheld(
            f"DOCS={Documentation.WITH_TOKEN} hands a token to whoever opens {TRY_PATH}, so it "
            "needs the development issuer (AUTH_ISSUER, AUTH_DEVELOPMENT_KEY_FILE) and an API that "
            f"listens on the loopback alone: set DOCS={Documentation.ON}, or leave it out."
        )


def _token(settings: ServiceSettings) -> str | None:
    key_file = settings.auth_development_key_file
    if settings.docs is not Documentation.WITH_TOKEN or key_file is None:
        return None
    return development.mint(
        key_file,
        audience=settings.auth_audience,
        subject=development.SUBJECT,
        scopes=development.WITHOUT_APPROVING,
        seconds=_TOKEN_SECONDS,
    )


def _try_page(title: str, *, token: str | None) -> str:
    note = (
        '<p id="development">A development system: the calls below are made as '
        f"<b>{development.SUBJECT}</b>, who may do everything but approve. "
        "<code>make token</code> prints such a token, <code>make token ROLE=checker</code> that of "
        "the second person.</p>"
        if token
        else ""
    )
    return _page(
        title,
        head='<link rel="stylesheet" href="docs/assets/swagger-ui.css">'
        "<style>body { margin: 0 } #development { font: 14px sans-serif; padding: 12px 20px;"
        " margin: 0; background: #fdf6d8 }</style>",
        body=f'{note}<div id="swagger-ui" data-token="{escape(token or "")}"></div>'
        '<script src="docs/assets/swagger-ui-bundle.js"></script>'
        f"<script>{_SCRIPT}</script>",
    )


def _read_page(title: str) -> str:
    return _page(
        title,
        head="<style>body { margin: 0 }</style>",
        body='<redoc spec-url="openapi.json"></redoc>'
        '<script src="docs/assets/redoc.standalone.js"></script>',
    )


def _page(title: str, *, head: str, body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="docs/assets/favicon.png">{head}'
        f"</head><body>{body}</body></html>"
    )
