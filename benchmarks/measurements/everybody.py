"""Everybody registered, member by member, for what is measured over persons."""

import asyncio

from benchmarks.database import owner, quiet
from benchmarks.measurements.measured import Setting
from benchmarks.people import People, keys_of, register


def register_all(setting: Setting, people: People) -> None:
    """The households and members that other measurements need, without measuring."""
    asyncio.run(_register(setting, people))


async def _register(setting: Setting, people: People) -> None:
    stack = setting.world.stack
    with setting.world.show.phase("Registering everybody", total=people.households) as phase:
        async with owner(stack.database_url) as connection:
            await register(connection, people, keys_of(stack.secrets), reach=phase.reach)
            await quiet(connection)
