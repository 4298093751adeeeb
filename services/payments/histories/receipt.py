"""A receipt of one payment, in both languages, to be printed. It names no person."""

from services.payments.histories.schemas import AttemptOut, HistoryOut
from services.payments.instructions.states import Status
from shared.clock import COUNTRY_ZONE
from shared.errors import Conflict
from shared.pages import document, words
from shared.wording import numbers
from shared.wording.phrase import Phrase

_TITLE = Phrase("Receipt of a payment", "បង្កាន់ដៃទូទាត់")
_NOTE = Phrase(
    "Whoever has questions shows this page where the household is registered.",
    "អ្នកមានសំណួរ សូមបង្ហាញទំព័រនេះនៅកន្លែងដែលគ្រួសារបានចុះឈ្មោះ។",
)


def receipt(history: HistoryOut) -> str:
    """The page of what was paid; raises Conflict where nothing was."""
    for attempt in history.attempts:
        if attempt.status is Status.SETTLED:
            return document(
                _TITLE, f"<table>{_rows(history, attempt)}</table><p>{words(_NOTE)}</p>"
            )
    raise Conflict(
        f"There is no receipt, for it is not paid. {history.said.en} GET "
        f"/v1/entitlements/{history.entitlement_id}/history says more."
    )


def _rows(history: HistoryOut, attempt: AttemptOut) -> str:
    paid_at = attempt.steps[-1].at.astimezone(COUNTRY_ZONE)
    day = numbers.day(paid_at.date())
    clock = paid_at.strftime("%H:%M")
    paid_minor = attempt.amount_minor if attempt.paid_minor is None else attempt.paid_minor
    rows = [
        (Phrase("Amount", "ចំនួនទឹកប្រាក់"), numbers.money(paid_minor, attempt.currency)),
        (
            Phrase("Paid on", "បានទូទាត់នៅ"),
            Phrase(f"{day.en}, {clock}", f"{day.km} ម៉ោង {numbers.khmer_digits(clock)}"),
        ),
        (Phrase("By", "តាមរយៈ"), Phrase.same(attempt.provider_name)),
        *((Phrase("Note", "កំណត់សម្គាល់"), Phrase(said.en, said.km)) for said in attempt.gone_by),
        (
            Phrase("The provider's reference", "លេខយោងរបស់អ្នកផ្តល់សេវា"),
            Phrase.same(attempt.transaction_reference or "–"),
        ),
        (
            Phrase("Relief", "ជំនួយ"),
            Phrase(
                f"{history.scheme}, round {history.round}",
                f"{history.scheme} ជុំទី{numbers.khmer_digits(str(history.round))}",
            ),
        ),
        (Phrase("Payment", "ការទូទាត់"), Phrase.same(str(attempt.instruction_id))),
        (Phrase("Entitlement", "សិទ្ធិទទួល"), Phrase.same(str(history.entitlement_id))),
    ]
    return "".join(_row(name, value) for name, value in rows)


def _row(name: Phrase, value: Phrase) -> str:
    return f"<tr><th>{words(name)}</th><td>{words(value)}</td></tr>"
