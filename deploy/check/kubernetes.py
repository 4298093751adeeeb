"""deploy/k8s: schemas of Kubernetes, and whether the objects fit one another and the product."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate

from deploy.check import folders, kustomize, network, processes
from deploy.check.findings import Findings
from deploy.check.kustomize import WORKLOADS, CannotRender, Object, Objects, pod_of, template_of
from deploy.check.processes import LIVE, Process, is_worker
from services.processes import SCHEDULED

VERSION = "1.30"
"""The oldest Kubernetes that the manifests are for: the first with `preStop.sleep` switched on."""

DIRECTORY = Path("deploy/k8s")
SECRETS = "secrets.example.yaml"
IMAGE = "sangkroh"

_PLACEHOLDER = "REPLACE"

_SCHEMA_FAULTS: dict[str, str | None] = {}
"""By object, as JSON: how it breaks its schema, or None where it does not."""


def check(root: Path) -> Findings:
    """Hold the base and each overlay under ``root`` against Kubernetes and the product."""
    findings = Findings()
    secrets = kustomize.documents((root / DIRECTORY / SECRETS).read_text())
    findings.faults += _schema_faults(secrets, SECRETS)
    findings.faults += _secret_faults(secrets)
    for directory in sorted((root / DIRECTORY).glob("components/*")):
        name = str(directory.relative_to(root))
        findings.faults += kustomize.listing_faults(directory, name=name)
    for directory in (root / DIRECTORY / "base", *sorted((root / DIRECTORY).glob("overlays/*"))):
        name = str(directory.relative_to(root))
        listing_faults = list(kustomize.listing_faults(directory, name=name))
        findings.faults += listing_faults
        if listing_faults:
            continue
        try:
            objects = kustomize.load(directory)
        except CannotRender as error:
            findings.faults.append(f"{name}: {error}")
            continue
        if objects.rendered:
            findings.checked.append(f"{name}, rendered, against the schemas of {VERSION}")
        else:
            findings.checked.append(f"{name} without its patches, against the schemas of {VERSION}")
            findings.not_checked.append(f"the patches of {name}: neither kubectl nor kustomize")
        findings.faults += _object_faults(objects, secrets, name)
    return findings


def _object_faults(objects: Objects, secrets: list[Object], name: str) -> Iterator[str]:
    schema_faults = list(_schema_faults(objects.items, name))
    yield from schema_faults
    if schema_faults:
        return
    workloads = objects.of(*WORKLOADS)
    sources = {
        (source["kind"], source["metadata"]["name"]): source
        for source in [*objects.of("ConfigMap", "Secret"), *secrets]
    }
    described = []
    for workload in workloads:
        for container in pod_of(workload)["containers"]:
            if _image_name(container["image"]) == IMAGE:
                where = f"{name}: {workload['metadata']['name']}"
                yield from _missing_sources(container, sources, where)
                described.append(_process(container, sources, where))
    addresses = dict(_addresses(objects))
    yield from processes.faults(described, deployment=name, addresses=addresses)
    yield from _selector_faults(objects, workloads, name)
    if objects.rendered:
        yield from network.faults(objects, name=name)
        yield from folders.kubernetes_faults(objects, workloads, _providers(described), name=name)
        for workload in workloads:
            yield from _hardening_faults(workload, name)
            yield from _probe_faults(workload, name)
            yield from _schedule_faults(workload, name)


def _providers(described: Iterable[Process]) -> str | None:
    """Those of the worker, where the manifests say them."""
    told = [
        process.variables.get("PAYMENTS_PROVIDERS")
        for process in described
        if process.name == folders.WORKER
    ]
    return told[0] if told else None


def _schema_faults(objects: list[Object], name: str) -> Iterator[str]:
    for item in objects:
        # The base and its overlays have most objects in common, and a validation reads the
        # schemas of all of Kubernetes anew.
        text = json.dumps(item, sort_keys=True, default=repr)
        if text not in _SCHEMA_FAULTS:
            _SCHEMA_FAULTS[text] = _schema_fault(item)
        fault = _SCHEMA_FAULTS[text]
        if fault is not None:
            yield f"{name}: {fault}"


def _schema_fault(item: Object) -> str | None:
    try:
        kubernetes_validate.validate(item, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        path = ".".join(map(str, error.path))
        return f"{item['kind']} {item['metadata']['name']}: {path}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None


def _secret_faults(secrets: list[Object]) -> Iterator[str]:
    for secret in secrets:
        for variable, value in secret["stringData"].items():
            if _PLACEHOLDER not in value:
                where = f"{SECRETS}: {secret['metadata']['name']}.{variable}"
                yield f"{where} does not say {_PLACEHOLDER}: no real secret belongs there."


def _image_name(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _references(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where the container's variables come from: kinds and names."""
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            yield "ConfigMap", source["configMapRef"]["name"]
        else:
            yield "Secret", source["secretRef"]["name"]


def _missing_sources(
    container: Mapping[str, Any], sources: Mapping[tuple[str, str], Object], where: str
) -> Iterator[str]:
    for kind, name in _references(container):
        if (kind, name) not in sources:
            yield f"{where}: takes variables from the {kind} {name}, which is not there."


