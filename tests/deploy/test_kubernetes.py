"""The manifests start what the product is, and the check sees it when they do not."""

import json
import shutil
from pathlib import Path

import pytest

from deploy.check import folders, kubernetes, kustomize
from deploy.check.__main__ import ROOT
from services.payments.providers.adapters import ADAPTERS
from services.payments.settings import ProviderSettings
from tests.deploy.conftest import Spoil

pytestmark = pytest.mark.long

BASE = "deploy/k8s/base"
LAPTOP = "deploy/k8s/overlays/laptop"
BANK = "deploy/k8s/overlays/bank-files"
CLAIMS = "deploy/k8s/components/bank-files"
SECRETS = "deploy/k8s/secrets.example.yaml"

_PEER = "matchLabels: {{app.kubernetes.io/name: {}}}\n      ports:\n        - {{port: {}}}"

needs_a_renderer = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")),
    reason="neither kubectl nor kustomize is here to apply the patches",
)


@pytest.fixture
def base_alone(deployment: Path) -> Path:
    """Half the work where the overlay has nothing to tell."""
    shutil.rmtree(deployment / "deploy" / "k8s" / "overlays")
    return deployment


def test_the_committed_manifests_have_no_fault() -> None:
    assert kubernetes.check(ROOT).faults == []


def test_without_a_renderer_it_says_so_and_checks_the_rest(
    deployment: Path, spoil: Spoil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert kubernetes.check(deployment).faults == []
    spoil(f"{BASE}/triggers.yaml", "args: [triggers-worker]", "args: [trigger-worker]")
    findings = kubernetes.check(deployment)
    assert "is no process" in "\n".join(findings.faults)
    assert f"the patches of {BASE}: neither kubectl nor kustomize" in findings.not_checked


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (f"{BASE}/triggers.yaml", "args: [triggers-api]", "args: [trigger-api]", "is no process"),
        (f"{BASE}/registry.yaml", "containerPort: 8001", "containerPort: 8002", "listens on 8001"),
        (f"{BASE}/registry.yaml", "port: 8001, ", "port: 80, ", "port 80 leads to http"),
        (f"{BASE}/registry.yaml", "targetPort: http", "targetPort: web", "which is nowhere"),
        (f"{BASE}/registry.yaml", "minAvailable", "minAvailabel", "Additional properties"),
        (
            f"{BASE}/registry.yaml",
            "secretRef: {name: registry-api}",
            "secretRef: {name: register}",
            "the Secret register, which is not there",
        ),
        (
            f"{BASE}/payments.yaml",
            "  selector: {app.kubernetes.io/name: payments-api}",
            "  selector: {app.kubernetes.io/name: payment-api}",
            "Service payments-api: selects the pods of 0",
        ),
        (
            f"{BASE}/payments.yaml",
            "  selector:\n    matchLabels: {app.kubernetes.io/name: payments-worker}",
            "  selector:\n    matchLabels: {app.kubernetes.io/name: payments}",
            "does not select its own pods",
        ),
        (f"{BASE}/configuration.yaml", "  AUTH_ISSUER:", "  ISSUER:", "AUTH_ISSUER is not set"),
        (f"{BASE}/configuration.yaml", "  AUTH_ISSUER:", "  ISSUER:", "does not read it"),
        (f"{BASE}/configuration.yaml", "registry-api:8001", "registry-api:80", "where no API is"),
        (SECRETS, "  PERSON_KEYS:", "  PERSONS_KEYS:", "PERSON_KEYS is not set"),
        (
            f"{BASE}/payments.yaml",
            "secretRef: {name: payments-api}",
            "secretRef: {name: payments-worker}",
            "ACCOUNT_KEYS is given, and is no secret of payments-api",
        ),
        (
            f"{BASE}/configuration.yaml",
            "  ENVIRONMENT: production\n",
            "  ENVIRONMENT: production\n  ACCOUNT_KEYS: x\n",
            "ACCOUNT_KEYS is a secret, and every process is given it",
        ),
        (SECRETS, "BLIND_INDEX_KEY: REPLACE", "BLIND_INDEX_KEY: abc", "no real secret"),
        (f"{BASE}/registry.yaml", "args: [duplicates]", "args: [rejudge]", "0 containers run dupl"),
        (
            f"{BASE}/registry.yaml",
            "secretRef: {name: duplicates}",
            "secretRef: {name: registry-api}",
            "SPDCI_SIGNING_KEY is given, and is no secret of duplicates",
        ),
        (f"{BASE}/kustomization.yaml", "  - triggers.yaml\n", "", "does not list triggers.yaml"),
        (f"{BASE}/kustomization.yaml", "- network.yaml", "- networks.yaml", "which is not there"),
    ],
)
def test_a_spoilt_manifest_is_caught(
    base_alone: Path, spoil: Spoil, file: str, old: str, new: str, fault: str
) -> None:
    spoil(file, old, new)
    assert fault in "\n".join(kubernetes.check(base_alone).faults)


