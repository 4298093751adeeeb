"""How often a caller may call: so many times a minute, by class of operation.

Counted in the process, by the library ``limits``: what several processes serve together, each
counts alone. A window is fixed and begins with a caller's first call, so that what is left and
when there is more can be said in every answer (draft-ietf-httpapi-ratelimit-headers-10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from time import time
from typing import ClassVar

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

ORDINARY = "ordinary"
SERVICE = "service"
SEARCH = "search"
REFUSED = "refused"

_WINDOW_SECONDS = 60
_KEPT_WINDOWS = 10_000
"""Beyond so many, those that have ended are forgotten; all of them, if that is not enough."""
_NETWORK_BITS = 64
"""What one holder of IPv6 addresses is given, at least."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands in a class after a call."""

    rate: str
    quota: int
    left: int
    seconds: int
    """Until the window ends."""
    is_over: bool

    window_seconds: ClassVar[int] = _WINDOW_SECONDS

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the caller is told of it."""
        policy = f'"{self.rate}";q={self.quota};w={_WINDOW_SECONDS}'
        standing = f'"{self.rate}";r={self.left};t={self.seconds}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", standing.encode())]


class _Windows(Storage):
    """Where the library counts: a number and an end for each key.

    Its own storage in memory begins a task or a thread for each call, and walks over every key.
    """

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time()
        count, ends_at = self._windows.get(key, (0, now))
        if ends_at <= now:
            if len(self._windows) >= _KEPT_WINDOWS:
                going_on = {name: ends for name, ends in self._windows.items() if ends[1] > now}
                self._windows = going_on if len(going_on) < _KEPT_WINDOWS else {}
            count, ends_at = 0, now + expiry
        self._windows[key] = (count + amount, ends_at)
        return count + amount

    def get(self, key: str) -> int:
        return self._windows.get(key, (0, 0.0))[0]

    def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)


class Rates:
    """Counts calls. ``quotas``: how many a minute each class allows to each caller."""

    def __init__(self, quotas: Mapping[str, int]) -> None:
        self._items = {rate: RateLimitItemPerMinute(quota) for rate, quota in quotas.items()}
        self._limiter = FixedWindowRateLimiter(_Windows())

    def count(self, rate: str, who: str) -> Standing:
        """Count one call of ``who``, and say where that leaves it."""
        item = self._items[rate]
        is_within = self._limiter.hit(item, rate, who)
        window = self._limiter.get_window_stats(item, rate, who)
        return Standing(
            rate=rate,
            quota=item.amount,
            left=window.remaining,
            seconds=max(1, min(_WINDOW_SECONDS, round(window.reset_time - time()))),
            is_over=not is_within,
        )


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or of IPv6 the network that its holder chooses from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(int(parsed) >> (parsed.max_prefixlen - _NETWORK_BITS))
    return address
