"""What the triggers service is told by its environment."""

from typing import ClassVar

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the triggers service, from variables that begin with ``TRIGGERS_``."""

    model_config = SettingsConfigDict(env_prefix="TRIGGERS_", extra="ignore", populate_by_name=True)

    service: ClassVar[str] = "triggers"

    port: int = 8002