def _process(
    container: Mapping[str, Any], sources: Mapping[tuple[str, str], Object], where: str
) -> Process:
    variables: dict[str, str | None] = {}
    common: set[str] = set()
    for kind, name in _references(container):
        source = sources.get((kind, name), {})
        if kind == "ConfigMap":
            common |= source.get("data", {}).keys()
            variables |= source.get("data", {})
        else:
            variables |= dict.fromkeys({**source.get("data", {}), **source.get("stringData", {})})
    variables |= {variable["name"]: variable.get("value") for variable in container.get("env", [])}
    return Process(
        where=where,
        arguments=tuple(container.get("args", ())),
        variables=variables,
        common=frozenset(common),
        ports=frozenset(port["containerPort"] for port in container.get("ports", ())),
    )


def _addresses(objects: Objects) -> Iterator[tuple[str, int]]:
    for service in objects.of("Service"):
        for port in service["spec"]["ports"]:
            yield service["metadata"]["name"], port["port"]


def _selector_faults(objects: Objects, workloads: list[Object], name: str) -> Iterator[str]:
    for workload in workloads:
        where = f"{name}: {workload['metadata']['name']}"
        selector = workload["spec"].get("selector", {}).get("matchLabels", {})
        if not selector.items() <= template_of(workload)["metadata"]["labels"].items():
            yield f"{where}: its selector does not select its own pods."
    for selecting in objects.of("Service", "PodDisruptionBudget"):
        where = f"{name}: {selecting['kind']} {selecting['metadata']['name']}"
        selector = selecting["spec"]["selector"]
        wanted = selector if selecting["kind"] == "Service" else selector["matchLabels"]
        selected = [
            workload
            for workload in workloads
            if wanted.items() <= template_of(workload)["metadata"]["labels"].items()
        ]
        if len(selected) != 1:
            yield f"{where}: selects the pods of {len(selected)} workloads: one it should be."
        elif selecting["kind"] == "Service":
            yield from _service_port_faults(selecting, pod_of(selected[0]), where)


def _service_port_faults(service: Object, pod: Mapping[str, Any], where: str) -> Iterator[str]:
    ports = [port for container in pod["containers"] for port in container.get("ports", [])]
    for port in service["spec"]["ports"]:
        target = port.get("targetPort", port["port"])
        numbers = [
            port_of_pod["containerPort"] for port_of_pod in ports if target in port_of_pod.values()
        ]
        if port["port"] not in numbers:
            found = numbers or "nowhere"
            yield f"{where}: port {port['port']} leads to {target}, which is {found}."


def _hardening_faults(workload: Object, name: str) -> Iterator[str]:
    pod = pod_of(workload)
    where = f"{name}: {workload['metadata']['name']}"
    security = pod.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield f"{where}: may run as root."
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{where}: has no seccomp profile."
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{where}: is handed a token of the cluster that it has no use for."
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{where}: may escalate its privileges."
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{where}: may write to its root file system."
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{where}: keeps capabilities."
        resources = container.get("resources", {})
        for kind in ("requests", "limits"):
            if not {"cpu", "memory"} <= resources.get(kind, {}).keys():
                yield f"{where}: has no {kind} of cpu and memory."


def _schedule_faults(workload: Object, name: str) -> Iterator[str]:
    """What is wrong with how a command runs by the clock, and ends."""
    where = f"{name}: {workload['metadata']['name']}"
    pod = pod_of(workload)
    for container in pod["containers"]:
        command = " ".join(container.get("args", ()))
        if _image_name(container["image"]) != IMAGE or command not in SCHEDULED:
            continue
        if workload["kind"] != "CronJob":
            yield f"{where}: `{command}` ends, and nothing begins it again: make it a CronJob."
            continue
        spec = workload["spec"]
        if spec.get("concurrencyPolicy") != "Forbid":
            yield f"{where}: a second one may begin before the first has ended."
        if "timeZone" not in spec:
            yield f"{where}: its schedule is in no time zone."
        if "activeDeadlineSeconds" not in spec["jobTemplate"]["spec"]:
            yield f"{where}: one that hangs keeps every later one from beginning."
        # What does not fit into memory is written there.
        if not any("sizeLimit" in volume.get("emptyDir", {}) for volume in pod.get("volumes", [])):
            yield f"{where}: has no bounded folder for what does not fit into memory."


def _probe_faults(workload: Object, name: str) -> Iterator[str]:
    where = f"{name}: {workload['metadata']['name']}"
    for container in pod_of(workload)["containers"]:
        if _image_name(container["image"]) != IMAGE:
            continue
        if is_worker(" ".join(container.get("args", ()))):
            asked = container.get("livenessProbe", {}).get("exec", {}).get("command", ())
            if LIVE not in " ".join(asked):
                yield f"{where}: its livenessProbe does not ask `{LIVE}`."
        if not container.get("ports"):
            continue
        for probe, path in (("livenessProbe", "/live"), ("readinessProbe", "/ready")):
            asked = container.get(probe, {}).get("httpGet", {})
            ports = {value for port in container["ports"] for value in port.values()}
            if asked.get("path") != path or asked.get("port") not in ports:
                yield f"{where}: its {probe} does not ask for {path} on the port it listens on."
