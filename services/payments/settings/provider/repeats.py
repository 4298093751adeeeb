"""What one provider is known to do with a request that it gets again: a part of its settings."""

from pydantic import BaseModel, Field


class ProviderRepeats(BaseModel):
    """What a provider is known to do. The defaults assume the worst that is common."""

    recognises_repeats_seconds: int = Field(default=0, ge=0)
    """How long it recognises a request that is sent again with the same id, and pays it once.
    0: it is not known to, and nothing is ever sent to it again by machine."""
    not_known_untrue_seconds: int = Field(default=300, ge=0)
    """How long after a request it may still say that it knows nothing of it, and pay it yet."""
    returns_our_reference: bool = True
    """Whether what it paid carries our reference. Without it, such an answer is not believed."""
