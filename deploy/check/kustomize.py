"""The Kubernetes objects of a kustomization, rendered where there is a tool that renders."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = "kustomization.yaml"

_RENDERERS = (["kubectl", "kustomize"], ["kustomize", "build"])

Object = dict[str, Any]


class CannotRender(Exception):
    """What kustomize says against the kustomization."""


@dataclass(frozen=True)
class Objects:
    """All objects of one kustomization; its patches are applied only if it was rendered."""

    items: list[Object]
    rendered: bool

    def of(self, *kinds: str) -> list[Object]:
        return [item for item in self.items if item["kind"] in kinds]


WORKLOADS = ("Deployment", "Job", "CronJob", "StatefulSet")
"""The kinds of objects that make pods."""


def template_of(workload: Object) -> dict[str, Any]:
    """What a workload makes its pods of."""
    spec = (
        workload["spec"]["jobTemplate"]["spec"]
        if _runs_by_the_clock(workload)
        else workload["spec"]
    )
    template: dict[str, Any] = spec["template"]
    return template


def pod_of(workload: Object) -> dict[str, Any]:
    """What a workload says of each of its pods."""
    pod: dict[str, Any] = template_of(workload)["spec"]
    return pod


def _runs_by_the_clock(workload: Object) -> bool:
    return bool(workload["kind"] == "CronJob")


def load(directory: Path) -> Objects:
    """The objects of ``directory``; raises CannotRender."""
    for command in _RENDERERS:
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run(
            [*command, str(directory)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotRender(" ".join(done.stderr.split()))
        return Objects(documents(done.stdout), rendered=True)
    return Objects(list(_unrendered(directory)), rendered=False)


def documents(text: str) -> list[Object]:
    """The YAML documents of ``text``."""
    return [
        document
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader)
        if document is not None
    ]


def _unrendered(directory: Path) -> Iterator[Object]:
    kustomization = _kustomization(directory)
    for resource in [*kustomization.get("resources", []), *kustomization.get("components", [])]:
        path = directory / resource
        if path.is_dir():
            yield from _unrendered(path)
        elif path.exists():
            yield from documents(path.read_text())


def listing_faults(directory: Path, *, name: str) -> Iterator[str]:
    """Files that the kustomization lists and that are not there, and the other way round."""
    kustomization = _kustomization(directory)
    patches = [patch["path"] for patch in kustomization.get("patches", []) if "path" in patch]
    others = kustomization.get("resources", []) + kustomization.get("components", [])
    listed = {(directory / path).resolve() for path in others + patches}
    for path in sorted(listed):
        if not path.exists():
            yield f"{name}/{FILE}: lists {path.name}, which is not there."
    for path in sorted(directory.rglob("*.yaml")):
        if path.name != FILE and path.resolve() not in listed:
            yield f"{name}/{FILE}: does not list {path.relative_to(directory)}."


def _kustomization(directory: Path) -> dict[str, Any]:
    kustomization: dict[str, Any] = yaml.safe_load((directory / FILE).read_text())
    return kustomization
