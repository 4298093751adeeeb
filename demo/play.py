"""The whole play: prepared, replayed, and held against what the providers say by themselves."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from demo.accountant import CHARGED, FEE_MINOR, Accountant, Reconciled
from demo.api import Api
from demo.facts import Facts, read_decided, read_facts
from demo.officer import Officer, Told
from demo.options import Options
from demo.preparation import FUND, load_rules, provide_money, register_households
from demo.providers import Providers
from demo.shocks import OFFICE_OPENS
from demo.show import Show
from demo.story import replay, wait_for_last_callbacks
from deploy.local.stack import Stack
from judge.case import Expected
from services.registry.schemes.shipped import SHIPPED_SCHEMES
from shared.auth.roles import Role
from shared.clock import COUNTRY_ZONE


@dataclass(frozen=True, kw_only=True)
class Played:
    """What has to be there at the end, and what the report tells."""

    expected: Expected
    facts: Facts
    officers: list[Told]
    reconciled: Reconciled


def play(
    stack: Stack, options: Options, show: Show, *, beginning: datetime, publisher: str
) -> Played:
    """Play it on a system that is fresh and whose clock stands at ``beginning``."""
    providers = Providers(stack)
    with ExitStack() as clients:

        def api(service: str, role: Role | None = None) -> Api:
            return Api(
                service,
                clients.enter_context(stack.client(service, role)),
                clients.enter_context(stack.client(service, Role.CHECKER)),
            )

        registry, triggers, payments = api("registry"), api("triggers"), api("payments")
        officer = Officer(payments, show)
        accountant = Accountant(api("payments", Role.TREASURER), providers, show)
        with show.phase("Loading places, schemes, triggers and money"):
            load_rules(registry, triggers)
            provided = provide_money(payments, providers, officer, scale=options.scale)
            accountant.map_columns()
        with show.phase("Registering households") as phase:
            households = register_households(
                registry, phase, scale=options.scale, seed=options.seed
            )
        paid_at = replay(
            show,
            set_clock=stack.set_clock,
            registry=registry,
            triggers=triggers,
            payments=payments,
            publisher=Api(
                "triggers",
                clients.enter_context(stack.publisher(publisher)),
                clients.enter_context(stack.client("triggers", Role.CHECKER)),
            ),
            officer=officer,
        )
        with show.phase("Waiting for the providers' last callbacks"):
            wait_for_last_callbacks(payments, sandbox_url=providers.url)
        facts = asyncio.run(read_facts(stack.database_url, sandbox_url=providers.url))
        *days, stopped_on = (at.astimezone(COUNTRY_ZONE).date() for at in [beginning, *paid_at])
        last_day = stopped_on + timedelta(days=1)
        stack.set_clock(datetime.combine(last_day, OFFICE_OPENS))
        officer.take_back(providers, fund=FUND)
        officer.tell_line(FUND)
        with show.phase("Holding the providers' statements against the books"):
            reconciled = accountant.reconcile(days, last_day=last_day, set_clock=stack.set_clock)
        decided = asyncio.run(read_decided(stack.database_url))
    expected = Expected(
        households=households,
        deposited_minor=provided.deposited_minor,
        prefunded_minor=provided.prefunded_minor,
        charges_taken_minor={CHARGED: FEE_MINOR},
        # A household has an account of its own, and the first round of each scheme is paid.
        payments_for_an_account=len(SHIPPED_SCHEMES),
        # Nothing is cancelled; one payment comes back.
        payment_ends=("settled", "rejected", "returned"),
    )
    return Played(
        expected=expected,
        facts=replace(facts, decided=decided),
        officers=officer.told,
        reconciled=reconciled,
    )
