"""The README's calls, pasted by a reader into a shell, against the whole system; and then what the
first of its two persons gets done without the second."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from httpx import Client

from deploy.local.stack import Stack
from sandbox.options import SandboxOptions
from services.processes import SERVICES
from shared.auth import development
from shared.auth.roles import Role
from shared.ids import new_id

README = Path(__file__).parent.parent / "README.md"
RECONCILIATION = README.parent / "docs" / "reconciliation.md"
REGISTRY = README.parent / "docs" / "registry.md"
PROVIDERS = README.parent / "docs" / "providers.md"

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
        with Stack(Path(directory), sandbox=options, every_kind=True) as running:
            yield running


def blocks(page: Path) -> list[str]:
    """The blocks of shell of a page."""
    return re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)


def pasted(stack: Stack, calls: list[str]) -> str:
    """Blocks of shell, with this stack's ports and issuer in place of the usual."""
    script = "set -u\n" + "".join(calls)
    token = f"{sys.executable} -m shared.auth.development --key-file {stack.key_file}"
    script = script.replace(".venv/bin/python -m shared.auth.development", token)
    script = script.replace("make -s token ROLE=", f"{token} --role ")
    script = script.replace("make -s token", token).replace("sleep 3", _UNTIL_PAID)
    for port, service in (("8001", "registry"), ("8002", "triggers"), ("8003", "payments")):
        script = script.replace(f"http://127.0.0.1:{port}", stack.urls[service])
    assert stack.sandbox is not None
    script = script.replace("http://127.0.0.1:8004", stack.sandbox.url)
    return script.replace(".local/secrets.json", str(stack.directory / "secrets.json"))


@pytest.fixture(scope="module")
def walked(stack: Stack) -> subprocess.CompletedProcess[str]:
    """What the README's calls said, one after the other."""
    return subprocess.run(
        ["bash", "-c", pasted(stack, blocks(README))],
        cwd=README.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )


def test_the_readme_pays_its_household(walked: subprocess.CompletedProcess[str]) -> None:
    answers = [json.loads(line) for line in walked.stdout.splitlines() if line.startswith("{")]

    assert walked.stderr == ""
    assert [answer for answer in answers if "urn:sangkroh:problem" in answer.get("type", "")] == []
    entitlement, progress, instruction, proofs, feed = answers[-5:]
    assert entitlement["status"] == "paid"
    assert entitlement["amount_minor"] == instruction["amount_minor"] == 192_000
    assert instruction["status"] == "settled"
    assert [transfer["code"] for transfer in instruction["transfers"]] == [
        "sent",
        "settled",
        "commitment_spent",
    ]
    assert progress["totals"] == [
        {"status": "settled", "currency": "KHR", "count": 1, "amount_minor": 192_000}
    ]
    assert [group["key"] for group in progress["groups"]] == ["01"]
    assert proofs["hold"]
    assert "Sok Dara" not in json.dumps(feed)
    told = [event["type"].split(".")[2] for event in feed["items"]]
    # The registry counts whom it would reach beside what follows.
    told.remove("preparation-counted")
    assert told == [
        "providers-configured",
        "households-imported",
        "fund-bounded",
        "observations-recorded",
        "trigger-readied",
        "activation-opened",
        "entitlements-ready",
        "enrolment-completed",
        "payments-settled",
    ]


