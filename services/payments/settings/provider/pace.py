"""How fast one provider may be spoken to."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

_BURST_SECONDS = 0.1


class ProviderPace(BaseModel):
    """How fast a provider may be spoken to, by all workers of all machines together."""

    requests_per_second: float | None = Field(default=None, gt=0, le=10_000)
    """Requests of every kind: payments, batches, questions, pages of results. None: as many as
    leave."""
    requests_burst: int | None = Field(default=None, ge=1, le=10_000)
    """How many may leave at once after a silence. None: as many as a tenth of a second brings."""
    requests_at_once: int | None = Field(default=None, ge=1, le=10_000)
    """Requests without a reply yet. None: what each worker has lines for."""

    @property
    def is_paced(self) -> bool:
        """Whether anything is limited."""
        return self.requests_per_second is not None or self.requests_at_once is not None

    @property
    def burst(self) -> float:
        """The most that a silence saves up, in requests."""
        if self.requests_burst is not None:
            return float(self.requests_burst)
        return max(1.0, (self.requests_per_second or 0) * _BURST_SECONDS)

    @model_validator(mode="after")
    def _bursts_of_something(self) -> Self:
        if self.requests_burst is not None and self.requests_per_second is None:
            raise ValueError("requests_burst is of a requests_per_second: give that too")
        return self
