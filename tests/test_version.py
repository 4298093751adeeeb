"""One version: whatever tells it derives it from `shared/version.py`, or is held against it."""

import re
import tomllib
from pathlib import Path

import yaml

from shared.version import VERSION

ROOT = Path(__file__).parent.parent


def test_the_build_takes_its_version_from_the_code() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in pyproject["project"]
    assert pyproject["project"]["dynamic"] == ["version"]
    attribute = pyproject["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "shared.version.VERSION"


def test_the_image_is_labelled_with_it() -> None:
    label = 'org.opencontainers.image.version="([^"]+)"'
    assert re.findall(label, (ROOT / "Dockerfile").read_text()) == [VERSION]


def test_the_cluster_runs_it_and_says_so() -> None:
    base = yaml.safe_load((ROOT / "deploy/k8s/base/kustomization.yaml").read_text())
    assert [image["newTag"] for image in base["images"]] == [VERSION]
    assert [labels["pairs"]["app.kubernetes.io/version"] for labels in base["labels"]] == [VERSION]


def test_the_changelog_tells_of_it() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == f"Unreleased: {VERSION}" or headings[0].startswith(f"{VERSION} – ")