def session(stack: Stack, calls: list[str], folder: Path) -> list[str]:
    """What calls say, line by line, in the terminal in which the README's were made."""
    helpers, *_ = blocks(README)
    payment = 'INSTRUCTION=$(get "$PAYMENTS/instructions?limit=1" | pick items 0 id)\n'
    (folder / ".local").mkdir()
    done = subprocess.run(
        ["bash", "-c", pasted(stack, [helpers, payment, *calls])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(README.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_engineers_session_tries_a_callback_that_holds_and_one_that_does_not(
    stack: Stack, walked: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    calls = [block for block in blocks(PROVIDERS) if "test-callbacks" in block]
    right, wrong, own = map(json.loads, session(stack, calls, tmp_path))
    assert (right["signature"], right["verdict"]) == ("good", "would_be_applied")
    assert wrong["verdict"] == "would_be_refused"
    assert [callback["status"] for callback in own["items"]] == ["applied"]


def test_the_accountants_session_ends_with_everything_that_matches(
    stack: Stack, walked: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    said = session(stack, blocks(RECONCILIATION), tmp_path)
    assert [line for line in said if "urn:sangkroh:problem" in line] == []
    assert [line for line in said if "matches" in line or "open." in line] == [
        "3 differences are open.",
        "Everything matches. 3 differences are resolved by two persons.",
    ]
    assert said[-1] == "True"
    assert "3 differences are open." in (tmp_path / ".local" / "reconciliation.html").read_text()
    trial = json.loads(said[-2])
    assert trial["balanced"]
    charges = {
        line["scope"]: line["debit_minor"]
        for line in trial["lines"]
        if line["account"] == "PROVIDER_CHARGES"
    }
    assert charges == {"mekong": 2_500, "tonle": 0, "ncb": 0, "commune-offices": 0}


def test_the_registrars_session_imports_what_is_good_and_gives_back_what_is_not(
    stack: Stack, walked: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    calls = [block for block in blocks(REGISTRY) if "/imports" in block or "MAPPING" in block]
    said = session(stack, calls, tmp_path)
    answers = [json.loads(line) for line in said if line.startswith("{")]
    assert [answer for answer in answers if "urn:sangkroh:problem" in answer.get("type", "")] == []
    file, mapped, kept, dry, areas, imported, rejections = answers
    asked = sorted((question["about"], question["field"]) for question in file["questions"])
    assert asked == [
        ("no-column", "disabled"),
        ("no-column", "elderly_60"),
        ("no-column", "pregnant"),
        ("unknown-word", "poverty_status"),
        ("zeros", "commune_code"),
    ]
    assert (mapped["questions"], kept["name"]) == ([], "commune-list")
    for run in (dry, imported):
        assert (run["households_added"], run["rows_good"], run["rows_bad"]) == (2, 2, 1)
    assert areas["items"][0]["area_code"] == "010202"
    assert [fault["column"] for fault in rejections["items"]] == ["members", "phone"]
    assert "EQ-000103" in said[-1]
    assert "It is no whole number" in said[-1]


@pytest.fixture
def alone(stack: Stack, walked: subprocess.CompletedProcess[str]) -> Iterator[dict[str, Client]]:
    """The first of the two persons at each service, with all that a person may but approve."""
    with ExitStack() as clients:
        yield {service: clients.enter_context(stack.client(service)) for service in SERVICES}


def state_of(alone: dict[str, Client]) -> dict[str, Any]:
    """Whatever money, rules and people there are, as the services tell it."""
    state = {
        f"{service} {path}": alone[service].get(path).raise_for_status().json()
        for service, path in (
            ("registry", "/schemes"),
            ("registry", "/households"),
            ("registry", "/activations"),
            ("triggers", "/triggers"),
            ("triggers", "/observations?indicator=flood-affected-households"),
            ("triggers", "/activations"),
            ("payments", "/funds"),
            ("payments", "/providers"),
            ("payments", "/rounds"),
            ("payments", "/instructions"),
        )
    }
    for provider in state["payments /providers"]["items"]:
        # How it answers is told by the minute, whatever anybody does.
        del provider["health"]
    return state


def test_one_of_them_alone_gets_nowhere(alone: dict[str, Client], stack: Stack) -> None:
    before = state_of(alone)
    proposed: dict[str, list[str]] = {service: [] for service in SERVICES}
    for service, method, path, body in steps_of_one(before):
        answer = alone[service].request(
            method, path, json=body, headers={"Idempotency-Key": str(new_id())}
        )
        assert answer.status_code == 202, (method, path, answer.text)
        proposed[service].append(answer.json()["id"])
    for service, proposals in proposed.items():
        decision = {"decision": "approved", "reason": "Checked.", "approval_ids": proposals}
        key = {"Idempotency-Key": str(new_id())}
        refused = alone[service].post("/approvals/decisions", json=decision, headers=key)
        # Even where the issuer gave one person both.
        both = development.mint(
            stack.key_file,
            subject=development.SUBJECT,
            scopes=development.EVERY_SCOPE,
            seconds=60,
        )
        key["Authorization"] = f"Bearer {both}"
        answer = alone[service].post("/approvals/decisions", json=decision, headers=key)

        assert refused.status_code == 403
        assert [result["decided"] for result in answer.json()["results"]] == [False] * len(
            proposals
        )
    assert state_of(alone) == before

    with stack.client("payments", Role.CHECKER) as checker:
        for approval_id in proposed["payments"]:
            checker.post(
                f"/approvals/{approval_id}/approval", json={"reason": "Checked."}
            ).raise_for_status()
    assert state_of(alone) != before


def steps_of_one(state: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Each way to more money or to another rule, as somebody would try it who has a token."""
    why = {"reason": "Because I say so."}
    [scheme] = state["registry /schemes"]["items"]
    generous = scheme["document"] | {
        "benefit": [scheme["document"]["benefit"][0] | {"base_minor": 300_000}]
    }
    yield "registry", "POST", "/schemes", generous | {"code": "of-my-own"}
    yield "registry", "POST", "/schemes/flood-2022/versions", generous
    [trigger] = state["triggers /triggers"]["items"]
    low = json.loads(json.dumps(trigger["document"]).replace(": 20000", ": 11000"))
    yield "triggers", "POST", "/triggers", low | {"code": "of-my-own"}
    yield "triggers", "POST", "/triggers/flood-reported-impact/versions", low
    [activation] = state["triggers /activations"]["items"]
    day = activation["evidence_to"]
    figure = {"area": "02", "source": "NCDM", "observed_on": day, "published_on": day}
    figures = {
        "indicator": "flood-affected-households",
        "unit": "households",
        "observations": [figure | {"value": "60000"}],
    }
    yield "triggers", "POST", "/observations", figures
    path = f"/activations/{activation['id']}"
    yield "triggers", "POST", f"{path}/correction", {"areas_added": ["02"], **why}
    yield "triggers", "POST", f"{path}/cancellation", why

    [instruction] = state["payments /instructions"]["items"]
    account = {"provider_code": "mekong", "account": "+85510999999"}
    path = f"/households/{instruction['household_id']}/payee-account"
    yield "registry", "PUT", path, account
    bounds = {"maximum_payment_minor": 10**9, "maximum_round_minor": 10**12}
    fund = {"code": "of-my-own", "name": "Mine", "currency": "KHR", **bounds}
    money = {"amount_minor": 400_000, "reference": "Mine"}
    yield "payments", "POST", "/funds", fund
    yield "payments", "POST", "/funds/national-relief/bounds", bounds | why
    yield "payments", "POST", "/funds/national-relief/deposits", money
    yield "payments", "POST", "/providers/mekong/prefundings", money
    ended = f"/instructions/{instruction['id']}/resolution"
    yield "payments", "POST", ended, {"outcome": "returned", **why}
