"""A list as it is printed, for signatures and thumbprints. Pure; it names nobody."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from services.payments.providers.cashlist.listing import (
    ListedPayment,
    list_code,
    printed_checksum,
)
from services.payments.settings.provider import PayoutPlace
from services.payments.statements import AnyRow
from shared.money import Money
from shared.printing import Column, Paper, numbered
from shared.wording import numbers
from shared.wording.in_words import amount_in_words
from shared.wording.phrase import Phrase

_ROW_MM = 14.0
"""Room for a thumb."""
_TITLE = Phrase("List of cash payments", "បញ្ជីបើកប្រាក់ឧបត្ថម្ភ")
_PLACES = {
    PayoutPlace.VILLAGE_OFFICE: Phrase("Village office", "ការិយាល័យភូមិ"),
    PayoutPlace.AGENT: Phrase("Agent", "ភ្នាក់ងារ"),
}
_COLUMNS = (
    Column(Phrase("No.", "ល.រ"), 16, "C"),
    Column(Phrase("Code", "លេខកូដ"), 27, "C"),
    Column(Phrase("Amount", "ចំនួនទឹកប្រាក់"), 33, "R"),
    Column(Phrase("Signature or thumbprint", "ហត្ថលេខា ឬស្នាមមេដៃ"), 56, "C"),
    Column(Phrase("Paid on", "ថ្ងៃបើកប្រាក់"), 25, "C"),
    Column(Phrase("If not paid: why", "បើមិនបើក៖ មូលហេតុ"), 33, "C"),
)
_SIGNED_BY = (
    Phrase("Paid out by: name, signature, day", "អ្នកបើកប្រាក់៖ ឈ្មោះ ហត្ថលេខា ថ្ងៃ"),
    Phrase("Witnessed by: name, signature, day", "សាក្សី៖ ឈ្មោះ ហត្ថលេខា ថ្ងៃ"),
)
_NOTES = (
    Phrase(
        "Compare each code with the sheet of names of this list, and the person with their card.",
        "សូមផ្ទៀងផ្ទាត់លេខកូដនីមួយៗជាមួយបញ្ជីឈ្មោះ និងផ្ទៀងផ្ទាត់បុគ្គលជាមួយប័ណ្ណរបស់គាត់។",
    ),
    Phrase(
        "Who did not come: leave the line empty. After the last day their money goes back.",
        "អ្នកមិនបានមក៖ សូមទុកជួរឱ្យទំនេរ។ ក្រោយថ្ងៃចុងក្រោយ ប្រាក់នឹងត្រូវបង្វិលទៅវិញ។",
    ),
)


def paper_of(row: AnyRow, payments: Sequence[ListedPayment]) -> Paper:
    """The paper of a list, from what was fixed when it was made and from nothing else."""
    code = list_code(row.number, row.id)
    total = Money(row.total_minor, row.currency)
    count = numbers.number(row.line_count)
    checksum = Phrase.same(printed_checksum(row.content_digest))
    return Paper(
        title=_TITLE,
        code=code,
        made_at=datetime.combine(row.made_on, time(), UTC),
        facts=(
            (Phrase("List", "បញ្ជីលេខ"), Phrase.same(code)),
            (Phrase("Relief", "ជំនួយ"), _relief(row)),
            (Phrase("Commune", "ឃុំ/សង្កាត់"), _commune(row)),
            (Phrase("Paid at", "បើកប្រាក់នៅ"), _PLACES[PayoutPlace(row.paid_at)]),
            (Phrase("Made on", "ធ្វើនៅ"), numbers.day(row.made_on)),
            (Phrase("Last day", "ថ្ងៃចុងក្រោយ"), numbers.day(row.claim_by)),
            (Phrase("Checksum", "លេខផ្ទៀងផ្ទាត់"), checksum),
        ),
        columns=_COLUMNS,
        rows=[
            [numbered(line.number), line.code, _amount(line.money), "", "", ""] for line in payments
        ],
        row_mm=_ROW_MM,
        closing=(
            (Phrase("Lines", "ចំនួនជួរ"), count),
            (Phrase("Total", "សរុប"), numbers.money(row.total_minor, row.currency)),
            (Phrase("In words", "ជាអក្សរ"), amount_in_words(total)),
            (Phrase("Checksum", "លេខផ្ទៀងផ្ទាត់"), checksum),
        ),
        signed_by=_SIGNED_BY,
        notes=_NOTES,
    )


def _commune(row: AnyRow) -> Phrase:
    code = row.area_code or "–"
    if row.area_name_en is None:
        return Phrase.same(code)
    return Phrase(f"{row.area_name_en} ({code})", f"{row.area_name_km} ({code})")


def _relief(row: AnyRow) -> Phrase:
    return Phrase(
        f"{row.scheme}, round {row.round}",
        f"{row.scheme} ជុំទី{numbers.khmer_digits(str(row.round))}",
    )


def _amount(money: Money) -> str:
    return f"{money.to_decimal():,f} {money.currency}"
