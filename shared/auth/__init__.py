"""Who may: OAuth 2 bearer JWTs from any OIDC issuer, with scopes declared as types."""

from shared.auth.bearer import (
    Caller,
    TokenVerifier,
    require,
    require_country,
    require_scopes,
    token_of,
)
from shared.auth.service_token import ServiceToken

__all__ = [
    "Caller",
    "ServiceToken",
    "TokenVerifier",
    "require",
    "require_country",
    "require_scopes",
    "token_of",
]
