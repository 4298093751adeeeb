"""Waits that grow, as two settings say: the first, and the longest."""

from shared.settings import EnvironmentSettings


def require_growing(settings: EnvironmentSettings, first: str, longest: str) -> None:
    """Raises ValueError where the first wait is longer than the longest."""
    if getattr(settings, first) > getattr(settings, longest):
        raise ValueError(f"{first} is longer than {longest}")
