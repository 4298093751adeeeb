"""Callbacks of providers."""

from pydantic import Field

from shared.settings import EnvironmentSettings


class CallbackSettings(EnvironmentSettings):
    """How much of callbacks is taken, worked together and kept."""

    webhook_maximum_bytes: int = 64 * 1024
    webhook_batch_size: int = Field(default=500, ge=1, le=5_000)
    """Callbacks stored in one commit, or applied in one, at most."""
    callback_days: int = Field(default=365, ge=30)
    """How long a callback is kept after it was applied, or found to be none."""
