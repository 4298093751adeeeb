"""The report: what happened, to whom the money went, what failed, and whether it all adds up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from demo.accountant import Day, Found, Reconciled
from demo.facts import Decided, Facts, Failure, LaterRound, Province, Quiet, Run
from demo.officer import Told
from demo.providers import HOW
from demo.shocks import Fall
from judge.verdict import Outcome, Verdict, shown
from shared.clock import COUNTRY_ZONE

_SCHEMES = {
    "flood-2022": "Cash relief for flood-affected households",
    "inflation-2022": "Cash support against inflation",
}
_REASONS = {
    "identifierError": "the provider knows no such account",
    "incorrectState": "the account is closed",
    "AC01": "the bank knows no such account",
    "AC04": "the account at the bank is closed",
}
_MISBEHAVIOURS = {
    "slow-answer": "answers came late",
    "lost-reply": "replies were lost after the payment was booked",
    "silence": "payments were booked without any word of it",
    "error-before-booking": "were refused with a 5xx, and booked on a later try",
    "error-after-booking": "were booked behind a 5xx",
    "duplicate-callback": "callbacks came several times",
    "early-callback": "callbacks came before the answer",
    "no-callback": "callbacks never came",
}

_MARKS = {
    Outcome.HOLDS: "[green]holds[/]",
    Outcome.FAILS: "[bold red]FAILS[/]",
    Outcome.LEFT_OUT: "[dim]left out[/]",
}


def print_report(
    console: Console,
    facts: Facts,
    verdict: Verdict,
    *,
    falls: Iterable[Fall],
    households: int,
    scale: str,
    seconds: Mapping[str, float],
    officers: Iterable[Told],
    reconciled: Reconciled,
) -> None:
    """Print the whole report; amounts are riel."""
    console.print()
    console.rule("[bold]From the shock to the household")
    payments = sum(province.paid for province in facts.provinces)
    paid_minor = sum(province.paid_minor for province in facts.provinces)
    console.print(
        f"Two real shocks met a country of [bold]{households:,}[/] synthetic poor households "
        f"({scale} of the real number). The system made [bold]{payments:,}[/] payments, "
        f"[bold]{riel(paid_minor)}[/], to [bold]{facts.households_paid:,}[/] of them; nobody fired "
        "anything by hand.",
        highlight=False,
    )
    console.print(_timeline(facts.runs))
    console.print(_notes(facts.quiet, falls))
    for scheme, provinces in groupby(facts.provinces, key=lambda province: province.scheme):
        console.print(_provinces(scheme, list(provinces)))
    console.print(_failures(facts.failures))
    console.print(_later_rounds(facts.later_rounds))
    console.print(_decided(facts.decided), highlight=False)
    console.print(_providers(facts.sandbox), highlight=False)
    console.print(_officers(officers))
    console.print(_statements(reconciled.days))
    console.print(_differences(reconciled.found))
    console.print(_books(reconciled), highlight=False)
    console.print(_phases(seconds))
    print_proofs(console, verdict)


def print_proofs(console: Console, verdict: Verdict) -> None:
    """Print each proof with its numbers, and what is against those that fail."""
    table = _table("Proofs")
    table.add_column("", no_wrap=True)
    table.add_column("what holds")
    table.add_column("numbers (riel)")
    for proof in verdict.proofs:
        numbers = f"for lack of {proof.missing}" if proof.missing else proof.numbers
        table.add_row(_MARKS[proof.outcome], proof.name, escape(numbers))
    console.print(table)
    for proof in verdict.of(Outcome.FAILS):
        evidence = "\n".join(escape(line) for line in shown(proof.evidence))
        console.print(Panel(evidence, title=f"Against: {proof.name}", style="red"))


def riel(amount_minor: int) -> str:
    """Whole riel, with thousands separators."""
    return f"{amount_minor:,} riel"


def instant(moment: datetime | None) -> str:
    """An instant in the country's zone."""
    return f"{moment.astimezone(COUNTRY_ZONE):%Y-%m-%d %H:%M:%S}" if moment else "—"


