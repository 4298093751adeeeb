"""The Dockerfile, and whether requirements.lock holds all that the image imports."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from deploy.check import folders
from deploy.check.findings import Findings

PACKAGES = ("judge", "services", "shared")
LOCK = "requirements.lock"

_LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.MULTILINE | re.IGNORECASE)
_OTHER_THAN_ROOT = re.compile(r"[1-9]\d*(:\d+)?")
_PIP_INSTALL = re.compile(r"^RUN .*\bpip .*\binstall\b(?:.*\\\n)*.*$", re.MULTILINE)


def check(root: Path) -> Findings:
    """Lint the Dockerfile of ``root``, and hold its packages' imports against the lock file."""
    findings = Findings(checked=[f"what {' and '.join(PACKAGES)} import against {LOCK}"])
    findings.faults += _import_faults(root)
    findings.faults += _dockerfile_faults(root / "Dockerfile")
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    if hadolint is None:
        findings.not_checked.append("Dockerfile by hadolint: no build of it for this machine")
        return findings
    findings.checked.append("Dockerfile by hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", str(root / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    findings.faults += [
        line.replace(f"{root}/", "") for line in (done.stdout + done.stderr).splitlines()
    ]
    return findings


def _dockerfile_faults(path: Path) -> Iterator[str]:
    text = path.read_text()
    for command in _PIP_INSTALL.findall(text):
        if "--require-hashes" not in command:
            yield f"Dockerfile: `{command}` installs without --require-hashes."
    *others, final_stage = text.split("\nFROM ")
    [sandbox] = [stage for stage in others if " AS sandbox\n" in stage]
    for stage, needed in ((final_stage, folders.ALL), (sandbox, folders.MET_IN)):
        for folder in sorted(needed - set(stage.split())):
            yield f"Dockerfile: {folder} is not made: a new volume there would be root's."
    users = re.findall(r"^USER (\S+)", final_stage, re.MULTILINE)
    if not users or not _OTHER_THAN_ROOT.fullmatch(users[-1]):
        yield "Dockerfile: the last stage needs a USER that is a number other than 0."
    if 'ENTRYPOINT ["python", "-m", "services"]' not in final_stage:
        yield "Dockerfile: the last stage does not start `python -m services`."


def _import_faults(root: Path) -> Iterator[str]:
    locked = {_normal(name) for name in _LOCKED.findall((root / LOCK).read_text())}
    installed = packages_distributions()
    for module, place in sorted(_imported(root).items()):
        distributions = {_normal(name) for name in installed.get(module, [])}
        if not distributions & locked:
            yield f"{place}: imports {module}, which {LOCK} does not hold."


def _imported(root: Path) -> dict[str, str]:
    """Top-level modules from elsewhere that the packages import, with one place for each."""
    imported: dict[str, str] = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                for module in _modules(node):
                    if module not in PACKAGES and module not in sys.stdlib_module_names:
                        imported.setdefault(module, str(path.relative_to(root)))
    return imported


def _modules(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [name.name.partition(".")[0] for name in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module.partition(".")[0]]
        case _:
            return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
