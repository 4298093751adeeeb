"""What a command is told that connects as the database's owner, such as `migrate`."""

import os
from collections.abc import Iterator

from services.processes import SERVICES
from shared.production import Secret
from shared.settings import EnvironmentSettings


class OwnerSettings(EnvironmentSettings):
    """The owner's settings, without a prefix; and the passwords that the services' roles get."""

    @property
    def role_passwords(self) -> dict[str, str | None]:
        """Of each service; None: none is set."""
        return {service: os.environ.get(_variable(service)) for service in SERVICES}

    def secrets(self) -> Iterator[Secret]:
        yield from super().secrets()
        for service, password in self.role_passwords.items():
            if password is not None:
                yield Secret.of_text(_variable(service), password)


def _variable(service: str) -> str:
    return f"{service.upper()}_DATABASE_PASSWORD"