def _table(title: str, *, headed: bool = True, footed: bool = False) -> Table:
    """A table as wide as the page; without a head it has no lines either."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD if headed else None,
        show_header=headed,
        show_footer=footed,
        expand=True,
    )


def _timeline(runs: Iterable[Run]) -> Table:
    table = _table(
        "Timeline, in Phnom Penh time; + is the time that really passed since the report",
        headed=False,
    )
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1)
    for run in runs:
        table.add_row(
            f"[bold]{instant(run.known_at)}",
            "",
            f"[bold]{run.scheme}, {run.kind}:[/] {escape(run.explanation)}",
        )
        reached = f"{run.provinces} provinces, {run.communes:,} communes"
        for moment, what in (
            (run.activated_at, f"activation: enrolment begins in {reached}"),
            (run.first_paid_at, "first household paid"),
            (
                run.last_paid_at,
                f"last household paid: {run.households:,} households, {riel(run.paid_minor)}",
            ),
        ):
            table.add_row(instant(moment), _since(moment, run), what)
        table.add_section()
    return table


def _since(moment: datetime | None, run: Run) -> str:
    if moment is None:
        return ""
    return f"+{(moment - run.known_at) / timedelta(seconds=1):.1f} s"


def _notes(quiet: Iterable[Quiet], falls: Iterable[Fall]) -> Table:
    table = _table(
        "Met again, or lower: and nothing was paid twice, and nothing taken back",
        headed=False,
    )
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for evaluation in quiet:
        table.add_row(
            f"{evaluation.judged_on}", f"{evaluation.trigger}: {escape(evaluation.explanation)}"
        )
    for fall in falls:
        table.add_row(
            f"{fall.reported_on}",
            f"{fall.authority}'s figure for {fall.province} fell from {fall.before:,} to "
            f"{fall.after:,} households: the highest holds, nobody is asked for money back.",
        )
    return table


def _provinces(scheme: str, provinces: Sequence[Province]) -> Table:
    table = _table(
        f"{_SCHEMES.get(scheme, scheme)} ({scheme}), first round",
        footed=True,
    )
    table.add_column("province", footer="all")
    for heading, total in (
        ("entitled", sum(province.entitled for province in provinces)),
        ("paid", sum(province.paid for province in provinces)),
        ("riel paid", sum(province.paid_minor for province in provinces)),
        ("failed", sum(province.failed for province in provinces)),
        ("no account", sum(province.without_account for province in provinces)),
        ("paid elsewhere", sum(province.excluded for province in provinces)),
    ):
        table.add_column(heading, footer=f"{total:,}", justify="right")
    for province in provinces:
        table.add_row(
            province.province,
            f"{province.entitled:,}",
            f"{province.paid:,}",
            f"{province.paid_minor:,}",
            f"{province.failed:,}",
            f"{province.without_account:,}",
            f"{province.excluded:,}",
        )
    return table


def _failures(failures: Iterable[Failure]) -> Table:
    table = _table("Entitled and not paid: what failed, and why")
    table.add_column("scheme")
    table.add_column("reason")
    table.add_column("households", justify="right")
    table.add_column("riel", justify="right")
    for failure in failures:
        table.add_row(
            failure.scheme,
            escape(_reason(failure.reason)),
            f"{failure.households:,}",
            f"{failure.amount_minor:,}",
        )
    return table


def _reason(code: str) -> str:
    """A provider's code in words, where there are any."""
    return f"{code}: {_REASONS[code]}" if code in _REASONS else code


