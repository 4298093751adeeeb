"""Whether a request is taken: whose token it carries, how often they called, what they may."""

from collections.abc import Iterable, Mapping

from starlette.types import Scope

from shared.auth import Caller, TokenVerifier, require_country, require_scopes, token_of
from shared.errors import TooMany, Unauthenticated
from shared.rates import ORDINARY, REFUSED, SERVICE, Rates, Standing, network_of


class Admission:
    """Looks at the token and the caller's rate, before anything else of a request is read.

    A good token is never refused for the bad ones that come from the same address: behind a proxy
    that does not say whom it speaks for, everybody has its address.
    """

    def __init__(self, verifier: TokenVerifier, rates: Rates) -> None:
        self._verifier = verifier
        self._rates = rates

    async def admit(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        *,
        scopes: Iterable[str],
        rate: str | None = None,
        bound: bool = False,
    ) -> Standing:
        """Have the caller in the scope's state; where it stands. Raises Problem where it may not.

        ``bound`` callers are taken where what is called keeps to their areas by itself.
        ``rate`` is a class of ``shared.rates``; None: what persons and programs have each.
        """
        caller = await self._caller(scope, headers)
        scope["state"]["caller"] = caller
        standing = self._rates.count(
            rate or (ORDINARY if caller.is_person else SERVICE), caller.subject
        )
        _require_rate(standing)
        require_scopes(caller, scopes)
        if not bound:
            require_country(caller)
        return standing

    async def _caller(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Caller:
        try:
            return await self._verifier.caller(
                token_of(headers.get(b"authorization", b"").decode("latin-1"))
            )
        except Unauthenticated:
            address = scope["client"][0] if scope.get("client") else ""
            _require_rate(self._rates.count(REFUSED, network_of(address)))
            raise


def _require_rate(standing: Standing) -> None:
    if standing.is_over:
        raise TooMany(
            f"{standing.quota} of these calls are taken from a caller in {standing.window_seconds} "
            f"seconds. Call again in {standing.seconds} seconds.",
            headers={
                "Retry-After": str(standing.seconds),
                **{name.decode(): value.decode() for name, value in standing.headers},
            },
        )
