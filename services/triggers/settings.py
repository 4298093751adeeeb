"""What the triggers service is told by its environment."""

from typing import ClassVar

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Address, CallingSettings, Port, ServiceSettings


class Settings(CallingSettings, ServiceSettings):
    """What both processes of triggers read: prefix ``TRIGGERS_``.

    The API asks the registry about what is posted, the worker what an activation would pay; both
    ask payments what its fund has.
    """

    model_config = SettingsConfigDict(env_prefix="TRIGGERS_", extra="ignore", populate_by_name=True)

    service: ClassVar[str] = "triggers"

    port: Port = 8002
    registry_url: Address = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("REGISTRY_URL", "registry_url"),
    )
    payments_url: Address = Field(
        default="http://127.0.0.1:8003",
        validation_alias=AliasChoices("PAYMENTS_URL", "payments_url"),
    )


class ApiSettings(Settings):
    """The API's: as whom it tells of activations, and whether in earnest."""

    alerts_sender: str = Field(default="sangkroh-triggers", pattern=r"^[^\s,<&]{1,100}$")
    """Whom alerts are from: unique in the world, such as ``cash@nspc.example``."""
    alerts_are_exercises: bool = False
    """Whether alerts say that they are an exercise; with a clock that can be set they do anyway."""
    imports_at_once: int = Field(default=2, ge=1)
    """Files that are read at one time: each is held whole."""
    imports_per_caller: int = Field(default=1, ge=1)
    place_wait_seconds: float = Field(default=5, gt=0)
    """How long a file waits for a place before it is answered 503."""


class WorkerSettings(Settings):
    """The worker's: nothing beyond what both read."""
