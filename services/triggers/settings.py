"""What the triggers service is told by its environment."""

from typing import ClassVar

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the triggers service: prefix ``TRIGGERS_``, addresses without it."""

    model_config = SettingsConfigDict(env_prefix="TRIGGERS_", extra="ignore", populate_by_name=True)

    service: ClassVar[str] = "triggers"

    port: int = 8002
    registry_url: str = Field(
        default="http://127.0.0.1:8001",
        validation_alias=AliasChoices("REGISTRY_URL", "registry_url"),
    )
