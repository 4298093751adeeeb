"""Why a process does not come up, in one line that says what to do.

Without values: a setting's may be secret, and a database's error quotes the row.
"""

import importlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_settings import SettingsError

from services.processes import SCHEDULED
from shared.clock import Clock
from shared.database import Database, DatabaseUnusable
from shared.errors import Explained, detail_of, told
from shared.liveness import Heartbeat, heartbeat_file
from shared.production import Environment, Secret, shared_secrets, weak_secrets
from shared.settings import EnvironmentSettings, ServiceSettings

_FIELD = re.compile('field "([a-z_]+)"')


class CannotStart(Explained):
    """One line that says what is in the way and what to do."""


_Settings = TypeVar("_Settings", bound=EnvironmentSettings)


def settings_of(process: str) -> ServiceSettings:
    """A process's settings from the environment; raises CannotStart, which names variables."""
    return read_settings(kind_of_settings(process), process=process)


def kind_of_settings(process: str) -> type[ServiceSettings]:
    """What a process, such as ``registry-api``, or a command that is run by the clock, reads from
    its environment: nothing else."""
    service, _, part = SCHEDULED.get(process, process).partition("-")
    module = importlib.import_module(f"services.{service}.settings")
    kind: type[ServiceSettings] = getattr(module, f"{part.capitalize()}Settings")
    return kind


def read_settings(kind: type[_Settings], *, process: str) -> _Settings:
    """Settings from the environment; raises CannotStart, which names variables and no value."""
    try:
        return kind()
    except ValidationError as error:
        faults = "; ".join(_faults(kind, error))
    except SettingsError as error:
        field = _FIELD.search(str(error))
        faults = f"{kind.variable_of(field[1]) if field else 'a variable'}: not valid JSON"
    raise CannotStart(
        f"{process} cannot start with this environment: {faults}. Set what is named, as "
        "docs/deployment.md says."
    )


def require_fit(told: Mapping[str, EnvironmentSettings]) -> None:
    """Raises CannotStart with all that keeps one of these processes from being in production.

    Several processes in one know the secrets of all: they are compared with one another.
    """
    faults: dict[str, None] = {}
    secrets: dict[str, Secret] = {}
    for settings in told.values():
        if settings.environment is Environment.PRODUCTION:
            faults |= dict.fromkeys(settings.unfit_for_production())
            secrets |= {secret.where: secret for secret in settings.secrets()}
    faults |= dict.fromkeys([*weak_secrets(secrets.values()), *shared_secrets(secrets.values())])
    if faults:
        raise CannotStart(
            f"{' '.join(told)} cannot start with ENVIRONMENT={Environment.PRODUCTION}: "
            f"{'; '.join(faults)}. docs/deployment.md says how each is set."
        )


def _faults(kind: type[EnvironmentSettings], error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        if not fault["loc"]:
            yield detail_of(fault)
            continue
        name, *within = map(str, fault["loc"])
        variable = kind.variable_of(name) if name in kind.model_fields else name.upper()
        yield f"{'.'.join([variable, *within])}: {detail_of(fault)}"


def require_clock(clock: Clock) -> None:
    """Raises CannotStart where the clock's file cannot be read."""
    try:
        clock.now()
    except (OSError, ValueError, KeyError) as error:
        raise CannotStart(
            f"The clock that CLOCK_FILE names cannot be read ({type(error).__name__}): leave "
            "CLOCK_FILE out, or begin with `make run CLOCK=2020-10-12`, which writes one."
        ) from None


def heartbeat_of(settings: ServiceSettings, *, process: str) -> Heartbeat | None:
    """Where the process leaves its heartbeats; raises CannotStart where it could not."""
    if settings.heartbeat_directory is None:
        return None
    if not os.access(settings.heartbeat_directory, os.W_OK):
        raise CannotStart(
            "HEARTBEAT_DIRECTORY names no folder that can be written to: create it, correct the "
            "variable, or leave it out where nothing asks whether the process is alive."
        )
    return Heartbeat(file=heartbeat_file(settings.heartbeat_directory, process))


async def require_database(database: Database, *, service: str) -> None:
    """Raises CannotStart where the server or the service's schema cannot be used."""
    try:
        await database.check()
    except DatabaseUnusable as error:
        raise CannotStart(f"{service.upper()}_DATABASE_URL: {error}") from None
    if not await database.has_schema(service):
        raise CannotStart(
            f"The database has no schema {service} yet: run `python -m services migrate` first."
        )


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def remembering(lifespan: Lifespan, failures: list[BaseException]) -> Lifespan:
    """The same lifespan, keeping what it fails with: the server would only say that it did."""

    @asynccontextmanager
    async def remembered(app: FastAPI) -> AsyncIterator[Any]:
        try:
            async with lifespan(app) as state:
                yield state
        except BaseException as error:
            failures.append(error)
            raise

    return remembered


def unforeseen(error: BaseException) -> str:
    """What to tell of any other error that ended a process."""
    return (
        f"It ended with an error that nobody foresaw, {told(error)}: report that, and start it "
        "again."
    )
