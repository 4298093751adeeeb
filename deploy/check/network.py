"""Whether the network policies let through what the processes need, and nothing stands idle."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from deploy.check.kustomize import WORKLOADS, Object, Objects, template_of

# Who asks whom.
_CALLS = (
    ("payments-api", "registry-api"),
    ("payments-worker", "registry-api"),
    ("registry-worker", "payments-api"),
    ("triggers-api", "registry-api"),
    ("triggers-api", "payments-api"),
    ("triggers-worker", "registry-api"),
    ("triggers-worker", "payments-api"),
)

Policy = Mapping[str, Any]


class _Pod(NamedTuple):
    name: str
    labels: Mapping[str, str]
    ports: Sequence[Mapping[str, Any]]


def faults(objects: Objects, *, name: str) -> Iterator[str]:
    """What the rendered policies get wrong."""
    pods = {pod.name: pod for pod in map(_pod, objects.of(*WORKLOADS))}
    policies = objects.of("NetworkPolicy")
    if not any(_denies_everything(policy["spec"]) for policy in policies):
        yield f"{name}: no network policy denies what no other allows."
    for policy in policies:
        where = f"{name}: NetworkPolicy {policy['metadata']['name']}"
        selectors = [policy["spec"]["podSelector"], *_peers(policy["spec"])]
        for selector in selectors:
            if not any(_selects(selector, pod.labels) for pod in pods.values()):
                yield f"{where}: {selector} selects no pod."
    for caller, called in _CALLS:
        if not {caller, called} <= pods.keys():
            continue
        for direction, here, there in (
            ("egress", pods[caller], pods[called]),
            ("ingress", pods[called], pods[caller]),
        ):
            if not any(
                _allows(policy["spec"], direction, here, there, listening=pods[called])
                for policy in policies
            ):
                yield f"{name}: no network policy allows {direction} from {caller} to {called}."


def _pod(workload: Object) -> _Pod:
    template = template_of(workload)
    ports = [
        port for container in template["spec"]["containers"] for port in container.get("ports", [])
    ]
    return _Pod(workload["metadata"]["name"], template["metadata"]["labels"], ports)


def _denies_everything(spec: Policy) -> bool:
    return (
        not spec["podSelector"]
        and set(spec["policyTypes"]) == {"Ingress", "Egress"}
        and not spec.get("ingress")
        and not spec.get("egress")
    )


def _peers(spec: Policy) -> Iterator[Mapping[str, Any]]:
    """Selectors of pods of this namespace on the other side."""
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for peer in [*rule.get("from", []), *rule.get("to", [])]:
            if "podSelector" in peer and "namespaceSelector" not in peer:
                yield peer["podSelector"]


def _allows(spec: Policy, direction: str, here: _Pod, there: _Pod, *, listening: _Pod) -> bool:
    if not _selects(spec["podSelector"], here.labels):
        return False
    other_side = "to" if direction == "egress" else "from"
    open_ports = {value for port in listening.ports for value in port.values()}
    for rule in spec.get(direction, []):
        reached = any(
            "podSelector" in peer
            and "namespaceSelector" not in peer
            and _selects(peer["podSelector"], there.labels)
            for peer in rule.get(other_side, [])
        )
        # A rule without ports is for all of them.
        ports = [port["port"] for port in rule.get("ports", [])]
        if reached and (not ports or open_ports.intersection(ports)):
            return True
    return False


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise NotImplementedError(f"The operator {expression['operator']} of a selector.")
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True
