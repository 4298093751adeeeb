"""Whether the folders of a bank that takes files are there, and are kept when processes end."""

import json
from collections.abc import Iterator, Mapping

from deploy.check.kustomize import Object, Objects, pod_of

WORKER = "payments-worker"
OUTGOING, INCOMING, STATE = "/bank/outgoing", "/bank/incoming", "/bank/state"
"""Where the images have them, and Compose mounts them."""
MET_IN = frozenset({OUTGOING, INCOMING})
"""Those that the bank reaches. The third is the worker's alone."""
ALL = MET_IN | {STATE}

_OF_STATE = "state_directory"
_OF_SETTINGS = ("outgoing_directory", "incoming_directory", _OF_STATE)


def compose_faults(services: Mapping[str, Mapping[str, str]], *, file: str) -> Iterator[str]:
    """What is wrong with the folders of a compose file: by service, its mounts, by their target."""
    of_worker = services.get(WORKER, {})
    for folder in sorted(ALL - of_worker.keys()):
        yield f"{file}: {WORKER} has no volume at {folder}: no bank could take files."
    for name, mounts in services.items():
        if name == WORKER:
            continue
        for folder in sorted(MET_IN & mounts.keys() & of_worker.keys()):
            if mounts[folder] != of_worker[folder]:
                yield f"{file}: {name} has another volume at {folder} than {WORKER}."
        if of_worker.get(STATE) in mounts.values():
            yield f"{file}: {name} reaches {STATE}, which is {WORKER}'s alone."


def kubernetes_faults(
    objects: Objects, workloads: list[Object], providers: str | None, *, name: str
) -> Iterator[str]:
    """What is wrong with the folders and claims of rendered manifests.

    ``providers`` are PAYMENTS_PROVIDERS as the manifests say it, or None where they do not.
    """
    claimed = {workload["metadata"]["name"]: _claims(workload) for workload in workloads}
    declared = {claim["metadata"]["name"] for claim in objects.of("PersistentVolumeClaim")}
    mounted = {claim for claims in claimed.values() for claim in claims.values()}
    for claim in sorted(declared - mounted):
        yield f"{name}: nobody mounts the claim {claim}."
    for workload in workloads:
        where = f"{name}: {workload['metadata']['name']}"
        claims = claimed[workload["metadata"]["name"]]
        for claim in sorted(set(claims.values()) - declared):
            yield f"{where}: mounts the claim {claim}, which is not there."
        if claims and "fsGroup" not in pod_of(workload).get("securityContext", {}):
            yield f"{where}: has no fsGroup, and so may not write to its claims."
    of_worker = claimed.get(WORKER, {})
    for setting, folder in _named(providers):
        if folder not in of_worker:
            yield f"{name}: {WORKER} mounts no claim at {folder}, the {setting} of a bank."
        elif setting == _OF_STATE:
            for other, claims in claimed.items():
                if other != WORKER and of_worker[folder] in claims.values():
                    yield f"{name}: {other} reaches {folder}, which is {WORKER}'s alone."


def _named(providers: str | None) -> Iterator[tuple[str, str]]:
    """Settings and the folders that they name."""
    for provider in json.loads(providers or "[]"):
        for setting in _OF_SETTINGS:
            if folder := (provider.get("bank_file") or {}).get(setting):
                yield setting, folder


def _claims(workload: Object) -> dict[str, str]:
    """The claims that the containers of a workload mount, by path."""
    pod = pod_of(workload)
    volumes = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod.get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    return {
        mount["mountPath"]: volumes[mount["name"]]
        for container in pod["containers"]
        for mount in container.get("volumeMounts", [])
        if mount["name"] in volumes
    }
