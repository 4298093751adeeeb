"""The check of the house sees what stands in the wrong place."""

import pytest

from tests.checks.house import faults_of


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("services/payments/funds/service.py", "from sqlalchemy import text\n"),
        (
            "services/payments/funds/routes.py",
            "from sqlalchemy.dialects.postgresql import insert\n",
        ),
        (
            "services/payments/webhooks/intake.py",
            '_STORE = "INSERT INTO payments.webhook VALUES"\n',
        ),
        ("services/registry/imports/routes.py", "async def f(session): session.add(1)\n"),
        ("services/registry/imports/repository.py", "async def f(session): session.flush()\n"),
        ("services/registry/areas/routes.py", 'AreasRead = require("areas:read")\n'),
        ("services/registry/areas/service.py", "for one in []: pass\n"),
        ("tests/registry/flow.py", "x = [one for one in []]\n"),
        ("shared/errors.py", "def f(one): pass\n"),
    ],
)
def test_what_stands_in_the_wrong_place_is_told(path: str, source: str) -> None:
    (fault,) = faults_of(path, source)
    assert fault.startswith(f"{path}:1: ")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("services/payments/funds/repository.py", "from sqlalchemy import text\n"),
        ("services/payments/migrations/versions/0001_payments.py", 'x = "SELECT 1 FROM y"\n'),
        ("services/registry/schemes/benefit.py", "from sqlalchemy import case\n"),
        ("services/payments/funds/service.py", "from sqlalchemy import Row\n"),
        ("services/payments/funds/service.py", "x = 'Select a fund'\n"),
        ("services/payments/scopes.py", 'FundsRead = require("funds:read")\n'),
    ],
)
def test_what_stands_in_its_place_is_left_alone(path: str, source: str) -> None:
    assert list(faults_of(path, source)) == []