def _later_rounds(rounds: Iterable[LaterRound]) -> Table:
    table = _table(
        "Later rounds: scheduled; an officer releases each when it is due (here nobody did)"
    )
    table.add_column("scheme")
    table.add_column("round", justify="right")
    table.add_column("due on")
    table.add_column("households", justify="right")
    table.add_column("riel, as enrolled", justify="right")
    for due in rounds:
        table.add_row(
            due.scheme,
            f"{due.number}",
            f"{due.due_on}",
            f"{due.households:,}",
            f"{due.amount_minor:,}",
        )
    return table


def _decided(decided: Iterable[Decided]) -> str:
    pairs = groupby(decided, key=lambda step: (step.proposed_by, step.decided_by))
    told = "; ".join(
        f"{proposer} proposed and {checker} approved "
        + ", ".join(f"{step.steps} × {step.kind.replace('_', ' ')}" for step in steps)
        for (proposer, checker), steps in pairs
    )
    return f"[bold]No rule and no money came from one person[/]: {escape(told)}."


def _providers(sandbox: Mapping[str, object]) -> str:
    misbehaved = sandbox.get("misbehaviours")
    counts = misbehaved if isinstance(misbehaved, dict) else {}
    told = "; ".join(
        f"{counts[kind]:,} {words}" for kind, words in _MISBEHAVIOURS.items() if counts.get(kind)
    )
    return (
        "[bold]The providers misbehaved[/], by the seed: "
        f"{told or 'not at all'}. Each payment was still made once, or not at all."
    )


def _officers(officers: Iterable[Told]) -> Table:
    table = _table(
        "What officers stopped, held and took back; who was paid is the same",
        headed=False,
    )
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for told in officers:
        table.add_row(f"[bold]{told.what}", escape(told.text))
    return table


def _statements(days: Iterable[Day]) -> Table:
    how = ", ".join(f"{provider}: {way}" for provider, way in HOW.items())
    table = _table(f"The providers' statements, held against our books ({how})")
    table.add_column("day", no_wrap=True)
    table.add_column("provider", no_wrap=True)
    for heading in ("lines", "paid", "riel paid", "closing balance"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("the report says")
    for day in days:
        table.add_row(
            f"{day.day}",
            day.provider,
            f"{day.line_count:,}",
            f"{day.paid_count:,}",
            f"{day.paid_minor:,}",
            "" if day.closing_minor is None else f"{day.closing_minor:,}",
            f"[{'green' if day.everything_matches else 'bold red'}]{escape(day.verdict)}",
        )
    return table


def _differences(found: Iterable[Found]) -> Table:
    table = _table("Planted in them, found, and ended")
    table.add_column("day", no_wrap=True)
    table.add_column("provider")
    table.add_column("difference", no_wrap=True)
    table.add_column("statement", justify="right")
    table.add_column("our books", justify="right")
    table.add_column("its end", ratio=1)
    for difference in found:
        table.add_row(
            f"{difference.day}",
            difference.provider,
            difference.kind,
            _side(difference.statement_minor),
            _side(difference.ledger_minor),
            escape(difference.end),
        )
    return table


def _side(amount_minor: int | None) -> str:
    return "" if amount_minor is None else f"{amount_minor:,}"


def _books(reconciled: Reconciled) -> str:
    matching = sum(day.everything_matches for day in reconciled.days)
    trial = "; ".join(
        f"the {name} book {debit:,} = {credit:,}" for name, debit, credit in reconciled.trial
    )
    return (
        f"[bold]{matching} of {len(reconciled.days)} statements match[/]. The trial balance, debit "
        f"= credit: {escape(trial)}."
    )


def _phases(seconds: Mapping[str, float]) -> Table:
    table = Table(
        title="How long it took on this machine",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        min_width=60,
    )
    table.add_column("phase")
    table.add_column("seconds", justify="right")
    for title, took in seconds.items():
        table.add_row(title, f"{took:.1f}")
    outermost = (took for title, took in seconds.items() if not title.startswith(" "))
    table.add_row("all", f"{sum(outermost):.1f}")
    return table
