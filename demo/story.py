"""Replaying the shocks day by day: each day's figures are published, and the system does the rest.

After each day the story waits until the system came to rest: the trigger has judged the figures
and, where it opened or widened an activation, every entitlement of it has its end.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from demo.api import Api, NeverCame, wait_for
from demo.officer import Officer
from demo.shocks import PRICE_TRIGGER, Publication, publications
from demo.show import Phase, Show

MONTHS_AFTER_THE_SPIKE = 5
"""How long prices go on after the first activation: some of these months meet the thresholds
again, and the trigger has to keep quiet."""

_STILL_SECONDS = 90.0
_FIRED = {"proposed": "opened by itself", "widened": "widened"}
"""Outcomes of evaluations that pay, within their trigger's ceiling, and what to call them."""


def replay(
    show: Show,
    *,
    set_clock: Callable[[datetime], None],
    registry: Api,
    triggers: Api,
    payments: Api,
    publisher: Api,
    officer: Officer,
) -> list[datetime]:
    """Publish everything in the order in which it came out; stop some months after the spike.

    Returns the instants from which on something was paid, and last the one at which it stopped.
    """
    days = publications()
    paid_at: list[datetime] = []
    with show.phase("Publishing prices and reports, day by day", total=len(days)) as phase:
        months_left: int | None = None
        for number, publication in enumerate(days, start=1):
            phase.reach(number - 1, title=f"{publication.published_on} {publication.title}")
            set_clock(publication.instant)
            officer.before(publication.published_on)
            publisher.post("/observations", publication.body)
            set_clock(publication.judged_at)
            evaluation = _judged(triggers, publication)
            if evaluation["outcome"] in _FIRED:
                _pay(
                    show,
                    publication,
                    evaluation,
                    registry=registry,
                    triggers=triggers,
                    payments=payments,
                    officer=officer,
                )
                paid_at.append(publication.judged_at)
            if publication.trigger != PRICE_TRIGGER:
                continue
            if months_left is not None:
                months_left -= 1
            elif evaluation["outcome"] in _FIRED:
                months_left = MONTHS_AFTER_THE_SPIKE
            if months_left == 0:
                phase.reach(number, total=number)
                return [*paid_at, publication.judged_at]
    return [*paid_at, days[-1].judged_at]


def wait_for_last_callbacks(payments: Api, *, sandbox_url: str) -> None:
    """Until the providers have nothing more to say, and payments has worked all they said."""

    def look() -> tuple[bool | None, object]:
        summary = httpx.get(f"{sandbox_url}/book/summary", timeout=60).raise_for_status().json()
        to_work = payments.get("/webhooks", status="received", limit=1)["items"]
        measure = (summary["callbacks_due"], len(to_work))
        return (True if measure == (0, 0) else None), measure

    wait_for(look, what="The end of the providers' callbacks", still_seconds=_STILL_SECONDS)


def _judged(triggers: Api, publication: Publication) -> dict[str, Any]:
    """The trigger's evaluation of what was just published."""

    def look() -> tuple[dict[str, Any] | None, object]:
        latest = triggers.get(f"/triggers/{publication.trigger}/evaluations", limit=1)["items"]
        if latest and latest[0]["judged_on"] == publication.judged_on.isoformat():
            return latest[0], None
        return None, "no evaluation"

    return wait_for(
        look,
        what=f"The evaluation of {publication.trigger} for {publication.judged_on}",
        still_seconds=_STILL_SECONDS,
    )


def _pay(
    show: Show,
    publication: Publication,
    evaluation: dict[str, Any],
    *,
    registry: Api,
    triggers: Api,
    payments: Api,
    officer: Officer,
) -> None:
    """Wait until everyone whom this activation reaches by now has an end."""
    activation_id = evaluation["activation_id"]
    areas = {area["area"] for area in triggers.get(f"/activations/{activation_id}")["areas"]}
    title = f"{publication.published_on} {publication.trigger} {_FIRED[evaluation['outcome']]}"
    show.say(f"[bold]{title}[/]: {evaluation['explanation']}")

    def look() -> tuple[dict[str, Any] | None, object]:
        activation = registry.find(f"/activations/{activation_id}")
        if activation is None:
            return None, (0, 0, 0)
        progress = activation["progress"]
        sent = payments.find(f"/activations/{activation_id}/payments")
        ended = sum(
            payments_in_state["count"]
            for payments_in_state in (sent["payments"] if sent else ())
            if payments_in_state["status"] in ("settled", "rejected")
        )
        planned = areas <= set(activation["areas"]) and all(
            run["completed_at"] for run in activation["runs"]
        )
        if planned and sent and sent["entitlements_announced"] == progress["payable_count"]:
            officer.attend(activation_id, announced=sent["entitlements_announced"], ended=ended)
        at_rest = planned and progress["waiting_count"] == 0
        measure = (activation["chunks_done"], ended, progress["payable_count"])
        return (activation if at_rest else None), measure

    with show.phase(title) as phase:

        def told(measure: object) -> None:
            assert isinstance(measure, tuple)
            _, ended, payable = measure
            _reach(phase, ended, payable)

        try:
            activation = wait_for(
                look,
                what=f"The end of all payments of activation {activation_id}",
                still_seconds=_STILL_SECONDS,
                on_progress=told,
            )
        except NeverCame as error:
            reasons = _what_holds_it_up(activation_id, registry=registry, payments=payments)
            raise NeverCame(f"{error} {reasons}") from error
    progress = activation["progress"]
    show.say(
        f"  {progress['paid_count']:,} households paid {progress['paid_minor']:,} riel so far, "
        f"{progress['failed_count']:,} failed, {progress['unpayable_count']:,} without an account."
    )


def _what_holds_it_up(activation_id: str, *, registry: Api, payments: Api) -> str:
    """What the services themselves say of it."""
    said = [
        round_["reason"]
        for round_ in payments.pages("/rounds", activation_id=activation_id)
        if round_["reason"]
    ]
    if registry.find(f"/activations/{activation_id}") is None:
        said.append("The registry has not heard of it: GET /dead-letters of the registry.")
    else:
        said += [
            f"Chunk {chunk['id']}: {chunk['refusal'] or chunk['last_error']}."
            for chunk in registry.pages(f"/activations/{activation_id}/chunks")
            if chunk["refusal"] or chunk["last_error"]
        ]
    return " ".join(said[:3]) or "No service says why."


def _reach(phase: Phase, ended: int, payable: int) -> None:
    if payable:
        phase.reach(ended, total=payable)