@needs_a_renderer
@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("every-process.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
        ("every-process.yaml", "readOnlyRootFilesystem: true", "", "may write to its root"),
        ("every-process.yaml", "allowPrivilegeEscalation: false", "", "may escalate"),
        ("every-process.yaml", "drop: [ALL]", "drop: []", "keeps capabilities"),
        ("every-process.yaml", "type: RuntimeDefault", "type: Unconfined", "no seccomp profile"),
        ("every-process.yaml", "automountServiceAccountToken: false", "", "a token of the cluster"),
        ("every-process.yaml", 'limits: {cpu: "1", memory: 768Mi}', "", "has no limits"),
        ("every-api.yaml", "path: /ready", "path: /live", "readinessProbe does not ask for /ready"),
        (
            "every-worker.yaml",
            "livenessProbe:\n            exec: {command: [python, -m, services.live]}",
            "livenessProbe:\n            exec: {command: [python, -m, services]}",
            "its livenessProbe does not ask",
        ),
        ("every-scheduled.yaml", "Policy: Forbid", "Policy: Allow", "a second one may begin"),
        ("every-scheduled.yaml", "timeZone: Asia/Phnom_Penh", "", "in no time zone"),
        ("every-scheduled.yaml", "runAsNonRoot: true", "", "duplicates: may run as root"),
        ("every-scheduled.yaml", "drop: [ALL]", "drop: []", "duplicates: keeps capabilities"),
        ("../registry.yaml", "activeDeadlineSeconds: 14400", "", "one that hangs keeps"),
        ("../registry.yaml", "{sizeLimit: 20Gi}", "{}", "no bounded folder"),
        ("../registry.yaml", 'limits: {cpu: "2", memory: 3Gi}', "", "duplicates: has no limits"),
        ("every-api.yaml", "replicas: 2", 'replicas: "2"', "is not of type 'integer'"),
    ],
)
def test_a_spoilt_patch_is_caught(
    base_alone: Path, spoil: Spoil, file: str, old: str, new: str, fault: str
) -> None:
    spoil(f"{BASE}/patches/{file}", old, new)
    assert fault in "\n".join(kubernetes.check(base_alone).faults)


@needs_a_renderer
@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  podSelector: {}\n", "  podSelector:\n    matchLabels: {a: b}\n", "denies what no"),
        ("component: api}", "component: apis}", "selects no pod"),
        (
            _PEER.format("registry-api", "http"),
            _PEER.format("registry-api", "8003"),
            "allows egress from payments-worker to registry-api",
        ),
        (
            _PEER.format("triggers-worker", "http"),
            _PEER.format("triggers-worker", "8001"),
            "allows ingress from triggers-worker to payments-api",
        ),
    ],
)
def test_a_spoilt_network_policy_is_caught(
    base_alone: Path, spoil: Spoil, old: str, new: str, fault: str
) -> None:
    spoil(f"{BASE}/network.yaml", old, new)
    assert fault in "\n".join(kubernetes.check(base_alone).faults)


@needs_a_renderer
@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (f"{BANK}/providers.yaml", "/bank/state", "/banks/state", "no claim at /banks/state"),
        (
            f"{CLAIMS}/claims.yaml",
            "name: bank-state",
            "name: state",
            "nobody mounts the claim state",
        ),
        (f"{CLAIMS}/claims.yaml", "name: bank-state", "name: state", "bank-state, which is not"),
        (f"{CLAIMS}/payments-worker.yaml", "fsGroup: 10001", "", "may not write to its claims"),
        (f"{BANK}/kustomization.yaml", "-files\n\npatches", "\n\npatches", "which is not there"),
        (f"{CLAIMS}/kustomization.yaml", "- claims.", "- claim.", "does not list claims.yaml"),
        (
            f"{CLAIMS}/kustomization.yaml",
            "name: payments-worker}",
            "name: payments-.*}",
            "payments-api reaches /bank/state",
        ),
    ],
)
def test_spoilt_folders_of_a_bank_are_caught(
    deployment: Path, spoil: Spoil, file: str, old: str, new: str, fault: str
) -> None:
    shutil.rmtree(deployment / LAPTOP)
    spoil(file, old, new)
    assert fault in "\n".join(kubernetes.check(deployment).faults)


@needs_a_renderer
def test_the_bank_of_the_overlay_is_one_that_the_settings_take() -> None:
    objects = kustomize.load(ROOT / BANK)
    [configuration] = objects.of("ConfigMap")
    providers = json.loads(configuration["data"]["PAYMENTS_PROVIDERS"])
    [_, bank] = [ProviderSettings.model_validate(provider) for provider in providers]
    assert bank.protocol in ADAPTERS
    assert str(bank.files.state_directory) == folders.STATE


@needs_a_renderer
def test_what_kustomize_refuses_is_a_fault(deployment: Path, spoil: Spoil) -> None:
    spoil(f"{LAPTOP}/kustomization.yaml", "path: /data/AUTH_TOKEN_URL", "path: /data/AUTH_TOKEN")
    with pytest.raises(kustomize.CannotRender):
        kustomize.load(deployment / LAPTOP)
    assert [fault for fault in kubernetes.check(deployment).faults if fault.startswith(LAPTOP)]
