"""The image holds what it imports and does not run as root, and the check sees it otherwise."""

import sys
import sysconfig
from pathlib import Path

import pytest

from deploy.check import image
from deploy.check.__main__ import ROOT
from tests.deploy.conftest import Spoil


def test_the_committed_dockerfile_and_lock_file_have_no_fault() -> None:
    assert image.check(ROOT).faults == []


def test_an_import_that_the_lock_file_lacks_is_caught(deployment: Path) -> None:
    (deployment / "services" / "lazy.py").write_text("def later():\n    from pytest import fail\n")
    assert image.check(deployment).faults == [
        "services/lazy.py: imports pytest, which requirements.lock does not hold."
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("USER 10001:10001", "USER 0:0", "a number other than 0"),
        ("USER 10001:10001", "USER sangkroh", "a number other than 0"),
        ('"-m", "services"', '"-m", "service"', "does not start `python -m services`"),
        ("--require-hashes ", "", "installs without --require-hashes"),
        (" /bank/state", "", "/bank/state is not made"),
        ("/bank/outgoing /bank/incoming\nENV", "/bank/outgoing\nENV", "/bank/incoming is not"),
    ],
)
def test_a_spoilt_dockerfile_is_caught(
    deployment: Path, spoil: Spoil, old: str, new: str, fault: str
) -> None:
    spoil("Dockerfile", old, new)
    assert fault in "\n".join(image.check(deployment).faults)


@pytest.mark.skipif(
    not Path(sysconfig.get_path("scripts"), "hadolint").exists(),
    reason=f"no hadolint for {sys.platform}",
)
def test_what_hadolint_says_is_a_fault(deployment: Path, spoil: Spoil) -> None:
    spoil("Dockerfile", "WORKDIR /build\n", "")
    assert "DL3045" in "\n".join(image.check(deployment).faults)
