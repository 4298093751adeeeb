"""Each process reads the secrets that it uses, as people agreed on them, and no other."""

import pytest

from deploy.check.processes import MIGRATE, SECRETS, secret_variables
from services.processes import PROCESSES


@pytest.mark.parametrize("process", [MIGRATE, *PROCESSES])
def test_the_code_reads_the_secrets_of_the_table_and_no_other(process: str) -> None:
    assert secret_variables(process) == SECRETS[process]
