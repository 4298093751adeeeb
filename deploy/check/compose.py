"""docker-compose.yml: its schema, its processes, its order, and the variables of .env.example."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.check import folders, processes
from deploy.check.findings import Findings
from deploy.check.processes import LIVE, MIGRATE, Process, is_worker, listening_port

FILE = "docker-compose.yml"
EXAMPLE = ".env.example"

_VALIDATE = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
_IMAGE = "sangkroh:local"
_INTERPOLATED = re.compile(r"\$\{(\w+)")
_EXAMPLE_LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
_SECRET = re.compile(r"(PASSWORD|SECRET|KEYS?|PROVIDERS)$")
_MOUNT = re.compile(r"(?P<source>\$\{[^}]*\}|[^:]+):(?P<target>[^:]+)(:[a-z]+)?")
_POSTGRES = "postgres:18"
_POSTGRES_DATA = "/var/lib/postgresql"


def check(root: Path) -> Findings:
    """Hold the compose file of ``root`` against the Compose specification and the product."""
    schema_faults = list(_schema_faults(root / FILE))
    if schema_faults:
        return Findings(faults=schema_faults)
    text = (root / FILE).read_text()
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    ours = {name: service for name, service in services.items() if _is_process(service)}
    described = [_process(name, service) for name, service in ours.items()]
    addresses = {
        name: port
        for name, process in zip(ours, described, strict=True)
        if process.is_known() and (port := listening_port(process))
    }
    findings = Findings(
        checked=[
            f"{FILE} against the schema of the Compose specification",
            f"{FILE} against the processes and settings of the services, and {EXAMPLE}",
        ]
    )
    findings.faults += processes.faults(described, deployment=FILE, addresses=addresses)
    findings.faults += _order_faults(ours)
    findings.faults += _published_faults(services)
    findings.faults += _probe_faults(ours, addresses)
    findings.faults += _database_faults(services)
    mounts = {name: _mounts(service) for name, service in services.items()}
    findings.faults += folders.compose_faults(mounts, file=FILE)
    files = {name for name, targets in mounts.items() if folders.MET_IN & targets.keys()}
    findings.faults += _hardening_faults(services, sorted(ours.keys() | files))
    findings.faults += _example_faults(root / EXAMPLE, text, services)
    return findings


def _schema_faults(path: Path) -> Iterator[str]:
    done = subprocess.run(
        [*_VALIDATE, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())
        yield f"{FILE} does not fit the Compose specification: {said}"


def _is_process(service: Mapping[str, Any]) -> bool:
    return service.get("image") == _IMAGE and "entrypoint" not in service


def _process(name: str, service: Mapping[str, Any]) -> Process:
    variables = {
        variable: None if value is None else str(value)
        for variable, value in service.get("environment", {}).items()
    }
    return Process(
        where=f"{FILE}: {name}",
        arguments=tuple(service.get("command", ())),
        variables=variables,
        ports=frozenset(int(port.rpartition(":")[2]) for port in service.get("ports", ())),
    )


def _order_faults(ours: Mapping[str, Any]) -> Iterator[str]:
    for name, service in ours.items():
        before, condition = (
            ("postgres", "service_healthy")
            if name == MIGRATE
            else (MIGRATE, "service_completed_successfully")
        )
        waits = service.get("depends_on", {})
        if waits.get(before, {}).get("condition") != condition:
            yield f"{FILE}: {name} should wait for {before} ({condition})."


def _published_faults(services: Mapping[str, Any]) -> Iterator[str]:
    for name, service in services.items():
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{FILE}: {name} publishes {port}: publish on 127.0.0.1 only."


def _probe_faults(ours: Mapping[str, Any], addresses: Mapping[str, int]) -> Iterator[str]:
    for name, port in addresses.items():
        test = " ".join(ours[name].get("healthcheck", {}).get("test", ()))
        if f":{port}/ready" not in test:
            yield f"{FILE}: {name} has no health check of /ready on port {port}."
    for name, service in ours.items():
        test = " ".join(service.get("healthcheck", {}).get("test", ()))
        if is_worker(name) and f"{LIVE} {name}" not in test:
            yield f"{FILE}: {name} has no health check by `{LIVE} {name}`."


def _database_faults(services: Mapping[str, Any]) -> Iterator[str]:
    postgres = services.get("postgres", {})
    if postgres.get("image") != _POSTGRES:
        yield f"{FILE}: postgres runs {postgres.get('image')}: {_POSTGRES} is needed."
    if "healthcheck" not in postgres:
        yield f"{FILE}: postgres has no health check, so nothing can wait for it."
    if _POSTGRES_DATA not in _mounts(postgres):
        yield f"{FILE}: postgres has no volume at {_POSTGRES_DATA}: its data would not be kept."


def _mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """What a service mounts, by where."""
    found = (_MOUNT.fullmatch(volume) for volume in service.get("volumes", ()))
    return {mount["target"]: mount["source"] for mount in found if mount is not None}


def _hardening_faults(services: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        service = services[name]
        if service.get("read_only") is not True:
            yield f"{FILE}: {name} may write to its root file system."
        if service.get("cap_drop") != ["ALL"]:
            yield f"{FILE}: {name} keeps capabilities."
        if "no-new-privileges:true" not in service.get("security_opt", ()):
            yield f"{FILE}: {name} may escalate its privileges."


def _example_faults(path: Path, text: str, services: Mapping[str, Any]) -> Iterator[str]:
    used = set(_INTERPOLATED.findall(text))
    for service in services.values():
        used |= {name for name, value in service.get("environment", {}).items() if value is None}
    example = dict(_EXAMPLE_LINE.findall(path.read_text()))
    for name in sorted(used - example.keys()):
        yield f"{EXAMPLE}: {name} is missing, and {FILE} takes it from there."
    for name in sorted(example.keys() - used):
        yield f"{EXAMPLE}: {name} is not used by {FILE}."
    for name, value in example.items():
        if value and _SECRET.search(name):
            yield f"{EXAMPLE}: {name} has a value: a secret is for the operator to fill in."
