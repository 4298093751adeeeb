"""The README's calls, pasted by a reader into a shell, against the whole system."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.local.stack import Stack
from sandbox.options import SandboxOptions

README = Path(__file__).parent.parent / "README.md"

_ROUNDS = (
    """$REGISTRY/activations/$(get "$REGISTRY/activations?limit=1" | pick items 0 id)/rounds"""
)
_UNTIL_PAID = f"""
until get $REGISTRY/activations | grep -q '"id"'; do sleep 0.2; done
until get "{_ROUNDS}" | grep -q '"paid_count":1'; do sleep 0.2; done
"""
_PATIENCE_SECONDS = 120

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("curl"), reason="the README's calls use curl"),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with TemporaryDirectory(prefix="sangkroh-readme-") as directory:
        options = SandboxOptions(
            port=0, storage=Path(directory), providers=(), missing_account_share=0
        )
        with Stack(Path(directory), sandbox=options) as running:
            yield running


def pasted(stack: Stack) -> str:
    """The README's blocks of shell, with this stack's ports and issuer in place of the usual."""
    script = "set -u\n" + "".join(re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL))
    token = f"{sys.executable} -m shared.auth.development --key-file {stack.key_file}"
    script = script.replace("make -s token ROLE=", f"{token} --role ")
    script = script.replace("make -s token", token).replace("sleep 3", _UNTIL_PAID)
    for port, service in (("8001", "registry"), ("8002", "triggers"), ("8003", "payments")):
        script = script.replace(f"http://127.0.0.1:{port}", stack.urls[service])
    return script


def test_the_readme_pays_its_household(stack: Stack) -> None:
    done = subprocess.run(
        ["bash", "-c", pasted(stack)],
        cwd=README.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    assert done.stderr == ""
    assert [answer for answer in answers if "urn:sangkroh:problem" in answer.get("type", "")] == []
    entitlement, instruction, proofs, feed = answers[-4:]
    assert entitlement["status"] == "paid"
    assert entitlement["amount_minor"] == instruction["amount_minor"] == 192_000
    assert instruction["status"] == "settled"
    assert [transfer["code"] for transfer in instruction["transfers"]] == [
        "sent",
        "settled",
        "commitment_spent",
    ]
    assert proofs["hold"]
    assert "Sok Dara" not in json.dumps(feed)
    assert [event["type"].split(".")[2] for event in feed["items"]] == [
        "providers-configured",
        "fund-bounded",
        "observations-recorded",
        "activation-opened",
        "entitlements-ready",
        "enrolment-completed",
        "payments-settled",
    ]
