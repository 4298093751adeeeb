"""A copy of the deployment files, for a test to spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.check.__main__ import ROOT
from deploy.check.image import PACKAGES

_FILES = ("Dockerfile", "docker-compose.yml", ".env.example", "requirements.lock")

Spoil = Callable[[str, str, str], None]


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    for name in _FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "deploy" / "k8s", tmp_path / "deploy" / "k8s")
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


@pytest.fixture
def spoil(deployment: Path) -> Spoil:
    """``spoil(file, old, new)`` replaces text that has to be there."""

    def replace(file: str, old: str, new: str) -> None:
        path = deployment / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return replace
