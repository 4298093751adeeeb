"""What the triggers service is told by its environment."""

from typing import ClassVar

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from shared.settings import CallingSettings, ServiceSettings


class Settings(ServiceSettings):
    """What both processes of triggers read: prefix ``TRIGGERS_``."""

    model_config = SettingsConfigDict(env_prefix="TRIGGERS_", extra="ignore", populate_by_name=True)

    service: ClassVar[str] = "triggers"

    port: int = 8002


class ApiSettings(CallingSettings, Settings):
    """The API's: it asks the registry about what is posted."""

    registry_url: str = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("REGISTRY_URL", "registry_url"),
    )


class WorkerSettings(Settings):
    """The worker's: it decides by what is stored, and calls nobody."""
