"""What officers do while the shocks are paid for: a budget line, a pause, a rule, a return.

None of it changes who is paid: what is stopped goes on, and what is held is let go, each by two
persons. Amounts are in riel.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from demo.api import Api, wait_for
from demo.providers import Providers
from demo.shocks import FLOOD_SCHEME, PRICE_SCHEME
from demo.show import Show

LINE = "floods-2022"
PAUSED = "tonle"
PAUSED_ON = date(2020, 10, 12)
HELD_ABOVE_MINOR = 280_000
RETURNING = "mekong"

_STILL_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing that officers did, in one line."""

    what: str
    text: str


class Officer:
    """Proposes; the second person of ``payments`` approves."""

    def __init__(self, payments: Api, show: Show) -> None:
        self._payments = payments
        self._show = show
        self._pause_id: str | None = None
        self.told: list[Told] = []

    def open_line(self, fund: str, ceiling_minor: int) -> None:
        """A line of the budget, which the flood scheme is booked on."""
        self._payments.post(
            f"/funds/{fund}/budget-lines",
            {
                "code": LINE,
                "name": "Floods of the wet season",
                "ceiling_minor": ceiling_minor,
                "reason": "Three rounds for every poor household, and no more.",
            },
        )

    def hold_the_largest(self) -> None:
        """A rule: what is large is looked at by two persons before it is sent."""
        self._payments.post(
            "/hold-rules",
            {
                "scheme": PRICE_SCHEME,
                "above_cap": {
                    "amount_minor": HELD_ABOVE_MINOR,
                    "currency": "KHR",
                    "window_days": 30,
                },
                "reason": "What is large is looked at before it leaves.",
            },
        )

    def before(self, day: date) -> None:
        """Whatever is stopped before the day's figures come out."""
        if day == PAUSED_ON and self._pause_id is None:
            made = self._payments.post(
                "/pauses", {"provider": PAUSED, "reason": "It repairs its system this morning."}
            )
            self._pause_id = made["id"]

    def attend(self, activation_id: str, *, announced: int, ended: int) -> None:
        """Let go what is stopped or held, once nothing else of an activation is open."""
        if not announced or ended == announced:
            return
        stands = self._payments.get(f"/activations/{activation_id}")
        paused, held = stands["paused_count"], stands["held_by_rule_count"]
        if not paused + held or ended + paused + held < announced:
            return
        if paused:
            self._resume()
        if held:
            self._release(activation_id)

    def take_back(self, providers: Providers, *, fund: str) -> None:
        """A household's account is closed after it was paid, and its money goes to the fund."""
        paid = self._payments.get("/instructions", provider=RETURNING, status="settled", limit=1)
        if not paid["items"]:
            return
        [payment] = paid["items"]
        providers.give_back(payment["transaction_reference"], reason="closed")
        self._payments.post(
            f"/instructions/{payment['id']}/resolution",
            {"outcome": "returned", "reason": "The wallet is closed, by the provider's letter."},
        )
        wait_for(
            lambda: self._status_of(payment["id"]),
            what=f"The return of payment {payment['id']}",
            still_seconds=_STILL_SECONDS,
        )
        reclaim = self._payments.post(
            "/reclaims",
            {
                "fund": fund,
                "provider": RETURNING,
                "instruction_ids": [payment["id"]],
                "reason": "The household moved abroad and wants nothing.",
            },
        )
        self._tell(
            "came back",
            f"{RETURNING} gave back {reclaim['amount_minor']:,} riel that it had paid to a "
            f"household; two persons gave them to the fund {reclaim['fund']}, to be promised anew.",
        )

    def _status_of(self, payment_id: str) -> tuple[bool | None, object]:
        """Whether it is recorded as returned, and its status."""
        status = self._payments.get(f"/instructions/{payment_id}")["status"]
        return (True if status == "returned" else None), status

    def tell_line(self, fund: str) -> None:
        """How the budget line stands in the end."""
        line = self._payments.get(f"/funds/{fund}/budget-lines/{LINE}")
        self._tell(
            "budget line",
            f"{FLOOD_SCHEME} is booked on {fund}/{LINE}: {line['spent_minor']:,} riel spent, "
            f"{line['committed_minor']:,} committed, of {line['ceiling_minor']:,} at most.",
        )

    def _resume(self) -> None:
        assert self._pause_id is not None
        pause = self._payments.get(f"/pauses/{self._pause_id}")
        [waiting] = pause["waiting"]
        self._payments.post(
            f"/pauses/{self._pause_id}/resumption", {"reason": "It says that it works again."}
        )
        self._tell(
            "pause",
            f"one officer paused {PAUSED} before the report of {PAUSED_ON}: {waiting['count']:,} "
            f"payments, {waiting['amount_minor']:,} riel, waited, and nobody else did; two persons "
            "resumed it, and they were paid.",
        )

    def _release(self, activation_id: str) -> None:
        chosen = {"rule": "above_cap", "activation_id": activation_id}
        held: list[dict[str, Any]] = list(self._payments.pages("/holds", **chosen))
        self._payments.post(
            "/holds/decisions",
            {
                "decision": "release",
                "chosen": chosen,
                "reason": "Large households, as they are registered.",
            },
        )
        self._tell(
            "held by rule",
            f"{len(held):,} payments above {HELD_ABOVE_MINOR:,} riel, "
            f"{sum(hold['amount_minor'] for hold in held):,} riel together, waited for a look; "
            "two persons released them in one decision, and they were paid.",
        )

    def _tell(self, what: str, text: str) -> None:
        self.told.append(Told(what=what, text=text))
        self._show.say(f"  [bold]{what}[/]: {text}")
