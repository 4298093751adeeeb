"""A small country, and the orders that its officers give while processes die around them.

Every order is repeated, with the same Idempotency-Key, until it is acknowledged. What was
acknowledged is written down: it has to be there in the end.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx

import services.registry.schemes
from demo.country import country_csv
from deploy.local.environment import CURRENCY, PROVIDERS
from deploy.local.stack import Stack
from judge.records import Acknowledgement
from shared.auth.roles import Role
from shared.clock import FileClock
from shared.ids import new_id
from shared.version import API_PREFIX
from tests.faults.patience import Patience

FUND = "national-relief"
SCHEME = "flood-2022"
TRIGGER = "everywhere"
INDICATOR = "affected-households"
TRAFFIC = "somewhere-else"
PUBLISHER = "feed:hrf"
BEGINNING = datetime(2020, 10, 12, 2, 0, tzinfo=UTC)
FIRST_PROVINCES = [f"{number:02}" for number in range(1, 13)]
LATER_PROVINCES = [f"{number:02}" for number in range(13, 26)]

_DEPOSIT_MINOR = 2_000_000_000
PREFUNDING_MINOR = 800_000_000
_MAXIMUM_PAYMENT_MINOR = 4_000_000
_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 0.25
_PAUSES_HEARD_WITHIN = timedelta(seconds=6)
"""A worker that has lost the database sends what it claimed until its lease ends."""
_DOCUMENTS = Path(services.registry.schemes.__file__).parent / "documents"


class NotAcknowledged(Exception):
    """An order that nobody took in time, or that was refused."""


@dataclass
class World:
    """The orders given so far, and what was acknowledged of them."""

    stack: Stack
    scale: Fraction
    seed: int
    providers: tuple[str, ...] = tuple(PROVIDERS)
    prefunding_minor: int = PREFUNDING_MINOR
    """What each provider is given before the shock."""
    spoil: Callable[[bytes], bytes] = bytes
    """What becomes of the import file before it is sent."""
    rows: bytes = b""
    """The import file: the only place where these households' personal data stand open."""
    households: int = 0
    rejected_rows: int = 0
    deposited_minor: dict[str, int] = field(default_factory=lambda: {FUND: 0})
    prefunded_minor: dict[str, int] = field(default_factory=dict)
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    _arrivals: list[tuple[str, str, int]] = field(default_factory=list)

    pauses_heard_within: timedelta = _PAUSES_HEARD_WITHIN
    _clock_was_set: bool = False

    @property
    def clock_behind(self) -> timedelta | None:
        """By how much the programme's clock is behind the machine's, and the providers'; None: by
        one and then by another."""
        if self._clock_was_set:
            return None
        assert self.stack.clock_file is not None
        return datetime.now(UTC) - FileClock(self.stack.clock_file).now()

    def set_clock(self, instant: datetime) -> None:
        """Set the programme's clock, forth or back."""
        self._clock_was_set = True
        self.stack.set_clock(instant)

    def arrivals(self, provider: str) -> list[tuple[str, int, str]]:
        """The money that arrived at a provider: reference, minor units, currency."""
        return [
            (reference, amount_minor, CURRENCY)
            for code, reference, amount_minor in self._arrivals
            if code == provider
        ]

    def prepare(self) -> None:
        """What is there before the shock: areas, households, the scheme, money."""
        registry, payments = "registry", "payments"
        self._order(registry, "PUT", "/gazetteer", json={"edition": "ncdd-2022"})
        document = json.loads((_DOCUMENTS / f"{SCHEME}.json").read_text())
        # Some cases open several activations for the same households, and pay all of them.
        document["overlapping"] = "paid"
        self._order(registry, "POST", "/schemes", json=document, read_back=f"/schemes/{SCHEME}")
        made = self._order(
            registry, "POST", "/imports", json={"source": "IDPoor"}, read_back="/imports/{id}"
        )
        self.rows = self.spoil(b"".join(country_csv(scale=self.scale, seed=self.seed)))
        taken = self._order(
            registry,
            "PUT",
            f"/imports/{made['id']}/rows",
            content=self.rows,
            headers={"Content-Type": "text/csv"},
        )
        self.rejected_rows = taken["rows_rejected"]
        self.households = self.rows.count(b"\n") - 1 - self.rejected_rows
        self._order(
            payments,
            "POST",
            "/funds",
            json={
                "code": FUND,
                "name": "Relief",
                "currency": CURRENCY,
                "maximum_payment_minor": _MAXIMUM_PAYMENT_MINOR,
                "maximum_round_minor": 2 * _DEPOSIT_MINOR,
            },
        )
        for _ in range(2):
            self._order(
                payments,
                "POST",
                f"/funds/{FUND}/deposits",
                json={"amount_minor": _DEPOSIT_MINOR, "reference": "Budget 2020"},
            )
            self.deposited_minor[FUND] += _DEPOSIT_MINOR
        for provider in self.providers:
            self.prefund(provider, self.prefunding_minor)

    def prefund(self, provider: str, amount_minor: int) -> None:
        """Give a provider money to pay from."""
        reference = f"Float {len(self._arrivals) + 1}"
        self._order(
            "payments",
            "POST",
            f"/providers/{provider}/prefundings",
            json={"amount_minor": amount_minor, "reference": reference},
        )
        self._arrivals.append((provider, reference, amount_minor))
        self.prefunded_minor[provider] = self.prefunded_minor.get(provider, 0) + amount_minor

    def sweep(self) -> str:
        """Have providers asked about every payment that has an end; the sweep's path."""
        begun = self._order(
            "payments", "POST", "/sweeps", json={"statuses": ["settled", "rejected"]}
        )
        return f"/sweeps/{begun['id']}"

    def hold_above(self, amount_minor: int) -> None:
        """Have each payment held by which its household would come to more."""
        cap = {"amount_minor": amount_minor, "currency": CURRENCY, "window_days": 30}
        self._order(
            "payments",
            "POST",
            "/hold-rules",
            json={"scheme": SCHEME, "above_cap": cap, "reason": "Looked at first."},
        )

    def end_holds(self) -> None:
        """Decide about what a rule holds and nobody has decided on: half may go, half may not."""
        page = self._read("/holds?limit=500")
        open_ids = [hold["instruction_id"] for hold in page["items"] if not hold["approval_id"]]
        for decision, digits in (("release", "02468ace"), ("cancel", "13579bdf")):
            chosen = [each for each in open_ids if each[-1] in digits]
            if chosen:
                self._order(
                    "payments",
                    "POST",
                    "/holds/decisions",
                    json={"decision": decision, "instruction_ids": chosen, "reason": "Looked at."},
                )

    def pause(self, provider: str) -> str:
        """Have nothing sent through a provider; the pause's id."""
        pause = self._order(
            "payments",
            "POST",
            "/pauses",
            json={"provider": provider, "reason": "Something is wrong there."},
            read_back="/pauses/{id}",
        )
        return str(pause["id"])

    def resume(self, pause_id: str) -> None:
        """Let go what a pause keeps."""
        path = f"/pauses/{pause_id}/resumption"
        self._order("payments", "POST", path, json={"reason": "It is right again."})

    def map_statements(self, provider: str, mapping: Mapping[str, Any]) -> None:
        """Say how a provider's statements are read."""
        self._order("payments", "POST", "/statement-mappings", json={**mapping, "code": provider})

    def send_statement(self, provider: str, day: date, content: bytes) -> dict[str, Any]:
        """Have a provider's statement of a day held against the books; what was answered."""
        return self._order(
            "payments",
            "POST",
            f"/statements?provider={provider}&day={day}",
            content=content,
            headers={"Content-Type": "text/csv"},
        )

    def resolve_difference(self, number: int, outcome: str) -> None:
        """End what a statement and the books do not agree on."""
        path = f"/differences/{number}/resolution"
        self._order("payments", "POST", path, json={"outcome": outcome, "reason": "By letter."})

    def differences(self, provider: str) -> list[dict[str, Any]]:
        """What is open of a provider's statements."""
        page = self._read(f"/differences?status=open&provider={provider}")
        return list(page["items"])

    def reconciliation(self, provider: str, day: date) -> dict[str, Any]:
        """The report of a day."""
        return self._read(f"/reconciliations?provider={provider}&day={day}")

    def strike(self) -> None:
        """The shock becomes known: a first report, then one that names more provinces."""
        self.watch()
        self.report(FIRST_PROVINCES)
        self.report(LATER_PROVINCES)

    def watch(self) -> None:
        """The indicator, and the trigger that reads it."""
        triggers = "triggers"
        self._order(
            triggers,
            "POST",
            "/indicators",
            json=_indicator(INDICATOR),
            read_back=f"/indicators/{INDICATOR}",
        )
        self._order(
            triggers, "POST", "/triggers", json=_trigger(), read_back=f"/triggers/{TRIGGER}"
        )

    def goes_on(self, *, seconds: float, at_most_seconds: float, until: Callable[[], bool]) -> None:
        """Ordinary traffic, for so long and until then: an indicator that no trigger reads."""
        began = time.monotonic()
        self._order("triggers", "POST", "/indicators", json=_indicator(TRAFFIC))
        number = 0
        while (elapsed := time.monotonic() - began) < at_most_seconds:
            if elapsed > seconds and until():
                return
            number += 1
            self._publish(_reported(TRAFFIC, ["01"], number))

    def report(self, provinces: list[str]) -> None:
        """So many households are affected in each of these provinces."""
        self._publish(_reported(INDICATOR, provinces, 5000))

    def _publish(self, observations: dict[str, Any]) -> None:
        """As the disaster committee's own program does, until it is acknowledged."""
        key = {"Idempotency-Key": str(new_id())}

        def send() -> httpx.Response:
            with self.stack.publisher(PUBLISHER) as client:
                return client.post("/observations", headers=key, json=observations)

        patiently(send, what="POST /observations")

    def _read(self, path: str) -> dict[str, Any]:
        """What payments says under a path."""

        def send() -> httpx.Response:
            with self.stack.client("payments") as client:
                return client.get(path)

        content: dict[str, Any] = patiently(send, what=f"GET {path}").json()
        return content

    def _order(
        self,
        service: str,
        method: str,
        path: str,
        *,
        read_back: str | None = None,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> dict[str, Any]:
        """Send until it is acknowledged, always the same request under the same key."""
        key = {"Idempotency-Key": str(new_id()), **(headers or {})}

        def send() -> httpx.Response:
            with self.stack.client(service) as client:
                return client.request(method, path, headers=key, **body)

        answer = patiently(send, what=f"{method} {path}")
        content: dict[str, Any] = answer.json()
        if answer.status_code == httpx.codes.ACCEPTED and "proposed_by" in content:
            content = self._approved(service, content["id"])
        if read_back:
            path = read_back.format(id=content.get("id"))
            self.acknowledged.append(Acknowledgement(service=service, path=path, told=content))
        return content

    def _approved(self, service: str, approval_id: str) -> dict[str, Any]:
        """Have the second person approve a proposal; what came of it."""

        def read(path: str) -> Callable[[], httpx.Response]:
            def send() -> httpx.Response:
                with self.stack.client(service, Role.CHECKER) as client:
                    return client.get(path)

            return send

        def approve() -> httpx.Response:
            with self.stack.client(service, Role.CHECKER) as client:
                proposal = client.get(f"/approvals/{approval_id}")
                if proposal.is_success and proposal.json()["status"] == "approved":
                    # The answer to an earlier attempt was lost.
                    return proposal
                return client.post(
                    f"/approvals/{approval_id}/approval", json={"reason": "Checked."}
                )

        approved = patiently(approve, what=f"approve {approval_id}").json()
        outcome = approved["outcome"].removeprefix(API_PREFIX)
        content: dict[str, Any] = patiently(read(outcome), what=f"GET {outcome}").json()
        return content


def patiently(send: Callable[[], httpx.Response], *, what: str) -> httpx.Response:
    """Repeat a request while the other side is down or unwell; raises NotAcknowledged."""
    patience = Patience(_PATIENCE_SECONDS)
    last = "no answer"
    while not patience.is_over:
        try:
            answer = send()
        except httpx.TransportError as error:
            last = type(error).__name__
        else:
            if answer.is_success:
                return answer
            if answer.is_client_error and answer.status_code != httpx.codes.CONFLICT:
                raise NotAcknowledged(f"{what}: {answer.status_code} {answer.text}")
            last = f"{answer.status_code} {answer.text}"
        time.sleep(_PAUSE_SECONDS)
    raise NotAcknowledged(f"{what}: {last}")


def _indicator(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": "Households affected",
        "unit": "households",
        "kind": "households_affected",
        "area_level": "province",
    }


def _reported(indicator: str, provinces: list[str], households: int) -> dict[str, Any]:
    day = BEGINNING.date().isoformat()
    return {
        "indicator": indicator,
        "unit": "households",
        "observations": [
            {
                "area": province,
                "source": "HRF",
                "observed_on": day,
                "published_on": day,
                "value": str(households),
            }
            for province in provinces
        ],
    }


def _trigger() -> dict[str, Any]:
    return {
        "code": TRIGGER,
        "name": "Reported everywhere",
        "scheme": SCHEME,
        "shock": "flood",
        "areas": ["KH"],
        "area_filter": None,
        "enabled": True,
        "judge_within_days": 92,
        "legs": [
            {
                "indicator": INDICATOR,
                "method": {
                    "kind": "reported-impact",
                    "readiness": {"national_threshold_households": 10_000},
                    "activation": {
                        "national_threshold_households": 20_000,
                        "area_threshold_households": 1_000,
                    },
                    "unquantified": "include",
                    "extreme_from_households": 1_000_000,
                    "rearm": {"days_without_reports": 30},
                },
            }
        ],
        "stages": {
            "activation": {
                "approval": "automatic",
                "ceiling": {
                    "households": 1_000_000,
                    "amount_minor": 1_000_000_000_000,
                    "currency": CURRENCY,
                },
            }
        },
    }
