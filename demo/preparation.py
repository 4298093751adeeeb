"""Before the shocks: places, schemes, triggers, money, and the households of the country.

Everything goes through the services' own APIs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from demo.api import Api
from demo.country import (
    MEAN_MEMBERS,
    PREGNANT_SHARE_OF_HOUSEHOLDS,
    SHARES,
    cells,
    country_csv,
)
from demo.officer import LINE, Officer
from demo.providers import BANKED_WITH, Providers
from demo.shocks import FLOOD_INDICATOR, FLOOD_SCHEME, FLOOD_TRIGGER, PRICE_INDICATOR, PRICE_TRIGGER
from demo.show import Phase
from services.registry.households.shape import PREGNANT
from services.registry.schemes.shipped import SHIPPED_SCHEMES
from services.registry.schemes.shipped import shipped_document as shipped_scheme
from services.triggers.definitions.shipped import shipped_document as shipped_trigger

# The sums below are of expected sizes and features; the households drawn come close to them.
_MARGIN = Fraction(12, 10)
_IMPORT_SECONDS = 3_600
FUND = "national-relief"
"""What both schemes are paid from."""
# The largest household that is registered, each of its members the dearest, gets less than that.
_MAXIMUM_PAYMENT_MINOR = 4_000_000


class ImportIncomplete(Exception):
    """One line that says how many rows were not taken."""


@dataclass(frozen=True, kw_only=True)
class Provided:
    """What was deposited, by fund, and prefunded, by provider; in minor units."""

    deposited_minor: dict[str, int]
    prefunded_minor: dict[str, int]


def load_rules(registry: Api, triggers: Api) -> None:
    """The gazetteer, the two schemes of 2022, the indicators and the two triggers."""
    registry.put("/gazetteer", {"edition": "ncdd-2022"})
    for scheme in SHIPPED_SCHEMES:
        document = shipped_scheme(scheme)
        if scheme == FLOOD_SCHEME:
            document = {**document, "budget_line": LINE}
        registry.post("/schemes", document)
    for indicator in (PRICE_INDICATOR, FLOOD_INDICATOR):
        triggers.post("/indicators", indicator)
    for trigger in (PRICE_TRIGGER, FLOOD_TRIGGER):
        triggers.post("/triggers", shipped_trigger(trigger))


def provide_money(
    payments: Api, providers: Providers, officer: Officer, *, scale: Fraction
) -> Provided:
    """Funds for every round of every scheme at this scale, and floats for the first rounds."""
    needs: dict[str, int] = {}
    first_rounds = 0
    for code in SHIPPED_SCHEMES:
        document = shipped_scheme(code)
        one_round = cost_of_a_round(document, scale=scale)
        first_rounds += one_round
        needs[document["fund"]] = needs.get(document["fund"], 0) + one_round * len(
            document["rounds"]
        )
    for fund, amount_minor in needs.items():
        payments.post(
            "/funds",
            {
                "code": fund,
                "name": "National relief, for the demonstration",
                "currency": "KHR",
                "maximum_payment_minor": _MAXIMUM_PAYMENT_MINOR,
                "maximum_round_minor": amount_minor,
            },
        )
        payments.post(
            f"/funds/{fund}/deposits",
            {"amount_minor": amount_minor, "reference": "Every round for every poor household"},
        )
    flood = shipped_scheme(FLOOD_SCHEME)
    officer.open_line(FUND, cost_of_a_round(flood, scale=scale) * len(flood["rounds"]))
    officer.hold_the_largest()
    # Which provider a household banks with is chance: each may need more than its share.
    prefunding = first_rounds * 6 // 10
    for provider in BANKED_WITH:
        # The money is transferred, and then recorded by the provider's reference: that is how the
        # two are found together on its statement.
        reference = providers.receive(provider, prefunding, reference="First rounds")
        payments.post(
            f"/providers/{provider}/prefundings",
            {"amount_minor": prefunding, "reference": reference},
        )
    return Provided(deposited_minor=needs, prefunded_minor=dict.fromkeys(BANKED_WITH, prefunding))


def cost_of_a_round(document: dict[str, Any], *, scale: Fraction) -> int:
    """What one round could cost if it reached every household of the country at this scale.

    In minor units, by the dearest case of the benefit and the expected sizes and features.
    """
    households = Fraction(sum(cell.households for cell in cells(scale)))
    persons = households * MEAN_MEMBERS
    having = {field.name: persons * share for field, share in SHARES.items()}
    having[PREGNANT.name] = households * Fraction(PREGNANT_SHARE_OF_HOUSEHOLDS)
    dearest = max(
        households * case["base_minor"]
        + persons * case.get("per_member_minor", 0)
        + sum(
            having.get(category, 0) * amount
            for category, amount in case.get("per_category", {}).items()
        )
        for case in document["benefit"]
    )
    return int(dearest * _MARGIN)


def register_households(registry: Api, phase: Phase, *, scale: Fraction, seed: int) -> int:
    """Send the country through the registry's import; how many households it registered.

    Raises ImportIncomplete where a row was not taken.
    """
    total = sum(cell.households for cell in cells(scale))

    def told() -> Iterator[bytes]:
        sent = -1  # the header is no household
        for block in country_csv(scale=scale, seed=seed, shares=BANKED_WITH):
            yield block
            sent += block.count(b"\n")
            phase.reach(sent, total=total)

    made = registry.post(
        "/imports", {"source": "Synthetic households on IDPoor's counts", "note": f"seed {seed}"}
    )
    imported = registry.send_csv(
        f"/imports/{made['id']}/rows", told(), timeout_seconds=_IMPORT_SECONDS
    )
    if imported["households_added"] != total:
        raise ImportIncomplete(
            f"The import took {imported['households_added']:,} of {total:,} households and "
            f"rejected {imported['rows_rejected']:,}: GET /imports/{made['id']}/rejections of the "
            "registry says why."
        )
    return total
