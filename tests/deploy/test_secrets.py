"""Each process reads the secrets that it uses, as people agreed on them, and no other."""

from pathlib import Path

import pytest

from deploy.check.processes import MIGRATE, SECRETS, secret_variables
from deploy.local.environment import local_environment
from deploy.local.stack import Stack
from services.processes import PROCESSES, SCHEDULED, SERVICES


@pytest.mark.parametrize("process", [MIGRATE, *PROCESSES, *SCHEDULED])
def test_the_code_reads_the_secrets_of_the_table_and_no_other(process: str) -> None:
    assert secret_variables(process) == SECRETS[process]


def test_on_one_machine_too_a_process_is_told_no_other_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path, database_url="postgresql://nobody@nowhere.invalid/none")
    told = local_environment(
        stack.secrets,
        owner_url=stack.database_url,
        ports=dict.fromkeys(SERVICES, 1),
        sandbox_port=1,
        key_file=stack.key_file,
        clock_file=None,
    )
    monkeypatch.setattr(stack, "_environment", told)
    everything = frozenset[str]().union(*SECRETS.values())
    for process in PROCESSES:
        given = stack._environment_of(process).keys()
        assert given & everything <= SECRETS[process]
        assert f"{process.partition('-')[0].upper()}_DATABASE_URL" in given
