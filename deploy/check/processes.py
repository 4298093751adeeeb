"""What any deployment owes the processes: names, variables, ports and addresses that they know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from services.owner import OwnerSettings
from services.processes import PROCESSES, SCHEDULED, SERVICES
from services.starting import kind_of_settings

MIGRATE = "migrate"
LIVE = "python -m services.live"
"""What tells whether a worker is alive, which listens on no port."""
RUN = (MIGRATE, *PROCESSES, *SCHEDULED)
"""What a container runs: what comes before, what stays up, and what runs by the clock."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_PASSWORDS = {f"{service.upper()}_DATABASE_PASSWORD" for service in SERVICES}
_OF_CALLERS = {"AUTH_CLIENT_SECRET"}
_TO_FIND_PERSONS = {"BLIND_INDEX_KEY", "BLIND_INDEX_KEY_OTHER", "HOUSEHOLD_ID_KEY"}
_TO_SIGN = {"SPDCI_SIGNING_KEY", "SPDCI_SIGNING_KEY_OTHER"}

SECRETS: Mapping[str, frozenset[str]] = {
    "migrate": frozenset({"DATABASE_URL", *_PASSWORDS}),
    "registry-api": frozenset(
        {
            "REGISTRY_DATABASE_URL",
            "PERSON_KEYS",
            "ACCOUNT_KEYS",
            *_TO_FIND_PERSONS,
            *_OF_CALLERS,
            *_TO_SIGN,
        }
    ),
    "registry-worker": frozenset({"REGISTRY_DATABASE_URL", *_OF_CALLERS}),
    "duplicates": frozenset(
        {"REGISTRY_DATABASE_URL", "PERSON_KEYS", "ACCOUNT_KEYS", *_TO_FIND_PERSONS}
    ),
    "triggers-api": frozenset({"TRIGGERS_DATABASE_URL", *_OF_CALLERS}),
    "triggers-worker": frozenset({"TRIGGERS_DATABASE_URL", *_OF_CALLERS}),
    "payments-api": frozenset(
        {"PAYMENTS_DATABASE_URL", "WEBHOOK_KEYS", "PAYMENTS_PROVIDER_WEBHOOK_SECRETS"}
    ),
    "payments-worker": frozenset(
        {
            "PAYMENTS_DATABASE_URL",
            "WEBHOOK_KEYS",
            "ACCOUNT_KEYS",
            "PAYMENTS_PROVIDER_API_KEYS",
            "PAYMENTS_PROVIDER_SIGNING_KEYS",
            *_OF_CALLERS,
        }
    ),
}
"""The secrets that each process uses, and that no other is given: as people agreed on it. The code
and the deployments are both held against it."""

_MIGRATE_MAY_READ = {f"{service.upper()}_DATABASE_MAXIMUM_CONNECTIONS" for service in SERVICES}
_LOG_LEVEL = "LOG_LEVEL"
_TOKEN_VARIABLES = {"AUTH_TOKEN_URL", "AUTH_CLIENT_ID", "AUTH_CLIENT_SECRET"}
_HEARTBEATS = "HEARTBEAT_DIRECTORY"
_DEVELOPMENT_KEY = "AUTH_DEVELOPMENT_KEY_FILE"


@dataclass(frozen=True)
class Process:
    """One container of the product's image, as a deployment describes it.

    ``variables`` are the names that it is given, with their values where the deployment says
    them (None where a secret or an operator does). Names in ``common`` come from a place that all
    processes share, so that it need not read them itself. ``ports`` are those that it declares.
    """

    where: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str | None]
    ports: frozenset[int]
    common: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        return " ".join(self.arguments)

    @property
    def service(self) -> str:
        return self.name.split("-")[0]

    def is_known(self) -> bool:
        return self.name in RUN


class Variables(NamedTuple):
    """The names of environment variables that a process reads."""

    known: frozenset[str]
    required: frozenset[str]


def is_worker(name: str) -> bool:
    """Whether it is the name of a process that listens on no port and stays up."""
    return name in PROCESSES and name.endswith("-worker")


def listening_port(process: Process) -> int | None:
    """The port that an API listens on, as its settings will have it; None for other processes."""
    if not process.name.endswith("-api"):
        return None
    given = process.variables.get(f"{process.service.upper()}_PORT")
    default = kind_of_settings(process.name).model_fields["port"].default
    return int(given) if given else int(default)


