"""What the standard's two applications have in common: envelope and errors of their own."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from services.registry.spdci.exchange import http_error, public_keys
from services.registry.spdci.messages.codes import ErrorCode
from services.registry.spdci.messages.envelope import Refused


def application(*, title: str, summary: str, description: str) -> FastAPI:
    """A sub-application with our public keys; ``mounting`` gives it its parent's state."""
    app = FastAPI(
        title=title,
        summary=summary,
        description=description,
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
    )

    @app.get("/.well-known/jwks.json", summary="Our public keys")
    async def jwks(request: Request) -> dict[str, Any]:
        """What verifies our signatures: a JSON Web Key Set (RFC 7517)."""
        return {"keys": public_keys(request.app.state.settings)}

    @app.exception_handler(404)
    async def no_such_path(request: Request, _: Exception) -> Response:
        return http_error(
            Refused(404, ErrorCode.NOT_FOUND, "The standard has no such address here.")
        )

    @app.exception_handler(405)
    async def another_method(request: Request, _: Exception) -> Response:
        return JSONResponse(
            {"errors": [{"code": ErrorCode.BAD.value, "message": "Messages are sent by POST."}]},
            status_code=405,
        )

    return app