@cache
def variables_of(process_name: str) -> Variables:
    """What the process of that name reads from its environment, and cannot start without."""
    if process_name == MIGRATE:
        # The roles cannot log in without their passwords.
        required = {"DATABASE_URL", *_PASSWORDS}
        others = set(map(OwnerSettings.variable_of, OwnerSettings.model_fields))
        read = required | others | _MIGRATE_MAY_READ | {_LOG_LEVEL}
        return Variables(frozenset(read), frozenset(required))
    settings = kind_of_settings(process_name)
    names = {
        settings.variable_of(name): info.is_required()
        for name, info in settings.model_fields.items()
    }
    return Variables(
        frozenset(names), frozenset(name for name, required in names.items() if required)
    )


def faults(
    processes: Iterable[Process], *, deployment: str, addresses: Mapping[str, int]
) -> Iterator[str]:
    """What would keep these processes from starting or from finding one another.

    ``addresses`` are the host names that the deployment gives to processes, and their ports.
    """
    processes = list(processes)
    names = [process.name for process in processes]
    for wanted in RUN:
        if names.count(wanted) != 1:
            yield f"{deployment}: {names.count(wanted)} containers run {wanted}: one should."
    for process in processes:
        if not process.is_known():
            yield f"{process.where}: `{process.name}` is no process: choose from {', '.join(RUN)}."
            continue
        yield from _variable_faults(process)
        yield from _secret_faults(process)
        yield from _port_faults(process)
        yield from _address_faults(process, addresses)


def _variable_faults(process: Process) -> Iterator[str]:
    known, required = variables_of(process.name)
    everywhere = frozenset[str]().union(*(variables_of(name).known for name in RUN))
    for name in sorted(process.variables.keys() - known - (process.common & everywhere)):
        yield f"{process.where}: {name} is set, and {process.name} does not read it."
    for name in sorted(required - process.variables.keys()):
        yield f"{process.where}: {name} is not set, and {process.name} needs it."
    if is_worker(process.name) and _HEARTBEATS not in process.variables:
        yield f"{process.where}: {_HEARTBEATS} is not set, so nothing can ask if it is alive."
    calls_others = {"REGISTRY_URL", "PAYMENTS_URL"} & known
    ways_to_a_token = (_TOKEN_VARIABLES, {_DEVELOPMENT_KEY})
    has_a_token = known >= _TOKEN_VARIABLES
    if (
        calls_others
        and has_a_token
        and not any(way <= process.variables.keys() for way in ways_to_a_token)
    ):
        yield (
            f"{process.where}: {process.name} calls another service and has no way to a token: "
            f"set {', '.join(sorted(_TOKEN_VARIABLES))}, or {_DEVELOPMENT_KEY} on a laptop."
        )


def _secret_faults(process: Process) -> Iterator[str]:
    everywhere = frozenset[str]().union(*SECRETS.values())
    for name in sorted(process.variables.keys() & everywhere - SECRETS[process.name]):
        yield f"{process.where}: {name} is given, and is no secret of {process.name}: take it out."
    for name in sorted(process.common & everywhere):
        yield f"{process.where}: {name} is a secret, and every process is given it."


def secret_variables(process_name: str) -> frozenset[str]:
    """The secrets that the code of a process reads, as its settings declare them."""
    if process_name == MIGRATE:
        return frozenset({"DATABASE_URL", *_PASSWORDS})
    settings = kind_of_settings(process_name)
    return frozenset(
        settings.variable_of(name)
        for name, info in settings.model_fields.items()
        if name == "database_url" or "Secret" in str(info.annotation)
    )


def _port_faults(process: Process) -> Iterator[str]:
    port = listening_port(process)
    if port is None:
        for unheard in sorted(process.ports):
            yield (
                f"{process.where}: port {unheard} is declared, and {process.name} listens on none."
            )
        return
    if process.ports != {port}:
        declared = ", ".join(map(str, sorted(process.ports))) or "none"
        yield f"{process.where}: {process.name} listens on {port}; declared: {declared}."
    host = f"{process.service.upper()}_HOST"
    if (process.variables.get(host) or LOOPBACK[0]) in LOOPBACK:
        yield f"{process.where}: set {host}, or nothing outside the container reaches it."


def _address_faults(process: Process, addresses: Mapping[str, int]) -> Iterator[str]:
    for variable in ("REGISTRY_URL", "PAYMENTS_URL"):
        if variable not in variables_of(process.name).known:
            continue
        url = process.variables.get(variable)
        parts = urlsplit(url or "")
        if parts.hostname is None or addresses.get(parts.hostname) != parts.port:
            known = ", ".join(f"{host}:{port}" for host, port in addresses.items())
            yield f"{process.where}: {variable} is {url}, where no API is; there are {known}."
